"""What numbers and dates have in common: values that can be read, and are compared with any of a list."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

from clew.policy.pattern import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from clew.policy.pattern import Matcher

_TESTS: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def comparison(read: Callable[[str], Decimal | None], sign: str) -> Callable[[Sequence[str]], Matcher]:
    """Makes matchers that compare a value with a list; what cannot be read, on either side, matches nothing.

    One of the list must fit, so only its greatest (for `<`) or its least number (for `>`) is kept.
    """

    def compiled(values: Sequence[str]) -> Matcher:
        numbers = [number for number in map(read, values) if number is not None]
        if not numbers:
            return nothing
        if sign == "==":
            listed = frozenset(numbers)
            return lambda text: read(text) in listed
        return _bounded(read, _TESTS[sign], max(numbers) if sign[0] == "<" else min(numbers))

    return compiled


def _bounded(
    read: Callable[[str], Decimal | None], test: Callable[[Decimal, Decimal], bool], bound: Decimal
) -> Matcher:
    def match(text: str) -> bool:
        number = read(text)
        return number is not None and test(number, bound)

    return match
