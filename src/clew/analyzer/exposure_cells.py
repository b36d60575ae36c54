"""The cells of an Allow statement that reach outside the zone: one principal under one set of conditions.

Only keys that a caller cannot choose restrict: an account, an organisation, an ARN. Of their values those inside the
zone are left out, each of the others makes a cell of its own.
AWS: IAM User Guide: "How IAM Access Analyzer findings work", "IAM Access Analyzer filter keys"; "AWS JSON policy
elements: Principal", which says what becomes of a deleted principal's unique id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_ranges import fewest
from clew.engine.conditions import Quantifier, read
from clew.engine.known_callers import is_known, shared_provider
from clew.policy.model import ACCOUNT_DIGITS, Principal
from clew.reach.callers import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.analyzer.exposure_model import Zone
    from clew.policy.model import Condition, Statement

_ACCOUNTS: Final = frozenset(
    {"aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount", "aws:vpceaccount"}
)
_ORGANIZATIONS: Final = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths", "aws:vpceorgid"}
)
_ARNS: Final = frozenset({"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"})
_OWN_ACCESS_POINT: Final = frozenset({"s3:dataaccesspointaccount"})
_ACCESS_POINTS: Final = frozenset({"s3:dataaccesspointaccount", "s3:dataaccesspointarn"})
_OF_SERVICES: Final = frozenset({"aws:principalservicename"})
_POSITIVE: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "Bool"}
)
_NOT_OF: Final = frozenset({"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"})
_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
ANYONE: Final = Principal("*", "*")
"""Everybody, as a policy names them."""
_ARN_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One principal outside under one set of conditions; `account` where principal or conditions tell it.

    `is_public`: everybody is meant. `by_access_point`: but only as far as another account's access point lets them in.
    """

    principal: Principal
    conditions: tuple[Condition, ...]
    is_public: bool
    account: str | None = None
    by_access_point: bool = False

    @property
    def is_anyone(self) -> bool:
        """Whether it is about everybody whom the conditions let through."""
        return self.principal.is_anyone


def cells(statement: Statement, zone: Zone, *, of_access_point: bool = False) -> Iterator[Cell]:
    """The cells of an Allow statement outside the zone; none when all that it lets in are inside.

    `of_access_point`: the statement is of an access point's policy, where a condition on the access point that a
    request comes through says nothing of who makes it.
    """
    statement = statement._replace(conditions=tuple(map(fewest, statement.conditions)))
    # AWS: "IAM Access Analyzer resource types": what is left to another account's access point is public.
    told = tuple(each for each in statement.conditions if each.key.lower() not in _ACCESS_POINTS)
    is_for_strangers = not is_held(statement._replace(conditions=told))
    by_access_point = len(told) < len(statement.conditions)
    for principal in _outside(statement, zone):
        everybody = principal.is_anyone or _is_shared(principal, statement)
        public = everybody and is_for_strangers
        for conditions in _narrowed(statement.conditions, zone, of_access_point=of_access_point):
            account = principal.account or account_in(conditions)
            yield Cell(principal, conditions, public, account, by_access_point)


def _is_shared(principal: Principal, statement: Statement) -> bool:
    """Whether the statement lets every user of a provider assume a role with whom everybody can have an account."""
    provider = shared_provider(principal.value) if principal.kind == "Federated" else ""
    if not provider or not any(each.lower().startswith("sts:") for each in statement.actions or ()):
        return False
    return not any(_tells_user(each, provider) for each in statement.conditions)


def _tells_user(condition: Condition, provider: str) -> bool:
    """Whether a claim of the provider holds the statement to some of its users."""
    qualified, key = read(condition.operator), condition.key.lower()
    if qualified is None or qualified.operator.name not in _POSITIVE or not key.startswith(f"{provider}:"):
        return False
    if qualified.if_exists or qualified.quantifier is Quantifier.ALL or not condition.values:
        return False
    return all(is_known(key, value) for value in condition.values)


def _outside(statement: Statement, zone: Zone) -> Iterator[Principal]:
    if statement.not_principals is not None:
        yield ANYONE
    for principal in statement.principals or ():
        if principal.is_anyone:
            yield ANYONE
        elif not _is_inside(principal, zone):
            yield principal


