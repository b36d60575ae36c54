"""From what the workers wrote to what the lake holds: dedup, then data, then occurrences and quarantine, then ledger.

INVARIANT: the ledger comes last. Killed before it, the lake has records whose files it does not know; they are read
again and every record is found to be there already. Killed before the data's commit, nothing names the files written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from clew.lake import manifest
from clew.lake.ingest.dedup import unique
from clew.lake.ingest.write import copy_statement, new_file, written
from clew.lake.ledger import Entry
from clew.lake.reader import Lake, quoted
from clew.lake.schema import OCCURRENCES, QUARANTINE, SOURCES, TABLES, TIME, duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from clew.lake.ingest.messages import ReadFile, Staged
    from clew.lake.ingest.stages import Stages
    from clew.lake.ledger import Ledger
    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table
    from clew.lake.store import Store

_MEMORY_LIMIT = "300MB"


@dataclass(slots=True)
class Pending:
    """What workers have finished since the last commit."""

    read: list[ReadFile] = field(default_factory=list)
    staged: list[Staged] = field(default_factory=list)

    @property
    def records(self) -> int:
        """How many records wait."""
        return sum(staged.file.rows for staged in self.staged)


@dataclass(frozen=True, slots=True)
class Committed:
    """The lake after a commit, and what the commit added to the ledger."""

    lake: Lake
    entries: tuple[Entry, ...]


def commit(
    store: Store, lake: Lake, ledger: Ledger, pending: Pending, now_us: int, stages: Stages
) -> Committed:
    """Make everything pending part of the lake."""
    with stages.stage("commit"):
        return _commit(store, lake, ledger, pending, now_us, stages)


def _commit(
    store: Store, lake: Lake, ledger: Ledger, pending: Pending, now_us: int, stages: Stages
) -> Committed:
    additions: dict[str, list[DataFile]] = {}
    duplicates: dict[str, int] = {}
    conflicts: dict[str, int] = {}
    conflict_ids: set[str] = set(lake.manifest.conflicts)
    with _connection(store.path) as connection:
        for name in sorted({staged.table for staged in pending.staged}):
            new = [staged.file for staged in pending.staged if staged.table == name]
            with stages.stage("dedup"):
                result = unique(connection, store.path, TABLES[name], new, lake.files(name))
            additions[name] = list(result.files)
            duplicates |= result.duplicates
            conflicts |= result.conflicts
            conflict_ids.update(result.conflict_ids)
            additions.setdefault(OCCURRENCES.name, []).extend(result.occurrences)
        entries = _entries(ledger, pending.read, duplicates, conflicts)
        additions[QUARANTINE.name] = _rows_file(
            connection, store.path, QUARANTINE, _refusal_rows(pending.read, now_us)
        )
        additions[SOURCES.name] = _rows_file(connection, store.path, SOURCES, _ledger_rows(entries, now_us))
    return Committed(_append(store, lake, additions, tuple(sorted(conflict_ids))), entries)


_ORDER = ("cloudtrail", "s3_access", "vpc_flow", OCCURRENCES.name, QUARANTINE.name, SOURCES.name)


def _append(
    store: Store, lake: Lake, additions: Mapping[str, Sequence[DataFile]], conflicts: tuple[str, ...]
) -> Lake:
    pointers = dict(lake.manifest.pointers)
    files = dict(lake.manifest.files)
    for name in _ORDER:
        if additions.get(name):
            table = store.append(name, additions[name])
            pointers[name] = table.metadata_location
            files[name] = (*files.get(name, ()), *map(store.relative, additions[name]))
    made = manifest.Manifest(pointers, files, conflicts)
    return Lake(lake.path, store.write_manifest(made))


def _connection(lake_path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'; SET threads = 2; SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = {quoted(str(lake_path / 'spill'))}")
    return connection


def _entries(
    ledger: Ledger, read: Iterable[ReadFile], duplicates: Mapping[str, int], conflicts: Mapping[str, int]
) -> tuple[Entry, ...]:
    """A ledger entry for each file read; a source's counts stand at the first of its paths."""
    made: list[Entry] = []
    held = dict(ledger.by_source)
    for file in sorted(read, key=lambda r: (r.known, r.file.name)):
        first = held.get(file.source)
        entry = _first_entry(file, duplicates, conflicts) if first is None else _further_entry(file, first)
        held.setdefault(file.source, entry)
        made.append(entry)
    return tuple(made)


def _first_entry(read: ReadFile, duplicates: Mapping[str, int], conflicts: Mapping[str, int]) -> Entry:
    dropped = duplicates.get(read.source, 0)
    return Entry(
        source=read.source,
        path=read.file.name,
        kind=read.kind,
        records=read.records,
        stored=read.records - dropped,
        duplicates=dropped,
        conflicts=conflicts.get(read.source, 0),
        quarantined=len(read.refusals),
        size_bytes=read.file.size_bytes,
        modified_ns=read.file.modified_ns,
    )


def _further_entry(read: ReadFile, first: Entry) -> Entry:
    return replace(
        first,
        path=read.file.name,
        stored=0,
        duplicates=first.records,
        conflicts=0,
        size_bytes=read.file.size_bytes,
        modified_ns=read.file.modified_ns,
    )


def _ledger_rows(entries: Iterable[Entry], now_us: int) -> list[dict[str, object]]:
    names = Entry.__dataclass_fields__
    return [{name: getattr(entry, name) for name in names} | {"ingested_at": now_us} for entry in entries]


def _refusal_rows(read: Iterable[ReadFile], now_us: int) -> list[dict[str, object]]:
    return [
        {
            "path": file.file.name,
            "source": file.source,
            "record_number": refusal.number,
            "reason": str(refusal.reason),
            "detail": refusal.detail,
            "excerpt": refusal.excerpt,
            "size_bytes": file.file.size_bytes,
            "found_at": now_us,
        }
        for file in read
        for refusal in file.refusals
    ]


def _rows_file(
    connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table, rows: Sequence[Mapping[str, object]]
) -> list[DataFile]:
    """One data file with these rows; none when there are none. Times are given in epoch microseconds."""
    if not rows:
        return []
    arrays = {c.name: pa.array([row[c.name] for row in rows]) for c in table.columns}
    connection.register("unit", pa.table(arrays))
    cast = ", ".join(
        f"make_timestamptz({c.name})" if c.type == TIME else f"{c.name}::{duckdb_type(c.type)}"
        for c in table.columns
    )
    path = new_file(lake_path, table)
    answer = connection.execute(copy_statement(table, f"SELECT {cast} FROM unit", path)).fetchall()
    connection.unregister("unit")
    return [written(str(path), answer).data_file()]
