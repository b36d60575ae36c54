"""ARN operators: the six parts of an ARN, each compared by itself, with wildcards.

`ArnEquals` and `ArnLike` are the same. Source: AWS, "IAM JSON policy elements: Condition operators", ARN condition
operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy import pattern
from clew.policy.pattern import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.pattern import Matcher, Run

_PARTS: Final = 6


def like(values: Sequence[str]) -> Matcher:
    """Whether the text is an ARN that matches one of the patterns part by part; the sixth part may hold colons.

    >>> like(["arn:aws:sns:*:111122223333:t*"])("arn:aws:sns:us-east-1:111122223333:topic")
    True
    >>> like(["arn:aws:sns:*:topic"])("arn:aws:sns:us-east-1:111122223333:topic")
    False
    """
    exact: set[str] = set()
    patterns: list[Matcher] = []
    for value in values:
        if "*" in value or "?" in value:
            match = _parts([(value, True)])
            patterns += [] if match is nothing else [match]
        elif value.count(":") >= _PARTS - 1:
            exact.add(value)
    return _either(frozenset(exact), patterns)


def like_resolved(runs: Sequence[Run]) -> Matcher:
    """As `like`, for one pattern in which variables were replaced."""
    return _parts(runs)


def _either(listed: frozenset[str], patterns: list[Matcher]) -> Matcher:
    if not patterns:
        return listed.__contains__ if listed else nothing
    if len(patterns) == 1 and not listed:
        return patterns[0]
    return lambda text: text in listed or any(match(text) for match in patterns)


def _parts(runs: Sequence[Run]) -> Matcher:
    split = _split(runs)
    if len(split) != _PARTS:
        return nothing
    matchers = tuple(map(pattern.of_runs, split))

    def match(text: str) -> bool:
        parts = text.split(":", _PARTS - 1)
        return len(parts) == _PARTS and all(
            part_matches(part) for part_matches, part in zip(matchers, parts, strict=True)
        )

    return match


def _split(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each part, cut at the first five colons; a colon that a variable brought in cuts too."""
    parts: list[list[Run]] = [[]]
    for text, wild in runs:
        first, *rest = text.split(":", _PARTS - len(parts))
        parts[-1].append((first, wild))
        parts += [[(each, wild)] for each in rest]
    return parts
