"""Conditions that hold a statement for everybody to callers of known places: what a stranger cannot fulfil.

Which keys and values those are, `clew.engine.known_callers` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier, read
from clew.engine.known_callers import KEYS, is_known

if TYPE_CHECKING:
    from clew.policy.model import Condition, Statement

_POSITIVE: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "Bool"}
)
_NEGATIVE: Final = frozenset(
    {
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "StringNotLike",
        "ArnNotEquals",
        "ArnNotLike",
        "NotIpAddress",
    }
)


def is_held(statement: Statement) -> bool:
    """Whether some condition of the statement holds for callers of known places only."""
    return any(
        _names_known(condition, _POSITIVE) and not _may_be_absent(condition)
        for condition in statement.conditions
    )


def without_strangers(statement: Statement) -> Statement:
    """A Deny without the conditions that hold for every stranger: `StringNotEquals` of known places and the like.

    A key that is absent fulfils a negated operator, so a caller without it is denied as well.
    """
    strangers = of_strangers(statement)
    return statement._replace(
        conditions=tuple(each for each in statement.conditions if each not in strangers)
    )


def of_strangers(statement: Statement) -> tuple[Condition, ...]:
    """The conditions of a Deny that hold for every stranger."""
    return tuple(each for each in statement.conditions if _names_known(each, _NEGATIVE, negated=True))


def _names_known(condition: Condition, operators: frozenset[str], *, negated: bool = False) -> bool:
    qualified = read(condition.operator)
    key = condition.key.lower()
    if qualified is None or key not in KEYS or qualified.operator.name not in operators:
        return False
    # Of a negated operator only the plain form and `ForAllValues` are true of a key that is absent.
    if negated and qualified.quantifier is Quantifier.ANY:
        return False
    return bool(condition.values) and all(is_known(key, value) for value in condition.values)


def _may_be_absent(condition: Condition) -> bool:
    """Whether the condition is also true of a request that does not have the key."""
    qualified = read(condition.operator)
    return qualified is None or qualified.if_exists or qualified.quantifier is Quantifier.ALL
