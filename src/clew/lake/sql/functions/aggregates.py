"""Reviewed aggregates and window functions (Trino documentation: aggregate and window functions)."""

from __future__ import annotations

from sqlglot import exp

from clew.lake.sql.functions.model import Call, Function, Typed, aggregate, argument, call, cast, ranking
from clew.lake.sql.types import ADDRESS, BIGINT, BOOLEAN, DOUBLE, VARCHAR, array, mapping

MACROS = {
    "clew_multimap_of": "(l) AS map_from_entries(list_transform(clew_distinct("
    "list_transform(l, lambda clew_e: clew_e.k)), lambda clew_key:"
    " (clew_key, list_transform(list_filter(l, lambda clew_e: clew_e.k = clew_key),"
    " lambda clew_e: clew_e.v))))",
    # Trino keeps one value for a key that comes twice; DuckDB's map refuses it.
    "clew_map_of": "(l) AS map_from_entries(list_filter(l, lambda clew_e, clew_i:"
    " clew_i = list_position(list_transform(l, lambda clew_x: clew_x.k), clew_e.k)))",
}


def _plain(made: Call) -> None:
    if any(isinstance(a, (exp.Distinct, exp.Order)) for a in made.node.expressions):
        made.refuse("DISTINCT and ORDER BY are not supported here")


def _extreme(name: str) -> Function:
    def build(made: Call) -> Typed:
        if made.type(0) == ADDRESS:
            made.refuse("addresses are ordered as numbers; use `ORDER BY` and `LIMIT 1`")
        if len(made.args) == 1:
            return Typed(made.modify(call(name, *made.all())), made.type(0))
        return Typed(made.modify(call(name, *made.all())), array(made.type(0)))

    return Function(name, 1, 2, build, "NULLs are skipped; the n extreme values", aggregate=True, window=True)


def _multimap_agg(made: Call) -> Typed:
    _plain(made)
    found = call("clew_multimap_of", made.modify(call("array_agg", _pair(made))))
    return Typed(found, mapping(made.type(0), array(made.type(1))))


def _pair(made: Call) -> exp.Struct:
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=made.sql(position))
            for position, name in enumerate("kv")
        ]
    )


def _map_agg(made: Call) -> Typed:
    _plain(made)
    found = call("clew_map_of", made.modify(call("array_agg", _pair(made))))
    return Typed(found, mapping(made.type(0), made.type(1)))


def _approx_distinct(made: Call) -> Typed:
    _plain(made)
    counted = exp.Distinct(expressions=[made.sql(0)])
    return Typed(made.modify(call("count", counted)), BIGINT)


def _sum(made: Call) -> Typed:
    type_ = made.type(0) if made.type(0).name in {"double", "decimal"} else BIGINT
    total = made.modify(call("sum", *made.all()))
    return Typed(cast(total, "BIGINT") if made.type(0) == BIGINT else total, type_)


def _avg(made: Call) -> Typed:
    mean = made.modify(call("avg", *made.all()))
    if made.type(0).name == "decimal":
        return Typed(call("round", mean, exp.Literal.number(made.type(0).scale)), made.type(0))
    return Typed(mean, DOUBLE)


def _count_if(made: Call) -> Typed:
    return Typed(cast(made.modify(call("count_if", *made.all())), "BIGINT"), BIGINT)


def _by(name: str, target: str) -> Function:
    def build(made: Call) -> Typed:
        type_ = made.type(0) if len(made.args) == 2 else array(made.type(0))  # noqa: PLR2004  # no count given
        name = target if len(made.args) == 2 else target.removesuffix("_null")  # noqa: PLR2004  # as above
        return Typed(made.modify(call(name, *made.all())), type_)

    return Function(
        name, 2, 3, build, "the values of the n extreme rows, NULL too", aggregate=True, window=True
    )


def _approx_percentile(made: Call) -> Typed:
    share = made.node.expressions[1]
    if not isinstance(share, (exp.Literal, exp.Array)):
        made.refuse("the share must be a literal between 0 and 1")
    return Typed(made.modify(call("quantile_disc", *made.all())), made.type(0))


def _histogram(made: Call) -> Typed:
    return Typed(made.modify(call("histogram", *made.all())), mapping(made.type(0), BIGINT))


def _array_agg(made: Call) -> Typed:
    return Typed(made.modify(call("array_agg", *made.all())), array(made.type(0)))


def _listagg(made: Call) -> Typed:
    return Typed(made.modify(call("string_agg", *made.all())), VARCHAR)


FUNCTIONS = (
    aggregate("count", "count", BIGINT, 0, 1),
    Function("count_if", 1, 1, _count_if, "a bigint", aggregate=True, window=True),
    Function("sum", 1, 1, _sum, "a bigint, an error when it does not fit", aggregate=True, window=True),
    Function("avg", 1, 1, _avg, "of decimals: rounded to their scale", aggregate=True, window=True),
    _extreme("min"),
    _extreme("max"),
    aggregate("bitwise_and_agg", "bit_and", BIGINT, 1, note="the same, renamed"),
    aggregate("bitwise_or_agg", "bit_or", BIGINT, 1, note="the same, renamed"),
    Function("array_agg", 1, 1, _array_agg, "NULLs are kept in both", aggregate=True, window=True),
    Function("listagg", 1, 2, _listagg, "WITHIN GROUP gives the order", aggregate=True),
    aggregate("bool_and", "bool_and", BOOLEAN, 1),
    aggregate("bool_or", "bool_or", BOOLEAN, 1),
    aggregate("every", "bool_and", BOOLEAN, 1, note="as bool_and"),
    aggregate("arbitrary", "any_value", argument(0), 1, note="a value that is not NULL"),
    aggregate("any_value", "any_value", argument(0), 1, note="a value that is not NULL"),
    Function("approx_distinct", 1, 2, _approx_distinct, "counted exactly", aggregate=True, window=True),
    Function("approx_percentile", 2, 2, _approx_percentile, "computed exactly", aggregate=True, window=True),
    _by("max_by", "arg_max_null"),
    _by("min_by", "arg_min_null"),
    Function(
        "map_agg", 2, 2, _map_agg, "one value stays for a key that comes twice", aggregate=True, window=True
    ),
    Function("multimap_agg", 2, 2, _multimap_agg, "all values of a key", aggregate=True, window=True),
    Function("histogram", 1, 1, _histogram, "value to count", aggregate=True, window=True),
    *(
        aggregate(n, n, DOUBLE, 1)
        for n in ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")
    ),
    aggregate("corr", "corr", DOUBLE, 2),
    *(ranking(n, BIGINT, 0) for n in ("row_number", "rank", "dense_rank")),
    *(ranking(n, DOUBLE, 0) for n in ("percent_rank", "cume_dist")),
    ranking("ntile", BIGINT, 1),
    *(ranking(n, argument(0), 1, 3) for n in ("lag", "lead")),
    *(ranking(n, argument(0), 1) for n in ("first_value", "last_value")),
    ranking("nth_value", argument(0), 2),
)
GROUPING = Function("grouping", 1, 30, lambda c: Typed(call("grouping", *c.all()), BIGINT), "the same bits")
