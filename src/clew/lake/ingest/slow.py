"""The slow path: records as the decoders of `clew.events` find them, one by one, with every refusal named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from clew.errors import WorkspaceError
from clew.events import sources
from clew.events.cloudtrail import record_id
from clew.events.record import Reason, Record, Rejected, printable
from clew.lake.ingest.messages import InputFile, ReadFile, Staged
from clew.lake.ingest.parquet import MAGIC, PARQUET, flow_records
from clew.lake.ingest.write import IDENTITY_WORD_KEYS, WORD_KEYS, Writer, Written, day_of
from clew.lake.schema import BIGINT, CLOUDTRAIL, TABLES, TIME, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_UNIT_BYTES = 12 << 20
_TIME = pa.timestamp("us", tz="UTC")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class _Row:
    record: Record
    time_us: int
    source: str


@dataclass(slots=True)
class _Held:
    rows: dict[tuple[str, str], list[_Row]] = field(default_factory=dict)
    size_bytes: int = 0


class SlowPath:
    """Decodes files record by record and writes data files of one table and one day each."""

    def __init__(self, writer: Writer, now: datetime) -> None:
        self._writer = writer
        self._now = now
        self._held = _Held()
        self._waiting: list[ReadFile] = []
        self._read: list[ReadFile] = []
        self._staged: list[Staged] = []

    def take(self, file: InputFile, data: bytes, source: str) -> None:
        """Decode one file; its rows may be held back for a fuller data file."""
        kind = PARQUET if data.startswith(MAGIC) else sources.kind_of(data)
        refusals: list[Rejected] = []
        count = 0
        for found in _records(data):
            row = self._row(found, source)
            if isinstance(row, Rejected):
                refusals.append(row)
                continue
            count += 1
            self._hold(row)
        self._waiting.append(_read_file(file, source, kind, count, refusals))
        if self._held.size_bytes >= _UNIT_BYTES:
            self.flush()

    def _row(self, found: Record | Rejected, source: str) -> _Row | Rejected:
        if isinstance(found, Rejected):
            return found
        moment = sources.record_time(found, self._now)
        if isinstance(moment, Rejected):
            return moment
        return _Row(found, _microseconds(moment), source)

    def _hold(self, row: _Row) -> None:
        self._held.rows.setdefault((row.record.kind, day_of(row.time_us)), []).append(row)
        self._held.size_bytes += len(row.record.text)
        if self._held.size_bytes >= 2 * _UNIT_BYTES:
            self._write()

    def flush(self) -> None:
        """Write what is held back."""
        self._write()
        self._read += self._waiting
        self._waiting = []

    def drain_read(self) -> list[ReadFile]:
        """The files whose rows are all written, once."""
        read, self._read = self._read, []
        return read

    def drain_staged(self) -> list[Staged]:
        """The data files written, once."""
        staged, self._staged = self._staged, []
        return staged

    def _write(self) -> None:
        held, self._held = self._held, _Held()
        for (kind, _), rows in sorted(held.rows.items()):
            self._staged.append(self._write_rows(TABLES[kind], rows))

    def _write_rows(self, table: Table, rows: Sequence[_Row]) -> Staged:
        try:
            if table is not CLOUDTRAIL:
                written = self._writer.rows(table, _columns(table, rows))
            else:
                written = self._write_cloudtrail(rows)
        except duckdb.Error as error:
            raise WorkspaceError(f"{self._writer.lake_path}: cannot write: {error}") from error
        return Staged(table.name, written.data_file())

    def _write_cloudtrail(self, rows: Sequence[_Row]) -> Written:
        unit = _cloudtrail_unit(rows, [_parsed_text(row.record) for row in rows])
        try:
            return self._writer.decoded_records(unit)
        except duckdb.InvalidInputException:
            # Something that Python's reader takes and DuckDB's does not, such as half a surrogate pair: parse it as
            # Python writes it; the exact text stays beside it.
            plain = [json.dumps(_worded(row.record.fields)) for row in rows]
            return self._writer.decoded_records(_cloudtrail_unit(rows, plain))


def _cloudtrail_unit(rows: Sequence[_Row], texts: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "j": pa.array(texts, pa.large_string()),
            "eventjson": pa.array([printable(row.record.text) for row in rows], pa.large_string()),
            "record_id": pa.array([record_id(row.record.fields) for row in rows], pa.string()),
            "eventtime_us": pa.array([row.time_us for row in rows], pa.int64()),
            "source": pa.array([row.source for row in rows], pa.string()).dictionary_encode(),
            "record_number": pa.array([row.record.number for row in rows], pa.int64()),
        }
    )


def _parsed_text(record: Record) -> str:
    """The text from which DuckDB takes the typed columns: the record's own, unless a word is of another type."""
    worded = _worded(record.fields)
    text = record.text if worded is record.fields else json.dumps(worded)
    return text if text.isascii() else printable(text)


def _worded(fields: Mapping[str, object]) -> Mapping[str, object]:
    """The record, without the values of word columns that are no strings: those columns hold strings alone."""
    odd = [key for key in (*WORD_KEYS, "eventID") if not isinstance(fields.get(key), str | None)]
    who = fields.get("userIdentity")
    odd_parts = [
        k for k in IDENTITY_WORD_KEYS if isinstance(who, dict) and not isinstance(who.get(k), str | None)
    ]
    if not odd and not odd_parts:
        return fields
    clean = dict(fields) | dict.fromkeys(odd)
    if odd_parts and isinstance(who, dict):
        clean["userIdentity"] = who | dict.fromkeys(odd_parts)
    return clean


def _columns(table: Table, rows: Sequence[_Row]) -> pa.Table:
    """Rows of a table without structs, column by column."""
    own: dict[str, Sequence[object]] = {
        "eventtime": [row.time_us for row in rows],
        "rawline": [printable(row.record.text) for row in rows],
        "record_id": [f"sha256:{row.source}:{row.record.number}" for row in rows],
        "source": [row.source for row in rows],
        "record_number": [row.record.number for row in rows],
    }
    arrays = [
        _array(c, own.get(c.name) or [row.record.fields.get(c.name) for row in rows]) for c in table.columns
    ]
    return pa.table(arrays, names=[c.name for c in table.columns])


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


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _read_file(file: InputFile, source: str, kind: str, count: int, refusals: Sequence[Rejected]) -> ReadFile:
    whole = {r.reason for r in refusals if r.number is None}
    if not count and whole and whole <= {Reason.EMPTY, Reason.DIGEST}:
        # Neither is bad input: AWS writes digest files beside the logs, and a log may hold nothing.
        return ReadFile(file, source, "digest" if Reason.DIGEST in whole else "empty")
    return ReadFile(file, source, kind, count, tuple(refusals))


def _records(data: bytes) -> Iterable[Record | Rejected]:
    if data.startswith(MAGIC):
        return flow_records(data)
    return sources.decode(data)
