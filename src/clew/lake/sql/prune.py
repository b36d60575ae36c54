"""Which days a query can be about, so that only their files are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

    from clew.lake.sql.scope import Context


def apply(node: exp.Select, made: exp.Select, context: Context) -> exp.Expr | None:
    """The WHERE condition that remains when the relations in `made` were narrowed to an interval of time."""
    del made, context
    where = node.args.get("where")
    return where.this if where is not None else None
