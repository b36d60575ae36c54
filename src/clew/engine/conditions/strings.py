"""String operators: exact text, text without case, text with wildcards.

Source: AWS, "IAM JSON policy elements: Condition operators", String condition operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.policy import pattern
from clew.policy.pattern import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.pattern import Matcher, Run


def equal(values: Sequence[str]) -> Matcher:
    """Whether the text is one of the values; `*` and `?` are ordinary characters."""
    if len(values) == 1:
        return values[0].__eq__
    return frozenset(values).__contains__ if values else nothing


def equal_ignoring_case(values: Sequence[str]) -> Matcher:
    """Whether the text is one of the values when letters are compared without case."""
    folded = frozenset(value.lower() for value in values)
    return (lambda text: text.lower() in folded) if folded else nothing


def like(values: Sequence[str]) -> Matcher:
    """Whether the text matches one of the patterns, with case."""
    return pattern.any_of(values)


def equal_resolved(runs: Sequence[Run]) -> Matcher:
    """As `equal`, for one value in which variables were replaced."""
    return pattern.of_runs([(text, False) for text, _ in runs])


def equal_ignoring_case_resolved(runs: Sequence[Run]) -> Matcher:
    """As `equal_ignoring_case`, for one value in which variables were replaced."""
    # Put together first: a few letters become other small letters at the end of a word.
    return equal_ignoring_case(["".join(text for text, _ in runs)])
