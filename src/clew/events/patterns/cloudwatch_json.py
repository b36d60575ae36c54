"""The JSON form of CloudWatch Logs filter patterns: `{ ($.a = "x*") && ($.b[0].c > 5 || $.d NOT EXISTS) }`.

A selector that ends at an object or a list compares false, also with `!=`. So does one whose field is absent:
CloudWatch's own tester finds no match for `!=` on a field that is not there (github.com/DataBiosphere/azul issue 5884).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from clew.errors import RuleError
from clew.events.predicate_tree import And, Element, Leaf, Node, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.events.predicate_tree import Op, Path

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.?\[\s*(?:'[^']*'|"[^"]*"|\d+|\*)\s*\]|\.[\w\-@:/$]+)*)
      | (?P<open>\() | (?P<close>\)) | (?P<end>\})
      | (?P<and>&&) | (?P<or>\|\|)
      | (?P<compare>!=|<=|>=|=|<|>)
      | %(?P<regex>(?:[^%\\]|\\.)+)%
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<word>[^\s"%(){}&|=<>!,]+)
    )""",
    re.VERBOSE,
)
_STEP: Final = re.compile(r"""\.?\[\s*(?:'([^']*)'|"([^"]*)"|(\d+)|(\*))\s*\]|\.([\w\-@:/$]+)""")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_REGEX_ALLOWED: Final = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.\s]*")
_ORDER: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq"}
_COMPOSED: Final = ("object", "array")
_LONGEST: Final = 4096

Step = str | int | None
"""One step of a selector: a key, the place in a list, or None for every element (`[*]`)."""


def read_json(text: str) -> Node:
    """The predicate of a JSON pattern. Errors: RuleError with the character at which it cannot be read."""
    if len(text) > _LONGEST:
        raise RuleError(f"filter pattern: expected at most {_LONGEST} characters, found {len(text)}")
    return _Reader(text).pattern()


