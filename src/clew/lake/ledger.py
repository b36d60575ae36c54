"""The ledger: which source files the lake has taken in, under which paths, and what became of their records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from clew.lake.reader import relation
from clew.lake.schema import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.lake.reader import Lake


@dataclass(frozen=True, slots=True)
class Entry:
    """One path under which a source was read; the counts of its records stand at the first path only.

    `records` = `stored` + `duplicates`; a record in conflict is stored. Units: `modified_ns` since the epoch.
    """

    source: str
    path: str
    kind: str
    records: int
    stored: int
    duplicates: int
    conflicts: int
    quarantined: int
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries by path (the latest of each) and by source (the one that stored the most)."""

    by_path: Mapping[str, Entry]
    by_source: Mapping[str, Entry]

    def unchanged(self, path: str, size_bytes: int, modified_ns: int) -> Entry | None:
        """The entry of a file that still has the size and the time it had when it was read."""
        entry = self.by_path.get(path)
        if entry is None or not modified_ns or entry.kind == "unreadable":
            return None
        return entry if (entry.size_bytes, entry.modified_ns) == (size_bytes, modified_ns) else None

    def with_entries(self, entries: Iterable[Entry]) -> Ledger:
        """This ledger and later entries."""
        by_path, by_source = dict(self.by_path), dict(self.by_source)
        for entry in entries:
            by_path[entry.path] = entry
            held = by_source.get(entry.source)
            if held is None or held.stored < entry.stored:
                by_source[entry.source] = entry
        return Ledger(by_path, by_source)


def load(lake: Lake) -> Ledger:
    """The ledger of the lake as it stands."""
    columns = ", ".join(Entry.__dataclass_fields__)
    files = relation(SOURCES, (file.path for file in lake.files(SOURCES.name)))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(f"SELECT {columns} FROM ({files}) ORDER BY ingested_at").fetchall()
    return Ledger({}, {}).with_entries(Entry(*row) for row in rows)
