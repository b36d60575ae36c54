"""JSON text cut into tokens, with what JSON does not know (comments, other quotes, bare words) told apart, not lost.

One pass of one regular expression without nested repetition: the time is linear in the text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Final, NamedTuple

from clew.policy.model import Position, shown

NUMBER_DIGITS: Final = 300
"""The longest number that is read; the values of policies have a few digits."""


class Token(NamedTuple):
    """One token: `kind` is one of `{}[],:`, `string`, `number`, `word` or `end`; `value` is what it says."""

    kind: str
    value: object
    start: int
    end: int
    fault: str = ""


class Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, text: str) -> None:
        """Remember where each line starts."""
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def position(self, offset: int) -> Position:
        r"""Line and column, from 1, of the offset.

        >>> Lines("a\nbc").position(3)
        Position(line=2, column=2, offset=3)
        """
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1, offset)


_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n\ufeff]+)
    | "(?P<plain>[^"\\\x00-\x1f]*)"(?=[\s,:\]}]|\Z)
    | (?P<unclosed>"[^"\\\n]*?)(?=[:,][ \t]*"[^\s,:\]}"])
    | "(?P<tight>[^"\\\x00-\x1f]*)"
    | (?P<mark>[{}\[\],:])
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<number>-?[0-9][0-9.eE+-]*)
    | (?P<fence>```[^\n]*)
    | (?P<comment>//[^\n]*|\#[^\n]*|/\*(?s:.*?)\*/|/\*(?s:.*))
    | (?P<single>'(?:[^'\\\n]|\\[^\n])*')
    | (?P<curly>[“”„‟″][^“”„‟″"\n]*[“”„‟″"]|[‘’‚‛′][^‘’‚‛′\n]*[‘’‚‛′])
    | (?P<open>["'“”„‘’][^\n]*)
    | (?P<name>arn:[^\s"'{}\[\],]*|[a-z][a-z0-9-]*:[A-Z*][\w*?]*)
    | (?P<word>[^\W\d][^\s"'{}\[\],:“”‘’]*)
    | (?P<blank>[\s\u200b\u200c\u200d\u2060]+)
    | (?P<other>[^\s"'{}\[\],:\w“”‘’/\#]+|.)
    """,
    re.VERBOSE,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = {"true": True, "false": False, "null": None}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[\"\\/bfnrt])|\\.?", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """Every token of the text and the `end`; a token that JSON does not know carries its fault.

    Comments and foreign white space are tokens of kind `skipped`.
    """
    found: list[Token] = []
    add = found.append
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space":
            continue
        start, end = match.span()
        if kind in {"plain", "tight"}:
            value = match[kind]
            fault = _SURROGATE_FAULT if not value.isascii() and _SURROGATE.search(value) else ""
            add(Token("string", value if not fault else _SURROGATE.sub("\ufffd", value), start, end, fault))
        elif kind == "mark":
            mark = match[0]
            add(Token(mark, mark, start, end))
        else:
            add(_READERS[kind or "other"](match[0], start, end))
    add(Token("end", None, len(text), len(text)))
    return found


_SURROGATE_FAULT: Final = "half of a surrogate pair, which is no character"


def _string(text: str, start: int, end: int) -> Token:
    try:
        value = json.loads(text)
    except ValueError:
        value, fault = _lenient(text[1:-1])
        return Token("string", value, start, end, fault)
    if _SURROGATE.search(value):
        return Token("string", _SURROGATE.sub("\ufffd", value), start, end, _SURROGATE_FAULT)
    return Token("string", value, start, end)


def _lenient(inner: str) -> tuple[str, str]:
    """What a faulty string means, and its fault."""
    fault = ""

    def unescape(match: re.Match[str]) -> str:
        nonlocal fault
        try:
            return str(json.loads(f'"{match[0]}"'))
        except ValueError:
            fault = f"unknown escape `{shown(match[0])}` in a text; write a backslash as `\\\\`"
            return match[0]

    value = _ESCAPE.sub(unescape, inner)
    if not fault:
        control = next((c for c in inner if c < " "), "\x00")
        fault = f"control character U+{ord(control):04X} in a text; write it as `\\u{ord(control):04x}`"
    return _SURROGATE.sub("\ufffd", value), fault


def _number(text: str, start: int, end: int) -> Token:
    if len(text) > NUMBER_DIGITS:
        return Token(
            "number", 0, start, end, f"a number of {len(text)} characters; expected at most {NUMBER_DIGITS}"
        )
    if _NUMBER.fullmatch(text) is None:
        return Token(
            "string", text, start, end, f"`{shown(text)}` is no number; write a text in double quotes"
        )
    value = json.loads(text)
    if value in {float("inf"), float("-inf")}:
        return Token("string", text, start, end, f"`{shown(text)}` is too large for a number")
    return Token("number", value, start, end)


def _single(text: str, start: int, end: int) -> Token:
    inner = text[1:-1].replace("\\'", "'")
    return Token(
        "string", inner, start, end, f"`{shown(text)}` stands in single quotes; JSON takes double quotes only"
    )


def _curly(text: str, start: int, end: int) -> Token:
    fault = f"`{shown(text)}` stands in typographic quotes; JSON takes plain double quotes only"
    return Token("string", text[1:-1], start, end, fault)


def _open(text: str, start: int, end: int) -> Token:
    kept = text.rstrip()
    value = kept[1:].rstrip(",").rstrip()
    return Token(
        "string", value, start, end, 'the text is not closed; expected `"` before the end of the line'
    )


def _unclosed(text: str, start: int, end: int) -> Token:
    return Token(
        "string", text[1:], start, end, f'the text is not closed; expected `"` behind `{shown(text[1:])}`'
    )


def _fence(_text: str, start: int, end: int) -> Token:
    return Token("skipped", None, start, end, "a code fence is no JSON; remove it")


def _word(text: str, start: int, end: int) -> Token:
    if text in _WORDS:
        return Token("word", _WORDS[text], start, end)
    lowered = text.lower()
    if lowered in {"true", "false", "null", "none"}:
        fixed = "null" if lowered == "none" else lowered
        return Token("word", _WORDS[fixed], start, end, f"`{text}` is no JSON; write `{fixed}`")
    if lowered in {"nan", "infinity"}:
        return Token("string", text, start, end, f"`{text}` is no number that JSON knows")
    return Token("string", text, start, end, f"`{shown(text)}` stands without double quotes")


def _comment(text: str, start: int, end: int) -> Token:
    closed = not text.startswith("/*") or (text.endswith("*/") and len(text) > len("/*/"))
    fault = (
        "comments are no JSON; remove it" if closed else "comments are no JSON, and this one is never closed"
    )
    return Token("skipped", None, start, end, fault)


def _blank(text: str, start: int, end: int) -> Token:
    return Token("skipped", None, start, end, f"white space U+{ord(text[0]):04X}, which JSON does not know")


def _other(text: str, start: int, end: int) -> Token:
    return Token("skipped", None, start, end, f"unexpected `{shown(text)}`")


_READERS: Final = {
    "string": _string,
    "number": _number,
    "single": _single,
    "curly": _curly,
    "open": _open,
    "unclosed": _unclosed,
    "fence": _fence,
    "word": _word,
    "name": _word,
    "comment": _comment,
    "blank": _blank,
    "other": _other,
}
