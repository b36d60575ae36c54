"""The lake's reading side: data files and raw tables in DuckDB, without PyIceberg.

Source of the file list is the light manifest; when the catalogue has moved on, it is derived again (that alone loads
PyIceberg, and happens after a kill or a foreign write only).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import duckdb

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.manifest import DataFile, Manifest
from clew.lake.schema import TABLES, empty_relation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from clew.lake.schema import Table

__all__ = ["DataFile", "Lake", "open_lake", "quoted", "relation"]

_INLINE_CONFLICTS = 500
_IN_UTC = "SET TimeZone = 'UTC'"


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake as it stood when it was opened: later commits do not change what this value shows."""

    path: Path
    manifest: Manifest
    _kept: list[duckdb.DuckDBPyConnection] | None = field(default=None, repr=False, compare=False)

    def keeping(self) -> Lake:
        """The same lake, for many small questions of one thread: its connections share one DuckDB that stays open.

        Opening one over 41 files takes 25 ms, a cursor of one that is open 0.1 ms (benchmarks/explain.py). Whatever a
        connection sets or makes there is so for the next one, too.
        """
        return replace(self, _kept=[])

    def files(self, table: str) -> tuple[DataFile, ...]:
        """The data files of the table, with absolute paths; empty when nothing was ingested into it."""
        return tuple(
            replace(file, path=str(self.path / file.path)) for file in self.manifest.files.get(table, ())
        )

    def connect(self, *, memory_limit_mb: int = 512, threads: int = 2) -> duckdb.DuckDBPyConnection:
        """A fresh in-memory DuckDB, in UTC, with each table as a view `raw_<table>`.

        Fetch times as epochs, text or Arrow: DuckDB needs pytz to make Python values of them.
        Errors: WorkspaceError when a data file is missing or damaged.
        """
        if self._kept is None:
            return self._opened(memory_limit_mb, threads)
        if not self._kept:
            self._kept.append(self._opened(memory_limit_mb, threads))
        cursor = self._kept[0].cursor()
        cursor.execute(_IN_UTC)
        return cursor

    def _opened(self, memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute(f"SET memory_limit = '{int(memory_limit_mb)}MB'")
        connection.execute(f"SET threads = {int(threads)}")
        # Data files never change, and a scan opens them all: of 41 files 5 ms the less for each further statement.
        connection.execute(f"{_IN_UTC}; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
        # Spilled rows belong to the lake's disk, not to a `.tmp` in the user's directory.
        connection.execute(f"SET temp_directory = {quoted(str(self.path / 'spill'))}")
        try:
            for name, table in TABLES.items():
                connection.execute(f"CREATE VIEW raw_{name} AS {self._view(table)}")
        except duckdb.Error as error:
            connection.close()
            reason = str(error).partition("\n")[0]
            raise WorkspaceError(
                f"{self.path}: a data file cannot be read: {reason}; run `clew lake verify`"
            ) from error
        return connection

    def _view(self, table: Table) -> str:
        query = relation(table, (file.path for file in self.files(table.name)))
        if table.name != "cloudtrail" or not self.manifest.conflicts:
            return query
        # A record that came first cannot know that another content came later under its id.
        return f"SELECT * REPLACE (conflict OR {self._in_conflict()} AS conflict) FROM ({query})"

    def _in_conflict(self) -> str:
        conflicts = self.manifest.conflicts
        if len(conflicts) <= _INLINE_CONFLICTS:
            return f"record_id IN ({', '.join(map(quoted, conflicts))})"
        occurrences = relation(TABLES["occurrences"], (file.path for file in self.files("occurrences")))
        return f"record_id IN (SELECT record_id FROM ({occurrences}) WHERE conflict)"


def open_lake(path: Path) -> Lake:
    """The lake in that directory; WorkspaceError when there is none."""
    if not (path / manifest.CATALOG_NAME).is_file():
        raise WorkspaceError(f"no lake in `{path.parent}`; run `clew ingest PATH` first")
    held = manifest.read(path)
    if held is not None and manifest.is_current(path, held):
        return Lake(path, held)
    from clew.lake.store import Store

    return Lake(path, Store(path).derive_manifest())


def relation(table: Table, paths: Iterable[str]) -> str:
    """A query over exactly these data files of the table; typed and empty when there are none."""
    listed = ", ".join(map(quoted, paths))
    if not listed:
        return empty_relation(table)
    return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = false)"


def quoted(text: str) -> str:
    """The text as an SQL string literal.

    >>> quoted("O'Hara")
    "'O''Hara'"
    """
    return "'" + text.replace("'", "''") + "'"
