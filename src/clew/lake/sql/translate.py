"""A query of Athena's or CloudTrail Lake's as one that DuckDB runs with the same meaning.

The tree is rebuilt node by node from what is known to be right: a clause, a relation or a function that is not in our
tables is refused, so nothing reaches DuckDB that has not been looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql import prune, relations
from clew.lake.sql.casts import as_text
from clew.lake.sql.dialect import read, refuse
from clew.lake.sql.expressions import order, quoted, translate, window
from clew.lake.sql.functions.model import Typed, in_one_zone
from clew.lake.sql.scope import Columns, Context, Scope
from clew.lake.sql.types import INTERVAL, UNKNOWN, Type, common, holds_zone, is_zoned

if TYPE_CHECKING:
    from datetime import datetime

_SET_OPERATIONS = (exp.Union, exp.Except, exp.Intersect)
_SELECT_CLAUSES = frozenset(
    {
        *("with_", "expressions", "from_", "joins", "where", "group", "having", "windows", "order", "limit"),
        *("offset", "distinct", "hint", "kind"),
    }
)
_SET_CLAUSES = frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"})


def translate_query(text: str, now: datetime) -> tuple[exp.Query, Columns]:
    """The query for DuckDB, with the name and type of each column of the result.

    `now` is the moment of the query. QueryError, located where possible, for anything that is not supported.
    """
    try:
        query, columns = _Translation(now).query(read(text), Scope())
    except RecursionError:
        refuse(exp.Null(), "the query is nested too deeply")
    return _shown(query, columns), columns


def _shown(query: exp.Query, columns: Columns) -> exp.Query:
    """The query with intervals and times in another zone as Trino writes them: DuckDB has no such values to show."""
    if any(holds_zone(type_) for _, type_ in columns):
        refuse(query, "a time in another zone cannot be shown within an array or row; use `format_datetime`")
    if not any(type_ == INTERVAL or is_zoned(type_) for _, type_ in columns):
        return query
    names = [f"c{position}" for position in range(len(columns))]
    made = exp.Select()
    for name, (shown, type_) in zip(names, columns, strict=True):
        value = Typed(exp.column(name), type_)
        is_text = type_ == INTERVAL or is_zoned(type_)
        sql = as_text(value) if is_text else value.sql
        made.append("expressions", exp.alias_(sql, shown, quoted=True))
    alias = exp.TableAlias(this=exp.to_identifier("answer"), columns=[exp.to_identifier(n) for n in names])
    made.set("from_", exp.From(this=exp.Subquery(this=query, alias=alias)))
    return made


class _Translation:
    """One query's translation; holds nothing but the moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def query(self, node: exp.Expr, outer: Scope) -> tuple[exp.Query, Columns]:
        """A query with its columns; `outer` are the names around a subquery."""
        if isinstance(node, exp.Subquery):
            return self._wrapped(node, outer)
        if isinstance(node, _SET_OPERATIONS):
            return self._set_operation(node, outer)
        if isinstance(node, exp.Values):
            return self._values(node, outer)
        if not isinstance(node, exp.Select):
            refuse(node, f"expected a SELECT, found `{node.key.upper()}`")
        return self._select(node, outer)

    def _values(self, node: exp.Values, outer: Scope) -> tuple[exp.Query, Columns]:
        _refuse_clauses(node, frozenset({"expressions", "alias", "order", "limit", "offset"}))
        listed, columns = relations.values(node, self._context(outer))
        made = exp.select("*").from_(exp.alias_(listed, "result", table=True))
        self._ending(made, node, Scope(sources=(("result", columns),), tables=outer.tables, outer=outer))
        return made, columns

    def _context(self, scope: Scope) -> Context:
        return Context(scope, self.now, self.query)

    def _wrapped(self, node: exp.Subquery, outer: Scope) -> tuple[exp.Query, Columns]:
        extra = [
            key for key, value in node.args.items() if value and key not in {"this", "with_", *_SET_CLAUSES}
        ]
        if extra:
            refuse(node, f"`{extra[0].rstrip('_').upper()}` is not supported here")
        scope, with_ = self._with(node, outer)
        inner, columns = self.query(node.this, scope)
        if with_ is None and not any(node.args.get(k) for k in ("order", "limit", "offset")):
            return inner, columns
        made = exp.select("*").from_(exp.alias_(exp.Subquery(this=inner), "inner", table=True))
        made.set("with_", with_)
        self._ending(made, node, Scope(sources=(("inner", columns),), tables=scope.tables, outer=scope))
        return made, columns

    # --- WITH, UNION and the end of a query ------------------------------------------------------------------------

    def _with(self, node: exp.Expr, outer: Scope) -> tuple[Scope, exp.With | None]:
        """The names around the query with its own WITH relations among the tables, and the WITH clause."""
        with_ = node.args.get("with_")
        if with_ is None:
            return outer, None
        if with_.args.get("recursive"):
            refuse(with_, "WITH RECURSIVE is not supported")
        made, tables = [], dict(outer.tables)
        for cte in with_.expressions:
            query, columns = self.query(cte.this, Scope(tables=tables))
            name, listed = cte.args["alias"].this, cte.args["alias"].args.get("columns") or []
            columns = relations.renamed(cte, columns, listed)
            shown = exp.to_identifier(name.name.lower(), quoted=True)
            alias = exp.TableAlias(this=shown, columns=[quoted(c) for c in listed])
            made.append(exp.CTE(this=query, alias=alias))
            tables = {**tables, name.name.lower(): columns}
        return replace(outer, tables=tables), exp.With(expressions=made)

    def _set_operation(self, node: exp.SetOperation, outer: Scope) -> tuple[exp.Query, Columns]:
        _refuse_clauses(node, _SET_CLAUSES)
        scope, with_ = self._with(node, outer)
        left, columns = self.query(node.this, scope)
        right, others = self.query(node.expression, scope)
        if len(columns) != len(others):
            refuse(node, f"the sides of {node.key.upper()} have {len(columns)} and {len(others)} columns")
        _same_types(node, columns, others)
        sides = {"this": _side(left), "expression": _side(right)}
        made: exp.SetOperation = node.__class__(distinct=node.args.get("distinct"), **sides)
        made.set("with_", with_)
        types = (common(iter((a, b))) for (_, a), (_, b) in zip(columns, others, strict=True))
        result = tuple((name, type_) for (name, _), type_ in zip(columns, types, strict=True))
        self._ending(made, node, Scope(sources=(("", result),), tables=scope.tables, outer=scope))
        return made, result

    def _ending(self, made: exp.Query, node: exp.Expr, scope: Scope) -> None:
        if node.args.get("order"):
            made.set("order", order(node.args["order"], self._context(scope)))
        if node.args.get("limit"):
            made.set("limit", _limit(node.args["limit"]))
        if node.args.get("offset"):
            made.set("offset", exp.Offset(expression=_count(node.args["offset"].expression)))

    # --- SELECT ----------------------------------------------------------------------------------------------------

    def _select(self, node: exp.Select, outer: Scope) -> tuple[exp.Query, Columns]:
        _refuse_clauses(node, _SELECT_CLAUSES)
        if node.args.get("hint") or node.args.get("kind"):
            refuse(node, "hints are not supported")
        scope, with_ = self._with(node, outer)
        scope = Scope(tables=scope.tables, parameters=scope.parameters, outer=scope)
        made = exp.Select()
        made.set("with_", with_)
        scope = relations.add_sources(node, made, self._context(scope))
        where = prune.apply(node, made, self._context(scope))
        if where is not None:
            made.set("where", exp.Where(this=_condition(where, self._context(scope))))
        if node.args.get("group"):
            scope = _grouped(scope)
        context = self._context(scope)
        self._conditions(node, made, context)
        columns = self._outputs(node, made, context)
        outputs = {name: type_ for name, type_ in columns if scope.column(name) is None}
        self._ending(made, _ordered_by_outputs(node, columns), replace(scope, outputs=outputs))
        return made, columns

    def _conditions(self, node: exp.Select, made: exp.Select, context: Context) -> None:
        if node.args.get("group"):
            made.set("group", _group(node.args["group"], context))
        if node.args.get("having"):
            made.set("having", exp.Having(this=_condition(node.args["having"].this, context)))
        if node.args.get("windows"):
            named = [window(w, context, quoted(w.this)) for w in node.args["windows"]]
            made.set("windows", named)
        if node.args.get("distinct"):
            if node.args["distinct"].args.get("on"):
                refuse(node, "DISTINCT ON is not supported")
            made.set("distinct", exp.Distinct())

    def _outputs(self, node: exp.Select, made: exp.Select, context: Context) -> Columns:
        columns: list[tuple[str, Type]] = []
        written: list[exp.Expr] = []
        for item in node.expressions:
            if _is_star(item):
                for star, listed in relations.star(item, context):
                    written.append(star)
                    columns += listed
                continue
            aliased = isinstance(item, exp.Alias)
            value = translate(item.this if aliased else item, context)
            name = (item.alias if aliased else _name(item)).lower() or f"_col{len(columns)}"
            columns.append((name, value.type))
            written.append(exp.alias_(value.sql, name, quoted=True))
        made.set("expressions", written)
        return tuple((name, replace(type_, text_column="")) for name, type_ in columns)


