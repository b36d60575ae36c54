"""Patterns with `*` and `?`, matched in time linear in the text for each piece of the pattern.

`*` stands for any run of characters (also none), `?` for exactly one character; a line break is a character like any
other. The work is at most the length of the text times the longest piece between two `*`: nothing backtracks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Token = str | None
"""A literal run of characters, or `ANY` or `ONE`."""

ANY: Final = ""
"""The token of `*`: an empty literal is never made, so the empty string is free to mean it."""

ONE: Final = None
"""The token of `?`."""


def tokens(pattern: str, *, escape: str = "", single: str = "?") -> tuple[Token, ...]:
    r"""The pattern as literals, `ANY` and `ONE`.

    `escape` is the character that makes a following `*`, `?` or itself literal ("" = there is none); before any other
    character it is itself literal. `single` is the spelling of "exactly one character" ("" = there is none).

    >>> tokens("a*b?")
    ('a', '', 'b', None)
    >>> tokens(r"a\*b\c", escape="\\")
    ('a*b\\c',)
    """
    found: list[Token] = []
    literal = ""
    index = 0
    while index < len(pattern):
        char = pattern[index]
        following = pattern[index + 1 : index + 2]
        index += 1
        if escape and char == escape and following and following in ("*", single, escape):
            literal += following
            index += 1
        elif char in ("*", single):
            found += [literal] if literal else []
            literal = ""
            found.append(ANY if char == "*" else ONE)
        else:
            literal += char
    return (*found, literal) if literal else tuple(found)


def matcher(pattern: str, *, escape: str = "", single: str = "?") -> Callable[[str], bool]:
    r"""A function that says whether a whole text matches; the words of `tokens` apply.

    >>> matcher("arn:aws:s3:::*/secret-?")("arn:aws:s3:::bucket/a/secret-1")
    True
    >>> matcher(r"100\*", escape="\\")("1000")
    False
    """
    pieces = _pieces(tokens(pattern, escape=escape, single=single))
    if len(pieces) == 1:
        whole = pieces[0]
        return lambda text: whole.fullmatch(text) is not None
    first, *middle, last = pieces
    tail = _length(last)

    def match(text: str) -> bool:
        start = first.match(text)
        if start is None:
            return False
        position = start.end()
        for piece in middle:
            # INVARIANT: the leftmost place leaves the most text for what follows, so no other place need be tried.
            found = piece.search(text, position)
            if found is None:
                return False
            position = found.end()
        return len(text) - tail >= position and last.match(text, len(text) - tail) is not None

    return match


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern (`*`, `?`, no escapes), case-sensitively.

    >>> matches("s3:Get*", "s3:GetObject"), matches("s3:Get?", "s3:Get")
    (True, False)
    """
    return matcher(pattern)(text)


def _pieces(parts: Sequence[Token]) -> list[re.Pattern[str]]:
    """What stands between the `*`, each as an expression of literals and single characters only."""
    spelled = [""]
    for part in parts:
        if part == ANY:
            spelled.append("")
        else:
            spelled[-1] += "." if part is None else re.escape(part)
    return [re.compile(text, re.DOTALL) for text in spelled]


def _length(piece: re.Pattern[str]) -> int:
    """How many characters a piece takes: its pattern without the backslashes of `re.escape`."""
    return len(re.sub(r"\\(.)", r"\1", piece.pattern, flags=re.DOTALL))
