"""Attacker-controlled text made inert for each place where it is shown."""

from __future__ import annotations

import unicodedata

# Spreadsheets run a cell that begins so as a formula (OWASP: "CSV Injection").
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Control, format (bidirectional overrides, zero width), surrogate, private use, line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def terminal(text: str) -> str:
    r"""The text on one line, with control and bidirectional characters written as escapes.

    >>> terminal("evil\x1b]0;title\x07\u202e")
    'evil\\x1b]0;title\\x07\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode() if ord(character) != ord("\\") else "\\\\"


def spreadsheet(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs as a formula.

    >>> spreadsheet("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    return f"'{text}" if text.startswith(_FORMULA_START) else text