def _ordered_by_outputs(node: exp.Select, columns: Columns) -> exp.Select:
    """The SELECT with the output columns written out in the expressions of its ORDER BY.

    Trino means the output column where an input column has the same name; within an expression DuckDB means the input.
    """
    ordering = node.args.get("order")
    if ordering is None:
        return node
    if node.args.get("distinct"):
        _check_distinct_order(node, ordering, columns)
    named = {item.alias.lower(): item.this for item in node.expressions if isinstance(item, exp.Alias)}

    def written_out(part: exp.Expr) -> exp.Expr:
        is_name = isinstance(part, exp.Column) and not part.table and part.name.lower() in named
        return exp.Paren(this=named[part.name.lower()].copy()) if is_name else part

    node = node.copy()
    for item in node.args["order"].expressions:
        if not isinstance(item.this, (exp.Column, exp.Literal)) and item.find(exp.Query) is None:
            item.set("this", item.this.transform(written_out))
    return node


def _check_distinct_order(node: exp.Select, ordering: exp.Order, columns: Columns) -> None:
    names = {name for name, _ in columns}
    listed = [item.unalias() for item in node.expressions]
    for item in ordering.expressions:
        is_output = isinstance(item.this, exp.Column) and item.this.name.lower() in names
        if not is_output and not isinstance(item.this, exp.Literal) and item.this not in listed:
            refuse(item, "ORDER BY of SELECT DISTINCT must name what is selected")


