"""Reports: text, JSON, JSON lines, CSV, HTML."""
