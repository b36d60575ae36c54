"""From events to findings: rules, derived facts, windows."""
