"""Exactly once: which new records the lake holds already, or hold each other, and which only pretend to.

Two records with one id are duplicates when their texts are equal, or when their JSON is. Otherwise both are kept and
marked as a conflict: a forged record must not suppress a real one. Texts are compared by MD5 under a key that is new in
each run, so that nobody can prepare two texts that look equal.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clew.lake.ingest.write import copy_statement, new_file, written
from clew.lake.reader import quoted
from clew.lake.schema import OCCURRENCES, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table

_PARTS = 16


@dataclass(frozen=True, slots=True)
class Unique:
    """New data files without the records that the lake held already, and what was found.

    `duplicates` and `conflicts` count records by source; `occurrences` is a data file of that table, if there were any;
    `conflict_ids` are the ids under which different contents stand.
    """

    files: tuple[DataFile, ...]
    duplicates: Mapping[str, int]
    conflicts: Mapping[str, int]
    occurrences: DataFile | None
    conflict_ids: tuple[str, ...]


def unique(
    connection: duckdb.DuckDBPyConnection,
    lake_path: Path,
    table: Table,
    new: Sequence[DataFile],
    old: Sequence[DataFile],
) -> Unique:
    """The new data files of a table, each record once; a file that loses records is written anew."""
    fresh, held = _paths(new), _paths(old)
    if not _find_suspects(connection, fresh, held):
        return Unique(tuple(new), {}, {}, None, ())
    _read_suspects(connection, table, fresh, held)
    _decide(connection)
    kept = [_cleaned(connection, lake_path, table, file) for file in new]
    unique_files = tuple(file for file in kept if file is not None)
    return Unique(
        unique_files,
        _counts(connection, "NOT conflict AND NOT itself"),
        _counts(connection, "conflict"),
        _occurrences(connection, lake_path, table),
        tuple(str(row[0]) for row in connection.execute(_CONFLICT_IDS).fetchall()),
    )


def _paths(files: Sequence[DataFile]) -> str:
    return ", ".join(quoted(file.path) for file in files)


def _scan(paths: str, columns: str) -> str:
    return f"SELECT {columns} FROM read_parquet([{paths}], hive_partitioning = false, filename = true)"


def _find_suspects(connection: duckdb.DuckDBPyConnection, fresh: str, held: str) -> int:
    """Make the table `suspects` of ids that occur twice; how many there are."""
    twice = f"SELECT record_id FROM ({_scan(fresh, 'record_id')}) GROUP BY record_id HAVING count(*) > 1"
    if held:
        # INVARIANT: all days are asked, not only those of the new records: a forged record may name another day.
        ids = _scan(fresh, "record_id")
        twice += (
            f" UNION SELECT record_id FROM ({_scan(held, 'record_id')}) SEMI JOIN ({ids}) USING (record_id)"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE suspects AS {twice}").fetchall()
    return int(connection.execute("SELECT count(*) FROM suspects").fetchall()[0][0])


def _read_suspects(connection: duckdb.DuckDBPyConnection, table: Table, fresh: str, held: str) -> None:
    """Make the table `copies`: every record, new or held, that has a suspect's id, with a keyed digest of its text."""
    text = _text_column(table)
    key = quoted(secrets.token_hex(16))
    columns = f"record_id, source, record_number, filename, md5({key} || {text}) AS digest, {{}} AS is_held"
    parts = [_scan(fresh, columns.format("false"))] + ([_scan(held, columns.format("true"))] if held else [])
    union = " UNION ALL ".join(f"({part} SEMI JOIN suspects USING (record_id))" for part in parts)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE copies AS {union}").fetchall()
    _merge_equal_json(connection, text)


def _text_column(table: Table) -> str:
    return "eventjson" if table.name == "cloudtrail" else "rawline"


