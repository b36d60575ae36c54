"""Reading decoded records, in which any field may be missing or of another type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.events.paths import at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_DEPTH = 60


def text(event: Mapping[str, object], *path: str) -> str:
    """The scalar at the path as text, "" where there is none."""
    value = at(event, *path)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def flag(event: Mapping[str, object], *path: str) -> bool | None:
    """The truth at the path (`true`, `"true"`, `"Yes"`), None where nothing is said."""
    return {"true": True, "yes": True, "false": False, "no": False}.get(text(event, *path).lower())


def strings(value: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every string in the value with the key under which it stands, in order; keys of list items are those of the list.

    >>> list(strings({"a": ["x", {"b": "y"}]}))
    [('a', 'x'), ('b', 'y')]
    """
    yield from _strings(value, "", depth)


def _strings(value: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif depth < _MAX_DEPTH and isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, str(name), depth + 1)
    elif depth < _MAX_DEPTH and isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key, depth + 1)
