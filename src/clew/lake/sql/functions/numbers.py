"""Reviewed functions on numbers, on any value, and on addresses (Trino: mathematical, conditional, IP functions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from clew.lake.sql.functions.model import (
    MANY,
    Call,
    Function,
    Typed,
    argument,
    call,
    cast,
    in_one_zone,
    is_null,
    renamed,
    same,
    text,
    when,
)
from clew.lake.sql.types import BIGINT, BOOLEAN, DOUBLE, common

if TYPE_CHECKING:
    from collections.abc import Callable

# An IPv4 address as a number; NULL for what is none. The groups of an IPv6 address are padded, `::` filled.
MACROS = {
    # An error that depends on the row: DuckDB's own error() cannot stand within TRY, and a failing constant is computed
    # even where CASE does not reach it.
    "clew_check": "(holds, message) AS CAST(CASE WHEN holds THEN '1' ELSE 'clew: ' || message END AS BIGINT) = 1",
    "clew_ipv4": "(a) AS CASE WHEN regexp_full_match(a, '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    "(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}') THEN list_reduce(list_transform(string_split(a, '.'),"
    " lambda clew_e: CAST(clew_e AS BIGINT)), lambda clew_x, clew_y: clew_x * 256 + clew_y) END",
    "clew_groups": "(a) AS list_filter(string_split(a, ':'), lambda clew_e: clew_e <> '')",
    "clew_zeros": "(a) AS list_transform(range(8 - len(clew_groups(a))), lambda clew_e: '0')",
    "clew_ipv6_groups": "(a) AS CASE WHEN contains(a, '::') THEN clew_groups(split_part(a, '::', 1)) || clew_zeros(a)"
    " || clew_groups(split_part(a, '::', 2)) ELSE string_split(a, ':') END",
    "clew_ipv6": "(a) AS CASE WHEN regexp_full_match(a, '[0-9A-Fa-f:]*:[0-9A-Fa-f:]*') AND len(clew_ipv6_groups(a)) = 8"
    " THEN list_reduce(list_transform(clew_ipv6_groups(a), lambda clew_e: CAST('0x' || clew_e AS UHUGEINT)),"
    " lambda clew_x, clew_y: clew_x * 65536 + clew_y) END",
    "clew_same_bits": "(x, y, bits) AS x // CAST(pow(2, bits) AS UHUGEINT) = y // CAST(pow(2, bits) AS UHUGEINT)",
    "clew_within": "(network, address, size, width) AS CASE WHEN size = 0 THEN address IS NOT NULL"
    " WHEN address IS NOT NULL THEN clew_same_bits(CAST(network AS UHUGEINT), CAST(address AS UHUGEINT), width - size)"
    " ELSE false END",
    "clew_in_network": "(n, a) AS CASE WHEN a IS NULL OR n IS NULL THEN NULL"
    " WHEN clew_ipv4(split_part(n, '/', 1)) IS NOT NULL"
    " THEN clew_within(clew_ipv4(split_part(n, '/', 1)), clew_ipv4(a), CAST(split_part(n, '/', 2) AS INTEGER), 32)"
    " WHEN clew_ipv6(split_part(n, '/', 1)) IS NOT NULL"
    " THEN clew_within(clew_ipv6(split_part(n, '/', 1)), clew_ipv6(a), CAST(split_part(n, '/', 2) AS INTEGER), 128)"
    " ELSE clew_check(false, 'invalid network ' || n) END",
    "clew_address": "(a) AS CASE WHEN clew_check(a IS NULL OR clew_ipv4(a) IS NOT NULL OR clew_ipv6(a) IS NOT NULL,"
    " 'cannot cast value to IPADDRESS: ' || a) THEN a END",
    # An IPv4 address is the IPv6 address ::ffff:a.b.c.d.
    "clew_address_key": "(a) AS CASE WHEN clew_ipv4(a) IS NOT NULL THEN"
    " CAST(281470681743360 + clew_ipv4(a) AS UHUGEINT) ELSE CAST(clew_ipv6(a) AS UHUGEINT) END",
    "clew_is_boolean": "(s) AS lower(s) IN ('true', 't', '1', 'false', 'f', '0')",
    "clew_boolean": "(s) AS CASE WHEN clew_check(coalesce(clew_is_boolean(s), true), 'cannot cast `' || s ||"
    " '` to boolean; TRY_CAST gives NULL instead') THEN s END",
    "clew_try_boolean": "(s) AS CASE WHEN clew_is_boolean(s) THEN s END",
    "clew_try_address": "(a) AS CASE WHEN clew_ipv4(a) IS NOT NULL OR clew_ipv6(a) IS NOT NULL THEN a END",
    # Not an error, as in Trino: a double divided by zero.
    "clew_divide_double": "(a, b) AS CASE WHEN b = 0 THEN CASE WHEN a = 0 OR isnan(a) THEN CAST('nan' AS DOUBLE)"
    " WHEN a > 0 THEN CAST('inf' AS DOUBLE) ELSE CAST('-inf' AS DOUBLE) END ELSE CAST(a AS DOUBLE) / b END",
    "clew_divide_decimal": "(a, b, s) AS CASE WHEN clew_check(coalesce(b <> 0, true), 'division by zero')"
    " THEN round(a / b, s) END",
    "clew_divide": "(a, b) AS a // b",
    "clew_from_base": "(s, r) AS CASE WHEN clew_check(coalesce(translate(lower(s),"
    " substr('0123456789abcdefghijklmnopqrstuvwxyz', 1, r), '') = '', true), 'no number of that base: ' || s) THEN"
    " list_reduce(list_prepend(0, list_transform(string_split(lower(s), ''),"
    " lambda clew_e: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', clew_e) - 1 AS BIGINT))),"
    " lambda clew_x, clew_y: clew_x * r + clew_y) END",
    "clew_double_text": "(x) AS CASE WHEN x IS NULL THEN NULL"
    " WHEN x = 0 OR (abs(x) >= 0.001 AND abs(x) < 10000000) THEN CAST(x AS VARCHAR)"
    " WHEN isfinite(x) THEN CASE WHEN x < 0 THEN '-' ELSE '' END || clew_scientific(CAST(abs(x) AS VARCHAR))"
    " WHEN isnan(x) THEN 'NaN'"
    " WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END",
    # From the shortest digits that DuckDB writes: 1e+23, 10000000000.0 and 0.00012.
    "clew_scientific": "(t) AS CASE WHEN contains(t, 'e') THEN clew_mantissa(replace(split_part(t, 'e', 1), '.', ''),"
    " CAST(split_part(t, 'e', 2) AS BIGINT)) WHEN starts_with(t, '0.') THEN clew_mantissa(ltrim(substr(t, 3), '0'),"
    " length(ltrim(substr(t, 3), '0')) - length(substr(t, 3)) - 1)"
    " ELSE clew_mantissa(replace(t, '.', ''), length(split_part(t, '.', 1)) - 1) END",
    "clew_mantissa": "(digits, e) AS substr(digits, 1, 1) || '.' ||"
    " coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' || e",
}


def _extreme(name: str) -> Function:
    def build(made: Call) -> Typed:
        in_one_zone(made.node, (a.type for a in made.args))
        missing = [is_null(sql) for sql in made.all()]
        any_missing = exp.or_(*missing)
        result = common(a.type for a in made.args)
        return Typed(when(any_missing, exp.Null(), call(name, *made.all())), result)

    return Function(name, 2, MANY, build, "NULL when any argument is NULL; DuckDB skips NULLs")


def _coalesce(made: Call) -> Typed:
    in_one_zone(made.node, (a.type for a in made.args))
    return Typed(call("coalesce", *made.all()), common(a.type for a in made.args))


def _round(made: Call) -> Typed:
    return Typed(call("round", *made.all()), made.type(0))


def _whole(name: str) -> Function:
    def build(made: Call) -> Typed:
        return Typed(call(name, *made.all()), made.type(0))

    return Function(name, 1, 1, build, "the same; the type stays")


def _bits(name: str, operator: type[exp.Binary]) -> Function:
    def build(made: Call) -> Typed:
        return Typed(exp.Paren(this=operator(this=made.sql(0), expression=made.sql(1))), BIGINT)

    return Function(name, 2, 2, build, "an operator in DuckDB")


def _mod(made: Call) -> Typed:
    return Typed(exp.Paren(this=exp.Mod(this=made.sql(0), expression=made.sql(1))), made.type(0))


def _try(made: Call) -> Typed:
    return Typed(call("TRY", made.sql(0)), made.type(0))


def _pi(made: Call) -> Typed:
    del made
    return Typed(call("pi"), DOUBLE)


def _special(name: str) -> Callable[[Call], Typed]:
    return lambda _: Typed(cast(text(name), "DOUBLE"), DOUBLE)


def _from_base(made: Call) -> Typed:
    return Typed(cast(call("clew_from_base", *made.all()), "BIGINT"), BIGINT)


FUNCTIONS = (
    _whole("abs"),
    _whole("ceil"),
    Function("ceiling", 1, 1, lambda c: Typed(call("ceil", *c.all()), c.type(0)), "as ceil"),
    _whole("floor"),
    _whole("sign"),
    Function("round", 1, 2, _round, "halves away from zero in both"),
    Function("truncate", 1, 2, lambda c: Typed(call("trunc", *c.all()), c.type(0)), "towards zero"),
    *(same(n, DOUBLE, 1) for n in ("sqrt", "cbrt", "exp", "ln", "log2", "log10")),
    same("log", DOUBLE, 2, note="base first in both"),
    renamed("power", "pow", DOUBLE, 2),
    same("pow", DOUBLE, 2),
    Function("pi", 0, 0, _pi, "the same"),
    Function("e", 0, 0, lambda _: Typed(call("exp", exp.Literal.number(1)), DOUBLE), "exp(1)"),
    Function("nan", 0, 0, _special("nan"), "not a number"),
    Function("infinity", 0, 0, _special("inf"), "more than any number"),
    renamed("is_nan", "isnan", BOOLEAN, 1),
    renamed("is_finite", "isfinite", BOOLEAN, 1),
    renamed("is_infinite", "isinf", BOOLEAN, 1),
    Function("mod", 2, 2, _mod, "the sign of the dividend in both"),
    _bits("bitwise_and", exp.BitwiseAnd),
    _bits("bitwise_or", exp.BitwiseOr),
    _bits("bitwise_left_shift", exp.BitwiseLeftShift),
    _bits("bitwise_right_shift", exp.BitwiseRightShift),
    renamed("bitwise_xor", "xor", BIGINT, 2),
    Function("from_base", 2, 2, _from_base, "digits to a number"),
    _extreme("greatest"),
    _extreme("least"),
    Function("coalesce", 1, MANY, _coalesce, "the same"),
    renamed("nullif", "nullif", argument(0), 2, note="the same"),
    Function("try", 1, 1, _try, "NULL for an error while computing"),
)
