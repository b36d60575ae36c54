"""Which names a part of a query may use, and what type each has."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clew.lake.sql.dialect import refuse
from clew.lake.sql.types import UNKNOWN, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlglot import exp

Columns = tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The relations, lambda parameters and output names in view, innermost first.

    `tables` are the query's own WITH relations. INVARIANT: all keys are lower case.
    """

    sources: tuple[tuple[str, Columns], ...] = ()
    tables: Mapping[str, Columns] = field(default_factory=dict)
    parameters: Mapping[str, Type] = field(default_factory=dict)
    outputs: Mapping[str, Type] = field(default_factory=dict)
    outer: Scope | None = None

    def source(self, name: str) -> Columns | None:
        """The columns of the relation of that name, here or outside."""
        found = next((columns for alias, columns in self.sources if alias == name.lower()), None)
        return self.outer.source(name) if found is None and self.outer else found

    def column(self, name: str) -> Type | None:
        """The type of the column of that name in any relation, here or outside; None when there is none."""
        lowered = name.lower()
        for _, columns in self.sources:
            for column, type_ in columns:
                if column == lowered:
                    return type_
        return self.outer.column(name) if self.outer else None

    def names(self) -> list[str]:
        """Every column in view."""
        here = [column for _, columns in self.sources for column, _ in columns]
        return here + (self.outer.names() if self.outer else [])


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is translated in: the names in view, the moment of the query, and how to do a subquery."""

    scope: Scope
    now: datetime
    subquery: Callable[[exp.Expr, Scope], tuple[exp.Query, Columns]]

    def within(self, scope: Scope) -> Context:
        """The same with other names in view."""
        return replace(self, scope=scope)

    def binding(self, parameters: Mapping[str, Type]) -> Context:
        """The same with a lambda's parameters in view."""
        merged = {**self.scope.parameters, **parameters}
        return self.within(replace(self.scope, parameters=merged))


def resolve(node: exp.Expr, parts: list[exp.Identifier], scope: Scope) -> Type:
    """The type of a dotted name; QueryError, located, when nothing in view has that name."""
    names = [part.name for part in parts]
    columns = scope.source(names[0]) if len(names) > 1 else None
    if columns is not None and (found := dict(columns).get(names[1].lower())) is not None:
        return fields(node, found, names[2:])
    if names[0].lower() in scope.parameters:
        return fields(node, scope.parameters[names[0].lower()], names[1:])
    type_ = scope.column(names[0])
    if type_ is None and len(names) == 1:
        type_ = scope.outputs.get(names[0].lower())
    if type_ is None:
        wanted = names[1] if columns is not None else names[0]
        refuse(node, f"no column `{wanted}`{_suggestion(wanted, columns, scope)}")
    return fields(node, type_, names[1:])


def _suggestion(name: str, columns: Columns | None, scope: Scope) -> str:
    known = [column for column, _ in columns] if columns is not None else scope.names()
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def fields(node: exp.Expr, type_: Type, names: list[str]) -> Type:
    """The type of a field of a field of a row."""
    for name in names:
        if type_ == UNKNOWN:
            return UNKNOWN
        found = type_.field(name) if type_.name == "row" else None
        if found is None:
            advice = "; use `json_extract_scalar`" if type_.name in {"varchar", "json"} else ""
            refuse(node, f"{type_.name} has no field `{name}`{advice}")
        type_ = found
    return type_
