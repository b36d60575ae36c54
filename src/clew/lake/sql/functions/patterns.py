"""What a literal regular expression says of its groups."""

from __future__ import annotations

import re

# An escaped character, a class, or the parentheses.
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\??|\)", re.DOTALL)


def group_count(pattern: str) -> int | None:
    """The number of its groups; None for what Python does not read as RE2 does."""
    try:
        return re.compile(pattern).groups
    except re.error:
        return None


def is_never_empty(pattern: str, number: int) -> bool:
    """Whether the group, where it takes part in a match, has at least one character.

    >>> is_never_empty("(x)?a(b*)", 1), is_never_empty("(x)?a(b*)", 2)
    (True, False)
    """
    source = _group(pattern, number)
    try:
        return source is not None and re.fullmatch(source, "") is None
    except re.error:
        return False


def _group(pattern: str, number: int) -> str | None:
    """The text of the group, counted by opening parentheses; None when there is none or a group has a name."""
    starts: list[int] = []
    begun = 0
    for part in _PARTS.finditer(pattern):
        if part.group() == "(":
            begun += 1
            starts.append(part.end() if begun == number else -1)
        elif part.group() == "(?":
            if pattern[part.end() : part.end() + 1] in {"P", "<"}:
                return None
            starts.append(-1)
        elif part.group() == ")" and starts and (start := starts.pop()) >= 0:
            return pattern[start : part.start()]
    return None
