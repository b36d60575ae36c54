"""Checks of policy variables: how they are written, where they may stand, and what they leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy.lint.registry import Told, of_clause, of_line
from clew.policy.model import shown
from clew.policy.variables import MULTIVALUED, VERSION, has_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.policy.lint.registry import ClauseFunction
    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_LITERALS: Final = frozenset("*?$")
_ELSEWHERE: Final = ("Sid", "Effect", "Action", "NotAction")
OPEN: Final = "${"
# Terraform: aws_iam_policy_document, "Context variable interpolation".
_OF_TERRAFORM: Final = "&{"


def written(text: str) -> Iterator[str | None]:
    """What stands between the braces of each variable, None for one that is not closed; literals left out.

    >>> list(written("a/${aws:username}/${*}/${aws:userid"))
    ['aws:username', None]
    """
    start = text.find(OPEN)
    while start >= 0:
        following = text.find(OPEN, start + 2)
        end = text.find("}", start + 2, following if following >= 0 else len(text))
        inner = text[start + 2 : end] if end >= 0 else None
        if inner not in _LITERALS:
            yield inner
        start = following


def _is_empty(inner: str | None) -> bool:
    return inner is not None and not inner.strip()


def _has_space(inner: str | None) -> bool:
    return inner is not None and bool(inner.strip()) and " " in inner.partition(",")[0]


def _lacks_quotes(inner: str | None) -> bool:
    _, comma, default = (inner or "").partition(",")
    default = default.strip()
    return bool(comma) and not (len(default) > 1 and default[0] == default[-1] == "'")


def _places(clause: Clause) -> Iterator[Word]:
    """The words in which variables may stand."""
    yield from clause.resources
    yield from clause.not_resources
    for line in clause.lines:
        yield from line.values


def _faulty(code: str, is_faulty: Callable[[str | None], bool], what: str) -> ClauseFunction:
    """Register a check of how variables are written; in a version without variables there are none."""

    @of_clause(code)
    def check(clause: Clause, subject: Subject) -> Iterator[Told]:
        for word in _places(clause) if subject.version == VERSION else ():
            if has_variables(word.text) and any(map(is_faulty, written(word.text))):
                yield Told(f"`{shown(word.text)}`: {what}", (word,))

    return check


missing_brace = _faulty(
    "MISSING_BRACE_IN_VARIABLE", lambda inner: inner is None, "the variable is not closed by `}`"
)
empty = _faulty("EMPTY_VARIABLE", _is_empty, "the variable names nothing; remove it, or name a context key")
space = _faulty("UNSUPPORTED_SPACE_IN_VARIABLE", _has_space, "a space stands in the name of the variable")
quotes = _faulty(
    "MISSING_QUOTE_IN_VARIABLE",
    _lacks_quotes,
    "the default of a variable stands in single quotes, as in `${aws:PrincipalTag/team, 'none'}`",
)


@of_clause("UNKNOWN_VARIABLE")
def unknown(clause: Clause, subject: Subject) -> Iterator[Told]:
    """A variable of a key that there is not, so that what holds it matches nothing."""
    for word in _places(clause) if subject.version == VERSION else ():
        if _OF_TERRAFORM in word.text:
            message = f"`{shown(word.text)}`: Terraform alone writes variables with `&{{`; write `${{`"
            yield Told(message, (word,))
        for inner in written(word.text) if has_variables(word.text) else ():
            name = (inner or "").partition(",")[0].strip()
            wrong = _unknown(name, subject) if name and " " not in name else ""
            if wrong:
                yield Told(f"`${{{shown(name)}}}` {wrong}", (word,))


def _unknown(name: str, subject: Subject) -> str:
    """What is wrong with the name of a variable; empty for keys of services, of which not all are listed."""
    prefix, colon, rest = name.partition(":")
    if prefix.upper() == "AWS" and rest.startswith(":"):
        return "is a pseudo parameter of CloudFormation, which only `Fn::Sub` replaces"
    if not colon:
        meant = subject.catalog.condition_key(f"aws:{name}")
        return f"names no context key{f'; did you mean `${{{meant.name}}}`?' if meant else ', such as `aws:username`'}"
    if prefix.lower() == "aws" and subject.key(name) is None:
        return "names a context key that there is not"
    if name.lower() in MULTIVALUED:
        return "has several values, which no variable takes"
    return ""


@of_clause("VARIABLE_UNSUPPORTED_IN_ELEMENT")
def elsewhere(clause: Clause, _: Subject) -> Iterator[Told]:
    """A variable outside Resource and Condition."""
    words = [word for name in _ELSEWHERE for word in clause.words.words(name)]
    words += [word for name in ("Principal", "NotPrincipal") for _, word in clause.words.principals(name)]
    for word in words:
        if has_variables(word.text):
            yield Told(f"`{shown(word.text)}`: variables stand in `Resource` and `Condition` only", (word,))


@of_line("INVALID_VARIABLE_FOR_OPERATOR")
def operator(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A variable under an operator that is neither for texts nor for ARNs."""
    for word in line.values if line.family not in {"String", "Arn"} else ():
        if has_variables(word.text):
            message = f"`{shown(word.text)}`: `{line.operator_written}` takes no variable"
            yield Told(f"{message}; operators for texts and ARNs do", (word,))
