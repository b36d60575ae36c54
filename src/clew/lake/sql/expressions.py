"""An expression of Trino's as DuckDB says it, with the type that it has in Trino.

Only the kinds of node in the tables below are accepted; whatever else the grammar can read is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from clew.lake.sql import operators
from clew.lake.sql.casts import cast
from clew.lake.sql.dialect import refuse
from clew.lake.sql.functions import FUNCTIONS, NO_JSON, collections, times
from clew.lake.sql.functions.model import Call, Function, Typed, call, in_one_zone, number, text
from clew.lake.sql.functions.model import cast as duckdb_cast
from clew.lake.sql.scope import Context, fields, resolve
from clew.lake.sql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INSTANT,
    INTERVAL,
    JSON,
    TIME_TEXT,
    TIMESTAMP,
    UNKNOWN,
    VARCHAR,
    Type,
    array,
    common,
    decimal,
    is_numeric,
    is_time,
    is_zoned,
)

Rule = Callable[[exp.Expr, Context], Typed]


def translate(node: exp.Expr, context: Context) -> Typed:
    """The expression for DuckDB; QueryError, located, for what is not supported."""
    rule = _RULES.get(type(node))
    if rule is None:
        refuse(node, f"`{_spelled(node)}` is not supported")
    if unread := operators.unread(node):
        refuse(node, f"`{_spelled(node)}` is not supported ({unread})")
    return rule(node, context)


def _spelled(node: exp.Expr) -> str:
    return str(node.sql(dialect="trino"))[:40] if not isinstance(node, exp.Query) else "a query here"


def _each(nodes: list[exp.Expr], context: Context) -> list[Typed]:
    return [translate(n, context) for n in nodes]


# --- names -----------------------------------------------------------------------------------------------------------


def quoted(node: exp.Identifier) -> exp.Identifier:
    """The name in quotes, so that no word is a keyword to DuckDB."""
    return exp.to_identifier(node.name, quoted=True)


def _column(node: exp.Expr, context: Context) -> Typed:
    parts = [p for p in node.parts if isinstance(p, exp.Identifier)]  # type: ignore[attr-defined]  # a Column has parts
    if len(parts) != len(node.parts):  # type: ignore[attr-defined]  # as above
        refuse(node, "`*` cannot stand here")
    type_ = resolve(node, parts, context.scope)
    first, *rest = [quoted(p) for p in parts]
    if len(parts) <= 4:  # noqa: PLR2004  # catalog, schema, table, column
        return _read(Typed(exp.column(*reversed([first, *rest])), type_))
    return _read(Typed(exp.Dot.build([first, *rest]), type_))


def _read(value: Typed) -> Typed:
    """The value as its type says, where a view stores it as text."""
    if value.type != TIME_TEXT:
        return value
    made = exp.TryCast(this=value.sql, to=exp.DataType.build("TIMESTAMP", dialect="duckdb"))
    return Typed(made, TIMESTAMP)


def _identifier(node: exp.Expr, context: Context) -> Typed:
    if not isinstance(node, exp.Identifier) or node.name.lower() not in context.scope.parameters:
        refuse(node, f"no column `{node.name}`")
    return Typed(quoted(node), context.scope.parameters[node.name.lower()])


def _dot(node: exp.Expr, context: Context) -> Typed:
    base, name = translate(node.this, context), node.expression
    if not isinstance(name, exp.Identifier):
        refuse(node, f"`{_spelled(node)}` is not supported")
    made = exp.Dot(this=base.sql, expression=quoted(name))
    return _read(Typed(made, fields(node, base.type, [name.name])))


# --- literals --------------------------------------------------------------------------------------------------------


def _literal(node: exp.Expr, context: Context) -> Typed:
    del context
    if node.is_string:
        return Typed(node.copy(), VARCHAR)
    if "e" in node.name.lower():
        return Typed(duckdb_cast(node.copy(), "DOUBLE"), DOUBLE)
    scale = len(node.name.partition(".")[2])
    return Typed(node.copy(), decimal(scale) if "." in node.name else BIGINT)


def _constant(type_: Type) -> Rule:
    return lambda node, _: Typed(node.copy(), type_)


def _interval(node: exp.Expr, context: Context) -> Typed:
    del context
    unit = node.args.get("unit")
    count = str(node.this.name if isinstance(node.this, exp.Literal) else node.this)
    if not isinstance(unit, exp.Var) or not count.strip().lstrip("+-").replace(".", "", 1).isdigit():
        refuse(node, "expected an interval such as `INTERVAL '7' DAY`")
    name = unit.name.lower().removesuffix("s")
    if name not in times.UNITS:
        refuse(node, f"unknown unit `{unit.name}` of an interval")
    value = exp.Literal.number(count) if "." in count else number(int(count))
    return Typed(times.interval(value, name), INTERVAL)


def _array(node: exp.Expr, context: Context) -> Typed:
    items = _each(node.expressions, context)
    return Typed(exp.Array(expressions=[i.sql for i in items]), array(common(i.type for i in items)))


def _tuple(node: exp.Expr, context: Context) -> Typed:
    items = _each(node.expressions, context)
    names = tuple(f"field{i}" for i in range(len(items)))
    return Typed(
        exp.Tuple(expressions=[i.sql for i in items]), Type("row", tuple(i.type for i in items), names)
    )


def _star(node: exp.Expr, context: Context) -> Typed:
    del context
    if (
        not isinstance(node.parent, exp.Anonymous)
        or node.parent.name.lower() != "count"
        or node.args.get("except_")
    ):
        refuse(node, "`*` cannot stand here")
    return Typed(exp.Star(), UNKNOWN)


# --- operators -------------------------------------------------------------------------------------------------------


def _boolean(node: exp.Expr, context: Context) -> Typed:
    made = {key: translate(node.args[key], context) for key in ("this", "expression") if node.args.get(key)}
    for part in made.values():
        if part.type not in {BOOLEAN, UNKNOWN}:
            refuse(node, f"expected a condition, found {part.type}")
    return Typed(node.__class__(**{key: part.sql for key, part in made.items()}), BOOLEAN)


def _comparison(node: exp.Expr, context: Context) -> Typed:
    if isinstance(node.expression, (exp.Any, exp.All)):
        return _quantified(node, context)
    left, right = translate(node.this, context), translate(node.expression, context)
    checked = operators.checked(node, left, right)
    left = operators.checked(node, checked, left) if checked is right else left
    return operators.compared(node, left, checked)


def _quantified(node: exp.Expr, context: Context) -> Typed:
    query = node.expression.this
    if not isinstance(query, exp.Query):
        refuse(node, "ANY and ALL expect a subquery; use `contains` for an array")
    while isinstance(query, exp.Subquery) and isinstance(query.this, exp.Query):
        query = query.this
    inner = context.subquery(query, context.scope)[0]
    right = node.expression.__class__(this=inner)
    return Typed(node.__class__(this=translate(node.this, context).sql, expression=right), BOOLEAN)


def _between(node: exp.Expr, context: Context) -> Typed:
    value = translate(node.this, context)
    low, high = (
        operators.checked(node, value, translate(node.args[key], context)) for key in ("low", "high")
    )
    value, low, high = (operators.key(part) for part in (value, low, high))
    return Typed(exp.Between(this=value.sql, low=low.sql, high=high.sql), BOOLEAN)


def _in(node: exp.Expr, context: Context) -> Typed:
    value, query = translate(node.this, context), node.args.get("query")
    if query is None and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values):
        query = node.expressions[0]
    if query is not None:
        inner, columns = context.subquery(query, context.scope)
        if len(columns) == 1:
            operators.checked(node, value, Typed(exp.Null(), columns[0][1]))
        return Typed(exp.In(this=value.sql, query=exp.Subquery(this=inner)), BOOLEAN)
    if not node.expressions or node.args.get("unnest") or node.args.get("field"):
        refuse(node, "IN expects a list of values or a subquery")
    listed = [operators.checked(node, value, item) for item in _each(node.expressions, context)]
    keys = [operators.key(item).sql for item in listed]
    return Typed(exp.In(this=operators.key(value).sql, expressions=keys), BOOLEAN)


def _like(node: exp.Expr, context: Context) -> Typed:
    value, pattern = translate(node.this, context), translate(node.expression, context)
    for part in (value, pattern):
        if part.type not in {VARCHAR, UNKNOWN}:
            refuse(node, f"LIKE expects varchar, found {part.type}")
    return _negated(node, exp.Like(this=value.sql, expression=pattern.sql))


def _negated(node: exp.Expr, made: exp.Expr) -> Typed:
    return Typed(exp.Not(this=exp.Paren(this=made)) if node.args.get("negate") else made, BOOLEAN)


def _escape(node: exp.Expr, context: Context) -> Typed:
    like, mark = node.this, translate(node.expression, context)
    if not isinstance(like, exp.Like):
        refuse(node, "ESCAPE belongs to LIKE")
    value, pattern = translate(like.this, context), translate(like.expression, context)
    operators.check_escapes(node, pattern.sql, mark.sql)
    made = exp.Like(this=value.sql, expression=pattern.sql)
    return _negated(like, exp.Escape(this=made, expression=mark.sql))


def _is(node: exp.Expr, context: Context) -> Typed:
    if not isinstance(node.expression, exp.Null):
        refuse(node, "IS expects NULL or DISTINCT FROM")
    return _negated(node, exp.Is(this=translate(node.this, context).sql, expression=exp.Null()))


def _arithmetic(node: exp.Expr, context: Context) -> Typed:
    left, right = translate(node.this, context), translate(node.expression, context)
    if is_time(left.type) or is_time(right.type) or INTERVAL in {left.type, right.type}:
        return operators.time_arithmetic(node, left, right)
    for side in (left, right):
        if side.type != UNKNOWN and not is_numeric(side.type):
            refuse(node, f"cannot calculate with {left.type} and {right.type}; CAST the text to a number")
    if isinstance(node, exp.Div):
        return operators.division(left, right)
    return Typed(
        node.__class__(this=left.sql, expression=right.sql),
        operators.arithmetic_type(node, left.type, right.type),
    )


def _negative(node: exp.Expr, context: Context) -> Typed:
    value = translate(node.this, context)
    return Typed(exp.Neg(this=value.sql), value.type)


def _joined(node: exp.Expr, context: Context) -> Typed:
    left, right = translate(node.this, context), translate(node.expression, context)
    if "array" in {left.type.name, right.type.name}:
        return collections.joined(left, right)
    for side in (left, right):
        if side.type not in {VARCHAR, UNKNOWN} and side.type.name != "varbinary":
            refuse(node, f"`||` expects varchar or arrays, found {side.type}; use `CAST(… AS varchar)`")
    return Typed(exp.DPipe(this=left.sql, expression=right.sql, safe=False), left.type)


def _parenthesis(node: exp.Expr, context: Context) -> Typed:
    inner = translate(node.this, context)
    return Typed(exp.Paren(this=inner.sql), inner.type)


# --- forms with a syntax of their own ---------------------------------------------------------------------------------


def _case(node: exp.Expr, context: Context) -> Typed:
    operand = translate(node.this, context) if node.this else None
    branches, types = [], []
    for branch in node.args["ifs"]:
        condition, value = translate(branch.this, context), translate(branch.args["true"], context)
        if operand is not None:
            condition = operators.checked(branch, operand, condition)
        branches.append(exp.If(this=condition.sql, true=value.sql))
        types.append(value.type)
    default = translate(node.args["default"], context) if node.args.get("default") else None
    types += [default.type] if default else []
    in_one_zone(node, types)
    made = exp.Case(this=operand and operand.sql, ifs=branches, default=default and default.sql)
    return Typed(made, common(iter(types)))


def _if(node: exp.Expr, context: Context) -> Typed:
    condition, then = translate(node.this, context), translate(node.args["true"], context)
    otherwise = translate(node.args["false"], context) if node.args.get("false") else None
    in_one_zone(node, (t.type for t in (then, otherwise) if t))
    made = exp.Case(ifs=[exp.If(this=condition.sql, true=then.sql)], default=otherwise and otherwise.sql)
    return Typed(made, common(t.type for t in (then, otherwise) if t))


def _cast(node: exp.Expr, context: Context) -> Typed:
    if node.args.get("format") or node.args.get("default"):
        refuse(node, "CAST with a format is not supported")
    return cast(node, translate(node.this, context))


def _named(name: str, *keys: str) -> Rule:
    """A form such as SUBSTRING(x FROM 2) as a call of the function that does the same."""

    def rule(node: exp.Expr, context: Context) -> Typed:
        written = [node.args[key] for key in keys if node.args.get(key) is not None]
        args = _each(written, context)
        bare = exp.Anonymous(this=name, expressions=written)
        return FUNCTIONS[name].build(Call(bare, tuple(args), context.now, lambda sql: sql))

    return rule


def _trim(node: exp.Expr, context: Context) -> Typed:
    position = str(node.args.get("position") or "BOTH").upper()
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}.get(position)
    if name is None or node.args.get("collation"):
        refuse(node, "expected TRIM([BOTH | LEADING | TRAILING] [characters FROM] text)")
    value = translate(node.this, context)
    if node.expression is None:
        return Typed(call(f"clew_{name}", value.sql), VARCHAR)
    return Typed(call(name, value.sql, translate(node.expression, context).sql), VARCHAR)


def _extract(node: exp.Expr, context: Context) -> Typed:
    value = translate(node.expression, context)
    made = Call(exp.Anonymous(this="extract", expressions=[]), (value,), context.now, lambda sql: sql)
    return times.part(made, node.this.name.lower(), value.sql)


def _at_zone(node: exp.Expr, context: Context) -> Typed:
    zone = node.args["zone"]
    if not (isinstance(zone, exp.Literal) and zone.is_string):
        refuse(node, "the time zone must be a string literal")
    value = translate(node.this, context)
    if is_zoned(value.type):
        refuse(node, "the time is in another zone already; convert it once")
    return times.at_zone(value, zone.name)


def _moment(type_: Type, name: str) -> Rule:
    def rule(node: exp.Expr, context: Context) -> Typed:
        del node
        moment = times.instant(context.now)
        return Typed(moment if type_ == INSTANT else duckdb_cast(moment, name), type_)

    return rule


def _subscript(node: exp.Expr, context: Context) -> Typed:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        refuse(node, "expected one subscript; use `slice` for a part of an array")
    base, index = translate(node.this, context), translate(node.expressions[0], context)
    if base.type.name in {"varchar", "json"}:
        refuse(node, f"cannot take an element of {base.type}; use `json_extract_scalar`")
    if base.type.name == "row" and isinstance(index.sql, exp.Literal) and not index.sql.is_string:
        return Typed(call("struct_extract", base.sql, index.sql), UNKNOWN)
    is_map = base.type.name == "map" or (base.type == UNKNOWN and index.type == VARCHAR)
    items = base.type.items
    return Typed(
        call("clew_map_at" if is_map else "clew_at", base.sql, index.sql), items[-1] if items else UNKNOWN
    )


def _exists(node: exp.Expr, context: Context) -> Typed:
    return Typed(exp.Exists(this=context.subquery(node.this, context.scope)[0]), BOOLEAN)


def _scalar_query(node: exp.Expr, context: Context) -> Typed:
    if not isinstance(node.this, (exp.Query, exp.Values)):
        refuse(node, "expected a query in the parentheses")
    inner, columns = context.subquery(node, context.scope)
    if len(columns) != 1:
        refuse(node, f"expected a subquery of one column, found {len(columns)}")
    return Typed(exp.Subquery(this=inner), columns[0][1])


def _ordered(node: exp.Expr, context: Context) -> Typed:
    value = operators.key(translate(node.this, context))
    # Trino puts NULLs last whichever way it sorts, unless told otherwise.
    nulls_first = bool(node.args.get("nulls_first"))
    return Typed(exp.Ordered(this=value.sql, desc=node.args.get("desc"), nulls_first=nulls_first), value.type)


def order(node: exp.Expr, context: Context) -> exp.Order:
    """An ORDER BY clause, with the value that it orders where it stands in an aggregate."""
    value = translate(node.this, context).sql if node.this else None
    return exp.Order(this=value, expressions=[o.sql for o in _each(node.expressions, context)])


def _ordered_value(node: exp.Expr, context: Context) -> Typed:
    type_ = translate(node.this, context).type if node.this else UNKNOWN
    return Typed(order(node, context), type_)


def _distinct(node: exp.Expr, context: Context) -> Typed:
    if node.args.get("on"):
        refuse(node, "DISTINCT ON is not supported")
    items = _each(node.expressions, context)
    return Typed(exp.Distinct(expressions=[i.sql for i in items]), items[0].type)


# --- function calls ---------------------------------------------------------------------------------------------------

_MODIFIERS = (exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


def _call(node: exp.Expr, context: Context) -> Typed:
    core, modifiers = node, []
    while isinstance(core, _MODIFIERS):
        modifiers.append(core)
        core = core.this
    if not isinstance(core, exp.Anonymous):
        refuse(node, f"`{_spelled(core)}` cannot have OVER or FILTER")
    function = _reviewed(core, bool(modifiers), windowed=any(isinstance(m, exp.Window) for m in modifiers))
    args = _arguments(core, function, context)
    if function.name in NO_JSON and any(arg.type == JSON for arg in args):
        refuse(core, f"`{function.name}` takes no JSON; use `json_extract_scalar`, or CAST it to varchar")

    def modify(sql: exp.Expr) -> exp.Expr:
        for modifier in reversed(modifiers):
            sql = _modified(modifier, sql, context)
        return sql

    return function.build(Call(core, args, context.now, modify))


def _reviewed(core: exp.Expr, modified: bool, *, windowed: bool) -> Function:
    name = core.name.lower()
    function = FUNCTIONS.get(name)
    if function is None:
        refuse(
            core, f"the function `{name}` has not been reviewed; `clew sql --functions` lists those that are"
        )
    if not function.least <= len(core.expressions) <= function.most:
        expected = (
            str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        )
        refuse(core, f"`{name}` takes {expected} arguments here, found {len(core.expressions)}")
    if modified and not (function.aggregate or function.window):
        refuse(core, f"`{name}` is no aggregate: OVER and FILTER do not apply")
    if function.window and not function.aggregate and not windowed:
        refuse(core, f"`{name}` needs an OVER clause")
    return function


def _arguments(core: exp.Expr, function: Function, context: Context) -> tuple[Typed, ...]:
    made: list[Typed] = []
    for argument in _separated(core):
        if isinstance(argument, exp.Lambda):
            made.append(_lambda(argument, function.parameters(tuple(t.type for t in made)), context))
        elif isinstance(argument, (exp.Distinct, exp.Order)) and not function.aggregate:
            refuse(core, f"`{core.name.lower()}` is no aggregate: DISTINCT and ORDER BY do not apply")
        else:
            made.append(translate(argument, context))
    return tuple(made)


def _separated(core: exp.Expr) -> list[exp.Expr]:
    """The arguments, of which DISTINCT concerns the first: the parser puts all of them under it."""
    first, *rest = core.expressions or [None]
    if not isinstance(first, exp.Distinct) or len(first.expressions) < 2 or rest:  # noqa: PLR2004  # two are one too many
        return list(core.expressions)
    if core.name.lower() == "count":
        refuse(core, "count(DISTINCT …) takes one expression; use a row: `count(DISTINCT (a, b))`")
    distinct, *others = first.expressions
    return [exp.Distinct(expressions=[distinct]), *others]


def _lambda(node: exp.Lambda, types: tuple[Type, ...], context: Context) -> Typed:
    names = [p.name.lower() for p in node.expressions]
    padded = (*types, *(UNKNOWN for _ in names))
    body = translate(node.this, context.binding(dict(zip(names, padded, strict=False))))
    return Typed(exp.Lambda(this=body.sql, expressions=[quoted(p) for p in node.expressions]), body.type)


def _modified(modifier: exp.Expr, sql: exp.Expr, context: Context) -> exp.Expr:
    if isinstance(modifier, exp.Filter):
        condition = translate(modifier.expression.this, context)
        return exp.Filter(this=sql, expression=exp.Where(this=condition.sql))
    if isinstance(modifier, exp.Window):
        return window(modifier, context, sql)
    if isinstance(modifier, exp.WithinGroup):
        if sql.name != "string_agg":
            refuse(modifier, "WITHIN GROUP belongs to `listagg`")
        *first, last = sql.expressions if len(sql.expressions) > 1 else [*sql.expressions, text("")]
        ordering = order(modifier.expression, context)
        return call(sql.name, *first, exp.Order(this=last, expressions=ordering.expressions))
    if isinstance(sql, exp.Anonymous) and sql.expressions:
        *first, last = sql.expressions
        return call(sql.name, *first, modifier.__class__(this=last))
    return sql


def window(node: exp.Window, context: Context, sql: exp.Expr) -> exp.Window:
    """An OVER clause around a function, or the definition of a named window."""
    partition = [p.sql for p in _each(node.args.get("partition_by") or [], context)]
    ordering = order(node.args["order"], context) if node.args.get("order") else None
    frame = node.args.get("spec")
    return exp.Window(
        this=sql,
        partition_by=partition,
        order=ordering,
        spec=_frame(frame, context) if frame else None,
        over=node.args.get("over"),
        alias=node.args.get("alias") and quoted(node.args["alias"]),
    )


def _frame(node: exp.Expr, context: Context) -> exp.WindowSpec:
    if node.args.get("exclude"):
        refuse(node, "EXCLUDE in a window's frame is not supported")
    made = dict(node.args)
    for key in ("start", "end"):
        if isinstance(made.get(key), exp.Expr):
            made[key] = translate(made[key], context).sql
    return exp.WindowSpec(**made)


_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_RULES: dict[type[exp.Expr], Rule] = {
    exp.Column: _column,
    exp.Identifier: _identifier,
    exp.Dot: _dot,
    exp.Literal: _literal,
    exp.Null: _constant(UNKNOWN),
    exp.Boolean: _constant(BOOLEAN),
    exp.Interval: _interval,
    exp.Array: _array,
    exp.Tuple: _tuple,
    exp.Star: _star,
    **dict.fromkeys((exp.And, exp.Or, exp.Not), _boolean),
    **dict.fromkeys(_COMPARISONS, _comparison),
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.Escape: _escape,
    exp.Is: _is,
    exp.Neg: _negative,
    exp.DPipe: _joined,
    exp.Paren: _parenthesis,
    exp.Case: _case,
    exp.If: _if,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Substring: _named("substr", "this", "start", "length"),
    exp.StrPosition: _named("strpos", "this", "substr"),
    exp.Trim: _trim,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_zone,
    exp.CurrentTimestamp: _moment(INSTANT, "TIMESTAMPTZ"),
    exp.CurrentDate: _moment(DATE, "DATE"),
    exp.Localtimestamp: _moment(TIMESTAMP, "TIMESTAMP"),
    exp.Bracket: _subscript,
    exp.Exists: _exists,
    exp.Subquery: _scalar_query,
    exp.Ordered: _ordered,
    exp.Order: _ordered_value,
    exp.Distinct: _distinct,
    exp.Anonymous: _call,
    **dict.fromkeys(_MODIFIERS, _call),
}
