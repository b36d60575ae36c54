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

# What a killed process leaves beside the tables: manifests half written, rows that DuckDB put aside.
_SCRATCH = (".current.json.*", "spill/*")


@dataclass(frozen=True, slots=True)
class Orphan:
    """A file that no kept snapshot of any table names.

    Units: `modified` is epoch seconds. `is_scratch` says that a query at work may be using it, without any lock.
    """

    path: Path
    size_bytes: int
    modified: float
    is_scratch: bool = False


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
    of_tables = {path for name in TABLES for path in (lake_path / name).rglob("*") if path.is_file()}
    scratch = {path for pattern in _SCRATCH for path in lake_path.glob(pattern) if path.is_file()}
    found = sorted((of_tables - known) | scratch)
    return tuple(orphan for path in found if (orphan := _orphan(path, is_scratch=path in scratch)))


def _orphan(path: Path, *, is_scratch: bool) -> Orphan | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None  # a query that ends takes its own files along
    return Orphan(path, status.st_size, status.st_mtime, is_scratch)
