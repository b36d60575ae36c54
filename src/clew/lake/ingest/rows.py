"""Records of the slow path, waiting to be written: as the columns of a table, or as text for DuckDB to type."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from clew.events.cloudtrail import record_id
from clew.events.json_text import object_of
from clew.events.record import Record, printable
from clew.lake.ingest.write import IDENTITY_WORD_KEYS, WORD_KEYS
from clew.lake.schema import BIGINT, CLOUDTRAIL, TIME, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = pa.timestamp("us", tz="UTC")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Row:
    """A record with its identity and time.

    `parsed` is the text from which DuckDB takes the typed columns of a CloudTrail record; its decoded fields, ten times
    as large, are let go. `fields` holds the columns of the other kinds.
    """

    kind: str
    number: int
    text: str
    time_us: int
    source: str
    identity: str
    parsed: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


def row(record: Record, number: int, moment: datetime, source: str) -> Row:
    """The record as a row of its table."""
    time_us = (moment - _EPOCH) // timedelta(microseconds=1)
    text = printable(record.text)
    if record.kind != CLOUDTRAIL.name:
        identity = f"sha256:{source}:{number}"
        return Row(record.kind, number, text, time_us, source, identity, fields=record.fields)
    worded = _worded(record.fields)
    parsed = text if worded is record.fields else json.dumps(worded)
    return Row(record.kind, number, text, time_us, source, printable(record_id(record.fields)), parsed)


def _worded(fields: Mapping[str, object]) -> Mapping[str, object]:
    """The record, without the values of word columns that are no strings: those columns hold strings alone."""
    odd = [key for key in (*WORD_KEYS, "eventID") if not isinstance(fields.get(key), str | None)]
    who = fields.get("userIdentity")
    parts = who if isinstance(who, dict) else {}
    odd_parts = [key for key in IDENTITY_WORD_KEYS if not isinstance(parts.get(key), str | None)]
    if not odd and not odd_parts:
        return fields
    clean = dict(fields) | dict.fromkeys(odd)
    return clean | {"userIdentity": parts | dict.fromkeys(odd_parts)} if odd_parts else clean


def cloudtrail_unit(rows: Sequence[Row]) -> pa.Table:
    """CloudTrail rows as the writer's `decoded_records` takes them."""
    return pa.table(
        {
            "j": pa.array([r.parsed for r in rows], pa.large_string()),
            "eventjson": pa.array([r.text for r in rows], pa.large_string()),
            "record_id": pa.array([r.identity for r in rows], pa.string()),
            "eventtime_us": pa.array([r.time_us for r in rows], pa.int64()),
            "source": pa.array([r.source for r in rows], pa.string()).dictionary_encode(),
            "record_number": pa.array([r.number for r in rows], pa.int64()),
        }
    )


def plain_unit(unit: pa.Table) -> pa.Table:
    """The unit with its texts written again by Python, for what DuckDB does not read (half a surrogate pair).

    The exact text stays beside it.
    """
    plain = [json.dumps(object_of(text)) for text in unit["j"].to_pylist()]
    return unit.set_column(unit.schema.get_field_index("j"), "j", pa.array(plain, pa.large_string()))


def column_unit(table: Table, rows: Sequence[Row]) -> pa.Table:
    """Rows of a table without structs, column by column."""
    own: dict[str, Sequence[object]] = {
        "eventtime": [r.time_us for r in rows],
        "rawline": [r.text for r in rows],
        "record_id": [r.identity for r in rows],
        "source": [r.source for r in rows],
        "record_number": [r.number for r in rows],
    }
    columns = table.columns
    arrays = [_array(c, own.get(c.name) or [r.fields.get(c.name) for r in rows]) for c in columns]
    return pa.table(arrays, names=[c.name for c in columns])


def _array(column: Column, values: Sequence[object]) -> pa.Array:
    if column.type == BIGINT:
        return pa.array([v if isinstance(v, int) and v in _INT64 else None for v in values], pa.int64())
    if column.type == TIME:
        return pa.array(values, pa.int64()).cast(_TIME)
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else printable(value)
    return json.dumps(value) if value not in ((), {}) else None
