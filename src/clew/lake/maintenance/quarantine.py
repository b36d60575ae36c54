"""What could not be read, listed: which file, which record, why, and how it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One unreadable file (`record_number` is None) or record. `excerpt` is an attacker's text: escape it.

    Units: `found_at` is ISO 8601 in UTC; `record_number` counts from 0.
    """

    path: str
    source: str | None
    record_number: int | None
    reason: str
    detail: str
    excerpt: str
    size_bytes: int | None
    found_at: str


def entries(lake_path: Path, reason: str | None = None) -> Iterator[Entry]:
    """The quarantined files and records, by path and record; those of one reason when it is given."""
    connection = open_lake(lake_path).connect()
    try:
        found = connection.execute(
            "SELECT path, source, record_number, reason, coalesce(detail, ''), coalesce(excerpt, ''), size_bytes, "
            "strftime(found_at, '%Y-%m-%dT%H:%M:%SZ') FROM raw_quarantine "
            "WHERE $reason IS NULL OR reason = $reason ORDER BY path, record_number NULLS FIRST, found_at",
            {"reason": reason},
        )
        while rows := found.fetchmany(_BATCH):
            yield from (Entry(*row) for row in rows)
    finally:
        connection.close()


def counts(lake_path: Path) -> dict[str, int]:
    """How many entries each reason has, most first."""
    connection = open_lake(lake_path).connect(threads=1)
    try:
        rows = connection.execute(
            "SELECT reason, count(*) FROM raw_quarantine GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    finally:
        connection.close()
    return {str(reason): int(count) for reason, count in rows}
