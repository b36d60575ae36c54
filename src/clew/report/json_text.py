"""JSON as people read it, and long lists in it as programs do: an item a line, without indentation.

The library indents in Python, and writes what is not indented in C. Of an audit of 50,000 resources, whose JSON is
200 MB, that is 7.4 s or 2.3 s, and no more than one item of a long list is in memory as JSON (benchmarks/audit.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_STEP = "  "


@dataclass(frozen=True, slots=True)
class Lines:
    """A list of which each item stands on a line of its own."""

    items: Iterable[object]


def written(value: object) -> str:
    """The text of `json.dumps(value, indent=2)`, but for `Lines`. The keys of objects are texts.

    >>> print(written({"a": [1, 2], "b": Lines({"c": n} for n in (1, 2))}))
    {
      "a": [
        1,
        2
      ],
      "b": [
        {"c": 1},
        {"c": 2}
      ]
    }
    """
    return "".join(_pieces(value, ""))


def _pieces(value: object, pad: str) -> Iterator[str]:
    match value:
        case Lines():
            yield from _between("[]", pad, ((json.dumps(item),) for item in value.items))
        case dict():
            yield from _between(
                "{}", pad, (_member(name, inner, pad + _STEP) for name, inner in value.items())
            )
        case list() | tuple():
            yield from _between("[]", pad, (_pieces(inner, pad + _STEP) for inner in value))
        case _:
            yield json.dumps(value)


def _member(name: str, inner: object, pad: str) -> Iterator[str]:
    yield f"{json.dumps(name)}: "
    yield from _pieces(inner, pad)


def _between(brackets: str, pad: str, parts: Iterable[Iterable[str]]) -> Iterator[str]:
    """The parts between brackets, each on lines of its own; the brackets alone where there are none."""
    before = f"{brackets[0]}\n{pad}{_STEP}"
    for part in parts:
        yield before
        yield from part
        before = f",\n{pad}{_STEP}"
    yield f"\n{pad}{brackets[1]}" if before[0] == "," else brackets
