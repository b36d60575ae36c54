"""The functions that a query may call: reviewed one by one; any other name is refused by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.lake.sql.functions import aggregates, collections, json_text, numbers, text, times

if TYPE_CHECKING:
    from clew.lake.sql.functions.model import Function

_MODULES = (text, json_text, numbers, times, collections, aggregates)
FUNCTIONS: dict[str, Function] = {
    function.name: function for module in _MODULES for function in (*module.FUNCTIONS, aggregates.GROUPING)
}
MACROS: dict[str, str] = {name: body for module in _MODULES for name, body in module.MACROS.items()}
NO_JSON = frozenset(function.name for module in (text, times) for function in module.FUNCTIONS)
"""Functions to which JSON is no text: DuckDB would take it with its quotes."""
_MACRO_NAME = re.compile(r"\bclew_\w+", re.IGNORECASE)


def macro_statements(sql: str) -> list[str]:
    """The statements that make the macros which the translated query uses, in the order in which they are needed."""
    made: dict[str, str] = {}
    _add(sql, made)
    return list(made.values())


def _add(sql: str, made: dict[str, str]) -> None:
    for name in _MACRO_NAME.findall(sql):
        macro = name.lower()
        if macro in MACROS and macro not in made:
            _add(MACROS[macro], made)
            made[macro] = f"CREATE MACRO {macro}{MACROS[macro]}"
