"""Checks of wildcards and variables that leave too much open, and of conditions that a wildcard makes constant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import RESOURCE, Told, of_line
from clew.policy.model import PolicyKind, shown
from clew.policy.variables import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.registry import LineFunction
    from clew.policy.lint.subject import Clause, Line, Subject

ENOUGH: Final = 6
"""How many literal characters must stand before a wildcard or variable."""

_LITERAL: Final = re.compile(r"\$\{[*?$]\}")
_VARIABLE: Final = re.compile(r"\$\{[^{}]*\}")
# Characters for private use that stand for a wildcard, a variable and a literal character.
_WILD, _VAR, _CHAR = "\ue020", "\ue021", "\ue022"
_USER_ID: Final = "aws:userid"
_MAY_BE_UNSIGNED: Final = RESOURCE | {PolicyKind.RCP, PolicyKind.ENDPOINT}


def _marked(text: str, *, takes_wildcards: bool) -> str:
    """The text with its wildcards and variables marked.

    A variable that is itself a key of accounts, organisations or networks is no open one: it is as exact as an id.
    """
    text = _VARIABLE.sub(_mark, _LITERAL.sub(_CHAR, text))
    return re.sub("[*?]", _WILD, text) if takes_wildcards else text


def _mark(found: re.Match[str]) -> str:
    name = found[0][2:-1].partition(",")[0].strip().lower()
    return _CHAR * ENOUGH if name in curated.SENSITIVE else _VAR


def fault(key: str, marked: str, mark: str, *, is_arn: bool) -> str:
    """What is too open about the marks of one sort in a value of the key; empty when nothing is.

    >>> fault("x.com:sub", f"repo:{_WILD}", _WILD, is_arn=False)
    'expected at least 6 characters before it'
    >>> fault("x.com:sub", f"repo:o{_WILD}", _WILD, is_arn=False), fault("s3:prefix", _WILD, _WILD, is_arn=False)
    ('', '')
    """
    if mark not in marked:
        return ""
    if key in curated.SENSITIVE:
        return "a sensitive key is compared with whole values only"
    if key == _USER_ID:
        left, colon, _ = marked.partition(":")
        is_right = bool(colon) and (mark not in left or left == mark)
        return "" if is_right else "in aws:userid it stands right of the colon, or alone left of it"
    if not _is_guarding(key):
        return ""
    runs = re.split(f"[{_WILD}{_VAR}]", marked)
    marks = re.findall(f"[{_WILD}{_VAR}]", marked)
    upto = runs[:1] if is_arn else runs[: marks.index(mark) + 1]
    is_open = all(len(run) < ENOUGH for run in upto)
    return f"expected at least {ENOUGH} characters before it" if is_open else ""


def _is_guarding(key: str) -> bool:
    provider, _, claim = key.partition(":")
    return key in curated.GUARDING or ("." in provider and claim in curated.GUARDING_CLAIMS)


def _too_open(line: Line, mark: str, what: str, *, takes_wildcards: bool) -> Iterator[Told]:
    for word in line.values if line.family in {"String", "Arn"} else ():
        marked = _marked(word.text, takes_wildcards=takes_wildcards)
        wrong = fault(line.key, marked, mark, is_arn=word.text.startswith("arn:"))
        if wrong:
            yield Told(f"{what} in `{shown(word.text)}` opens `{line.written}` too far: {wrong}", (word,))


@of_line("WILDCARD_USAGE_TOO_PERMISSIVE")
def open_wildcard(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A wildcard in a sensitive key, or with too little before it in a key that guards access."""
    if line.takes_wildcards:
        yield from _too_open(line, _WILD, "the wildcard", takes_wildcards=True)


@of_line("VARIABLE_USAGE_TOO_PERMISSIVE")
def open_variable(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """The same of a policy variable."""
    if subject.version == VERSION:
        yield from _too_open(line, _VAR, "the variable", takes_wildcards=line.takes_wildcards)


@of_line("WILDCARD_WITHOUT_LIKE_OPERATOR")
def literal_wildcard(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A wildcard under an operator for which it is an ordinary character."""
    for word in line.values if line.family == "String" and not line.takes_wildcards else ():
        if _WILD in _marked(word.text, takes_wildcards=True):
            name = "StringNotLike" if line.is_negated else "StringLike"
            meant = line.operator_written.replace(line.operator.name, name)
            message = f"`{line.operator_written}` takes the wildcard in `{shown(word.text)}` literally; use `{meant}`"
            yield Told(message, (word,))


def _is_anything(line: Line) -> bool:
    """Whether a value matches whatever the key holds."""
    return line.takes_wildcards and any(word.text and not word.text.strip("*") for word in line.values)


def holds(line: Line, kind: PolicyKind) -> str:
    """When a condition with the value `*` holds: `always`, `never`, or as the key is `present` or `absent`."""
    qualifier, negated = line.operator.qualifier, line.is_negated
    if qualifier == "ForAllValues":
        return "absent" if negated else "always"
    if qualifier == "ForAnyValue" and negated:
        return "absent" if line.operator.if_exists else "never"
    if not negated and (line.operator.if_exists or _is_always_there(line.key, kind)):
        return "always"
    if negated and _is_always_there(line.key, kind):
        return "never"
    return "absent" if negated else "present"


def _is_always_there(key: str, kind: PolicyKind) -> bool:
    is_signed = kind not in _MAY_BE_UNSIGNED
    return key in curated.PRESENT_ALWAYS or (is_signed and key in curated.PRESENT_WHEN_SIGNED)


def _constant(code: str, when: str, message: str) -> LineFunction:
    """Register a check of conditions with the value `*`."""

    @of_line(code)
    def check(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
        if _is_anything(line) and holds(line, subject.kind) == when:
            yield Told(message.format(key=line.written, operator=line.operator_written), (line.place,))

    return check


present = _constant(
    "EQUIVALENT_TO_NULL_FALSE",
    "present",
    '`*` under `{operator}` only asks whether `{key}` is there; write `"Null": {{"{key}": "false"}}`',
)
absent = _constant(
    "EQUIVALENT_TO_NULL_TRUE",
    "absent",
    '`*` under `{operator}` only asks whether `{key}` is absent; write `"Null": {{"{key}": "true"}}`',
)
always = _constant(
    "REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION",
    "always",
    "`{key}` under `{operator}` always holds because of `*`; remove it",
)
never = _constant(
    "REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION",
    "never",
    "`{key}` under `{operator}` never holds because of `*`: the statement has no effect",
)
