"""Condition operators: the OPERATORS table, one module for each type of value."""
