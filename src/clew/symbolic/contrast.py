"""What of two sides can matter when one is held against the other, told from the statements' words alone.

Most statements of an edited policy are copies of the old one's, and most others speak of other services. Neither is
compiled, asked or looked at again: see benchmarks/symbolic.py for what that saves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clew.policy import variables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.policy.model import Policy, Statement
    from clew.symbolic.sides import Documents

Services = frozenset[str] | None
"""Services by their prefixes in lower case; None for any."""

_NO_SERVICE: Services = frozenset()


class _Told(NamedTuple):
    """One statement: its place in the side, its words without name and place, and the services of its actions."""

    place: tuple[int, int]
    statement: Statement
    words: object
    services: Services


def contrasted(left: Documents, right: Documents) -> tuple[Documents, Documents]:
    """Both sides with fewer statements; the left one still allows the same requests beyond the right one.

    An Allow that the right side has too matters only where a Deny may take it away that the left has not. Of the other
    statements those matter which speak of a service of an Allow that is left.
    """
    if left.kind is not right.kind:
        return left, right
    a_allows, a_denies = _parted(left)
    b_allows, b_denies = _parted(right)
    shared = {each.words for each in a_denies}
    denials = [each for each in b_denies if each.words not in shared or _is_wider(each.statement, right)]
    copied = {each.words for each in b_allows}
    denied = _services(denials)
    allows = [each for each in a_allows if each.words not in copied or _meet(each.services, denied)]
    granted = _services(allows)
    return (
        _kept(left, [*allows, *_meeting(a_denies, granted)]),
        _kept(right, [*_meeting(b_allows, granted), *_meeting(denials, granted)]),
    )


def limited(side: Documents, services: Services) -> Documents:
    """The side without the statements that speak of other services only."""
    allows, denies = _parted(side)
    return _kept(side, _meeting([*allows, *denies], services))


def services_of(patterns: Iterable[str]) -> Services:
    """The services of patterns of actions.

    >>> sorted(services_of(["s3:Get*", "EC2:RunInstances"])), services_of(["s3:Get*", "*"])
    (['ec2', 's3'], None)
    """
    found = set()
    for pattern in patterns:
        service, colon, _ = pattern.partition(":")
        if not colon or "*" in service or "?" in service:
            return None
        found.add(service.lower())
    return frozenset(found)


def _parted(side: Documents) -> tuple[list[_Told], list[_Told]]:
    """The Allow and the Deny statements."""
    allows: list[_Told] = []
    denies: list[_Told] = []
    for number, policy in enumerate(side.policies):
        has_variables = policy.version == variables.VERSION
        for place, statement in enumerate(policy.statements):
            worded = (words(statement), has_variables)
            services = None if statement.actions is None else services_of(statement.actions)
            told = _Told((number, place), statement, worded, services)
            (allows if statement.allows else denies).append(told)
    return allows, denies


def words(statement: Statement) -> object:
    """The statement's words without name and place: equal for statements that list the same in any order."""
    listed = (
        statement.principals,
        statement.not_principals,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
    )
    conditions = ((each.operator, each.key, frozenset(each.values)) for each in statement.conditions)
    return (
        statement.effect,
        *(None if each is None else frozenset(each) for each in listed),
        frozenset(conditions),
    )


def _is_wider(statement: Statement, side: Documents) -> bool:
    """Whether the side reads the statement's principals as more callers than others do."""
    return side.wildcards and any(
        "*" in each.value or "?" in each.value for each in statement.principals or ()
    )


def _services(listed: Iterable[_Told]) -> Services:
    found: set[str] = set()
    for each in listed:
        if each.services is None:
            return None
        found |= each.services
    return frozenset(found)


def _meet(one: Services, other: Services) -> bool:
    if one is None or other is None:
        return bool(one is None or one) and bool(other is None or other)
    return not one.isdisjoint(other)


def _meeting(listed: Iterable[_Told], services: Services) -> list[_Told]:
    return [each for each in listed if _meet(each.services, services)]


def _kept(side: Documents, listed: Iterable[_Told]) -> Documents:
    """The side with these statements only, in their order."""
    places = {each.place for each in listed}
    return replace(
        side, policies=tuple(_cut(policy, number, places) for number, policy in enumerate(side.policies))
    )


def _cut(policy: Policy, number: int, places: set[tuple[int, int]]) -> Policy:
    kept = tuple(each for place, each in enumerate(policy.statements) if (number, place) in places)
    return policy if len(kept) == len(policy.statements) else policy._replace(statements=kept)
