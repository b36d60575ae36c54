"""Rows into a table of the lake, each once: what is there already, by a column that identifies it, is left out.

The way is that of ingest: lock, anti-join, data file, one Iceberg commit, light manifest. A kill before the commit
leaves a file that nothing names; a kill after it a manifest that is derived again. Loads PyIceberg.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.ingest.write import copy_statement, new_file, written
from clew.lake.lock import exclusive
from clew.lake.reader import Lake, open_lake, relation
from clew.lake.schema import BIGINT, BOOLEAN, TIME, duckdb_type
from clew.lake.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table

_ARROW = {BIGINT: pa.int64(), TIME: pa.int64(), BOOLEAN: pa.bool_()}


@dataclass(frozen=True, slots=True)
class Appended:
    """How many of the rows were new, and how many the lake had already or were given twice."""

    added: int
    known: int


def append(lake_path: Path, table: Table, rows: Sequence[Mapping[str, object]], *, key: str) -> Appended:
    """Add the rows whose `key` the table does not hold yet; the lake is made when there is none.

    Shape: a row has every column of the table; times are epoch microseconds. Tables with days are not taken: ingest
    writes those. Errors: `WorkspaceLockedError` while another process writes.
    """
    if table.partitioned:
        raise WorkspaceError(f"`{table.name}` has a file for each day; ingest writes it")
    with exclusive(lake_path):
        store = Store(lake_path)
        lake = _opened(store)
        fresh = list({str(row[key]): row for row in rows}.values())
        known = _known(lake, table, key, [str(row[key]) for row in fresh])
        new = [row for row in fresh if str(row[key]) not in known]
        if new:
            _commit(store, lake, table, _file(lake_path, table, new))
    return Appended(len(new), len(rows) - len(new))


def _opened(store: Store) -> Lake:
    if not (store.path / manifest.CATALOG_NAME).is_file():
        return Lake(store.path, store.derive_manifest())
    return open_lake(store.path)


def _known(lake: Lake, table: Table, key: str, ids: Sequence[str]) -> frozenset[str]:
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"id": pa.array(ids, pa.string())}))
        held = relation(table, (file.path for file in lake.files(table.name)))
        found = connection.execute(f"SELECT id FROM given SEMI JOIN ({held}) ON {key} = id").fetchall()
    return frozenset(str(row[0]) for row in found)


def _file(lake_path: Path, table: Table, rows: Sequence[Mapping[str, object]]) -> DataFile:
    arrays = {
        column.name: pa.array([row[column.name] for row in rows], _ARROW.get(str(column.type), pa.string()))
        for column in table.columns
    }
    cast = ", ".join(
        f"make_timestamptz({column.name})"
        if column.type == TIME
        else f"{column.name}::{duckdb_type(column.type)}"
        for column in table.columns
    )
    path = new_file(lake_path, table)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("unit", pa.table(arrays))
        answer = connection.execute(copy_statement(table, f"SELECT {cast} FROM unit", path)).fetchall()
    return written(str(path), answer).data_file()


def _commit(store: Store, lake: Lake, table: Table, file: DataFile) -> None:
    made = store.append(table.name, [file])
    pointers = {**lake.manifest.pointers, table.name: made.metadata_location}
    held = lake.manifest.files.get(table.name, ())
    files = {**lake.manifest.files, table.name: (*held, store.relative(file))}
    store.write_manifest(manifest.Manifest(pointers, files, lake.manifest.conflicts))
