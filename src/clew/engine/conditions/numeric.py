"""Numeric operators: integers and decimals of any size, compared exactly.

Source: AWS, "IAM JSON policy elements: Condition operators", Numeric condition operators.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from clew.engine.conditions.ordered import comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clew.policy.pattern import Matcher

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def read(text: str) -> Decimal | None:
    """The number that the text spells, None when it spells none; exponents, NaN and infinity are no numbers here.

    >>> read("10.50") == read("10.5"), read("1e3"), read("ten")
    (True, None, None)
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def compare(operator: str) -> Callable[[Sequence[str]], Matcher]:
    """The comparison with any of a list of numbers: `operator` is one of `== < <= > >=`."""
    return comparison(read, operator)