def _merge_equal_json(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Give copies whose texts differ but whose JSON is equal the same digest."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE odd AS
        SELECT record_id FROM copies GROUP BY record_id HAVING count(DISTINCT digest) > 1"""
    )
    for part in range(_PARTS):
        rows = connection.execute(
            f"""SELECT c.record_id, c.digest, any_value(c.filename), any_value(c.source), any_value(c.record_number)
            FROM copies c SEMI JOIN odd USING (record_id)
            WHERE hash(c.record_id) % {_PARTS} = {part} GROUP BY c.record_id, c.digest"""
        ).fetchall()
        if rows:
            _merge_part(connection, text, rows)


def _merge_part(
    connection: duckdb.DuckDBPyConnection, text: str, rows: Sequence[tuple[str, str, str, str, int]]
) -> None:
    canonical: dict[tuple[str, str], str] = {}
    same: list[tuple[str, str, str]] = []
    texts = _texts(connection, text, rows)
    for record_id, digest, _, source, number in sorted(rows):
        content = _canonical(texts[source, number])
        first = canonical.setdefault((record_id, content), digest)
        if first != digest:
            same.append((first, record_id, digest))
    if same:
        connection.executemany("UPDATE copies SET digest = ? WHERE record_id = ? AND digest = ?", same)


def _texts(
    connection: duckdb.DuckDBPyConnection, text: str, rows: Sequence[tuple[str, str, str, str, int]]
) -> dict[tuple[str, int], str]:
    paths = ", ".join(sorted({quoted(row[2]) for row in rows}))
    connection.execute("CREATE OR REPLACE TEMP TABLE wanted (source VARCHAR, record_number BIGINT)")
    connection.executemany("INSERT INTO wanted VALUES (?, ?)", [(row[3], row[4]) for row in rows])
    query = f"{_scan(paths, f'source, record_number, {text}')} SEMI JOIN wanted USING (source, record_number)"
    return {(str(s), int(n)): str(t) for s, n, t in connection.execute(query).fetchall()}


def _canonical(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def _decide(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `verdicts`: new records to drop, with the copy that stays; and all records in conflict.

    Of equal copies the one the lake holds stays, else the one of the smallest (source, number), whatever the order in
    which the workers finished.
    """
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE verdicts AS
        WITH ranked AS (
            SELECT *, row_number() OVER same AS place, first_value(source) OVER same AS kept_source,
                first_value(record_number) OVER same AS kept_record_number
            FROM copies
            WINDOW same AS (PARTITION BY record_id, digest
                ORDER BY is_held DESC, source, record_number, filename)
        ), contents AS (
            SELECT record_id, count(*) AS contents,
                arg_min(source, (NOT is_held, source, record_number)) AS first_source,
                arg_min(record_number, (NOT is_held, source, record_number)) AS first_number
            FROM ranked WHERE place = 1 GROUP BY record_id
        )
        SELECT record_id, source, record_number, filename, false AS conflict, kept_source, kept_record_number,
            (source, record_number) = (kept_source, kept_record_number) AS itself
        FROM ranked WHERE NOT is_held AND place > 1
        UNION ALL
        SELECT record_id, source, record_number, filename, true, first_source, first_number,
            (source, record_number) = (first_source, first_number)
        FROM ranked JOIN contents USING (record_id) WHERE contents > 1 AND place = 1"""
    )


_CONFLICT_IDS = "SELECT DISTINCT record_id FROM verdicts WHERE conflict ORDER BY 1"


def _counts(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[str, int]:
    query = f"SELECT source, count(*) FROM verdicts WHERE {condition} GROUP BY source"
    return {str(source): int(count) for source, count in connection.execute(query).fetchall()}


def _cleaned(
    connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table, file: DataFile
) -> DataFile | None:
    """The file without its duplicates and with its conflicts marked; None when nothing is left of it."""
    here = f"FROM verdicts WHERE filename = {quoted(file.path)}"
    dropped, touched = connection.execute(
        f"SELECT count(*) FILTER (NOT conflict), count(*) {here}"
    ).fetchall()[0]
    if not touched:
        return file
    if dropped == file.rows:
        Path(file.path).unlink()
        return None
    place = "(source, record_number)"
    marked = f"{place} IN (SELECT {place} {here} AND conflict)"
    columns = (
        f"* EXCLUDE (filename) REPLACE ({marked} AS conflict)"
        if table.name == "cloudtrail"
        else "* EXCLUDE (filename)"
    )
    query = (
        f"{_scan(quoted(file.path), columns)} WHERE {place} NOT IN (SELECT {place} {here} AND NOT conflict)"
    )
    path = new_file(lake_path, table)
    answer = connection.execute(copy_statement(table, query, path)).fetchall()
    Path(file.path).unlink()
    return written(str(path), answer).data_file()


def _occurrences(connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table) -> DataFile | None:
    query = f"""SELECT {quoted(table.name)}, record_id, source, record_number, kept_source, kept_record_number, conflict
        FROM verdicts WHERE conflict OR NOT itself"""
    path = new_file(lake_path, TABLES[OCCURRENCES.name])
    answer = connection.execute(copy_statement(OCCURRENCES, query, path)).fetchall()
    file = written(str(path), answer).data_file()
    if file.rows:
        return replace(file, day=None, min_time=None, max_time=None)
    path.unlink()
    return None
