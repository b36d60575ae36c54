"""Input files to data files: the fast path, its verification, and the slow path for whatever does not fit.

A file goes the fast path when it is compact and every one of its records parses, has an id and a time of AWS's spelling
and says what happened in strings; any doubt sends the whole file the slow path, and nothing of the first attempt stays.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from clew.errors import WorkspaceError
from clew.events.limits import EARLIEST, LATEST_AHEAD, MAX_RECORD_BYTES
from clew.events.record import Reason
from clew.lake.ingest import lines
from clew.lake.ingest.files import write_days
from clew.lake.ingest.messages import UNREADABLE, InputFile, Outcome, ReadFile, Setting, Staged
from clew.lake.ingest.slow import Part, SlowPath
from clew.lake.ingest.split import Pieces, arrow_table, split
from clew.lake.ingest.stages import Stages
from clew.lake.ingest.typed import statements, typed
from clew.lake.ingest.unpack import Unreadable, unpack
from clew.lake.ingest.write import Writer
from clew.lake.schema import CLOUDTRAIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.lake.ingest.write import Written

UNIT_BYTES = 48 << 20
"""How much unpacked text makes one data file: 34,000 events; a statement costs 7 ms whatever its rows."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGEST_NAME = "CloudTrail-Digest"


@dataclass(slots=True)
class _Held:
    """What is read but not written: small files whose records go into one data file together."""

    compact: list[tuple[InputFile, Pieces]] = field(default_factory=list)
    size_bytes: int = 0


