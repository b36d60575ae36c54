"""The light manifest `current.json`: which data files make up each table, readable without PyIceberg.

It is a cache of the Iceberg metadata, rewritten after each commit. It names the metadata file of each table from which
it was made; when the catalogue points elsewhere (a kill between commit and manifest, another Iceberg client), it is
derived again from the catalogue.
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "current.json"
CATALOG_NAME = "catalog.db"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table; `path` is relative to the lake in a manifest, absolute from a Lake.

    Units: `min_time` and `max_time` are epoch microseconds (UTC) of `eventtime`; `day` is ISO (`2023-07-10`); all three
    are None in tables without days.
    """

    path: str
    day: str | None
    rows: int
    size_bytes: int
    min_time: int | None
    max_time: int | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The data files of each table, the metadata location each list was made from, and the ids in conflict."""

    pointers: Mapping[str, str]
    files: Mapping[str, tuple[DataFile, ...]]
    conflicts: tuple[str, ...] = field(default=())


def epoch_day(iso: str) -> int:
    """Days since 1970-01-01, which is how Iceberg spells a day partition."""
    return date.fromisoformat(iso).toordinal() - date(1970, 1, 1).toordinal()


def iso_day(days: int) -> str:
    """The day that Iceberg spells as days since 1970-01-01.

    >>> iso_day(epoch_day("2023-07-10"))
    '2023-07-10'
    """
    return date.fromordinal(days + date(1970, 1, 1).toordinal()).isoformat()


def write(lake_path: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step."""
    document = {
        "version": _VERSION,
        "pointers": dict(manifest.pointers),
        "files": {t: [list(asdict(f).values()) for f in files] for t, files in manifest.files.items()},
        "conflicts": list(manifest.conflicts),
    }
    temporary = lake_path / f".{FILE_NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    temporary.replace(lake_path / FILE_NAME)


def read(lake_path: Path) -> Manifest | None:
    """The manifest as it stands, or None when it is missing, damaged or of another version."""
    try:
        document = json.loads((lake_path / FILE_NAME).read_text(encoding="utf-8"))
        if document["version"] != _VERSION:
            return None
        files = {t: tuple(DataFile(*row) for row in rows) for t, rows in document["files"].items()}
        return Manifest(document["pointers"], files, tuple(document["conflicts"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Only a cache: whatever is wrong with it, the catalogue knows better.
        return None


def pointers(lake_path: Path) -> Mapping[str, str]:
    """The metadata location of each table, from the catalogue itself."""
    catalog = lake_path / CATALOG_NAME
    try:
        connection = sqlite3.connect(f"{catalog.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            # Killed before PyIceberg had made its tables, the catalogue is an empty file: a lake without tables.
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'iceberg_tables'").fetchall()
            query = "SELECT table_name, metadata_location FROM iceberg_tables"
            rows = connection.execute(query).fetchall() if made else []
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise WorkspaceError(f"{catalog}: cannot read the catalogue: {error}") from error
    return {str(name): str(location) for name, location in rows}


def is_current(lake_path: Path, manifest: Manifest | None) -> bool:
    """Whether the manifest was made from what the catalogue points to now."""
    return manifest is not None and dict(manifest.pointers) == dict(pointers(lake_path))
