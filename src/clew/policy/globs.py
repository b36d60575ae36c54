"""Which patterns cover others: whether every text that one glob matches is matched by another one too.

Sound always: what is said to be covered is. Patterns that match the same texts in very different spellings may be
told apart. Policy variables are taken as the text that they are written with.
"""

from __future__ import annotations

import re
from typing import Final

from clew.policy.pattern import any_of

_FIELDS: Final = 6
_WILD: Final = re.compile("[*?]")
_MIXED: Final = re.compile(r"[*?]*\*[*?]*")
# Characters for private use that stand for the wildcards of the pattern that is looked at as a text.
_RUN, _ONE = "\ue010", "\ue011"
_AS_TEXT: Final = str.maketrans("*?", _RUN + _ONE)
_MOST_STEPS: Final = 100_000


def covers(general: str, special: str) -> bool:
    """Whether every text that `special` matches is one that `general` matches.

    >>> covers("s3:Get*", "s3:GetObject*"), covers("s3:*Object", "s3:Get*"), covers("a?*", "a*?"), covers("a?c", "a*c")
    (True, False, True, False)
    """
    if general in {"*", special}:
        return True
    head = _WILD.split(general, maxsplit=1)[0]
    if len(head) == len(general) or not special.startswith(head):
        return False
    general, special = _tidy(general), _tidy(special)
    if "?" in general:
        return _walks(general, special)
    return any_of([general])(special.translate(_AS_TEXT))


def arn_covers(general: str, special: str) -> bool:
    """Whether the pattern of ARNs covers the other one; a wildcard before the resource does not cross a colon.

    >>> arn_covers("arn:aws:s3:::logs*", "arn:aws:s3:::logs/2026/*"), arn_covers("arn:aws:*:b", "arn:aws:s3:::b")
    (True, False)
    """
    if general == "*":
        return True
    ours, theirs = general.split(":", _FIELDS - 1), special.split(":", _FIELDS - 1)
    if len(ours) < _FIELDS or len(theirs) < _FIELDS:
        return general == special
    return all(covers(one, other) for one, other in zip(ours, theirs, strict=True))


def _tidy(pattern: str) -> str:
    """The pattern with each run of wildcards spelled one way: as many `?` as there are, then one `*`."""
    return _MIXED.sub(lambda found: "?" * found[0].count("?") + "*", pattern)


def _walks(general: str, special: str) -> bool:
    """As `covers` for a `general` with `?`, which stands for a character or a `?` but not for a `*`."""
    if len(general) * len(special) > _MOST_STEPS:
        return general == special
    place = star = 0
    back = -1
    for_star = -1
    while place < len(special):
        char = general[star] if star < len(general) else ""
        if char == "*":
            back, for_star = star, place
            star += 1
        elif char and (char == special[place] or (char == "?" and special[place] != "*")):
            star, place = star + 1, place + 1
        elif back >= 0:
            for_star += 1
            star, place = back + 1, for_star
        else:
            return False
    return general[star:].strip("*") == ""
