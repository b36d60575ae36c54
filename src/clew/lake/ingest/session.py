"""The work of one ingest, under the lake's lock: what is new, decoded, committed, reported."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import duckdb

from clew.errors import WorkspaceError
from clew.events.record import Reason, Rejected
from clew.lake import ledger as ledgers
from clew.lake import lock, manifest
from clew.lake.ingest.commit import Pending, commit
from clew.lake.ingest.deal import unpacked_guess
from clew.lake.ingest.messages import UNREADABLE, InputFile, Missing, Progress, ReadFile, Setting
from clew.lake.ingest.pool import pool, process_count
from clew.lake.ingest.report import IngestReport, ThisRun, report
from clew.lake.ingest.stages import Stages
from clew.lake.manifest import Manifest
from clew.lake.reader import Lake, open_lake
from clew.lake.schema import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from clew.lake.ingest.inputs import Inputs
    from clew.lake.ingest.messages import Outcome
    from clew.lake.ingest.pool import Process
    from clew.lake.ledger import Entry
    from clew.lake.store import Store

COMMIT_RECORDS = 2_000_000
"""After so many records an ingest commits what it has: what a kill can lose, and what one dedup must hold in memory."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def carry_out(
    inputs: Inputs,
    lake_path: Path,
    *,
    now: datetime,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
    started: Sequence[Process],
) -> IngestReport:
    """Take the inputs into the lake; WorkspaceLockedError while another process writes."""
    try:
        with lock.exclusive(lake_path):
            return Session(lake_path, now, workers, progress, started).ingest(inputs)
    except duckdb.Error as error:
        raise WorkspaceError(f"{lake_path}: {str(error).partition(chr(10))[0]}") from error


class Session:
    """The state of one ingest; `started` are decoding processes that run already."""

    def __init__(
        self,
        lake_path: Path,
        now: datetime,
        workers: int | None,
        progress: Callable[[Progress], None] | None,
        started: Sequence[Process] = (),
    ) -> None:
        self._path = lake_path
        self._now_us = (now - _EPOCH) // timedelta(microseconds=1)
        self._workers = workers
        self._progress = progress or (lambda _: None)
        self._started = started
        self._lake = _opened(lake_path)
        self._ledger = ledgers.load(self._lake)
        self._entries: list[Entry] = []
        self._stages = Stages(time.process_time)

    def ingest(self, inputs: Inputs) -> IngestReport:
        """Read what is new among the inputs; the report about all of them."""
        todo = [
            f for f in inputs.files if self._ledger.unchanged(f.name, f.size_bytes, f.modified_ns) is None
        ]
        unread = len(inputs.files) - len(todo)
        if todo:
            self._read(todo, Progress(unread, len(inputs.files), 0, sum(f.size_bytes for f in todo), 0))
        if inputs.missing:
            with _Tables(self._path, self._lake.manifest.pointers) as tables:
                self._commit(Pending([_absent(missing) for missing in inputs.missing]), tables)
        new = [entry for entry in self._entries if not self._is_further(entry)]
        run = ThisRun(
            stored=sum(entry.stored for entry in new),
            duplicates=sum(entry.duplicates for entry in new),
            known_files=len(inputs.names) - len(new),
            stages=self._stages.drain(),
        )
        return report(self._lake, self._ledger, inputs.names, inputs.ignored, run)

    def _is_further(self, entry: Entry) -> bool:
        return self._ledger.by_source[entry.source].path != entry.path

    def _read(self, files: Sequence[InputFile], start: Progress) -> None:
        setting = Setting(str(self._path), self._now_us, frozenset(self._ledger.by_source))
        with (
            _Tables(self._path, self._lake.manifest.pointers) as tables,
            pool(setting, process_count(files, self._workers), self._started) as workers,
        ):
            for part in _portions(files):
                pending = Pending()
                for outcome in workers.run(part):
                    tables.need(staged.table for staged in outcome.staged)
                    pending.read += outcome.read
                    pending.staged += outcome.staged
                    self._stages.add(outcome.stages)
                    start = self._advance(start, outcome)
                self._commit(pending, tables)

    def _advance(self, before: Progress, outcome: Outcome) -> Progress:
        after = Progress(
            before.files + len(outcome.read),
            before.files_total,
            before.size_bytes + sum(read.file.size_bytes for read in outcome.read),
            before.size_bytes_total,
            before.events + sum(read.records for read in outcome.read),
        )
        self._progress(after)
        return after

    def _commit(self, pending: Pending, tables: _Tables) -> None:
        pending.read = [read for read in pending.read if not self._is_told(read)]
        if not pending.read:
            return
        done = commit(tables.store(), self._lake, self._ledger, pending, self._now_us, self._stages)
        self._lake = done.lake
        self._ledger = self._ledger.with_entries(done.entries)
        self._entries += done.entries

    def _is_told(self, read: ReadFile) -> bool:
        """Whether the ledger says already that this file cannot be read."""
        held = self._ledger.by_path.get(read.file.name)
        return held is not None and held.kind == read.kind == UNREADABLE and held.source == read.source


class _Tables:
    """The catalogue, opened beside the decoding, with the tables that will be needed.

    Loading PyIceberg takes 0.7 s, and making a new lake's tables 0.1 s, while the workers need nothing of this process.
    Killed before the commit, the lake holds empty tables.
    """

    def __init__(self, lake_path: Path, made: Iterable[str]) -> None:
        self._made = set(made)
        self._beside = ThreadPoolExecutor(1)
        self._store = self._beside.submit(_opened_store, lake_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()

    def need(self, names: Iterable[str]) -> None:
        """Make these tables, and that of the sources, as far as they are missing."""
        for name in names:
            for missing in {name, SOURCES.name} - self._made:
                self._made.add(missing)
                # What goes wrong here goes wrong again, and is told, when the table is written to.
                self._beside.submit(lambda table: self._store.result().table(table), missing)

    def store(self) -> Store:
        """The catalogue, when everything that was begun is done."""
        self._beside.submit(int).result()
        return self._store.result()


def _opened_store(lake_path: Path) -> Store:
    from clew.lake.store import Store

    return Store(lake_path)


def _absent(missing: Missing) -> ReadFile:
    file = InputFile("", missing.name, missing.size_bytes, 0)
    source = f"packed:{hashlib.sha256(missing.name.encode()).hexdigest()}"
    return ReadFile(file, source, UNREADABLE, refusals=(Rejected(None, Reason.UNREADABLE, missing.detail),))


def report_on(
    lake_path: Path, names: Sequence[str], ignored: tuple[str, ...] = (), run: ThisRun | None = None
) -> IngestReport:
    """The report about files that were ingested under these names, in one ingest or in several."""
    lake = _opened(lake_path)
    return report(lake, ledgers.load(lake), tuple(dict.fromkeys(names)), ignored, run or ThisRun())


def _opened(lake_path: Path) -> Lake:
    if (lake_path / manifest.CATALOG_NAME).is_file():
        return open_lake(lake_path)
    return Lake(lake_path, Manifest({}, {}))


_RECORD_BYTES = 1_400


def _portions(files: Sequence[InputFile]) -> Iterable[list[InputFile]]:
    """The files in portions of about COMMIT_RECORDS records, each to be committed at once."""
    portion: list[InputFile] = []
    size = 0
    for file in files:
        portion.append(file)
        size += unpacked_guess(file)
        if size >= COMMIT_RECORDS * _RECORD_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
