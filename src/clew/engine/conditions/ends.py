"""Conditions on a text of which only the beginning and the end are known: the ARN of a role whose path nobody tells.

A session's ARN leaves out the role's path (AWS: "IAM identifiers"). Its `aws:PrincipalArn` is the role's: the
beginning, then nothing or a path that ends in `/`, then the role's name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clew.policy import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

Ends = tuple[str, str]
"""The beginning of the text, and its end; in between there is nothing, or anything that ends in `/`."""

_COLONS: Final = 5


@lru_cache(maxsize=1024)
def verdict(operator: str, values: tuple[str, ...], ends: Ends) -> bool | None:
    """Whether every such text is one of the values (True), none is (False), or it depends (None); negation aside.

    >>> role = ("arn:aws:iam::111122223333:role/", "dev")
    >>> verdict("ArnLike", ("arn:aws:iam::*:role/iam-admin",), role)
    False
    >>> verdict("ArnLike", ("arn:aws:iam::111122223333:role/*",), role)
    True
    >>> verdict("StringEquals", ("arn:aws:iam::111122223333:role/dev",), role) is None
    True
    """
    if operator.endswith("IgnoreCase"):
        values, ends = tuple(map(str.lower, values)), (ends[0].lower(), ends[1].lower())
    wild = "Like" in operator or operator.startswith("Arn")
    if operator.startswith("Arn"):
        values = tuple(value for value in values if value.count(":") >= _COLONS)
    if wild and any(_takes_all(value, ends[0]) for value in values):
        return True
    return None if any(_may_meet(value, ends, wild=wild) for value in values) else False


def _takes_all(value: str, begin: str) -> bool:
    """Whether the pattern matches whatever begins so: what stands before its last `*` matches up to some place."""
    rest = value.rstrip("*")
    if rest == value:
        return False
    match = pattern.any_of([rest])
    return any(match(begin[:length]) for length in range(len(begin), -1, -1))


def _may_meet(value: str, ends: Ends, *, wild: bool) -> bool:
    begin, end = ends
    return any(
        _meet(_tokens(value) if wild else list(value), [*begin, *middle, *end])
        for middle in ((), (None, "/"))
    )


def _tokens(value: str) -> list[str | None]:
    return [None if letter == "*" else letter for letter in value]


def _meet(one: list[str | None], other: list[str | None]) -> bool:
    """Whether some text matches both; None stands for any text, `?` in the first for any character."""
    places = _closed({0}, other)
    for token in one:
        if token is None:
            places = set(range(min(places), len(other) + 1)) if places else places
            continue
        after = {
            place if other[place] is None else place + 1
            for place in places
            if place < len(other) and (other[place] is None or token in {"?", other[place]})
        }
        places = _closed(after, other)
    return len(other) in places


def _closed(places: Iterable[int], other: list[str | None]) -> set[int]:
    """The places, and those behind any text that may be nothing."""
    found = set(places)
    return found | {place + 1 for place in found if place < len(other) and other[place] is None}
