"""The OPERATORS table: one row for each condition operator, and how their qualified names are read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import addresses, arns, binary, booleans, dates, numeric, strings
from clew.policy import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clew.policy.pattern import Matcher, Run


@dataclass(frozen=True, slots=True)
class Operator:
    """One condition operator.

    matcher: makes the test "is this request value one of these policy values"; negation is not its business.
    resolved: the same for one value in which policy variables were replaced; None where variables are not supported.
    says: the words between key and values in a sentence; quoted: whether the values stand in quotes there.
    tests_presence: whether it looks at the key's presence only.
    """

    name: str
    matcher: Callable[[Sequence[str]], Matcher]
    says: str
    negated: bool = False
    resolved: Callable[[Sequence[Run]], Matcher] | None = None
    quoted: bool = False
    tests_presence: bool = False


class Quantifier(Enum):
    """How an operator looks at the values of a key: the set operators, or none."""

    PLAIN = ""
    ALL = "ForAllValues:"
    ANY = "ForAnyValue:"


@dataclass(frozen=True, slots=True)
class Qualified:
    """An operator with its qualifiers, as in `ForAnyValue:StringLikeIfExists`."""

    operator: Operator
    quantifier: Quantifier = Quantifier.PLAIN
    if_exists: bool = False

    @property
    def name(self) -> str:
        """The qualified name as AWS writes it."""
        return f"{self.quantifier.value}{self.operator.name}{'IfExists' if self.if_exists else ''}"


def _text(
    name: str,
    says: str,
    matcher: Callable[[Sequence[str]], Matcher],
    resolved: Callable[[Sequence[Run]], Matcher],
    *,
    negated: bool = False,
) -> Operator:
    return Operator(name, matcher, says, negated, resolved, quoted=True)


def _compared(
    kind: str, says: Mapping[str, str], compare: Callable[[str], Callable[..., Matcher]]
) -> list[Operator]:
    return [
        Operator(f"{kind}Equals", compare("=="), says["=="]),
        Operator(f"{kind}NotEquals", compare("=="), says["=="], negated=True),
        Operator(f"{kind}LessThan", compare("<"), says["<"]),
        Operator(f"{kind}LessThanEquals", compare("<="), says["<="]),
        Operator(f"{kind}GreaterThan", compare(">"), says[">"]),
        Operator(f"{kind}GreaterThanEquals", compare(">="), says[">="]),
    ]


_NUMBERS: Final = {
    "==": "is",
    "<": "is less than",
    "<=": "is at most",
    ">": "is greater than",
    ">=": "is at least",
}
_TIMES: Final = {
    "==": "is",
    "<": "is before",
    "<=": "is at or before",
    ">": "is after",
    ">=": "is at or after",
}
_IGNORING: Final = (strings.equal_ignoring_case, strings.equal_ignoring_case_resolved)

# AWS: "IAM JSON policy elements: Condition operators". Negated operators are the positive ones with a flag.
_ROWS: Final = (
    _text("StringEquals", "equals", strings.equal, strings.equal_resolved),
    _text("StringNotEquals", "equals", strings.equal, strings.equal_resolved, negated=True),
    _text("StringEqualsIgnoreCase", "equals without case", *_IGNORING),
    _text("StringNotEqualsIgnoreCase", "equals without case", *_IGNORING, negated=True),
    _text("StringLike", "is like", strings.like, pattern.of_runs),
    _text("StringNotLike", "is like", strings.like, pattern.of_runs, negated=True),
    *_compared("Numeric", _NUMBERS, numeric.compare),
    *_compared("Date", _TIMES, dates.compare),
    Operator("Bool", booleans.equal, "is", resolved=booleans.equal_resolved),
    Operator("BinaryEquals", binary.equal, "is"),
    Operator("IpAddress", addresses.within, "is in"),
    Operator("NotIpAddress", addresses.within, "is in", negated=True),
    _text("ArnEquals", "is like", arns.like, arns.like_resolved),
    _text("ArnNotEquals", "is like", arns.like, arns.like_resolved, negated=True),
    _text("ArnLike", "is like", arns.like, arns.like_resolved),
    _text("ArnNotLike", "is like", arns.like, arns.like_resolved, negated=True),
    Operator("Null", booleans.equal, "is", tests_presence=True),
)

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every condition operator by its name."""


def _qualified() -> dict[str, Qualified]:
    found = {}
    for operator in OPERATORS.values():
        # AWS: IfExists goes with every operator "except the Null condition"; nor is there a set of it.
        for quantifier in (Quantifier.PLAIN,) if operator.tests_presence else Quantifier:
            for if_exists in (False,) if operator.tests_presence else (False, True):
                qualified = Qualified(operator, quantifier, if_exists)
                found[qualified.name] = found[qualified.name.lower()] = qualified
    return found


# Each under the name that AWS writes and in lower case: the first is found without making another text.
_QUALIFIED: Final = _qualified()


def read(name: str) -> Qualified | None:
    """The operator that a condition block names, with its qualifiers; None when there is no such operator.

    The case of the letters does not matter (docs/decisions/0007-iam-questions.md, Q13).

    >>> read("foranyvalue:StringLikeIFEXISTS").name
    'ForAnyValue:StringLikeIfExists'
    >>> read("NullIfExists") is None
    True
    """
    return _QUALIFIED.get(name) or _QUALIFIED.get(name.lower())


def takes_variables(name: str) -> bool:
    """Whether `${…}` in the values of the operator may mean a variable.

    >>> takes_variables("StringLike"), takes_variables("NumericEquals")
    (True, False)
    """
    qualified = read(name)
    return qualified is not None and qualified.operator.resolved is not None
