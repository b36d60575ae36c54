"""Two patterns with `*` and `?`: a text that both match, found without automata.

Most questions about resources are whether two patterns meet at all. A walk through both at once answers that in a
twentieth of the time that their automata take (benchmarks/symbolic.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.symbolic.budget import Budget

Place = tuple[int, int]
"""How far a text has come in each of the patterns."""

_ANY_CHAR = "x"


def shared(one: str, other: str, budget: Budget) -> str | None:
    """A text that both patterns match; None when there is none.

    Errors: `UndecidedError` when the budget does not suffice.

    >>> from clew.symbolic.budget import Budget
    >>> shared("logs/*", "*2026", Budget()), shared("logs/*", "data/*", Budget())
    ('logs/2026', None)
    """
    goal = (len(one), len(other))
    came_from: dict[Place, tuple[Place, str]] = {}
    stack: list[Place] = [(0, 0)]
    while stack:
        place = stack.pop()
        if place == goal:
            return _text(place, came_from)
        budget.take_state()
        for after, char in _onwards(one, other, place):
            if after not in came_from:
                came_from[after] = (place, char)
                stack.append(after)
    return None


def _onwards(one: str, other: str, place: Place) -> Iterator[tuple[Place, str]]:
    """The places that can come next, the likeliest last, and the character on the way."""
    here, there = place
    a, b = one[here : here + 1], other[there : there + 1]
    if a == "*":
        yield (here + 1, there), ""
    if b == "*":
        yield (here, there + 1), ""
    if not a or not b or a == b == "*":
        return
    if a == "*":
        yield (here, there + 1), _written(b)
    elif b == "*":
        yield (here + 1, there), _written(a)
    elif a == b or "?" in {a, b}:
        yield (here + 1, there + 1), _written(b if a == "?" else a)


def _written(char: str) -> str:
    return _ANY_CHAR if char == "?" else char


def _text(place: Place, came_from: dict[Place, tuple[Place, str]]) -> str:
    chars: list[str] = []
    while place != (0, 0):
        place, char = came_from[place]
        chars.append(char)
    return "".join(reversed(chars))
