"""Whether the lake is whole: every file there and readable, every count and order as recorded, every record once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from clew.lake import manifest
from clew.lake.maintenance.fingerprint import Identity, identity
from clew.lake.maintenance.location import moved_from
from clew.lake.reader import open_lake, quoted, relation
from clew.lake.schema import CLOUDTRAIL, EVENT_TABLES, TABLES, duckdb_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duckdb import DuckDBPyConnection

    from clew.lake.manifest import DataFile
    from clew.lake.reader import Lake
    from clew.lake.schema import Table


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something that is not as it should be: a stable code, where, and what was expected and found."""

    code: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome: what was examined, the identity of each event table, and every discrepancy."""

    files: int
    rows: int
    identities: dict[str, Identity]
    discrepancies: tuple[Discrepancy, ...]


def verify(lake_path: Path, progress: Callable[[DataFile], None] = lambda _: None) -> Verification:
    """Examine every file and row of the lake as it stands; takes no lock and changes nothing.

    Reads every column of every row, in bounded memory.
    """
    lake = open_lake(lake_path)
    found = [*_location(lake_path), *_catalogue(lake)]
    readable: dict[str, list[str]] = {}
    connection = _connection(lake_path)
    try:
        for name, table in TABLES.items():
            readable[name] = []
            for file in lake.files(name):
                wrong = list(_file(connection, table, file))
                found += wrong
                if not any(item.code in _UNREADABLE for item in wrong):
                    readable[name].append(file.path)
                progress(file)
        identities = {t.name: identity(connection, t, readable[t.name]) for t in EVENT_TABLES}
        for table in EVENT_TABLES:
            found += _records(connection, table, readable[table.name])
        found += _ledger(connection, readable)
    finally:
        connection.close()
    files = [file for name in TABLES for file in lake.files(name)]
    return Verification(len(files), sum(file.rows for file in files), identities, tuple(found))


def _connection(lake_path: Path) -> DuckDBPyConnection:
    # Not Lake.connect: its views do not open when a file is missing.
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '512MB'; SET threads = 2; SET TimeZone = 'UTC'")
    connection.execute(f"SET temp_directory = {quoted(str(lake_path / 'spill'))}")
    return connection


_UNREADABLE = frozenset({"missing_file", "unreadable_file", "wrong_columns"})


def _location(lake_path: Path) -> Iterator[Discrepancy]:
    origin = moved_from(lake_path)
    if origin is not None:
        yield Discrepancy("moved", str(lake_path), f"written in `{origin}`; run `clew lake relocate`")


def _catalogue(lake: Lake) -> Iterator[Discrepancy]:
    """The light manifest says what Iceberg says."""
    if moved_from(lake.path) is not None:
        return
    from clew.lake.store import Store

    store = Store(lake.path)
    for name in TABLES:
        planned = Counter(store.planned(name))
        listed = Counter(lake.files(name))
        for file in (planned - listed) + (listed - planned):
            where = "catalogue" if file in planned else manifest.FILE_NAME
            yield Discrepancy("manifest_differs", file.path, f"only in {where}, or described otherwise there")


def _file(connection: DuckDBPyConnection, table: Table, file: DataFile) -> Iterator[Discrepancy]:
    path = Path(file.path)
    if not path.is_file():
        yield Discrepancy("missing_file", file.path, f"{file.rows} rows of {table.name} are not there")
        return
    size_bytes = path.stat().st_size
    if size_bytes != file.size_bytes:
        yield Discrepancy("wrong_size", file.path, f"expected {file.size_bytes} bytes, found {size_bytes}")
    try:
        yield from _columns(connection, table, file)
        yield from _rows(connection, table, file)
    except duckdb.Error as error:
        text = " ".join(str(error).split())[:300]
        yield Discrepancy(
            "unreadable_file", file.path, f"{file.rows} rows of {table.name} cannot be read: {text}"
        )


def _columns(connection: DuckDBPyConnection, table: Table, file: DataFile) -> Iterator[Discrepancy]:
    query = f"DESCRIBE {relation(table, [file.path])}"
    # JSON is VARCHAR with an annotation, which some of the lake's writers set.
    found = {
        str(row[0]): re.sub(r"\bJSON\b", "VARCHAR", str(row[1]).replace('"', ""))
        for row in connection.execute(query).fetchall()
    }
    for column in table.columns:
        expected = duckdb_type(column.type).replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
        if found.get(column.name) != expected:
            detail = f"column `{column.name}`: expected {expected}, found {found.get(column.name, 'none')}"
            yield Discrepancy("wrong_columns", file.path, detail)


def _rows(connection: DuckDBPyConnection, table: Table, file: DataFile) -> Iterator[Discrepancy]:
    # The hash is compared with nothing: it makes DuckDB read and decompress every column.
    query = f"SELECT count(*), sum(hash(*COLUMNS(*))) FROM ({relation(table, [file.path])})"
    ((rows, _),) = connection.execute(query).fetchall()
    if rows != file.rows:
        yield Discrepancy("wrong_rows", file.path, f"expected {file.rows} rows of {table.name}, found {rows}")
    if table.partitioned:
        yield from _times(connection, table, file)


def _times(connection: DuckDBPyConnection, table: Table, file: DataFile) -> Iterator[Discrepancy]:
    query = (
        "SELECT min(epoch_us(eventtime)), max(epoch_us(eventtime)), count(*) FILTER (eventtime IS NULL), "
        f"count(*) FILTER (strftime(eventtime, '%Y-%m-%d') <> {quoted(file.day or '')}) "
        f"FROM ({relation(table, [file.path])})"
    )
    ((first, last, missing, elsewhere),) = connection.execute(query).fetchall()
    if missing:
        yield Discrepancy("no_time", file.path, f"{missing} rows of {table.name} have no time")
    if elsewhere:
        yield Discrepancy("wrong_day", file.path, f"{elsewhere} rows of {table.name} are not of {file.day}")
    if (first, last) != (file.min_time, file.max_time):
        expected = f"{file.min_time} to {file.max_time}"
        yield Discrepancy(
            "wrong_bounds", file.path, f"expected times from {expected}, found {first} to {last}"
        )


def _records(connection: DuckDBPyConnection, table: Table, paths: list[str]) -> Iterator[Discrepancy]:
    """Each record is there once; only contents in conflict share an id."""
    rows = relation(table, paths)
    query = (
        f"SELECT count(*) FROM ({rows}) WHERE record_id IS NULL OR source IS NULL OR record_number IS NULL"
    )
    ((unnamed,),) = connection.execute(query).fetchall()
    if unnamed:
        yield Discrepancy("no_identity", table.name, f"{unnamed} rows have no record id, source or number")
    content = "md5(eventjson)" if table is CLOUDTRAIL else "source, record_number"
    # The ids first: the texts of all records would not fit the memory limit.
    query = (
        f"WITH again AS (SELECT record_id FROM ({rows}) GROUP BY record_id HAVING count(*) > 1) "
        f"SELECT count(*), min(record_id) FROM (SELECT record_id FROM ({rows}) SEMI JOIN again USING (record_id) "
        f"GROUP BY record_id, {content} HAVING count(*) > 1)"
    )
    ((repeated, example),) = connection.execute(query).fetchall()
    if repeated:
        yield Discrepancy(
            "duplicate", table.name, f"{repeated} records are there more than once, `{example}` is one"
        )
    if table is CLOUDTRAIL:
        yield from _typed(connection, rows)


def _typed(connection: DuckDBPyConnection, rows: str) -> Iterator[Discrepancy]:
    """The typed columns say what the record's own text says."""
    query = (
        f"SELECT count(*), min(record_id) FROM ({rows}) WHERE json_valid(eventjson) AND ("
        "(eventid IS NOT NULL AND eventid IS DISTINCT FROM eventjson ->> '$.eventID') "
        "OR (eventname IS NOT NULL AND eventname IS DISTINCT FROM eventjson ->> '$.eventName') "
        "OR (eventid IS NOT NULL AND record_id IS DISTINCT FROM eventid))"
    )
    ((different, example),) = connection.execute(query).fetchall()
    if different:
        detail = f"{different} records say otherwise than their columns, `{example}` is one"
        yield Discrepancy("text_differs", CLOUDTRAIL.name, detail)


def _ledger(connection: DuckDBPyConnection, readable: dict[str, list[str]]) -> Iterator[Discrepancy]:
    """What the ledger of source files says was stored is there.

    Rows that it does not know yet are no discrepancy: a kill between the two commits leaves them, and the next ingest
    of the file enters it.
    """
    stored = " UNION ALL ".join(f"SELECT source FROM ({relation(t, readable[t.name])})" for t in EVENT_TABLES)
    query = (
        f"WITH held AS (SELECT source, count(*) AS rows FROM ({stored}) GROUP BY source), "
        "ledger AS (SELECT source, any_value(path) AS path, max(stored) AS stored "
        f"FROM ({relation(TABLES['sources'], readable['sources'])}) GROUP BY source) "
        "SELECT path, stored, coalesce(rows, 0) FROM ledger LEFT JOIN held USING (source) "
        "WHERE stored > coalesce(rows, 0) ORDER BY path"
    )
    for path, expected, found in connection.execute(query).fetchall():
        yield Discrepancy("ledger_differs", str(path), f"{expected} records were stored, {found} are there")
