"""One ingest from paths to report, under the lake's lock."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import duckdb

from clew.errors import WorkspaceError
from clew.events.record import Reason, Rejected
from clew.lake import ledger as ledgers
from clew.lake import lock, manifest
from clew.lake.ingest.commit import Pending, commit
from clew.lake.ingest.inputs import discover
from clew.lake.ingest.messages import UNREADABLE, InputFile, Missing, ReadFile, Setting
from clew.lake.ingest.pool import pool
from clew.lake.ingest.report import IngestReport, ThisRun, report
from clew.lake.ingest.stages import Stages
from clew.lake.manifest import Manifest
from clew.lake.reader import Lake, open_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from clew.lake.ingest.inputs import Inputs
    from clew.lake.ingest.messages import Outcome
    from clew.lake.ledger import Entry

COMMIT_RECORDS = 2_000_000
"""After so many records an ingest commits what it has: what a kill can lose, and what one dedup must hold in memory."""

_IN_PROCESS_BYTES = 48 << 20
_GZIP_RATIO = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: files and their bytes on disk, done and in all, and the records found so far."""

    files: int
    files_total: int
    size_bytes: int
    size_bytes_total: int
    events: int


def ingest(
    lake_path: Path,
    paths: Iterable[Path | str | InputFile | Missing],
    *,
    now: datetime,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Take everything the paths stand for into the lake, each record once; the lake is made when missing.

    Errors: InputError for a path that does not exist, WorkspaceLockedError while another process writes.
    """
    inputs = discover(paths)
    try:
        with lock.exclusive(lake_path):
            return _Run(lake_path, now, workers, progress).ingest(inputs)
    except duckdb.Error as error:
        raise WorkspaceError(f"{lake_path}: {str(error).partition(chr(10))[0]}") from error


class _Run:
    """The state of one ingest."""

    def __init__(
        self, lake_path: Path, now: datetime, workers: int | None, progress: Callable[[Progress], None] | None
    ) -> None:
        self._path = lake_path
        self._now_us = (now - _EPOCH) // timedelta(microseconds=1)
        self._workers = workers
        self._progress = progress or (lambda _: None)
        self._lake = _opened(lake_path)
        self._ledger = ledgers.load(self._lake)
        self._entries: list[Entry] = []
        self._stages = Stages(time.process_time)

    def ingest(self, inputs: Inputs) -> IngestReport:
        todo = [
            f for f in inputs.files if self._ledger.unchanged(f.name, f.size_bytes, f.modified_ns) is None
        ]
        unread = len(inputs.files) - len(todo)
        if todo:
            self._read(todo, Progress(unread, len(inputs.files), 0, sum(f.size_bytes for f in todo), 0))
        if inputs.missing:
            self._commit(Pending([_absent(missing) for missing in inputs.missing]))
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
        # PyIceberg takes 0.7 s to load, while the workers need nothing of this process.
        loading = Thread(target=import_module, args=("clew.lake.store",))
        loading.start()
        setting = Setting(str(self._path), self._now_us, frozenset(self._ledger.by_source))
        with pool(setting, self._processes(files)) as workers:
            for part in _portions(files):
                pending = Pending()
                for outcome in workers.run(part):
                    pending.read += outcome.read
                    pending.staged += outcome.staged
                    self._stages.add(outcome.stages)
                    start = self._advance(start, outcome)
                loading.join()
                self._commit(pending)

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

    def _commit(self, pending: Pending) -> None:
        from clew.lake.store import Store

        pending.read = [read for read in pending.read if not self._is_told(read)]
        if not pending.read:
            return
        done = commit(Store(self._path), self._lake, self._ledger, pending, self._now_us, self._stages)
        self._lake = done.lake
        self._ledger = self._ledger.with_entries(done.entries)
        self._entries += done.entries

    def _is_told(self, read: ReadFile) -> bool:
        """Whether the ledger says already that this file cannot be read."""
        held = self._ledger.by_path.get(read.file.name)
        return held is not None and held.kind == read.kind == UNREADABLE and held.source == read.source

    def _processes(self, files: Sequence[InputFile]) -> int:
        """How many processes decode: one, this one, when starting others would take longer than it saves."""
        if sum(map(_unpacked_guess, files)) < _IN_PROCESS_BYTES:
            return 1
        return self._workers or min(os.cpu_count() or 1, 8)


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


def _unpacked_guess(file: InputFile) -> int:
    return file.size_bytes * (_GZIP_RATIO if file.path.endswith(".gz") else 1)


_RECORD_BYTES = 1_400


def _portions(files: Sequence[InputFile]) -> Iterable[list[InputFile]]:
    """The files in portions of about COMMIT_RECORDS records, each to be committed at once."""
    portion: list[InputFile] = []
    size = 0
    for file in files:
        portion.append(file)
        size += _unpacked_guess(file)
        if size >= COMMIT_RECORDS * _RECORD_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
