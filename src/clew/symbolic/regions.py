"""Regions of requests: what the engine decides by one law for each stack of policies in question.

The law hangs on caller, owner, action and, for KMS and STS, on the form of the resource. In stacks a resource is an ARN
of the caller's partition, or `*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws import catalog
from clew.engine.bulk_laws import BY_ACTION, Planner, callers
from clew.symbolic.automata import Step, letters
from clew.symbolic.budget import UndecidedError
from clew.symbolic.operators import arn_pattern
from clew.symbolic.search import Is
from clew.symbolic.space import ACTION, RESOURCE
from clew.symbolic.texts import Atom, KnownActions, Texts, equal, glob, globs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.engine import Policies
    from clew.engine.bulk_laws import Callers
    from clew.symbolic.contrast import Services
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

Limit = tuple[str, Texts, bool]
"""A dimension, a set, and whether inside or outside of it."""

_ELSEWHERE: Final = "999999999999"
_UNKNOWN: Final = ":example"
_DIGIT: Final = Step(many=False, only="0123456789")
_COLON: Final = letters(":")
_FIELD: Final = Step(many=True, excluded=":")
_FIELDS: Final = 6
_ACCOUNT: Final = 12


@dataclass(frozen=True, slots=True)
class Region:
    """Requests that the engine decides by one law for each side.

    `action` and `resource` stand for all of them; every one of them fulfils the `limits`. `owner` is the account that
    owns the resources; `account` is what the request says of it, None where the ARN does. `wildcard_only` says that the
    actions have no resource type.
    """

    action: str
    resource: str
    limits: tuple[Limit, ...]
    owner: str
    account: str | None = None
    wildcard_only: bool = False

    def formula(self, space: Space) -> Formula:
        """The requests of the region."""
        return Is(
            tuple(space.literal(where, each) * (1 if inside else -1) for where, each, inside in self.limits)
        )


class _Owner(NamedTuple):
    """Whose the resources are, what the request says of it, the account in their ARNs, and what limits them."""

    account: str
    said: str | None
    field: str
    limits: tuple[Limit, ...]


class Reach(NamedTuple):
    """The actions in question: known ones as bits, and the services of whose unknown actions some are; None for any."""

    known: int
    unknown: Services

    def has_unknown(self, services: frozenset[str]) -> bool:
        """Whether unknown actions of one of the services are in question."""
        return self.unknown is None or not self.unknown.isdisjoint(services)

    def has_other(self, services: frozenset[str]) -> bool:
        """Whether unknown actions of other services are in question."""
        return self.unknown is None or bool(self.unknown - services)


EVERYTHING: Final = Reach(-1, None)


class Asked(NamedTuple):
    """What the regions depend on: the principal, the policies of every side, and the actions in question."""

    principal: str
    sides: tuple[Policies, ...]
    reach: Reach = EVERYTHING


def regions(asked: Asked) -> Iterator[Region]:
    """The regions of the stacks' requests; together they hold every request about the actions in question."""
    named = callers(asked.principal)
    planners = _planners(asked.sides)
    reach = asked.reach
    services = [each for each in BY_ACTION if _is_reached(each, reach)]
    for owner in _owners(named, asked.sides):
        yield from _usual(owner, _partition(named), reach)
        for service in services:
            for resource, form in _forms(service, owner, _partition(named)):
                yield from _of_service(service, planners, named, owner, resource, form, reach)


def _planners(sides: Sequence[Policies]) -> list[Planner]:
    """A planner for each side; sides with the same gates share one."""
    found: list[Planner] = []
    for policies in sides:
        planner = Planner(policies)
        if planner not in found:
            found.append(planner)
    return found


def _is_reached(service: str, reach: Reach) -> bool:
    own = catalog.current().mask(f"{service}:*")
    return bool(reach.known & own) or reach.has_unknown(frozenset({service}))


def _partition(named: Callers) -> str:
    return named.usual.partition or "aws"


def _owners(named: Callers, sides: Sequence[Policies]) -> Iterator[_Owner]:
    account = named.usual.account
    elsewhere = ((RESOURCE, ANY_ACCOUNT, True),)
    nowhere = ((RESOURCE, ANY_ACCOUNT, False),)
    if not account:
        # A caller without an account: the resource's side decides alone, whoever owns the resource.
        yield _Owner("", None, "", nowhere)
        yield _Owner(_ELSEWHERE, None, _ELSEWHERE, elsewhere)
        return
    own = Texts(atom for atom in [arn_pattern(f"*:*:*:*:{account}:*")] if atom is not None)
    yield _Owner(account, None, account, ((RESOURCE, own, True),))
    yield _Owner(account, None, "", nowhere)
    if any(side.resource is not None or side.grants or side.acl for side in sides):
        yield _Owner(_ELSEWHERE, None, _ELSEWHERE, (*elsewhere, (RESOURCE, own, False)))
        yield _Owner(_ELSEWHERE, _ELSEWHERE, "", nowhere)


def _has_account(text: str) -> bool:
    parts = text.split(":", _FIELDS - 1)
    return len(parts) == _FIELDS and len(parts[4]) == _ACCOUNT and parts[4].isascii() and parts[4].isdigit()


ANY_ACCOUNT: Final = Texts(
    [
        Atom(
            ("any account",),
            _has_account,
            [*[_FIELD, *_COLON] * 4, *[_DIGIT] * _ACCOUNT, *_COLON, Step(many=True)],
        )
    ]
)
"""The texts whose fifth field is an account, as the engine reads them."""


_REST: Final = Step(many=True)
_DIGITS: Final = [_DIGIT] * _ACCOUNT


def _misleads(text: str) -> bool:
    fields = text.split(":")
    return any(
        len(each) == _ACCOUNT and each.isascii() and each.isdigit() for each in fields[_FIELDS - 1 : -1]
    )