class _Reader:
    """A reader by recursive descent: `or` of `and` of comparisons and parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = text.index("{") + 1
        self._depth = 0
        self._token = self._next()

    def pattern(self) -> Node:
        tree = self._either()
        if self._token.lastgroup != "end" or self._text[self._at :].strip():
            raise self._wrong("`}` at the end")
        return tree

    def _next(self) -> re.Match[str]:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self._token = cast("re.Match[str]", re.compile("").match(self._text, self._at))
            raise self._wrong("a comparison such as $.eventName = StopLogging, then `}`")
        self._at = found.end()
        return found

    def _wrong(self, expected: str) -> RuleError:
        token = self._token
        shown = token[0].strip() or self._text[token.start() : token.start() + 40].strip() or "the end"
        return RuleError(
            f"filter pattern, character {token.start() + 1}: expected {expected}, found `{shown[:40]}`"
        )

    def _take(self, group: str) -> bool:
        if self._token.lastgroup != group:
            return False
        self._token = self._next()
        return True

    def _either(self) -> Node:
        return self._chain("or", self._both, Or)

    def _both(self) -> Node:
        return self._chain("and", self._single, And)

    def _chain(self, word: str, part: Callable[[], Node], join: type[And | Or]) -> Node:
        found = [part()]
        while self._take(word):
            found.append(part())
        return found[0] if len(found) == 1 else join(tuple(found))

    def _single(self) -> Node:
        if self._take("open"):
            self._depth += 1
            if self._depth > 100:  # noqa: PLR2004  # nobody nests this deep, and Python's stack ends somewhere
                raise self._wrong("fewer parentheses")
            inside = self._either()
            if not self._take("close"):
                raise self._wrong("`)`")
            self._depth -= 1
            return inside
        if self._token.lastgroup != "selector":
            raise self._wrong("`(` or a selector such as $.eventName")
        steps = _steps(self._token["selector"])
        self._token = self._next()
        return self._question(steps)

    def _question(self, steps: tuple[Step, ...]) -> Node:
        if self._token.lastgroup == "compare":
            sign = self._token["compare"]
            self._token = self._next()
            return self._comparison(steps, sign)
        words = [self._word("IS", "NOT", "EXISTS")]
        if words[0] == "IS":
            words.append(self._word("NULL", "TRUE", "FALSE", "NOT"))
        elif words[0] == "NOT":
            words.append(self._word("EXISTS"))
        return _named(steps, words)

    def _word(self, *known: str) -> str:
        word = (self._token["word"] or "").upper() if self._token.lastgroup == "word" else ""
        if word not in known:
            raise self._wrong("one of = != < > <= >=, IS or EXISTS" if "IS" in known else " or ".join(known))
        self._token = self._next()
        return word

    def _comparison(self, steps: tuple[Step, ...], sign: str) -> Node:
        token = self._token
        if token.lastgroup not in {"regex", "quoted", "word"}:
            raise self._wrong("a value")
        leaf = _compared(token, sign)
        if leaf is None:
            raise self._wrong(f"a number after `{sign}`")
        self._token = self._next()
        return _at(steps, lambda path: _signed(path, leaf, sign))


def _named(steps: tuple[Step, ...], words: list[str]) -> Node:
    match words:
        case ["NOT", "EXISTS"]:
            return Not(_at(steps, lambda path: Leaf(path, "exists", quantifier="one")))
        case ["EXISTS"]:
            return _at(steps, lambda path: Leaf(path, "exists", quantifier="one"))
        case ["IS", "NULL"]:
            return _at(steps, lambda path: Leaf(path, "is_null", quantifier="one"))
        case ["IS", "NOT"]:
            raise RuleError("filter pattern: `IS NOT` is not known; write `NOT EXISTS`, or `!=`")
        case _:
            value = words[1] == "TRUE"
            return _at(steps, lambda path: Leaf(path, "equals", (value,), quantifier="one"))


def _compared(token: re.Match[str], sign: str) -> Leaf | None:
    """The comparison without its path; None where the sign needs a number and there is none."""
    word = token["word"]
    if word is not None and _NUMBER.fullmatch(word):
        # Not documented: whether text that is a number equals it; CloudTrail writes account numbers as text.
        op = cast("Op", "eq" if sign == "!=" else _ORDER[sign])
        return Leaf((), op, (float(word),), case_sensitive=True, quantifier="one", loose=True)
    if sign not in {"=", "!="}:
        return None
    if token["regex"] is not None:
        return Leaf(
            (), "regex", (regular(token["regex"], token.start()),), case_sensitive=True, quantifier="one"
        )
    text = word if word is not None else re.sub(r"\\(.)", r"\1", token["quoted"])
    return _text(text)


def _text(text: str) -> Leaf:
    if "*" not in text:
        return Leaf((), "equals", (text,), case_sensitive=True, quantifier="one")
    escaped = text.replace("\\", "\\\\").replace("?", "\\?")
    return Leaf((), "glob", (escaped,), case_sensitive=True, quantifier="one")


def _signed(path: Path, leaf: Leaf, sign: str) -> Node:
    asked = replace(leaf, path=path)
    if sign != "!=":
        return asked
    composed = Leaf(path, "type_is", _COMPOSED, quantifier="one")
    return And((Leaf(path, "exists", quantifier="one"), Not(composed), Not(asked)))


def regular(text: str, at: int) -> str:
    """The regular expression, if it holds only what CloudWatch takes."""
    allowed = _REGEX_ALLOWED.match(text)
    end = allowed.end() if allowed else 0
    if end < len(text):
        raise RuleError(
            f"filter pattern, character {at + 1}: `{text[end]}` is not taken in regular expressions `%{text[:40]}%`"
        )
    return text


def _steps(selector: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for single, double, place, every, name in _STEP.findall(selector):
        steps.append(int(place) if place else None if every else single or double or name)
    return tuple(steps)


def _at(steps: tuple[Step, ...], question: Callable[[Path], Node]) -> Node:
    """The question about what the selector reaches; steps into lists bind it to one element, or to some."""
    for at, step in enumerate(steps):
        if not isinstance(step, str):
            path = cast("Path", steps[:at])
            inner = _at(steps[at + 1 :], question)
            is_list = Leaf(path, "type_is", ("array",), quantifier="one")
            return And((is_list, Element(path, inner, index=step)))
    return question(cast("Path", steps))
