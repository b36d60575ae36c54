"""CAST and TRY_CAST with Trino's meaning (Trino documentation: conversion functions, JSON casts)."""

from __future__ import annotations

import re

from sqlglot import exp

from clew.lake.sql.dialect import refuse
from clew.lake.sql.functions.model import Typed, call, number, text
from clew.lake.sql.functions.times import iso_pattern
from clew.lake.sql.types import (
    ADDRESS,
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INSTANT,
    INTERVAL,
    JSON,
    TIMESTAMP,
    VARBINARY,
    VARCHAR,
    Type,
    array,
    decimal,
    is_time,
    is_zoned,
    mapping,
)

_D = exp.DataType.Type
_WHOLE = {_D.TINYINT: "TINYINT", _D.SMALLINT: "SMALLINT", _D.INT: "INTEGER", _D.BIGINT: "BIGINT"}
_SIMPLE = {
    **{kind: (BIGINT, name) for kind, name in _WHOLE.items()},
    _D.DOUBLE: (DOUBLE, "DOUBLE"),
    _D.FLOAT: (DOUBLE, "DOUBLE"),
    _D.BOOLEAN: (BOOLEAN, "BOOLEAN"),
    _D.VARCHAR: (VARCHAR, "VARCHAR"),
    _D.TEXT: (VARCHAR, "VARCHAR"),
    _D.VARBINARY: (VARBINARY, "BLOB"),
    _D.DATE: (DATE, "DATE"),
    _D.TIMESTAMP: (TIMESTAMP, "TIMESTAMP"),
    _D.TIMESTAMPTZ: (INSTANT, "TIMESTAMPTZ"),
    _D.JSON: (JSON, "JSON"),
    _D.IPADDRESS: (ADDRESS, "VARCHAR"),
}
_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")


def cast(node: exp.Expr, value: Typed) -> Typed:
    """The value in the type that the node names."""
    target, name = _target(node, node.args["to"])
    safe = isinstance(node, exp.TryCast)
    if isinstance(value.sql, exp.Literal) and value.sql.is_string and is_time(target):
        return _time_literal(value.sql, target, name, safe=safe)
    if target == VARCHAR:
        return Typed(_limited(node, as_text(value)), VARCHAR)
    if target == ADDRESS:
        return Typed(call("clew_try_address" if safe else "clew_address", value.sql), ADDRESS)
    _refuse_text(node, value, target)
    if target == JSON and value.type != JSON:
        # Trino makes a JSON string of a text; DuckDB reads the text as JSON.
        return Typed(call("to_json", value.sql), JSON)
    made = _prepared(value, target, safe=safe)
    kind = exp.TryCast if safe else exp.Cast
    return Typed(kind(this=made, to=exp.DataType.build(name, dialect="duckdb")), target)


def _refuse_text(node: exp.Expr, value: Typed, target: Type) -> None:
    """What Trino does not make of a text, and DuckDB would read in a way of its own."""
    if value.type != VARCHAR:
        return
    if target == VARBINARY:
        refuse(node, "cannot cast varchar to varbinary; use `to_utf8`")
    if target.name in {"array", "map", "row"}:
        refuse(node, f"cannot cast varchar to {target}; use `json_parse` first")
    literal = node.this
    is_bare = target.name == "decimal" and not node.args["to"].expressions
    if is_bare and isinstance(literal, exp.Literal) and "." in literal.name:
        refuse(node, "a decimal needs its digits here: `CAST('10.50' AS decimal(4, 2))`")


def _prepared(value: Typed, target: Type, *, safe: bool) -> exp.Expr:
    if target == BOOLEAN and value.type == VARCHAR:
        return call("clew_try_boolean" if safe else "clew_boolean", value.sql)
    if target == DOUBLE and value.type == VARCHAR:
        return call("translate", value.sql, text("_"), text("?"))
    if target != BIGINT:
        return value.sql
    if value.type == DOUBLE:
        return call("round", value.sql)  # halves away from zero; DuckDB's cast takes the even neighbour
    if value.type == VARCHAR:
        # '1.5', '1e3', '0x1f' and ' 1' are no whole numbers to Trino; DuckDB reads them.
        return call("translate", value.sql, text(".eE_ xXbBoO"), text("???????????"))
    return value.sql


def as_text(value: Typed) -> exp.Expr:
    """The value as Trino writes it in a text."""
    if value.type == DOUBLE:
        return call("clew_double_text", value.sql)
    if value.type == JSON:
        return call("clew_json_text", value.sql)
    if value.type == INTERVAL:
        return call("clew_interval_text", value.sql)
    if is_time(value.type) or is_zoned(value.type):
        return call("strftime", value.sql, text(iso_pattern(value.type, " ", " UTC")))
    if value.type in {VARCHAR, ADDRESS}:
        return value.sql
    return exp.Cast(this=value.sql, to=exp.DataType.build("VARCHAR"))


def _limited(node: exp.Expr, value: exp.Expr) -> exp.Expr:
    limits = node.args["to"].expressions
    return call("substr", value, number(1), limits[0].this.copy()) if limits else value


def _time_literal(literal: exp.Expr, target: Type, name: str, *, safe: bool) -> Typed:
    """A date or time written out: its precision is the number of digits; +02:00 follows without a blank."""
    written = _OFFSET.sub("", literal.name)
    digits = re.search(r"\.(\d+)", written)
    precision = 0 if digits is None else 3 if len(digits.group(1)) <= 3 else 6  # noqa: PLR2004  # milliseconds
    kind = exp.TryCast if safe else exp.Cast
    made = kind(this=text(written), to=exp.DataType.build(name, dialect="duckdb"))
    return Typed(made, target if target == DATE else Type(target.name, scale=precision))


def _target(node: exp.Expr, written: exp.Expr) -> tuple[Type, str]:
    if not isinstance(written, exp.DataType):
        refuse(node, "the type in CAST is not supported")
    if written.this in _SIMPLE:
        return _SIMPLE[written.this]
    if written.this == _D.DECIMAL:
        digits = [int(p.name) for p in written.expressions] or [38, 0]
        scale = digits[1] if len(digits) > 1 else 0
        return decimal(scale), f"DECIMAL({digits[0]}, {scale})"
    if written.this in {_D.ARRAY, _D.MAP, _D.STRUCT}:
        return _nested(node, written)
    refuse(node, f"the type `{written.sql(dialect='trino')}` is not supported in CAST")
    return None


def _nested(node: exp.Expr, written: exp.DataType) -> tuple[Type, str]:
    if written.this == _D.STRUCT:
        fields = [
            (f.name, *_target(node, f.args["kind"]))
            for f in written.expressions
            if isinstance(f, exp.ColumnDef)
        ]
        if len(fields) != len(written.expressions):
            refuse(node, "the fields of the row need names")
        spelled = ", ".join(f'"{field.replace(chr(34), "")}" {sql}' for field, _, sql in fields)
        return Type(
            "row", tuple(t for _, t, _ in fields), tuple(f for f, _, _ in fields)
        ), f"STRUCT({spelled})"
    inner = [_target(node, part) for part in written.expressions]
    if written.this == _D.ARRAY and len(inner) == 1:
        return array(inner[0][0]), f"{inner[0][1]}[]"
    if written.this == _D.MAP and len(inner) == 2:  # noqa: PLR2004  # key and value
        return mapping(inner[0][0], inner[1][0]), f"MAP({inner[0][1]}, {inner[1][1]})"
    refuse(node, f"the type `{written.sql(dialect='trino')}` is not supported in CAST")
    return None
