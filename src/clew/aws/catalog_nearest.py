"""The nearest known word to a misspelled one, for "did you mean"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 128


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.75) -> str | None:
    """The known word that looks most like the given one, without regard to case; None when none is near.

    `likeness` runs from 0 (nothing in common) to 1 (alike).

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
    import difflib  # 3 ms that only a misspelling costs

    close = difflib.get_close_matches(lowered, spelled, n=1, cutoff=likeness)
    return spelled[close[0]] if close else None
