"""Which S3 objects a lake has taken in, so that a second run does not download them again.

A cache beside the lake: written after the lake's commit, so a crash between the two only downloads again what the
lake then recognises. It lies inside the lake's directory, and so goes with it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from clew.collect.s3 import FetchedFile
    from clew.collect.s3_listing import S3Object

FILE_NAME = "fetched.db"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS fetched (uri TEXT PRIMARY KEY, etag TEXT, size_bytes INTEGER) WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class SeenObjects:
    """The objects that the lake holds, by URI, ETag and size: an object that was replaced counts as new."""

    connection: sqlite3.Connection

    def __contains__(self, item: S3Object) -> bool:
        row = self.connection.execute(
            "SELECT etag, size_bytes FROM fetched WHERE uri = ?", (item.uri,)
        ).fetchone()
        return bool(row == (item.etag, item.size_bytes))

    def known(self, item: S3Object) -> bool:
        """Whether the lake holds this object already."""
        return item in self

    def uris(self, prefix: str) -> tuple[str, ...]:
        """The URIs that begin so and are held, in order."""
        rows = self.connection.execute(
            "SELECT uri FROM fetched WHERE substr(uri, 1, ?) = ? ORDER BY uri", (len(prefix), prefix)
        )
        return tuple(row[0] for row in rows)

    def add(self, files: Iterable[FetchedFile]) -> None:
        """Remember files whose events the lake has committed."""
        rows = [(item.uri, item.etag, item.size_bytes) for item in files]
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?, ?)", rows)


@contextmanager
def seen_objects(lake_path: Path) -> Iterator[SeenObjects]:
    """The cache of a lake, opened and closed; WorkspaceError when it cannot be written."""
    try:
        lake_path.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(lake_path / FILE_NAME, timeout=30)
    except (OSError, sqlite3.Error) as error:
        raise WorkspaceError(f"{lake_path / FILE_NAME}: {error}") from error
    try:
        connection.execute(_TABLE)
        yield SeenObjects(connection)
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(f"{lake_path / FILE_NAME}: {error}; delete it, it is only a cache") from error
    finally:
        connection.close()
