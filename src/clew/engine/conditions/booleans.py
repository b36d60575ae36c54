"""The Boolean operator: `true` or `false`, in any case of letters.

Source: AWS, "IAM JSON policy elements: Condition operators", Boolean condition operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.pattern import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.pattern import Matcher, Run

_WORDS: Final = frozenset({"true", "false"})


def equal(values: Sequence[str]) -> Matcher:
    """Whether the text is the truth value that one of the values names."""
    named = frozenset(value.lower() for value in values) & _WORDS
    return (lambda text: text.lower() in named) if named else nothing


def equal_resolved(runs: Sequence[Run]) -> Matcher:
    """As `equal`, for one value in which variables were replaced."""
    return equal(["".join(text for text, _ in runs)])
