"""The slow path: records as the decoders of `clew.events` find them, one by one, with every refusal named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from clew.errors import WorkspaceError
from clew.events import sources
from clew.events.record import Reason, Record, Rejected
from clew.lake.ingest.messages import InputFile, ReadFile, Staged
from clew.lake.ingest.parquet import MAGIC, kind_and_records
from clew.lake.ingest.rows import Row, cloudtrail_unit, column_unit, plain_unit, row
from clew.lake.ingest.write import Writer, Written, day_of
from clew.lake.schema import CLOUDTRAIL, TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from clew.lake.ingest.stages import Stages

WHOLE_BYTES = 160 << 20
"""A file that must be decoded as one text may be so large; it is held twice, and 600 MB is all a process may take."""

_UNIT_BYTES = 12 << 20


@dataclass(slots=True)
class _Held:
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(slots=True)
class Part:
    """What decoding found: how many records, the refusals, and the number of the next record."""

    kind: str
    records: int = 0
    next_number: int = 0
    refusals: list[Rejected] = field(default_factory=list)


class SlowPath:
    """Decodes files record by record and writes data files of one table and one day each."""

    def __init__(self, writer: Writer, stages: Stages, now: datetime) -> None:
        self._writer = writer
        self._stages = stages
        self._now = now
        self._held = _Held()
        self._waiting: list[ReadFile] = []
        self._read: list[ReadFile] = []
        self._staged: list[Staged] = []

    def take(self, file: InputFile, data: bytes, source: str) -> None:
        """Decode one file; its rows may be held back for a fuller data file."""
        if len(data) > WHOLE_BYTES:
            detail = f"{len(data)} bytes, neither compact nor JSON lines; more than {WHOLE_BYTES}"
            refusal = Rejected(None, Reason.TOO_LARGE, detail)
            self._waiting.append(ReadFile(file, source, "cloudtrail", refusals=(refusal,)))
            return
        self.settle(file, source, self.decode(data, source))

    def settle(self, file: InputFile, source: str, part: Part) -> None:
        """Answer for a file all of whose parts were decoded."""
        self._waiting.append(_read_file(file, source, part))
        if self._held.size_bytes >= _UNIT_BYTES:
            self.flush()

    def decode(self, data: bytes, source: str, first_number: int = 0) -> Part:
        """Decode a file, or a part of one whose records begin with that number."""
        with self._stages.stage("decode"):
            return self._decode(data, source, first_number)

    def _decode(self, data: bytes, source: str, first_number: int) -> Part:
        kind, records = _kind_and_records(data)
        part = Part(kind, next_number=first_number)
        for found in records:
            number = None if found.number is None else first_number + found.number
            part.next_number = max(part.next_number, 0 if number is None else number + 1)
            moment = found if isinstance(found, Rejected) else sources.record_time(found, self._now)
            if isinstance(moment, Rejected):
                part.refusals.append(Rejected(number, moment.reason, moment.detail, moment.excerpt))
            elif isinstance(found, Record):
                part.records += 1
                self._hold(row(found, first_number + found.number, moment, source))
        return part

    def _hold(self, found: Row) -> None:
        self._held.rows.setdefault((found.kind, day_of(found.time_us)), []).append(found)
        self._held.size_bytes += len(found.text)
        if self._held.size_bytes >= _UNIT_BYTES:
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
            with self._stages.stage("write"):
                self._staged.append(self._write_rows(TABLES[kind], rows))

    def _write_rows(self, table: Table, rows: Sequence[Row]) -> Staged:
        try:
            written = (
                self._write_cloudtrail(rows)
                if table is CLOUDTRAIL
                else self._writer.rows(table, column_unit(table, rows))
            )
        except duckdb.Error as error:
            raise WorkspaceError(f"{self._writer.lake_path}: cannot write: {error}") from error
        return Staged(table.name, written.data_file())

    def _write_cloudtrail(self, rows: Sequence[Row]) -> Written:
        unit = cloudtrail_unit(rows)
        try:
            return self._writer.decoded_records(unit)
        except duckdb.InvalidInputException:
            return self._writer.decoded_records(plain_unit(unit))


def _read_file(file: InputFile, source: str, part: Part) -> ReadFile:
    whole = {r.reason for r in part.refusals if r.number is None}
    if not part.records and whole and whole <= {Reason.EMPTY, Reason.DIGEST}:
        # Neither is bad input: AWS writes digest files beside the logs, and a log may hold nothing.
        return ReadFile(file, source, "digest" if Reason.DIGEST in whole else "empty")
    return ReadFile(file, source, part.kind, part.records, tuple(part.refusals))


def _kind_and_records(data: bytes) -> tuple[str, Iterator[Record | Rejected]]:
    return kind_and_records(data) if data.startswith(MAGIC) else (sources.kind_of(data), sources.decode(data))
