"""Files in the lake's directory that nothing needs: left by a kill, by compaction, or by snapshots that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.lake.maintenance.location import relative
from clew.lake.maintenance.tables import existing
from clew.lake.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pyiceberg.table import Table as IcebergTable

    from clew.lake.store import Store

# What a write in progress leaves beside the tables.
_LEFTOVERS = (".current.json.*", "spill/*", "*.db-journal.old")


@dataclass(frozen=True, slots=True)
class Orphan:
    """A file that no kept snapshot of any table names."""

    path: Path
    size_bytes: int
    modified: float


def referenced(store: Store, without: Mapping[str, frozenset[int]] | None = None) -> frozenset[str]:
    """Every file, data and metadata, that a snapshot of any table names, relative to the lake.

    `without` are ids of snapshots, by table, that are looked upon as gone.
    """
    gone = without or {}
    return frozenset(
        relative(location)
        for name in TABLES
        if (table := existing(store, name)) is not None
        for location in _locations(table, gone.get(name, frozenset()))
    )


def _locations(table: IcebergTable, gone: frozenset[int]) -> Iterator[str]:
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        if snapshot.snapshot_id in gone:
            continue
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                yield from (entry.data_file.file_path for entry in entries)


def orphans(lake_path: Path, needed: Iterable[str]) -> tuple[Orphan, ...]:
    """The files under the tables' directories that are not needed, and leftovers of interrupted writes, in order."""
    known = {lake_path / path for path in needed}
    found = [path for path in _files(lake_path) if path not in known]
    return tuple(_orphan(path) for path in sorted(found))


def _files(lake_path: Path) -> Iterator[Path]:
    for name in TABLES:
        yield from (path for path in (lake_path / name).rglob("*") if path.is_file())
    for pattern in _LEFTOVERS:
        yield from (path for path in lake_path.glob(pattern) if path.is_file())


def _orphan(path: Path) -> Orphan:
    status = path.stat()
    return Orphan(path, status.st_size, status.st_mtime)
