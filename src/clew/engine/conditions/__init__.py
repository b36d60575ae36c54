"""Condition operators: the OPERATORS table, one module for each type of value."""

from clew.engine.conditions.compiled import Test, compile_condition
from clew.engine.conditions.operators import OPERATORS, Operator, Qualified, Quantifier, read

__all__ = ["OPERATORS", "Operator", "Qualified", "Quantifier", "Test", "compile_condition", "read"]
