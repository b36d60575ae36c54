"""One commit: finished data files become part of a table, in the SQLite catalogue that PyIceberg reads too.

A kill leaves the table as before or as after: manifest, manifest list and metadata are whole files before the catalogue
names them, and until then nobody looks at them.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.errors import WorkspaceError
from clew.lake import manifest as light
from clew.lake.iceberg import documents, manifests
from clew.lake.maintenance.location import require_in_place
from clew.lake.schema import NAMESPACE, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.lake.iceberg.avro import Block
    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table

_MOST_MANIFESTS = 99
"""With this many PyIceberg makes the commit, and merges the manifests by the way."""

# As PyIceberg's own catalogue makes them.
_TABLES_SQL = """
    CREATE TABLE IF NOT EXISTS iceberg_tables (
        catalog_name VARCHAR(255) NOT NULL,
        table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL,
        metadata_location VARCHAR(1000),
        previous_metadata_location VARCHAR(1000),
        iceberg_type VARCHAR(5),
        PRIMARY KEY (catalog_name, table_namespace, table_name)
    );
    CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
        catalog_name VARCHAR(255) NOT NULL,
        namespace VARCHAR(255) NOT NULL,
        property_key VARCHAR(255) NOT NULL,
        property_value VARCHAR(1000) NOT NULL,
        PRIMARY KEY (catalog_name, namespace, property_key)
    );
"""


@dataclass(frozen=True, slots=True)
class _Held:
    """A table as the catalogue has it; `location` is None for one that is yet to be made."""

    document: dict[str, Any]
    location: str | None
    manifests: tuple[Block, ...]


def append(lake_path: Path, name: str, files: Sequence[DataFile]) -> str:
    """Add finished data files to a table in one commit, the table made when missing; where its metadata is then.

    The caller holds `clew.lake.lock.exclusive`. Errors: WorkspaceError when the lake was moved, when the table's
    columns are not ours, or when somebody else has changed the table meanwhile.
    """
    lake_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    table, catalog = TABLES[name], lake_path / light.CATALOG_NAME
    if catalog.exists():
        require_in_place(lake_path)
    held = _held(lake_path, table)
    if held is None:
        from clew.lake.store import Store

        return Store(lake_path).append(name, files).metadata_location
    location, outdated = _write(lake_path / name, table, held, files)
    try:
        with closing(sqlite3.connect(catalog, timeout=30)) as connection:
            _point(connection, name, held.location, location)
    except sqlite3.Error as error:
        raise WorkspaceError(f"{catalog}: cannot write the catalogue: {error}") from error
    for path in outdated:
        Path(path).unlink(missing_ok=True)
    return location


def _held(lake_path: Path, table: Table) -> _Held | None:
    """The table, or None when it holds something that only PyIceberg should touch."""
    exists = (lake_path / light.CATALOG_NAME).exists()
    location = light.pointers(lake_path).get(table.name) if exists else None
    if location is None:
        return _Held(documents.new(table, str(lake_path / table.name)), None, ())
    try:
        document = json.loads(Path(location).read_bytes())
        if not documents.is_plain(document, table):
            return None
        head = documents.current(document)
        found = manifests.read_list(Path(head["manifest-list"]).read_bytes()) if head else ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if found is None or sum(block.count for block in found) >= _MOST_MANIFESTS:
        return None
    return _Held(document, location, found)


def _write(folder: Path, table: Table, held: _Held, files: Sequence[DataFile]) -> tuple[str, list[str]]:
    """Write manifest, manifest list and metadata; where the metadata is, and older ones that nobody needs then."""
    directory, commit = folder / "metadata", uuid.uuid4()
    directory.mkdir(parents=True, exist_ok=True)
    head, snapshot_id = documents.current(held.document), documents.new_snapshot_id()
    number = held.document["last-sequence-number"] + 1
    added = manifests.manifest(table, files, snapshot_id)
    path = directory / f"{commit}-m0.avro"
    path.write_bytes(added)
    entry = manifests.described(table, files, (str(path), len(added)), snapshot_id, number)
    listed = directory / f"snap-{snapshot_id}-0-{commit}.avro"
    parent = head["snapshot-id"] if head else None
    listed.write_bytes(manifests.manifest_list(entry, held.manifests, snapshot_id, parent, number))
    now_ms = time.time_ns() // 1_000_000
    document = documents.appended(held.document, files, snapshot_id, str(listed), now_ms)
    if held.location is None:
        return _write_metadata(directory, 0, document), []
    document, outdated = documents.logged(document, held.location, held.document["last-updated-ms"])
    return _write_metadata(directory, _version(held.location) + 1, document), outdated


def _write_metadata(directory: Path, version: int, document: dict[str, Any]) -> str:
    path = directory / f"{version:05d}-{uuid.uuid4()}.metadata.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def _version(location: str) -> int:
    number = location.rpartition("/")[2].partition("-")[0]
    return int(number) if number.isdecimal() else 0


def _point(connection: sqlite3.Connection, name: str, before: str | None, after: str) -> None:
    """Let the catalogue name the new metadata, if it still names the one before."""
    connection.executescript(_TABLES_SQL)
    with connection:
        if before is None:
            connection.execute(
                "INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')",
                (NAMESPACE, NAMESPACE),
            )
            changed = connection.execute(
                "INSERT OR IGNORE INTO iceberg_tables VALUES (?, ?, ?, ?, NULL, 'TABLE')",
                (NAMESPACE, NAMESPACE, name, after),
            )
        else:
            changed = connection.execute(
                "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE catalog_name = ?"
                " AND table_namespace = ? AND table_name = ? AND metadata_location = ?",
                (after, before, NAMESPACE, NAMESPACE, name, before),
            )
    if changed.rowcount != 1:
        raise WorkspaceError(f"table `{name}` was changed by another program meanwhile; run it again")
