"""Readers that lower a pattern language into the predicate tree."""
