"""Where in a JSON text a value stands: found again only when somebody asks."""

from __future__ import annotations

import re
from bisect import bisect_right
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"\n")
_DECODER = JSONDecoder()

Step = str | int
"""A member's name in an object, an index in a list."""


def skip_space(text: str, position: int) -> int:
    """The position of the next character that is not white space."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def end_of_value(text: str, start: int) -> int:
    """The position behind the value that begins at `start`; errors: `json.JSONDecodeError`."""
    return _DECODER.raw_decode(text, start)[1]


def members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Each member of the object that begins at `start`: its name and where its value begins.

    The text must be JSON. The reader may skip values: each is measured only when the next member is asked for.
    """
    position = skip_space(text, start + 1)
    while text[position] == '"':
        name, position = _DECODER.raw_decode(text, position)
        position = skip_space(text, skip_space(text, position) + 1)
        yield name, position
        position = skip_space(text, end_of_value(text, position))
        if text[position] != ",":
            return
        position = skip_space(text, position + 1)


def items(text: str, start: int) -> Iterator[int]:
    """Where each item of the list that begins at `start` begins."""
    position = skip_space(text, start + 1)
    while text[position] != "]":
        yield position
        position = skip_space(text, end_of_value(text, position))
        if text[position] == ",":
            position = skip_space(text, position + 1)


def find(text: str, start: int, path: tuple[Step, ...]) -> int | None:
    """Where the value at the path begins, from the value that begins at `start`; None where there is none.

    >>> find('{"a": [1, {"b": 2}]}', 0, ("a", 1, "b"))
    16
    """
    for step in path:
        if isinstance(step, int):
            position = next((at for n, at in enumerate(items(text, start)) if n == step), None)
        else:
            position = next((at for name, at in members(text, start) if name == step), None)
        if position is None:
            return None
        start = position
    return start


def line_and_column(text: str, position: int) -> tuple[int, int]:
    r"""The line and the column of a position, both counted from 1.

    >>> line_and_column("ab\ncd", 4)
    (2, 2)
    """
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def line_starts(text: str) -> list[int]:
    r"""Where each line begins: for texts of which many positions are asked.

    >>> line_starts("ab\ncd")
    [0, 3]
    """
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def in_lines(starts: Sequence[int], position: int) -> tuple[int, int]:
    """The line and the column of a position, both counted from 1, in a text whose lines begin at `starts`.

    >>> in_lines([0, 3], 4)
    (2, 2)
    """
    line = bisect_right(starts, position)
    return line, position - starts[line - 1] + 1
