"""The lake in figures: rows, files, days, snapshots, and the bytes that lie there against those that are needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.maintenance.location import moved_from, relative
from clew.lake.reader import open_lake
from clew.lake.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from clew.lake.reader import Lake

# Below this a file costs more to open than to read.
SMALL_FILE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table in figures; `first_day` and `last_day` are ISO days (UTC), None in tables without days."""

    name: str
    rows: int
    files: int
    size_bytes: int
    small_files: int
    days: int
    first_day: str | None
    last_day: str | None
    snapshots: int


@dataclass(frozen=True, slots=True)
class LakeInfo:
    """The lake in figures.

    Units: `disk_bytes` is all that lies in the lake's directory; `referenced_bytes` are the data files of now;
    `unreferenced_files` counts data files that the state of now does not name (older snapshots may).
    """

    path: Path
    moved_from: Path | None
    tables: tuple[TableInfo, ...]
    referenced_bytes: int
    disk_bytes: int
    unreferenced_files: int
    unreferenced_bytes: int

    @property
    def disk_ratio(self) -> float | None:
        """Bytes on disk for each referenced byte, None when nothing is referenced."""
        return self.disk_bytes / self.referenced_bytes if self.referenced_bytes else None


def info(lake_path: Path) -> LakeInfo:
    """The lake in figures, without loading PyIceberg; WorkspaceError when there is no lake."""
    lake = open_lake(lake_path)
    pointers = manifest.pointers(lake_path)
    tables = tuple(_table(lake, name, pointers[name]) for name in TABLES if name in pointers)
    sizes = {path: path.stat().st_size for path in lake_path.rglob("*") if path.is_file()}
    needed = {lake_path / file.path for name in TABLES for file in lake.files(name)}
    unneeded = [size for path, size in sizes.items() if path.suffix == ".parquet" and path not in needed]
    return LakeInfo(
        path=lake_path,
        moved_from=moved_from(lake_path),
        tables=tables,
        referenced_bytes=sum(table.size_bytes for table in tables),
        disk_bytes=sum(sizes.values()),
        unreferenced_files=len(unneeded),
        unreferenced_bytes=sum(unneeded),
    )


def _table(lake: Lake, name: str, pointer: str) -> TableInfo:
    files = lake.files(name)
    days = sorted({file.day for file in files if file.day is not None})
    return TableInfo(
        name=name,
        rows=sum(file.rows for file in files),
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        small_files=sum(file.size_bytes < SMALL_FILE_BYTES for file in files),
        days=len(days),
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        snapshots=_snapshots(lake.path / relative(pointer)),
    )


def _snapshots(metadata: Path) -> int:
    try:
        return len(json.loads(metadata.read_text(encoding="utf-8")).get("snapshots", ()))
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{metadata}: cannot read the table's metadata: {error}") from error