def _grouped(scope: Scope) -> Scope:
    """The names after GROUP BY, where a key of a map must be looked up in the map that was grouped by."""
    return replace(
        scope,
        sources=tuple(
            (alias, tuple((name, replace(type_, text_column="")) for name, type_ in columns))
            for alias, columns in scope.sources
        ),
    )


def _condition(node: exp.Expr, context: Context) -> exp.Expr:
    made = translate(node, context)
    if made.type not in {UNKNOWN, Type("boolean")}:
        refuse(node, f"expected a condition, found {made.type}")
    return made.sql


def _side(query: exp.Query) -> exp.Query:
    has_ending = any(query.args.get(key) for key in ("order", "limit", "offset", "with_"))
    nested = isinstance(query, _SET_OPERATIONS)
    return exp.Subquery(this=query) if has_ending or nested else query


def _same_types(node: exp.Expr, left: Columns, right: Columns) -> None:
    for position, ((_, a), (_, b)) in enumerate(zip(left, right, strict=True), start=1):
        in_one_zone(node, (a, b))
        if UNKNOWN not in {a, b} and a.name != b.name and common(iter((a, b))) == UNKNOWN:
            refuse(node, f"column {position} of {node.key.upper()} has the types {a} and {b}")


def _refuse_clauses(node: exp.Expr, allowed: frozenset[str]) -> None:
    for key, value in node.args.items():
        if value and key not in allowed:
            first = value[0] if isinstance(value, list) else value
            where = first if isinstance(first, exp.Expr) else node
            refuse(where, f"`{key.rstrip('_').upper()}` is not supported")


def _limit(node: exp.Expr) -> exp.Limit | None:
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            refuse(node, "FETCH WITH TIES and PERCENT are not supported")
        return exp.Limit(expression=_count(node.args.get("count") or exp.Literal.number(1)))
    _refuse_clauses(node, frozenset({"this", "expression"}))
    if isinstance(node.expression, (exp.Var, exp.Column)) and node.expression.name.upper() == "ALL":
        return None
    return exp.Limit(expression=_count(node.expression))


def _count(node: exp.Expr) -> exp.Expr:
    if not (isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()):
        refuse(node, "expected a whole number")
    return node.copy()


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _name(node: exp.Expr) -> str:
    """The name that Trino gives to a result column: that of a column or field, otherwise none."""
    if isinstance(node, (exp.Column, exp.Identifier)):
        return str(node.name)
    return str(node.expression.name) if isinstance(node, exp.Dot) else ""


def _group(node: exp.Group, context: Context) -> exp.Group:
    _refuse_clauses(node, frozenset({"expressions"}))
    if node.args.get("all") is False:
        refuse(node, "GROUP BY DISTINCT is not supported")
    return exp.Group(expressions=[_grouping(item, context) for item in node.expressions])


def _grouping(node: exp.Expr, context: Context) -> exp.Expr:
    if isinstance(node, (exp.GroupingSets, exp.Rollup, exp.Cube)):
        return node.__class__(expressions=[_grouping(item, context) for item in node.expressions])
    if isinstance(node, exp.Tuple):
        return exp.Tuple(expressions=[_grouping(item, context) for item in node.expressions])
    return translate(node, context).sql
