"""Several data files of a table and day become one, sorted, in bounded memory; compared row for row with its inputs."""

from __future__ import annotations

import itertools
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from clew.errors import WorkspaceError
from clew.lake.ingest.write import Writer, copy_statement, new_file, written
from clew.lake.maintenance.fingerprint import content
from clew.lake.reader import relation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table

# Written once and then only read: packed better than ingest does.
_LEVEL = 3
# DuckDB holds a whole row group while it writes: its own 122,880 events are more than the writer's memory limit.
ROW_GROUP_ROWS = 24_576
# Rows that are sorted at once: with their texts about 60 MB. 150,000 did not fit the writer's 320 MB, spilling or not.
SLICE_ROWS = 20_000
_ORDER = {"sources": "ingested_at, path", "quarantine": "found_at, path", "occurrences": "kind, record_id"}


def merge(lake_path: Path, table: Table, files: Sequence[DataFile]) -> DataFile:
    """The rows of the files in one new data file; WorkspaceError, and no file, when they are not exactly the same."""
    paths = [file.path for file in files]
    rows = sum(file.rows for file in files)
    with closing(Writer(lake_path)) as writer:
        try:
            merged = _merged(writer, table, paths)
            before = content(writer.connection, table, paths)
            after = content(writer.connection, table, [merged.path])
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise WorkspaceError(
                f"{lake_path}: {table.name}: cannot merge {len(files)} files: {reason}"
            ) from error
    if before != after or before.rows != rows or {merged.day} != {file.day for file in files}:
        Path(merged.path).unlink(missing_ok=True)
        raise WorkspaceError(
            f"{lake_path}: {table.name}: merging {rows} rows gave {after.rows} rows or other content; "
            "nothing was changed, run `clew lake verify`"
        )
    return merged


def _merged(writer: Writer, table: Table, paths: Sequence[str]) -> DataFile:
    query = f"SELECT * FROM ({relation(table, paths)})"
    if not table.partitioned:
        return _written(writer, table, f"{query} ORDER BY {_ORDER[table.name]}")
    edges = _edges(writer, query)
    if not edges:
        return _written(writer, table, f"{query} ORDER BY eventtime, record_id")
    with _slices(writer, table, query, edges) as slices:
        return _written(writer, table, relation(table, slices))


@contextmanager
def _slices(writer: Writer, table: Table, query: str, edges: Sequence[int]) -> Iterator[list[str]]:
    """Temporary files of the rows between the edges, each sorted, in order."""
    made: list[str] = []
    try:
        for low, high in itertools.pairwise((None, *edges, None)):
            wanted = f"{query} WHERE {_between(low, high)} ORDER BY eventtime, record_id"
            made.append(_written(writer, table, wanted).path)
        yield made
    finally:
        for path in made:
            Path(path).unlink(missing_ok=True)


def _between(low: int | None, high: int | None) -> str:
    after = "true" if low is None else f"eventtime >= make_timestamptz({low})"
    before = "true" if high is None else f"eventtime < make_timestamptz({high})"
    return f"{after} AND {before}"


def _edges(writer: Writer, query: str) -> list[int]:
    """The times (epoch microseconds) that part the rows into slices of about SLICE_ROWS."""
    ((rows,),) = writer.connection.execute(f"SELECT count(*) FROM ({query})").fetchall()
    slices = -(-rows // SLICE_ROWS)
    if slices < 2:  # noqa: PLR2004 - one slice has no edge
        return []
    fractions = [number / slices for number in range(1, slices)]
    found = writer.connection.execute(
        f"SELECT DISTINCT unnest(quantile_disc(epoch_us(eventtime), {fractions})) FROM ({query}) ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in found]


def _written(writer: Writer, table: Table, query: str) -> DataFile:
    path = new_file(writer.lake_path, table)
    statement = copy_statement(table, query, path, _LEVEL).removesuffix(")")
    try:
        rows = writer.connection.execute(f"{statement}, ROW_GROUP_SIZE {ROW_GROUP_ROWS})").fetchall()
    except duckdb.Error:
        path.unlink(missing_ok=True)
        raise
    return written(str(path), rows).data_file()
