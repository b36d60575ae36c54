"""ARN operators: the six parts of an ARN, each compared by itself, with wildcards.

`ArnEquals` and `ArnLike` are the same. Source: AWS, "IAM JSON policy elements: Condition operators", ARN condition
operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy import pattern
from clew.policy.pattern import Matcher, nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.pattern import Run

_PARTS: Final = 6

_Parts = tuple[Matcher, ...]
"""The matchers of the six parts of a pattern."""


def like(values: Sequence[str]) -> Matcher:
    """Whether the text is an ARN that matches one of the patterns part by part; the sixth part may hold colons.

    >>> like(["arn:aws:sns:*:111122223333:t*"])("arn:aws:sns:us-east-1:111122223333:topic")
    True
    >>> like(["arn:aws:sns:*:topic"])("arn:aws:sns:us-east-1:111122223333:topic")
    False
    """
    exact: set[str] = set()
    patterns: list[_Parts] = []
    for value in values:
        if "*" in value or "?" in value:
            parts = _parts([(value, True)])
            patterns += [parts] if parts else []
        elif value.count(":") >= _PARTS - 1:
            exact.add(value)
    if not patterns:
        return frozenset(exact).__contains__ if exact else nothing
    return _like(patterns, frozenset(exact))


def like_resolved(runs: Sequence[Run]) -> Matcher:
    """As `like`, for one pattern in which variables were replaced."""
    parts = _parts(runs)
    return _like([parts], frozenset()) if parts else nothing


def _parts(runs: Sequence[Run]) -> _Parts:
    """The matcher of each part of the pattern, none when it has not six."""
    split = _split(runs)
    return tuple(map(pattern.of_runs, split)) if len(split) == _PARTS else ()


def _split(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each part, cut at the first five colons; a colon that a variable brought in cuts too."""
    parts: list[list[Run]] = [[]]
    for text, wild in runs:
        first, *rest = text.split(":", _PARTS - len(parts))
        parts[-1].append((first, wild))
        parts += [[(each, wild)] for each in rest]
    return parts


def _like(patterns: Sequence[_Parts], listed: frozenset[str]) -> Matcher:
    def match(text: str) -> bool:
        if text in listed:
            return True
        parts = text.split(":", _PARTS - 1)
        return len(parts) == _PARTS and any(_fits(matchers, parts) for matchers in patterns)

    return match


def _fits(matchers: _Parts, parts: Sequence[str]) -> bool:
    for matches, part in zip(matchers, parts, strict=True):  # noqa: SIM110  # half the time of `all` with a generator
        if not matches(part):
            return False
    return True