class Decoder:
    """Reads files into data files; keeps small files back until there are enough of them for a data file."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        # Of this thread alone: another may be loading the catalogue.
        self._stages = Stages(time.thread_time)
        self._writer = Writer(Path(setting.lake_path))
        self._asking = statements(self._writer.connection)
        self._slow = SlowPath(self._writer, self._stages, _EPOCH + setting.now_us * _MICROSECOND)
        self._held = _Held()
        self._read: list[ReadFile] = []
        self._staged: list[Staged] = []
        self._seen: set[str] = set()
        latest = setting.now_us + LATEST_AHEAD // _MICROSECOND
        self._times = ((EARLIEST - _EPOCH) // _MICROSECOND, latest)

    def take(self, files: Iterable[InputFile]) -> Outcome:
        """Read the files; what is finished so far, of these and earlier ones."""
        for file in files:
            self._take(file)
            if self._held.size_bytes >= UNIT_BYTES:
                self._flush_compact()
        return self._finished()

    def flush(self) -> Outcome:
        """Write what is held back; after this every file taken has been answered."""
        self._flush_compact()
        self._slow.flush()
        return self._finished()

    def _finished(self) -> Outcome:
        outcome = Outcome(
            (*self._read, *self._slow.drain_read()),
            (*self._staged, *self._slow.drain_staged()),
            self._stages.drain(),
            self._held.size_bytes,
        )
        self._read, self._staged = [], []
        return outcome

    def _take(self, file: InputFile) -> None:
        unpacked = unpack(file, self._stages)
        if isinstance(unpacked, Unreadable):
            self._refuse(file, unpacked)
        elif unpacked.source in self._setting.known or unpacked.source in self._seen:
            self._read.append(ReadFile(file, unpacked.source, "", known=True))
        else:
            self._seen.add(unpacked.source)
            self._decode(file, unpacked.data, unpacked.source)

    def _refuse(self, file: InputFile, found: Unreadable) -> None:
        refusal = found.refusal
        if refusal.reason is Reason.TOO_LARGE and lines.is_lines(file.path):
            try:
                self._take_lines(file)
            except lines.NotReadableError as error:
                refusal = error.refusal
            else:
                return
        self._read.append(ReadFile(file, found.source, UNREADABLE, refusals=(refusal,)))

    def _take_lines(self, file: InputFile) -> None:
        """A file of JSON lines of any size, portion by portion."""
        with self._stages.stage("hash"):
            source = lines.source_of(file.path)
        if source in self._setting.known or source in self._seen:
            self._read.append(ReadFile(file, source, "", known=True))
            return
        self._seen.add(source)
        whole = Part(CLOUDTRAIL.name)
        for portion in lines.portions(file.path):
            self._take_portion(portion, source, whole)
        self._slow.settle(file, source, whole)

    def _take_portion(self, portion: bytes, source: str, whole: Part) -> None:
        with self._stages.stage("split"):
            pieces = split(portion, source)
        if pieces is not None and int(pieces.lengths.max()) <= MAX_RECORD_BYTES:
            attempt = self._attempt([replace(pieces, first_number=whole.next_number)])
            if isinstance(attempt, list):
                self._stage(attempt)
                whole.records += len(pieces.starts)
                whole.next_number += len(pieces.starts)
                return
        part = self._slow.decode(portion, source, whole.next_number)
        whole.kind = part.kind
        whole.records += part.records
        whole.next_number = part.next_number
        whole.refusals += part.refusals

    def _decode(self, file: InputFile, data: bytes, source: str) -> None:
        if _DIGEST_NAME in file.name.rpartition("/")[2]:
            self._read.append(ReadFile(file, source, "digest"))
            return
        with self._stages.stage("split"):
            pieces = split(data, source)
        if pieces is None or int(pieces.lengths.max()) > MAX_RECORD_BYTES:
            self._slow.take(file, data, source)
        elif pieces.size_bytes > UNIT_BYTES:
            self._take_large(file, pieces)
        else:
            self._held.compact.append((file, pieces))
            self._held.size_bytes += pieces.size_bytes

    def _take_large(self, file: InputFile, pieces: Pieces) -> None:
        """A file that fills data files of its own: all of them stay, or none."""
        written: list[Written] = []
        for portion in pieces.cut(UNIT_BYTES):
            attempt = self._attempt([portion])
            if isinstance(attempt, frozenset):
                for part in written:
                    Path(part.path).unlink()
                self._slow.take(file, pieces.data, pieces.source)
                return
            written += attempt
        self._stage(written)
        self._read.append(ReadFile(file, pieces.source, CLOUDTRAIL.name, len(pieces.starts)))

    def _flush_compact(self) -> None:
        held, self._held = self._held, _Held()
        if held.compact:
            self._write_compact(held.compact)

    def _write_compact(self, items: Sequence[tuple[InputFile, Pieces]]) -> None:
        attempt = self._attempt([pieces for _, pieces in items])
        if isinstance(attempt, list):
            self._stage(attempt)
            self._read += (ReadFile(file, p.source, CLOUDTRAIL.name, len(p.starts)) for file, p in items)
            return
        for file, pieces in items:
            if pieces.source in attempt:
                self._slow.take(file, pieces.data, pieces.source)
        rest = [item for item in items if item[1].source not in attempt]
        if rest:
            self._write_compact(rest)

    def _stage(self, written: Iterable[Written]) -> None:
        self._staged += (Staged(CLOUDTRAIL.name, part.data_file()) for part in written)

    def _attempt(self, pieces: Sequence[Pieces]) -> list[Written] | frozenset[str]:
        """The data files with the records of these pieces, or the sources that must go the slow path; never empty."""
        with self._stages.stage("split"):
            unit = arrow_table(pieces)
        try:
            with self._stages.stage("decode"):
                found = typed(self._asking, unit, self._times)
            if isinstance(found, frozenset):
                return found
            with self._stages.stage("write"):
                return write_days(self._writer.lake_path, found.table, found.times)
        except (duckdb.InvalidInputException, UnicodeDecodeError):
            # The second where the message would quote bytes that are not UTF-8.
            return self._writer.unparsable_sources(unit) or frozenset(p.source for p in pieces)
        except (duckdb.Error, OSError) as error:
            raise WorkspaceError(f"{self._writer.lake_path}: cannot write: {error}") from error
