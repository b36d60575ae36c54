"""What rows say together, whatever their order and however they lie in files: a count and checksums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.lake.reader import relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

    from clew.lake.schema import Table


@dataclass(frozen=True, slots=True)
class Content:
    """Rows and the sum of their hashes over all columns: equal exactly when the same rows lie there, duplicates too.

    The hash is DuckDB's: compare values of one process only.
    """

    rows: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Rows, distinct record ids, and the sum of the ids' MD5 (lower half): stable over versions, machines, files."""

    rows: int
    distinct: int
    checksum: str


def content(connection: DuckDBPyConnection, table: Table, paths: Iterable[str]) -> Content:
    """The content of these data files together; reads every column of every row."""
    query = f"SELECT count(*), coalesce(sum(hash(*COLUMNS(*))), 0)::HUGEINT FROM ({relation(table, paths)})"
    rows, checksum = connection.execute(query).fetchall()[0]
    return Content(rows, checksum)


def identity(connection: DuckDBPyConnection, table: Table, paths: Iterable[str]) -> Identity:
    """The identity of the records in these data files together; the table has a `record_id`."""
    query = (
        "SELECT count(*), count(DISTINCT record_id), coalesce(sum(md5_number_lower(record_id)), 0)::HUGEINT "
        f"FROM ({relation(table, paths)})"
    )
    rows, distinct, checksum = connection.execute(query).fetchall()[0]
    return Identity(rows, distinct, f"{checksum:032x}")
