"""Answers about a lake that are kept beside it until the lake changes.

What a lake holds is asked whenever nothing is found, and the same each time: of a million events it takes 0.3 s to
count and a few milliseconds to read. The answers name the tables' metadata from which they were made, as the light
manifest does; of other tables they are worth nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from clew.lake.reader import Lake

    Row = tuple[Any, ...]

FILE_NAME = "coverage.json"
_VERSION = 1
_NAME_DIGITS = 32
# More than this and reading them is no quicker than counting again.
_MOST_ROWS = 50_000


@dataclass(slots=True)
class Answers:
    """The rows of queries over one lake, remembered by what was asked."""

    lake: Lake
    _held: dict[str, list[Row]]
    _connection: duckdb.DuckDBPyConnection | None = None
    _asked: bool = field(default=False)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query that gives numbers, truths and texts."""
        name = hashlib.sha256(repr((query, *parameters)).encode()).hexdigest()[:_NAME_DIGITS]
        if name not in self._held:
            if self._connection is None:
                self._connection = self.lake.connect()
            self._held[name] = self._connection.execute(query, parameters).fetchall()
            self._asked = True
        return self._held[name]

    def close(self) -> None:
        """Keep the answers for the next time, as far as the lake may be written."""
        if self._connection is not None:
            self._connection.close()
        if self._asked and sum(map(len, self._held.values())) <= _MOST_ROWS:
            # A lake that may only be read is asked again each time.
            with suppress(OSError):
                _write(self.lake, self._held)


def answers(lake: Lake) -> Answers:
    """What is remembered of the lake as it stands."""
    return Answers(lake, _read(lake))


def _read(lake: Lake) -> dict[str, list[Row]]:
    try:
        document = json.loads((lake.path / FILE_NAME).read_text(encoding="utf-8"))
        if document["made_from"] != _made_from(lake):
            return {}
        return {name: [tuple(row) for row in rows] for name, rows in document["answers"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Only a memory: whatever is wrong with it, the lake knows better.
        return {}


def _write(lake: Lake, held: Mapping[str, Sequence[Row]]) -> None:
    temporary = lake.path / f".{FILE_NAME}.{os.getpid()}"
    document = {"made_from": _made_from(lake), "answers": held}
    temporary.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    temporary.replace(lake.path / FILE_NAME)


def _made_from(lake: Lake) -> dict[str, object]:
    return {"version": _VERSION, "tables": dict(lake.manifest.pointers)}
