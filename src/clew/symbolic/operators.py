"""The OPERATORS table of sets: for each condition operator, the set of values that its policy values describe.

It has the same rows as the engine's table, whose own tests decide every single value; negation, set operators and
`IfExists` are read in `keys`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.conditions import arns
from clew.engine.conditions.operators import OPERATORS as ENGINE
from clew.policy import pattern
from clew.policy.variables import has_variables, pieces
from clew.symbolic.automata import Step, letters, wild
from clew.symbolic.texts import Atom, Texts, equal, glob, ignoring_case
from clew.symbolic.values import Family, Values, of_texts
from clew.symbolic.variables import of_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clew.policy.pattern import Run
    from clew.policy.variables import Piece
    from clew.symbolic.variables import Symbols

_PARTS: Final = 6


class SetOperator(NamedTuple):
    """How an operator's policy values describe a set of values.

    family: how values are read. atom: the texts that one policy value stands for, None for none at all. resolved: the
    same for a policy value in which variables were replaced. spelled: the steps of what is written between variables,
    None where a symbol in a variable's place would not do.
    """

    family: Family
    atom: Callable[[str], Atom | None] | None = None
    resolved: Callable[[Sequence[Run]], Atom | None] | None = None
    spelled: Callable[[str], list[Step]] | None = None


def set_of(name: str, written: Sequence[str], symbols: Symbols | None) -> Values:
    """The set that the operator and its policy values describe; without symbols `${…}` is plain text."""
    row = OPERATORS[name]
    if row.atom is None:
        return Values(row.family, ENGINE[name].matcher(written), tuple(written), operator=name)
    if symbols is None or row.resolved is None or not any(map(has_variables, written)):
        return of_texts(Texts(_known(map(row.atom, written)), ENGINE[name].matcher(written)))
    atoms = [row.atom(value) for value in written if not has_variables(value)]
    for value in written:
        if has_variables(value):
            cut = pieces(value)
            kind = _kind(name, cut)
            spelled = OPERATORS[kind].spelled
            atoms.append(of_pieces(kind, cut, row.resolved, spelled, symbols))
    return of_texts(Texts(_known(atoms)))


def _kind(name: str, cut: Sequence[Piece]) -> str:
    """The operator that reads the pattern alike: `StringLike` is `StringEquals` where no wildcard is written."""
    kind = _KINDS.get(name, name)
    has_wildcard = any(isinstance(each, str) and ("*" in each or "?" in each) for each in cut)
    return "StringEquals" if kind == "StringLike" and not has_wildcard else kind


def _known(atoms: object) -> list[Atom]:
    return [atom for atom in atoms if atom is not None]  # type: ignore[attr-defined]


def of_runs(runs: Sequence[Run]) -> Atom:
    """The texts that a pattern matches in which some stretches are literal."""
    if not any(is_wild and ("*" in text or "?" in text) for text, is_wild in runs):
        return equal(_joined(runs))
    steps = [step for text, is_wild in runs for step in (wild(text) if is_wild else letters(text))]
    return Atom(("runs", tuple(runs)), pattern.of_runs(runs), steps)


def _joined(runs: Sequence[Run]) -> str:
    return "".join(text for text, _ in runs)


def arn_pattern(text: str) -> Atom | None:
    """The ARNs that a pattern of six parts matches part by part; None where it has not six."""
    if "*" not in text and "?" not in text:
        return equal(text) if text.count(":") >= _PARTS - 1 else None
    return _arn_of_runs([(text, True)], ("arn", text))


def _arn_of_runs(runs: Sequence[Run], key: object) -> Atom | None:
    if _joined(runs).count(":") < _PARTS - 1:
        return None
    steps: list[Step] = []
    colons = 0
    for text, is_wild in runs:
        for place, part in enumerate(text.split(":")):
            if place:
                steps += letters(":")
                colons += 1
            steps += wild(part, ":" if colons < _PARTS - 1 else "") if is_wild else letters(part)
    return Atom(key, arns.like_resolved(runs), steps)


def _arn_resolved(runs: Sequence[Run]) -> Atom | None:
    return _arn_of_runs(runs, ("arn", tuple(runs)))


def _word(text: str) -> Atom | None:
    return ignoring_case(text) if text.lower() in {"true", "false"} else None


_EQUAL: Final = SetOperator(Family.TEXT, equal, lambda runs: equal(_joined(runs)), letters)
_FOLDED: Final = SetOperator(Family.TEXT, ignoring_case, lambda runs: ignoring_case(_joined(runs)))
_LIKE: Final = SetOperator(Family.TEXT, glob, of_runs, wild)
_ARN: Final = SetOperator(Family.TEXT, arn_pattern, _arn_resolved)
_NUMBER: Final = SetOperator(Family.NUMBER)
_DATE: Final = SetOperator(Family.DATE)
_ADDRESS: Final = SetOperator(Family.ADDRESS)

OPERATORS: Final[Mapping[str, SetOperator]] = MappingProxyType(
    {
        "StringEquals": _EQUAL,
        "StringNotEquals": _EQUAL,
        "StringEqualsIgnoreCase": _FOLDED,
        "StringNotEqualsIgnoreCase": _FOLDED,
        "StringLike": _LIKE,
        "StringNotLike": _LIKE,
        "NumericEquals": _NUMBER,
        "NumericNotEquals": _NUMBER,
        "NumericLessThan": _NUMBER,
        "NumericLessThanEquals": _NUMBER,
        "NumericGreaterThan": _NUMBER,
        "NumericGreaterThanEquals": _NUMBER,
        "DateEquals": _DATE,
        "DateNotEquals": _DATE,
        "DateLessThan": _DATE,
        "DateLessThanEquals": _DATE,
        "DateGreaterThan": _DATE,
        "DateGreaterThanEquals": _DATE,
        "Bool": SetOperator(Family.TEXT, _word, lambda runs: _word(_joined(runs))),
        "BinaryEquals": SetOperator(Family.BINARY),
        "IpAddress": _ADDRESS,
        "NotIpAddress": _ADDRESS,
        "ArnEquals": _ARN,
        "ArnNotEquals": _ARN,
        "ArnLike": _ARN,
        "ArnNotLike": _ARN,
        "Null": SetOperator(Family.TEXT, _word),
    }
)
"""Every condition operator by its name."""

_ALIKE: Final = {
    name: kind
    for kind in ("StringEqualsIgnoreCase", "StringEquals", "StringLike", "ArnLike")
    for name in (kind, kind.replace("String", "StringNot").replace("Arn", "ArnNot"))
}
_KINDS: Final = {**_ALIKE, "ArnEquals": "ArnLike", "ArnNotEquals": "ArnLike"}
