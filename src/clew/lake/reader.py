"""The lake's reading side: data files and raw tables in DuckDB, without PyIceberg.

Source of the file list is the light manifest; when the catalogue has moved on, it is derived again (that alone loads
PyIceberg, and happens after a kill or a foreign write only).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import duckdb

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.manifest import DataFile, Manifest
from clew.lake.schema import TABLES, empty_relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from clew.lake.schema import Table

__all__ = ["DataFile", "Lake", "Part", "open_lake", "quoted", "relation"]

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
        return self.found(self.manifest.files.get(table, ()))

    def found(self, files: Iterable[DataFile]) -> tuple[DataFile, ...]:
        """Data files that the manifest lists, with absolute paths."""
        return tuple(replace(file, path=str(self.path / file.path)) for file in files)

    def connect(
        self, *, tables: Iterable[str] = TABLES, memory_limit_mb: int = 512, threads: int = 2
    ) -> duckdb.DuckDBPyConnection:
        """A fresh in-memory DuckDB, in UTC, with each of the tables as a view `raw_<table>` (each takes up to 3 ms).

        Fetch times as epochs, text or Arrow: DuckDB needs pytz to make Python values of them.
        Errors: WorkspaceError when a data file is missing or damaged.
        """
        if self._kept is None:
            return self._opened(tables, memory_limit_mb, threads)
        if not self._kept:
            self._kept.append(self._opened(TABLES, memory_limit_mb, threads))
        cursor = self._kept[0].cursor()
        cursor.execute(_IN_UTC)
        return cursor

    def part(self, table: str, files: Iterable[DataFile]) -> Part:
        """These data files of the table (paths absolute)."""
        listed = tuple(files)
        query = self._query(TABLES[table], (file.path for file in listed), has_places=True)
        return Part(self, table, listed, query)

    def _opened(self, tables: Iterable[str], memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute(f"SET memory_limit = '{int(memory_limit_mb)}MB'")
        connection.execute(f"SET threads = {int(threads)}")
        # Data files never change, and a scan opens them all: of 41 files 5 ms the less for each further statement.
        connection.execute(f"{_IN_UTC}; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
        # Spilled rows belong to the lake's disk, not to a `.tmp` in the user's directory.
        connection.execute(f"SET temp_directory = {quoted(str(self.path / 'spill'))}")
        try:
            for name in tables:
                paths = (file.path for file in self.files(name))
                connection.execute(f"CREATE VIEW raw_{name} AS {self._query(TABLES[name], paths)}")
        except duckdb.Error as error:
            connection.close()
            reason = str(error).partition("\n")[0]
            raise WorkspaceError(
                f"{self.path}: a data file cannot be read: {reason}; run `clew lake verify`"
            ) from error
        return connection

    def _query(self, table: Table, paths: Iterable[str], *, has_places: bool = False) -> str:
        query = relation(table, paths, has_places=has_places)
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


_SMALL_ROWS = 2_000
_FILES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Part:
    """Some data files of a table; `query` is over them as the view `raw_<table>` is over all.

    It has two columns more, `filename` and `file_row_number`: the place of a row. DuckDB opens every file that a
    statement names, 0.3 ms each the first time.
    """

    lake: Lake
    table: str
    files: tuple[DataFile, ...]
    query: str

    def rows_at(
        self, connection: duckdb.DuckDBPyConnection, columns: str, places: Mapping[str, Sequence[int]]
    ) -> list[tuple[Any, ...]]:
        """The columns of the rows at these places (row numbers by file), in no order.

        Large files are read one by one: over many at once DuckDB reads what no place needs, thrice as long where they
        are 43. Of small ones all is read, in half the time of a statement for each.
        """
        chosen = [file for file in self.files if file.path in places]
        large = [file for file in chosen if file.rows >= _SMALL_ROWS]
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(large), _FILES_AT_ONCE):
            found += self._one_by_one(connection, columns, large[start : start + _FILES_AT_ONCE], places)
        small = [file for file in chosen if file.rows < _SMALL_ROWS]
        return found + (self._together(connection, columns, small, places) if small else [])

    def _one_by_one(
        self,
        connection: duckdb.DuckDBPyConnection,
        columns: str,
        files: Sequence[DataFile],
        places: Mapping[str, Sequence[int]],
    ) -> list[tuple[Any, ...]]:
        arms = [(file, sorted(places[file.path])) for file in files]
        if len(arms) == 1:
            # Arms are read side by side, and what lies before and behind an arm's places is not unpacked.
            [(file, numbers)] = arms
            middle = (len(numbers) + 1) // 2
            arms = [(file, part) for part in (numbers[:middle], numbers[middle:]) if part]
        query = " UNION ALL ".join(
            f"SELECT {columns} FROM ({self.lake.part(self.table, [file]).query}) "
            "WHERE file_row_number IN (SELECT unnest(?::BIGINT[]))"
            for file, _ in arms
        )
        return connection.execute(query, [numbers for _, numbers in arms]).fetchall()

    def _together(
        self,
        connection: duckdb.DuckDBPyConnection,
        columns: str,
        files: Sequence[DataFile],
        places: Mapping[str, Sequence[int]],
    ) -> list[tuple[Any, ...]]:
        paths = [file.path for file in files for _ in places[file.path]]
        numbers = [number for file in files for number in places[file.path]]
        query = (
            f"SELECT {columns} FROM ({self.lake.part(self.table, files).query}) "
            "WHERE (filename, file_row_number) IN (SELECT unnest(?::VARCHAR[]), unnest(?::BIGINT[]))"
        )
        return connection.execute(query, [paths, numbers]).fetchall()


def open_lake(path: Path) -> Lake:
    """The lake in that directory; WorkspaceError when there is none."""
    if not (path / manifest.CATALOG_NAME).is_file():
        raise WorkspaceError(f"no lake in `{path.parent}`; run `clew ingest PATH` first")
    held = manifest.read(path)
    if held is not None and manifest.is_current(path, held):
        return Lake(path, held)
    from clew.lake.store import Store

    return Lake(path, Store(path).derive_manifest())


def relation(table: Table, paths: Iterable[str], *, has_places: bool = False) -> str:
    """A query over exactly these data files of the table; typed and empty when there are none.

    With places, each row also says its `filename` and `file_row_number`.
    """
    listed = ", ".join(map(quoted, paths))
    if not listed:
        nowhere = "NULL::VARCHAR AS filename, NULL::BIGINT AS file_row_number"
        return f"SELECT *, {nowhere} FROM ({empty_relation(table)})" if has_places else empty_relation(table)
    places = ", filename = true, file_row_number = true" if has_places else ""
    return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = false{places})"


def quoted(text: str) -> str:
    """The text as an SQL string literal.

    >>> quoted("O'Hara")
    "'O''Hara'"
    """
    return "'" + text.replace("'", "''") + "'"
