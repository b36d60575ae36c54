"""Reviewed functions on arrays, maps and lambdas (Trino documentation: array, map and lambda functions)."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from clew.lake.sql.functions.model import (
    MANY,
    Call,
    Function,
    Typed,
    argument,
    call,
    cast,
    element,
    renamed,
    text,
)
from clew.lake.sql.types import (
    ADDRESS,
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTERVAL,
    UNKNOWN,
    VARCHAR,
    Type,
    array,
    is_time,
    mapping,
)

_PLAIN_KEY = re.compile(r"[\w.:/ -]+")
_DISTINCT = "list_filter({a}, lambda clew_e, clew_i: clew_i = list_position({a}, clew_e))"
MACROS = {
    "clew_element": "(a, i) AS a[i]",
    "clew_at": "(a, i) AS CASE WHEN clew_check(coalesce(i >= 1 AND i <= len(a), true), 'array subscript ' || i ||"
    " ' is out of range; use element_at for NULL') THEN a[i] END",
    "clew_map_at": "(m, k) AS CASE WHEN clew_check(coalesce(map_contains(m, k), true), 'key not present in map: ' || k)"
    " THEN m[k] END",
    "clew_contains": "(a, e) AS CASE WHEN a IS NULL OR e IS NULL THEN NULL WHEN list_contains(a, e) THEN true"
    " WHEN list_count(a) < len(a) THEN NULL ELSE false END",
    "clew_any": "(b) AS CASE WHEN b IS NULL THEN NULL WHEN list_contains(b, true) THEN true"
    " WHEN list_count(b) < len(b) THEN NULL ELSE false END",
    "clew_all": "(b) AS CASE WHEN b IS NULL THEN NULL WHEN list_contains(b, false) THEN false"
    " WHEN list_count(b) < len(b) THEN NULL ELSE true END",
    "clew_distinct": f"(a) AS {_DISTINCT.format(a='a')}",
    "clew_max": "(a) AS CASE WHEN list_count(a) = len(a) THEN list_max(a) END",
    "clew_min": "(a) AS CASE WHEN list_count(a) = len(a) THEN list_min(a) END",
    "clew_position": "(a, e) AS CASE WHEN a IS NOT NULL AND e IS NOT NULL THEN coalesce(list_position(a, e), 0) END",
    "clew_remove": "(a, e) AS CASE WHEN e IS NOT NULL THEN list_filter(a, lambda clew_x: clew_x IS NULL OR clew_x <> e)"
    " END",
    "clew_intersect": "(a, b) AS list_filter(clew_distinct(a), lambda clew_e: list_position(b, clew_e) IS NOT NULL)",
    "clew_except": "(a, b) AS list_filter(clew_distinct(a), lambda clew_e: list_position(b, clew_e) IS NULL)",
    "clew_union": "(a, b) AS clew_distinct(a || b)",
    "clew_overlap": "(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true"
    " WHEN len(a) > 0 AND len(b) > 0 AND (list_count(a) < len(a) OR list_count(b) < len(b)) THEN NULL ELSE false END",
    "clew_double_texts": "(a) AS list_transform(a, lambda clew_e: clew_double_text(clew_e))",
    "clew_join": "(a, d) AS array_to_string(list_filter(a, lambda clew_e: clew_e IS NOT NULL), d)",
    "clew_join_null": "(a, d, n) AS array_to_string(list_transform(a, lambda clew_e:"
    " coalesce(CAST(clew_e AS VARCHAR), n)), d)",
    "clew_slice": "(a, s, n) AS CASE WHEN clew_check(coalesce(s <> 0, true), 'slice starts at 1') THEN CASE WHEN s > 0"
    " THEN a[s:s + n - 1] WHEN len(a) + s >= 0 THEN a[len(a) + s + 1:len(a) + s + n] ELSE a[1:0] END END",
    # The check stands inside: around the list, a list of 100,000,000 entries is made before it is refused.
    "clew_sequence": "(a, b, s) AS generate_series(a, CASE WHEN clew_check(coalesce((b - a) * s >= 0, true),"
    " 'sequence: the step does not lead to the end') AND clew_check(coalesce(abs(b - a) // abs(s) < 10000,"
    " true), 'sequence has more than 10000 entries') THEN b END, s)",
    "clew_count": "(n) AS CASE WHEN clew_check(coalesce(n <= 10000, true), 'repeat has more than 10000 entries')"
    " THEN n END",
    "clew_steps": "(a, b) AS CASE WHEN b >= a THEN 1 ELSE -1 END",
    "clew_map_concat": "(a, b) AS map_concat(a, b)",
    "clew_map_filter": "(m, f) AS map_from_entries(list_filter(map_entries(m), f))",
}


def _element_at(made: Call) -> Typed:
    if made.type(0) in {VARCHAR, Type("json")}:
        made.refuse(f"expects an array or a map, found {made.type(0)}; use `json_extract_scalar`")
    index = made.node.expressions[1]
    if isinstance(index, exp.Literal) and not index.is_string and index.this == "0":
        made.refuse("SQL array indices start at 1")
    is_stored = made.type(0).text_column and isinstance(made.sql(0), exp.Column)
    if is_stored and isinstance(index, exp.Literal) and index.is_string and _PLAIN_KEY.fullmatch(index.name):
        name = exp.to_identifier(made.type(0).text_column, quoted=True)
        column = exp.Column(this=name, table=made.sql(0).args.get("table"))
        return Typed(call("json_extract_string", column, text(f'$."{index.name}"')), VARCHAR)
    items = made.type(0).items
    return Typed(call("clew_element", *made.all()), items[-1] if items else UNKNOWN)


def _contains(made: Call) -> Typed:
    if made.type(0) == VARCHAR or made.type(1) == ADDRESS:
        return Typed(call("clew_in_network", *made.all()), BOOLEAN)
    return Typed(call("clew_contains", *made.all()), BOOLEAN)


def _matched(name: str, macro: str, *, negate: bool = False) -> Function:
    def build(made: Call) -> Typed:
        _check_one_parameter(made)
        found = call(macro, call("list_transform", *made.all()))
        return Typed(exp.Not(this=found) if negate else found, BOOLEAN)

    return Function(name, 2, 2, build, "NULL when only a NULL could decide")


def _check_one_parameter(made: Call) -> None:
    """QueryError unless the lambda has one parameter: DuckDB gives a second one the position."""
    step = made.args[1].sql
    if not isinstance(step, exp.Lambda) or len(step.expressions) != 1:
        made.refuse("expects a lambda of one parameter")


def _filter(made: Call) -> Typed:
    _check_one_parameter(made)
    return Typed(call("list_filter", *made.all()), made.type(0))


def _transform(made: Call) -> Typed:
    _check_one_parameter(made)
    return Typed(call("list_transform", *made.all()), array(made.type(1)))


def _reduce(made: Call) -> Typed:
    items, initial, step, final = made.args
    total = call("list_reduce", items.sql, step.sql, initial.sql)
    if not isinstance(final.sql, exp.Lambda) or len(final.sql.expressions) != 1:
        made.refuse("the last argument must be a lambda of the state")
    if not isinstance(step.sql, exp.Lambda) or len(step.sql.expressions) != 2:  # noqa: PLR2004  # state and element
        made.refuse("the third argument must be a lambda of state and element")
    # A lambda of one parameter applied to one value: a list of one, transformed.
    made_list = exp.Array(expressions=[total])
    last = call("list_extract", call("list_transform", made_list, final.sql), exp.Literal.number(1))
    return Typed(last, final.type)


def _zip_with(made: Call) -> Typed:
    step = made.args[2].sql
    if not isinstance(step, exp.Lambda) or len(step.expressions) != 2:  # noqa: PLR2004  # one of each array
        made.refuse("the last argument must be a lambda of two elements")
    pairs, pair = call("list_zip", made.sql(0), made.sql(1)), exp.to_identifier("clew_pair", quoted=True)
    body = step.this
    for position, parameter in enumerate(step.expressions, start=1):
        picked = exp.Bracket(this=pair.copy(), expressions=[exp.Literal.number(position)], offset=1)
        body = body.transform(_replaced, str(parameter.this), picked)
    return Typed(
        call("list_transform", pairs, exp.Lambda(this=body, expressions=[pair])), array(made.type(2))
    )


def _replaced(node: exp.Expr, name: str, value: exp.Expr) -> exp.Expr:
    is_parameter = isinstance(node, exp.Identifier) and node.this == name
    return value.copy() if is_parameter and not isinstance(node.parent, exp.Column) else node


def joined(left: Typed, right: Typed) -> Typed:
    """Two arrays, or an array and an element, in one array."""
    sides = [
        side.sql if side.type.name in {"array", "unknown"} else exp.Array(expressions=[side.sql])
        for side in (left, right)
    ]
    type_ = left.type if left.type.name == "array" else right.type
    return Typed(exp.DPipe(this=sides[0], expression=sides[1], safe=False), type_)


def _join(made: Call) -> Typed:
    if made.element(0) == DOUBLE:
        texts = call("clew_double_texts", made.sql(0))
        made = replace(made, args=(Typed(texts, array(VARCHAR)), *made.args[1:]))
    name = "clew_join" if len(made.args) == 2 else "clew_join_null"  # noqa: PLR2004  # no text for NULL given
    return Typed(call(name, *made.all()), VARCHAR)


def _map(made: Call) -> Typed:
    if not made.args:
        return Typed(call("map"), mapping(UNKNOWN, UNKNOWN))
    return Typed(call("map", *made.all()), mapping(made.element(0), made.element(1)))


def _map_entries_filter(made: Call) -> Typed:
    step = made.args[1].sql
    if not isinstance(step, exp.Lambda) or len(step.expressions) != 2:  # noqa: PLR2004  # key and value
        made.refuse("expects a lambda of key and value")
    return Typed(call("clew_map_filter", made.sql(0), _over_entry(step)), made.type(0))


def _over_entry(step: exp.Expr) -> exp.Lambda:
    entry, body = exp.to_identifier("clew_entry", quoted=True), step.this
    for part, parameter in zip(("key", "value"), step.expressions, strict=True):
        body = body.transform(
            _replaced, str(parameter.this), exp.Dot(this=entry, expression=exp.to_identifier(part))
        )
    return exp.Lambda(this=body, expressions=[entry])


def _transform_values(made: Call) -> Typed:
    step = made.args[1].sql
    if not isinstance(step, exp.Lambda) or len(step.expressions) != 2:  # noqa: PLR2004  # key and value
        made.refuse("expects a lambda of key and value")
    entries = call("map_entries", made.sql(0))
    values = call("list_transform", entries, _over_entry(step))
    keys = made.type(0).items[0] if made.type(0).items else UNKNOWN
    return Typed(call("map", call("map_keys", made.sql(0)), values), mapping(keys, made.type(1)))


def _transform_keys(made: Call) -> Typed:
    step = made.args[1].sql
    if not isinstance(step, exp.Lambda) or len(step.expressions) != 2:  # noqa: PLR2004  # key and value
        made.refuse("expects a lambda of key and value")
    keys = call("list_transform", call("map_entries", made.sql(0)), _over_entry(step))
    values = made.type(0).items[1] if made.type(0).items else UNKNOWN
    return Typed(call("map", keys, call("map_values", made.sql(0))), mapping(made.type(1), values))


def _sequence(made: Call) -> Typed:
    if made.type(0) == DATE or is_time(made.type(0)):
        step = made.sql(2) if len(made.args) == 3 else call("to_days", exp.Literal.number(1))  # noqa: PLR2004  # step
        series = call("generate_series", made.sql(0), made.sql(1), step)
        return Typed(cast(series, "DATE[]") if made.type(0) == DATE else series, array(made.type(0)))
    if INTERVAL in {made.type(1), made.type(2)}:
        made.refuse("expects numbers, or two dates and an interval")
    step = made.sql(2) if len(made.args) == 3 else call("clew_steps", *made.all())  # noqa: PLR2004  # step given
    return Typed(call("clew_sequence", made.sql(0), made.sql(1), step), array(BIGINT))


def _flatten(made: Call) -> Typed:
    return Typed(call("flatten", *made.all()), made.element(0))


def _row(made: Call) -> Typed:
    names = tuple(f"field{i}" for i in range(len(made.args)))
    return Typed(call("row", *made.all()), Type("row", tuple(a.type for a in made.args), names))


def _zip(made: Call) -> Typed:
    return Typed(call("list_zip", *made.all()), array(UNKNOWN))


def _repeat(made: Call) -> Typed:
    counted = call("range", call("clew_count", made.sql(1)))
    step = exp.Lambda(this=made.sql(0), expressions=[exp.to_identifier("clew_i", quoted=True)])
    return Typed(call("list_transform", counted, step), array(made.type(0)))


def _reduce_parameters(types: tuple[Type, ...]) -> tuple[Type, ...]:
    state = types[1] if len(types) > 1 else UNKNOWN
    items = types[0].items or (UNKNOWN,)
    return (state, *items)


def _zip_parameters(types: tuple[Type, ...]) -> tuple[Type, ...]:
    return tuple((t.items or (UNKNOWN,))[0] for t in types[:2])


def _keys(made: Call) -> Type:
    items = made.type(0).items
    return array(items[0]) if items else UNKNOWN


def _values(made: Call) -> Type:
    items = made.type(0).items
    return array(items[-1]) if items else UNKNOWN


FUNCTIONS = (
    Function("element_at", 2, 2, _element_at, "NULL beyond the end or for a missing key; text is an error"),
    renamed("cardinality", "cardinality", BIGINT, 1, note="the same"),
    Function(
        "contains",
        2,
        2,
        _contains,
        "NULL when a NULL could be the element; a network and an address by arithmetic",
    ),
    _matched("any_match", "clew_any"),
    _matched("all_match", "clew_all"),
    _matched("none_match", "clew_any", negate=True),
    Function("filter", 2, 2, _filter, "the same, renamed"),
    Function("transform", 2, 2, _transform, "the same, renamed"),
    Function(
        "reduce", 4, 4, _reduce, "the last lambda is applied to the state", parameters=_reduce_parameters
    ),
    Function(
        "zip_with", 3, 3, _zip_with, "the shorter array is filled with NULL", parameters=_zip_parameters
    ),
    Function("zip", 2, 5, _zip, "the shorter array is filled with NULL"),
    Function("array_join", 2, 3, _join, "NULLs are left out, or written as the third argument"),
    renamed("array_distinct", "clew_distinct", argument(0), 1, note="order and NULL are kept"),
    renamed(
        "array_sort", "list_sort", argument(0), 1, note="NULLs last in both; a comparing lambda is refused"
    ),
    renamed("array_max", "clew_max", element(0), 1, note="NULL when there is a NULL"),
    renamed("array_min", "clew_min", element(0), 1, note="NULL when there is a NULL"),
    renamed("array_position", "clew_position", BIGINT, 2, note="0 when it is not there"),
    renamed("array_remove", "clew_remove", argument(0), 2),
    renamed(
        "array_intersect",
        "clew_intersect",
        argument(0),
        2,
        note="distinct elements in the order of the first",
    ),
    renamed(
        "array_except", "clew_except", argument(0), 2, note="distinct elements in the order of the first"
    ),
    renamed("array_union", "clew_union", argument(0), 2, note="distinct elements in order"),
    renamed("arrays_overlap", "clew_overlap", BOOLEAN, 2, note="NULL when only a NULL could decide"),
    renamed("slice", "clew_slice", argument(0), 3, note="start and length, not start and end"),
    Function("sequence", 2, 3, _sequence, "counts down when the end is smaller; at most 10,000 entries"),
    Function("flatten", 1, 1, _flatten, "the same"),
    Function("repeat", 2, 2, _repeat, "an array of at most 10,000 entries; DuckDB's repeats text"),
    Function("row", 1, MANY, _row, "the same"),
    Function("map", 0, 2, _map, "from two arrays; a key twice is an error in both"),
    renamed("map_keys", "map_keys", _keys, 1, note="the same"),
    renamed("map_values", "map_values", _values, 1, note="the same"),
    renamed("map_entries", "map_entries", array(UNKNOWN), 1, note="the same"),
    renamed("map_from_entries", "map_from_entries", UNKNOWN, 1, note="the same"),
    renamed("map_concat", "map_concat", argument(0), 2, MANY, note="the later map wins in both"),
    Function("map_filter", 2, 2, _map_entries_filter, "over the entries"),
    Function("transform_values", 2, 2, _transform_values, "over the entries"),
    Function("transform_keys", 2, 2, _transform_keys, "over the entries; a key twice is an error in both"),
)
