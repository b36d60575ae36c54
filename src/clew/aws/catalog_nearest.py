"""The nearest known word to a misspelled one, for "did you mean"."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 128
_LIKENESS: Final = 0.75


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like the given one, without regard to case; None when none is near.

    >>> nearest("getobjcet", ["GetObject", "GetObjectAcl"]), nearest("xyz", ["GetObject"])
    ('GetObject', None)
    """
    # Comparing is quadratic in the length, and no AWS name is this long.
    if len(word) > LONGEST:
        return None
    spelled = {name.lower(): name for name in known}
    lowered = word.lower()
    if lowered in spelled:
        return spelled[lowered]
    close = difflib.get_close_matches(lowered, spelled, n=1, cutoff=_LIKENESS)
    return spelled[close[0]] if close else None