def _is_inside(principal: Principal, zone: Zone) -> bool:
    if principal.kind == "Service":
        return True
    if principal.kind == "AWS":
        # A deleted user or role leaves its id behind, which nobody can be again.
        is_gone = _UNIQUE_ID.fullmatch(principal.value) is not None
        return is_gone or (principal.account is not None and zone.holds_account(principal.account))
    return False


def _narrowed(
    conditions: tuple[Condition, ...], zone: Zone, *, of_access_point: bool
) -> Iterator[tuple[Condition, ...]]:
    """The conditions with values outside only, one list for each value; none when one is met only inside."""
    lists: list[tuple[Condition, ...]] = [()]
    for condition in conditions:
        is_silent = of_access_point and condition.key.lower() in _ACCESS_POINTS
        told = None if is_silent else _values_outside(condition, zone)
        if told is None:
            lists = [(*each, condition) for each in lists]
            continue
        lists = [(*each, condition._replace(values=(value,))) for each in lists for value in told]
    yield from lists


def _values_outside(condition: Condition, zone: Zone) -> tuple[str, ...] | None:
    """The values that callers outside may have; None where the condition does not tell who calls."""
    qualified = read(condition.operator)
    if qualified is None or qualified.operator.name not in _POSITIVE:
        return None
    if qualified.if_exists or qualified.quantifier is Quantifier.ALL:
        return None
    key = condition.key.lower()
    if key in _OF_SERVICES or (key == "aws:principalisawsservice" and condition.values == ("true",)):
        return ()
    if not _tells_caller(key):
        return None
    return tuple(value for value in condition.values if not _holds(zone, key, value))


def _tells_caller(key: str) -> bool:
    return key in _ACCOUNTS | _ORGANIZATIONS | _ARNS | _OWN_ACCESS_POINT or key == "aws:userid"


def _holds(zone: Zone, key: str, value: str) -> bool:
    """Whether only callers inside the zone have the value of the key."""
    if key in _ACCOUNTS | _OWN_ACCESS_POINT:
        return zone.holds_account(value)
    if key in _ORGANIZATIONS:
        return zone.holds_organization(value.partition("/")[0])
    if key in _ARNS:
        parts = value.split(":", _ARN_PARTS - 1)
        return len(parts) == _ARN_PARTS and zone.holds_account(parts[4])
    return value.partition(":")[0] in zone.ids or zone.holds_account(value.partition(":")[0])


def access_point_account(conditions: tuple[Condition, ...]) -> str:
    """The account whose access points a bucket leaves the decision to; empty where it is about no single one."""
    for condition in conditions:
        qualified = read(condition.operator)
        is_one = qualified is not None and qualified.operator.name in _POSITIVE and not qualified.if_exists
        if is_one and condition.key.lower() in _ACCESS_POINTS and len(condition.values) == 1:
            value = condition.values[0]
            return value.split(":")[4] if value.count(":") >= _ARN_PARTS - 1 else value
    return ""


def without_outsiders(statement: Statement, cell: Cell, zone: Zone) -> Statement:
    """A Deny without the conditions that hold for everybody in the cell, since none of them is of the organisation."""
    if cell.account is None or not zone.excludes(cell.account):
        return statement
    kept = tuple(each for each in statement.conditions if not _is_met_outside(each, zone))
    return statement._replace(conditions=kept)


def _is_met_outside(condition: Condition, zone: Zone) -> bool:
    """Whether the condition says no more than: not of the owner's organisation."""
    qualified = read(condition.operator)
    if qualified is None or qualified.operator.name not in _NOT_OF or qualified.quantifier is Quantifier.ANY:
        return False
    return condition.key.lower() == "aws:principalorgid" and set(condition.values) == {zone.organization}


def account_in(conditions: tuple[Condition, ...]) -> str | None:
    """The account that a condition on the caller's account or ARN names."""
    for condition in conditions:
        key, value = condition.key.lower(), condition.values[0] if condition.values else ""
        qualified = read(condition.operator)
        if qualified is None or qualified.operator.name not in _POSITIVE or qualified.if_exists:
            continue
        if key == "aws:principalarn" and value.count(":") >= _ARN_PARTS - 1:
            value = value.split(":")[4]
        elif key not in {"aws:principalaccount", "kms:calleraccount"}:
            continue
        if len(value) == ACCOUNT_DIGITS and value.isdigit():
            return value
    return None
