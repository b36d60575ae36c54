"""Strong Kleene logic: true, false, and unknown (`None`).

A determined result holds whatever the unknown parts turn out to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Truth = bool | None
"""`True`, `False`, or `None` for unknown."""


def all_of(truths: Iterable[Truth]) -> Truth:
    """False when any is false, else unknown when any is unknown, else true.

    >>> all_of([True, None]), all_of([False, None]), all_of([])
    (None, False, True)
    """
    seen = list(truths)
    if any(truth is False for truth in seen):
        return False
    return None if any(truth is None for truth in seen) else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """True when any is true, else unknown when any is unknown, else false.

    >>> any_of([True, None]), any_of([False, None]), any_of([])
    (True, None, False)
    """
    seen = list(truths)
    if any(truth is True for truth in seen):
        return True
    return None if any(truth is None for truth in seen) else False


def negate(truth: Truth) -> Truth:
    """The contrary; unknown stays unknown."""
    return None if truth is None else not truth


def agreed(outcomes: Iterable[bool]) -> Truth:
    """The one outcome of all completions, or unknown when they differ."""
    seen = set(outcomes)
    return seen.pop() if len(seen) == 1 else None