MISLEADING: Final = Texts(
    [
        Atom(("misleading", place), _misleads, [*[_FIELD, *_COLON] * 5, *between, *_DIGITS, *_COLON, _REST])
        for place, between in (("first", []), ("later", [_REST, *_COLON]))
    ]
)
"""The texts with what looks like an account after the account; no resource is called so."""


def _has_some(text: str) -> bool:
    fields = text.split(":", _FIELDS - 1)
    return len(fields) == _FIELDS and bool(fields[4])


OWNED: Final = Texts(
    [
        Atom(
            ("owned",),
            _has_some,
            [*[_FIELD, *_COLON] * 4, Step(many=False, excluded=":"), _FIELD, *_COLON, _REST],
        )
    ]
)
"""The texts whose fifth field says something."""


def _of_kms(begin: str) -> Texts:
    """The ARNs of KMS whose last field begins so."""

    def match(text: str) -> bool:
        fields = text.split(":", _FIELDS - 1)
        is_kms = len(fields) == _FIELDS and fields[0] == "arn" and fields[2] == "kms"
        return is_kms and fields[-1].startswith(begin)

    steps = [
        *letters("arn:"),
        _FIELD,
        *letters(":kms:"),
        _FIELD,
        *_COLON,
        _FIELD,
        *_COLON,
        *letters(begin),
        _REST,
    ]
    return Texts([Atom(("kms", begin), match, steps)])


_ALIAS: Final = (RESOURCE, _of_kms("alias/"))
_KEY: Final = (RESOURCE, _of_kms("key/"))
_LIKE_KEYS: Final = (RESOURCE, globs(("arn:*:kms:*:key/*", "arn:*:kms:*:alias/*")))
_ROLE: Final = (RESOURCE, globs(("*:role/*",)))


def _forms(service: str, owner: _Owner, partition: str) -> Iterator[tuple[str, tuple[Limit, ...]]]:
    """A resource for each form that the service's law tells apart, and what holds for all resources of that form."""
    begin = f"arn:{partition}:{'kms' if service == 'kms' else 'x'}:us-east-1:{owner.field}:"
    arn = (RESOURCE, globs((f"arn:{partition}:*",)), True)
    if service == "kms":
        yield f"{begin}alias/a", (arn, (*_ALIAS, True))
        yield f"{begin}key/k", (arn, (*_KEY, True))
        # Beside keys and aliases it holds what looks like one behind a sixth colon: no resource is called so.
        yield f"arn:{partition}:x:us-east-1:{owner.field}:other", (arn, (*_LIKE_KEYS, False))
    elif service == "sts":
        yield f"{begin}role/r", (arn, (*_ROLE, True))
        yield f"{begin}other", (arn, (*_ROLE, False))
    else:
        yield f"{begin}other", (arn,)
    if not owner.field:
        yield "*", ((RESOURCE, Texts([equal("*")]), True),)


def _usual(owner: _Owner, partition: str, reach: Reach) -> Iterator[Region]:
    """The actions of all services that follow the common law."""
    known = catalog.current()
    special = 0
    for service in BY_ACTION:
        special |= known.mask(f"{service}:*")
    services = (ACTION, globs(tuple(f"{service}:*" for service in BY_ACTION)), False)
    resources = (RESOURCE, Texts([glob(f"arn:{partition}:*"), equal("*")]), True)
    resource = f"arn:{partition}:x:us-east-1:{owner.field}:other"
    alone, every = known.wildcard_only & ~special, KnownActions(known.index, known.wildcard_only)
    usual = known.index.everything & ~(special | alone)
    if reach.known & usual or reach.has_other(frozenset(BY_ACTION)):
        limits = (services, (ACTION, every, False), *owner.limits, resources)
        yield Region(f"x{_UNKNOWN}", resource, limits, owner.account, owner.said)
    if reach.known & alone:
        limits = ((ACTION, KnownActions(known.index, alone), True), *owner.limits, resources)
        yield Region(f"x{_UNKNOWN}", resource, limits, owner.account, owner.said, wildcard_only=True)


def _of_service(
    service: str,
    planners: Sequence[Planner],
    named: Callers,
    owner: _Owner,
    resource: str,
    form: tuple[Limit, ...],
    reach: Reach,
) -> Iterator[Region]:
    """The service's actions, cut by what the engine's law makes of each; last those that are not known yet."""
    known = catalog.current()
    common = (*owner.limits, *form)
    groups: dict[object, tuple[int, str, bool]] = {}
    for action in known.names(known.mask(f"{service}:*") & reach.known):
        name = action.lower()
        plans = tuple(planner.plan(name, named, resource, owner.account) for planner in planners)
        is_alone = known.is_wildcard_only(name)
        mask, first, _ = groups.get((plans, is_alone), (0, name, is_alone))
        groups[plans, is_alone] = (mask | known.mask(name), first, is_alone)
    for mask, first, is_alone in groups.values():
        actions: tuple[Limit, ...] = ((ACTION, KnownActions(known.index, mask), True),)
        yield Region(first, resource, (*actions, *common), owner.account, owner.said, is_alone)
    if not reach.has_unknown(frozenset({service})):
        return
    actions = (
        (ACTION, globs((f"{service}:*",)), True),
        (ACTION, KnownActions(known.index, known.mask(f"{service}:*")), False),
    )
    yield Region(f"{service}{_UNKNOWN}", resource, (*actions, *common), owner.account, owner.said)


def same_principal(principals: Sequence[str]) -> str:
    """The one principal; `UndecidedError` where the sides are about several."""
    if len(set(principals)) != 1:
        raise UndecidedError("the stacks are of different principals")
    return principals[0]
