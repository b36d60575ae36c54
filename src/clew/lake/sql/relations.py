"""FROM and JOIN: our views, the query's own WITH relations, subqueries, VALUES and UNNEST; nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql import views
from clew.lake.sql.dialect import refuse
from clew.lake.sql.expressions import quoted, translate
from clew.lake.sql.functions.model import Typed, call, cast, in_one_zone, number
from clew.lake.sql.scope import Columns, Context, Scope
from clew.lake.sql.types import BIGINT, BOOLEAN, UNKNOWN, Type, common

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLE_KEYS = frozenset({"this", "db", "catalog", "alias", "joins"})
_JOIN_KEYS = frozenset({"this", "side", "kind", "on", "using"})
_UNNEST_KEYS = frozenset({"expressions", "alias", "offset"})

Source = tuple[exp.Expr, tuple[tuple[str, Columns], ...]]


def add_sources(node: exp.Select, made: exp.Select, context: Context) -> Scope:
    """FROM and the joins of the SELECT, put into `made`; returns the names that they bring into view."""
    scope = context.scope
    if node.args.get("from_") is None:
        return scope
    first, brought = _source(node.args["from_"].this, context)
    scope = _with_sources(node, scope, brought)
    made.set("from_", exp.From(this=first))
    for join in node.args.get("joins") or []:
        written, scope = _join(join, context.within(scope))
        made.append("joins", written)
    return scope


def _with_sources(node: exp.Expr, scope: Scope, brought: tuple[tuple[str, Columns], ...]) -> Scope:
    taken = {alias for alias, _ in scope.sources}
    for alias, _ in brought:
        if alias and alias in taken:
            refuse(node, f"the relation name `{alias}` is used twice; give one of them an alias")
    return replace(scope, sources=(*scope.sources, *brought))


def _join(node: exp.Join, context: Context) -> tuple[exp.Join, Scope]:
    for key, value in node.args.items():
        if value and key not in _JOIN_KEYS:
            refuse(node, f"`{str(value).upper()[:20]}` joins are not supported")
    kind, side = str(node.args.get("kind") or "").upper(), str(node.args.get("side") or "").upper()
    if kind not in {"", "CROSS", "INNER", "OUTER"} or side not in {"", "LEFT", "RIGHT", "FULL"}:
        refuse(node, f"`{side} {kind} JOIN` is not supported")
    source, brought = _source(node.this, context)
    using = node.args.get("using") or []
    merged = {name.name.lower() for name in using}
    # A column of USING is one column, that of the left side.
    brought = tuple((alias, tuple(c for c in columns if c[0] not in merged)) for alias, columns in brought)
    scope = _with_sources(node, context.scope, brought)
    on = translate(node.args["on"], context.within(scope)) if node.args.get("on") else None
    if on is not None and on.type not in {BOOLEAN, UNKNOWN}:
        refuse(node, f"ON expects a condition, found {on.type}")
    is_cross = not (on or using) and not side
    return (
        exp.Join(
            this=source,
            side=side or None,
            kind="CROSS" if is_cross else kind or None,
            on=on and on.sql,
            using=[quoted(name) for name in using] or None,
        ),
        scope,
    )


def _source(node: exp.Expr, context: Context) -> Source:
    if isinstance(node, exp.Table):
        return _table(node, context)
    if isinstance(node, exp.Unnest):
        return _unnest(node, context)
    if isinstance(node, exp.Values):
        made, columns = values(node, context)
        alias, _ = _alias(node)
        name = alias.name if alias else _unnamed(context)
        return exp.alias_(made, name, table=True, quoted=True), ((name.lower(), columns),)
    if isinstance(node, exp.Lateral):
        return _lateral(node, context)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
        return _parenthesised(node, context)
    if isinstance(node, exp.Subquery):
        return _subquery(node, node.this, context, Scope(tables=context.scope.tables))
    refuse(node, f"`{node.sql(dialect='trino')[:40]}` cannot stand in FROM")
    return None


def _parenthesised(node: exp.Subquery, context: Context) -> Source:
    if node.args.get("alias"):
        refuse(node, "a join in parentheses takes no alias; name its tables instead")
    source, brought = _source(node.this, context)
    return exp.Paren(this=source), brought


# --- tables ----------------------------------------------------------------------------------------------------------


def _table(node: exp.Table, context: Context) -> Source:
    for key, value in node.args.items():
        if value and key not in _TABLE_KEYS:
            refuse(node, f"`{'TABLESAMPLE' if key == 'sample' else key.upper()}` is not supported")
    if not isinstance(node.this, exp.Identifier):
        refuse(
            node,
            f"`{node.this.sql(dialect='trino')[:40]}` cannot stand in FROM; only UNNEST may be called there",
        )
    made, columns, name = _known(node, context)
    alias, listed = _alias(node)
    columns = renamed(node, columns, listed)
    shown = alias or exp.to_identifier(name, quoted=True)
    made.set("alias", exp.TableAlias(this=quoted(shown), columns=[quoted(c) for c in listed]))
    brought: tuple[tuple[str, Columns], ...] = ((shown.name.lower(), columns),)
    for join in node.args.get("joins") or []:
        written, scope = _join(join, context.within(_with_sources(node, context.scope, brought)))
        made.append("joins", written)
        brought = scope.sources[len(context.scope.sources) :]
    return made, brought


def _known(node: exp.Table, context: Context) -> tuple[exp.Table, Columns, str]:
    """The view or WITH relation that the name means, its columns, and the name by which the query calls it."""
    name, qualifiers = node.name, (node.db, node.catalog)
    own = context.scope.tables.get(name.lower()) if not any(qualifiers) else None
    if own is not None:
        return exp.Table(this=_identifier(name.lower())), own, name
    view = views.find(name, *qualifiers)
    if view is None:
        shown = ".".join(part for part in (node.catalog, node.db, name) if part)
        refuse(node, f"no table `{shown}`; there are {', '.join(views.VIEWS)}")
    return exp.Table(this=exp.to_identifier(view.name)), tuple(view.types.items()), name


def _alias(node: exp.Expr) -> tuple[exp.Identifier | None, list[exp.Identifier]]:
    alias = node.args.get("alias")
    if alias is None:
        return None, []
    return alias.this, list(alias.args.get("columns") or [])


def renamed(node: exp.Expr, columns: Columns, listed: Sequence[exp.Identifier]) -> Columns:
    """The columns under the names that an alias lists."""
    if not listed:
        return columns
    if len(listed) != len(columns):
        refuse(node, f"the alias lists {len(listed)} columns, the relation has {len(columns)}")
    return tuple((name.name.lower(), type_) for name, (_, type_) in zip(listed, columns, strict=True))


# --- subqueries, VALUES and UNNEST ------------------------------------------------------------------------------------


def _subquery(node: exp.Expr, inner: exp.Expr, context: Context, scope: Scope) -> Source:
    for key, value in node.args.items():
        if value and key not in {"this", "alias"}:
            refuse(node, f"`{key.rstrip('_').upper()}` is not supported here")
    if not isinstance(inner, exp.Query):
        refuse(node, "expected a query in the parentheses")
    query, columns = context.subquery(inner, scope)
    return _aliased(node, exp.Subquery(this=query), columns, context)


def _unnamed(context: Context) -> str:
    """A name for a relation without one, which no query can write: `*` needs one for each."""
    return f"clew_unnamed_{len(context.scope.sources)}"


def _aliased(node: exp.Expr, made: exp.Expr, columns: Columns, context: Context) -> Source:
    alias, listed = _alias(node)
    columns = renamed(node, columns, listed)
    shown = alias or exp.to_identifier(_unnamed(context))
    made.set("alias", exp.TableAlias(this=quoted(shown), columns=[quoted(c) for c in listed]))
    return made, ((shown.name.lower(), columns),)


def _lateral(node: exp.Lateral, context: Context) -> Source:
    if not isinstance(node.this, exp.Subquery) or node.args.get("view") or node.args.get("outer"):
        refuse(node, "LATERAL expects a subquery")
    query, columns = context.subquery(node.this.this, replace(context.scope, outer=context.scope.outer))
    return _aliased(node, exp.Subquery(this=query), columns, context)


def values(node: exp.Values, context: Context) -> tuple[exp.Expr, Columns]:
    """VALUES with its columns: named by its alias, otherwise _col0, _col1 and so on."""
    rows = [item.expressions if isinstance(item, exp.Tuple) else [item] for item in node.expressions]
    if len({len(r) for r in rows}) != 1:
        refuse(node, "the rows of VALUES have different lengths")
    cells = [[translate(cell, context) for cell in line] for line in rows]
    _, listed = _alias(node)
    names = [c.name.lower() for c in listed] or [f"_col{i}" for i in range(len(rows[0]))]
    if len(names) != len(rows[0]):
        refuse(node, f"the alias lists {len(names)} columns, VALUES has {len(rows[0])}")
    for position in range(len(names)):
        in_one_zone(node, (line[position].type for line in cells))
    types = [common(line[i].type for line in cells) for i in range(len(names))]
    written = exp.Values(expressions=[exp.Tuple(expressions=[c.sql for c in line]) for line in cells])
    alias, _ = _alias(node)
    shown = alias.name if alias else "rows"
    table = exp.TableAlias(
        this=exp.to_identifier(shown, quoted=True), columns=[_identifier(n) for n in names]
    )
    written.set("alias", table)
    query = exp.select("*").from_(written)
    return exp.Subquery(this=query), tuple(zip(names, types, strict=True))


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _unnest(node: exp.Unnest, context: Context) -> Source:
    for key, value in node.args.items():
        if value and key not in _UNNEST_KEYS:
            refuse(node, f"`{key.upper()}` is not supported in UNNEST")
    lists = [translate(e, context) for e in node.expressions]
    alias, listed = _alias(node)
    ordinal = node.args.get("offset")
    names = [c.name.lower() for c in listed]
    made, columns = _expanded(node, lists, names, has_ordinality=bool(ordinal))
    if isinstance(ordinal, exp.Identifier):
        names = [*names, ordinal.name.lower()]
    columns = renamed(node, columns, [_identifier(n) for n in names])
    shown = alias.name if alias else _unnamed(context)
    made.set("alias", exp.TableAlias(this=_identifier(shown), columns=[_identifier(n) for n, _ in columns]))
    return made, ((shown.lower(), columns),)


def _expanded(
    node: exp.Unnest, lists: list[Typed], names: list[str], *, has_ordinality: bool
) -> tuple[exp.Subquery, Columns]:
    """SELECT of the elements, one list beside the other; rows and map entries become columns of their own."""
    inner, outer, columns = exp.Select(), exp.Select(), []
    wide = len(lists) != 1 or len(names) != 1
    for position, item in enumerate(lists):
        name = f"u{position}"
        is_map = item.type.name == "map"
        entries = call("map_entries", item.sql) if is_map else item.sql
        inner.append("expressions", exp.alias_(call("unnest", entries), name))
        for field, type_ in _fields(node, item, wide=wide):
            base: exp.Expr = exp.column(name)
            outer.append("expressions", exp.Dot(this=base, expression=_identifier(field)) if field else base)
            columns.append((field or name, type_))
    if has_ordinality:
        sizes = [call("coalesce", call("cardinality", item.sql.copy()), number(0)) for item in lists]
        longest = sizes[0] if len(sizes) == 1 else call("greatest", *sizes)
        inner.append(
            "expressions",
            exp.alias_(call("unnest", call("generate_series", number(1), cast(longest, "BIGINT"))), "n"),
        )
        outer.append("expressions", exp.column("n"))
        columns.append(("ordinality", BIGINT))
    outer.set("from_", exp.From(this=exp.alias_(exp.Subquery(this=inner), "elements", table=True)))
    return exp.Subquery(this=outer), tuple(columns)


def _fields(node: exp.Unnest, item: Typed, *, wide: bool) -> list[tuple[str, Type]]:
    if item.type.name == "map":
        return [("key", item.type.items[0]), ("value", item.type.items[1])]
    if item.type.name not in {"array", "unknown"}:
        refuse(node, f"UNNEST expects an array or a map, found {item.type}")
    element = item.type.items[0] if item.type.items else UNKNOWN
    # Older Athena gave a row as one column, and queries with one column name still mean that.
    if element.name == "row" and wide:
        return list(zip(element.names, element.items, strict=True))
    return [("", element)]


def star(node: exp.Expr, context: Context) -> list[tuple[exp.Expr, tuple[tuple[str, Type], ...]]]:
    """`*` or `relation.*` written out: each expression with the columns that it stands for."""
    inner = node.this if isinstance(node, exp.Column) else node
    if any(inner.args.values()):
        refuse(node, "`*` takes no EXCEPT or REPLACE here")
    if isinstance(node, exp.Column):
        columns = context.scope.source(node.table)
        if columns is None or node.args.get("db"):
            refuse(node, f"no relation `{node.table}`")
        return _written_out(node.table, columns, context.scope)
    if not context.scope.sources:
        refuse(node, "`*` needs a FROM clause")
    return [
        item
        for alias, columns in context.scope.sources
        for item in _written_out(alias, columns, context.scope)
    ]


def _written_out(
    alias: str, columns: Columns, scope: Scope
) -> list[tuple[exp.Expr, tuple[tuple[str, Type], ...]]]:
    names = [name for name, _ in columns]
    if len(set(names)) < len(names) or not alias:
        # The second of two equal names can only be had by the star.
        whole = exp.Column(this=exp.Star(), table=_identifier(alias)) if alias else exp.Star()
        return [(whole, columns)]
    elsewhere = {name for other, listed in scope.sources if other != alias for name, _ in listed}
    return [
        (
            exp.alias_(_qualified(name, "" if name not in elsewhere else alias), name, quoted=True),
            ((name, type_),),
        )
        for name, type_ in columns
    ]


def _qualified(name: str, alias: str) -> exp.Column:
    return exp.Column(this=_identifier(name), table=_identifier(alias) if alias else None)
