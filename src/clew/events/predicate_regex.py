r"""Regular expressions of rules: one meaning for Python's `re` and DuckDB's RE2.

The meaning: classes and word boundaries are ASCII, `$` is the end of the text (before a last line break it is not),
`i` makes A–Z and a–z alike and nothing else. A leading `(?ims)` sets flags. What only one engine can express
(look-around, back references, possessive and atomic forms, `\Z`, named groups, POSIX classes, non-ASCII with `i`)
still runs in Python: its `re2` is None and SQL lets the closure decide.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from clew.errors import RuleError

FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
MAX_REPEATS = 200  # RE2 refuses large repetitions, and nested ones multiply
CONTROL_ESCAPES = frozenset("tnrfv")
PUNCTUATION = frozenset(string.punctuation + " ")
SPACE = r"\t\n\v\f\r "  # RE2's own \s lacks \v

_TOKEN = re.compile(
    r"""(?P<escape>\\(?P<escaped>.))
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<repeat>(?:[*+?]|\{(?P<least>\d+)(?:(?P<comma>,)(?P<most>\d*))?\})(?P<lazy>[?+]?))
      | (?P<group>\((?P<special>\?(?P<kind>.)?)?)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Regex:
    """One expression for both engines; `re2` is None where RE2 cannot say the same."""

    python: re.Pattern[str]
    re2: str | None
    ignores_case: bool


def compile_regex(pattern: str, *, case_sensitive: bool = True) -> Regex:
    r"""The expression in both spellings.

    Errors: RuleError when Python cannot read it.

    >>> compile_regex("^AKIA[0-9A-Z]{16}$").re2
    '^AKIA[0-9A-Z]{16}\\z'
    >>> compile_regex("(?=x)y").re2 is None
    True
    """
    leading = re.match(r"\(\?([ims]+)\)", pattern)
    letters = set(leading[1]) if leading else set()
    if not case_sensitive:
        letters.add("i")
    body = _searched(pattern[leading.end() :] if leading else pattern)
    multiline = "m" in letters
    try:
        flags = re.ASCII
        for letter in letters:
            flags |= FLAGS[letter]
        compiled = re.compile(_python(body, multiline=multiline), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"regular expression `{pattern}` cannot be read: {error}") from error
    re2 = _re2(body, multiline=multiline, ignores_case="i" in letters)
    if re2 is not None and letters:
        re2 = f"(?{''.join(sorted(letters))}){re2}"
    return Regex(compiled, re2, "i" in letters)


def _searched(body: str) -> str:
    """The body without a first and a last `.*`, which what is looked for anywhere in a text does not need."""
    begun = body[2:] if re.match(r"\.\*(?![?+*{])", body) else body
    return begun[:-2] if re.search(r"(?<!\\)\.\*\Z", begun) and "[" not in begun else begun


def _python(body: str, *, multiline: bool) -> str:
    """The body with `$` as the end of the text."""
    if multiline:
        return body
    return "".join(r"\Z" if token["other"] == "$" else token[0] for token in _TOKEN.finditer(body))


def _re2(body: str, *, multiline: bool, ignores_case: bool) -> str | None:
    """The body in RE2's spelling, or None."""
    if ignores_case and not body.isascii():
        return None
    spelled = ""
    repeats = 1
    for token in _TOKEN.finditer(body):
        repeats *= max([int(count) for count in (token["least"], token["most"]) if count], default=1) or 1
        text = _re2_token(token, multiline=multiline)
        if text is None:
            return None
        spelled += text
    return spelled if repeats <= MAX_REPEATS else None


def _re2_token(token: re.Match[str], *, multiline: bool) -> str | None:
    if token["escape"]:
        return _re2_escape(token["escaped"])
    if token["set"]:
        return _re2_set(token["set"])
    if token["repeat"]:
        return None if token["lazy"] == "+" else token[0]
    if token["group"]:
        return _re2_group(token)
    if token["other"] == "$" and not multiline:
        return r"\z"
    # A stray bracket or brace means different things; a set that the token expression could not read begins with one.
    return None if token["other"] in "[{}" else token["other"]


def _re2_group(token: re.Match[str]) -> str | None:
    """`(` and `(?:` are common to both engines."""
    if token["special"] is None:
        return "("
    return "(?:" if token["kind"] == ":" else None


def _re2_escape(char: str) -> str | None:
    if char == "s":
        return f"[{SPACE}]"
    if char == "S":
        return f"[^{SPACE}]"
    if char in PUNCTUATION:
        return re.escape(char)
    return f"\\{char}" if char in "dDwWbBA" or char in CONTROL_ESCAPES else None


def _re2_set(text: str) -> str | None:
    r"""A set of characters: ranges, escapes and `\d \w \s`; POSIX classes and set operations are left to Python."""
    inside = text[2:-1] if text.startswith("[^") else text[1:-1]
    if "[" in inside or re.search(r"--|&&|\|\||~~", inside) or inside.startswith("]"):
        return None
    escaped = re.findall(r"\\(.)", inside, re.DOTALL)
    if any(char not in "dws" and char not in CONTROL_ESCAPES | PUNCTUATION - {"_"} for char in escaped):
        return None
    if re.search(r"\\[dws]-|-\\[dws]", inside):
        return None
    return text[: len(text) - len(inside) - 1] + inside.replace(r"\s", SPACE) + "]"
