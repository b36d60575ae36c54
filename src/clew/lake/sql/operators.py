"""Operators over operands that are translated already, with the types that Trino gives them."""

from __future__ import annotations

import re

from sqlglot import exp

from clew.lake.sql.dialect import refuse
from clew.lake.sql.functions import times
from clew.lake.sql.functions.model import Typed, call, cast, number
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
    common,
    comparable,
    decimal,
    is_numeric,
    is_time,
    is_zoned,
)

_ALWAYS_READ = frozenset({"this", "expression", "expressions"})
_ALSO_READ: dict[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(keys.split())
    for kind, keys in {
        exp.Column: "table db catalog",
        exp.Identifier: "quoted",
        exp.Literal: "is_string",
        exp.Interval: "unit",
        exp.Array: "bracket_notation",
        exp.Star: "except_",
        exp.Between: "low high",
        exp.In: "query unnest field",
        exp.Like: "negate",
        exp.Is: "negate",
        exp.Div: "typed safe",
        exp.DPipe: "safe",
        exp.Case: "ifs default",
        exp.If: "true false",
        exp.Cast: "to format default",
        exp.TryCast: "to format default safe",
        exp.Substring: "start length",
        exp.StrPosition: "substr",
        exp.Trim: "position collation",
        exp.AtTimeZone: "zone",
        exp.Bracket: "offset safe",
        exp.Subquery: "with_ order limit offset",
        exp.Ordered: "desc nulls_first",
        exp.Distinct: "on",
        exp.Window: "partition_by order spec alias over",
    }.items()
}


_ORDERINGS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def unread(node: exp.Expr) -> str:
    """The part of the node that no rule reads, by the parser's name; empty when there is none.

    A flag that is not read would be lost: NOT LIKE answered as LIKE when the parser began to keep it as a flag.
    """
    read = _ALWAYS_READ | _ALSO_READ.get(type(node), frozenset())
    return next((k.rstrip("_").upper() for k, value in node.args.items() if value and k not in read), "")


def checked(node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """The right side, made a time where AWS compares a time with a text."""
    if is_time(left.type) and right.type == VARCHAR and isinstance(right.sql, exp.Literal):
        return Typed(cast(right.sql, "DATE" if left.type == DATE else "TIMESTAMP"), left.type)
    if is_zoned(left.type) or is_zoned(right.type):
        refuse(node, "a time converted to another zone cannot be compared; compare before converting")
    if _is_console_flag(left) and right.type == BOOLEAN:
        return Typed(cast(right.sql, "VARCHAR"), VARCHAR)
    if not comparable(left.type, right.type):
        refuse(node, f"cannot compare {left.type} with {right.type}; {_advice(left.type, right.type)}")
    return right


def _is_console_flag(value: Typed) -> bool:
    # CloudTrail Lake's schema says string, its sample query compares with true.
    return isinstance(value.sql, exp.Column) and value.sql.name.lower() == "sessioncredentialfromconsole"


def compared(node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """A comparison of operands that can be compared: addresses by number, NaN equal to and greater than nothing."""
    if left.type == ADDRESS == right.type:
        left, right = key(left), key(right)
    made: exp.Expr = node.__class__(this=left.sql, expression=right.sql)
    if DOUBLE not in {left.type, right.type}:
        return Typed(made, BOOLEAN)
    if isinstance(node, exp.NEQ):
        return Typed(exp.Paren(this=exp.or_(made, _is_nan(left), copy=False)), BOOLEAN)
    # To DuckDB NaN equals itself and is the greatest number.
    side = right if isinstance(node, (exp.LT, exp.LTE)) else left
    if not isinstance(node, _ORDERINGS) or isinstance(side.sql, exp.Literal):
        return Typed(made, BOOLEAN)
    return Typed(exp.Paren(this=exp.and_(made, exp.Not(this=_is_nan(side)), copy=False)), BOOLEAN)


def _is_nan(value: Typed) -> exp.Expr:
    return call("isnan", cast(value.sql.copy(), "DOUBLE"))


def key(value: Typed) -> Typed:
    """What the value is ordered by: the number of an address, otherwise the value."""
    return Typed(call("clew_address_key", value.sql), UNKNOWN) if value.type == ADDRESS else value


def _advice(left: Type, right: Type) -> str:
    if VARCHAR in {left, right} and (is_numeric(left) or is_numeric(right)):
        return "put the number in quotes or CAST the text"
    if VARCHAR in {left, right} and (is_time(left) or is_time(right)):
        return "make a time of the text with `from_iso8601_timestamp`"
    return "CAST one of them"


def check_escapes(node: exp.Expr, pattern: exp.Expr, mark: exp.Expr) -> None:
    """Trino's errors for a pattern in which the mark stands before anything but `%`, `_` and itself."""
    if not (isinstance(mark, exp.Literal) and isinstance(pattern, exp.Literal)):
        return
    if len(mark.name) != 1:
        refuse(node, "the escape of LIKE must be one character")
    left = re.sub(re.escape(mark.name) + "[%_" + re.escape(mark.name) + "]", "", pattern.name)
    if mark.name in left:
        refuse(node, f"the escape `{mark.name}` must stand before `%`, `_` or itself")


def arithmetic_type(node: exp.Expr, left: Type, right: Type) -> Type:
    """The type of a sum, difference, product or remainder."""
    if isinstance(node, exp.Mul) and "decimal" in {left.name, right.name} and DOUBLE not in {left, right}:
        return decimal(left.scale + right.scale)
    return common(iter((left, right))) if UNKNOWN not in {left, right} else UNKNOWN


def division(left: Typed, right: Typed) -> Typed:
    """Whole numbers divide to a whole number, decimals to the larger scale, doubles to a double."""
    types = {left.type.name, right.type.name}
    if "double" in types:
        return Typed(call("clew_divide_double", left.sql, right.sql), DOUBLE)
    if "decimal" in types and "unknown" not in types:
        scale = max(left.type.scale, right.type.scale)
        return Typed(call("clew_divide_decimal", left.sql, right.sql, number(scale)), decimal(scale))
    return Typed(call("clew_divide", left.sql, right.sql), BIGINT if types == {"bigint"} else UNKNOWN)


def time_arithmetic(node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """A time and an interval, or two times; QueryError for anything else."""
    type_ = times.arithmetic(left.type, right.type)
    pair = (left.sql, right.sql)
    if isinstance(node, exp.Mul) and INTERVAL in {left.type, right.type}:
        return Typed(exp.Mul(this=pair[0], expression=pair[1]), INTERVAL)
    if (
        type_ is None
        or not isinstance(node, (exp.Add, exp.Sub))
        or is_zoned(left.type)
        or is_zoned(right.type)
    ):
        refuse(node, f"cannot calculate with {left.type} and {right.type}")
    if type_ == INTERVAL and is_time(left.type) and is_time(right.type):
        # DuckDB subtracts dates to a number of days.
        pair = (cast(left.sql, "TIMESTAMPTZ"), cast(right.sql, "TIMESTAMPTZ"))
    return times.like(exp.Paren(this=node.__class__(this=pair[0], expression=pair[1])), type_)
