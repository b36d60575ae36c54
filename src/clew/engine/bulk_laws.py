"""Which actions follow which law: the catalogue cut into slices that the engine decides alike for one kind of caller.

Almost every action follows the common law; a few services have rules for single actions. The engine is asked for its
plan for each of their actions, and for one action of all others, so that nothing of the law is written here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.authorize import Prepared, law_of
from clew.engine.decision import Gate
from clew.engine.gates import usable
from clew.engine.law import (
    BOUNDARY,
    DIRECT,
    ENDPOINT,
    GRANT,
    GRANT_TO_ROLE,
    IDENTITY,
    PUBLIC,
    RCP,
    RESOURCE,
    ROLE,
    SCP,
    SESSION,
    Law,
)
from clew.engine.principal import Caller, Kind, parse_principal
from clew.engine.services import LAWS, s3, sts
from clew.policy.model import Policy, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.bulk_masks import Masks
    from clew.engine.gates import Placed
    from clew.engine.policies import Policies


class Callers(NamedTuple):
    """A principal as the engine reads it, and as it reads it for AssumeRoleWithWebIdentity, where that differs."""

    usual: Caller
    web: Caller


def callers(principal: str) -> Callers:
    """The principal in both readings; `PrincipalError` when it is none."""
    return Callers(parse_principal(principal), parse_principal(principal, web_identity=True))


class Voice(NamedTuple):
    """What the engine looks at when it leaves a statement of the resource's side unheard for some action."""

    source: str
    denies: bool
    negated: bool


def voice(placed: Placed) -> Voice:
    """The voice of a statement."""
    return Voice(placed.source, placed.denies, placed.statement.not_principals is not None)


class View(NamedTuple):
    """What, besides caller and resource, decides which statements are about the caller, and how they name it.

    `web` says that a bare name is an identity provider's, `foreign` that the object's owner is not the bucket's, and
    `bounded` that a permissions boundary limits the caller. `unheard` are the voices that do not count.
    """

    web: bool
    foreign: bool
    bounded: bool
    unheard: frozenset[Voice]


class Slice(NamedTuple):
    """Actions that follow one law, in which the same gates take part; `law` leaves out what is known beforehand."""

    mask: int
    law: Law
    present: frozenset[Gate]
    view: View


def kind_of_question(named: Callers, policies: Policies, owner: str) -> tuple[object, ...]:
    """What the slices depend on besides resource and shared policies: equal for most principals of one account."""
    caller = named.usual
    return (
        caller.kind,
        named.web.kind,
        caller.service_linked,
        caller.partition,
        caller.account == owner,
        caller.account == (policies.object_owner or ""),
        bool(policies.boundaries),
        bool(policies.session),
        bool(policies.scps),
        policies.management_account,
    )


BY_ACTION: Final = (*LAWS, "dynamodb", "s3", "sqs")
"""The services whose actions the engine does not treat all alike; those of any other follow one law."""


def slices(
    named: Callers, policies: Policies, resource: str, owner: str, masks: Masks, within: int
) -> tuple[Slice, ...]:
    """The actions within the mask, cut by law, gates and view, for a principal and the policies that apply to it.

    Of the policies it only matters which gates they make up.
    """
    probe = Prepared(_probe(policies))
    found: dict[tuple[Law, frozenset[Gate], View], int] = {}
    for part, action in _alike(policies, masks, within):
        key = _key(probe, action, named, resource, owner)
        found[key] = found.get(key, 0) | part
    is_root = named.usual.kind is Kind.ROOT
    return tuple(
        Slice(mask, _short(law, present, is_root=is_root), present, view)
        for (law, present, view), mask in found.items()
    )


class Planner:
    """The law of single requests under policies, whatever their statements say; equal where the gates are equal."""

    def __init__(self, policies: Policies) -> None:
        self._probe = Prepared(_probe(policies))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Planner) and self._probe.policies == other._probe.policies

    __hash__ = None  # type: ignore[assignment]  # policies hold mappings

    def plan(
        self, action: str, named: Callers, resource: str, owner: str
    ) -> tuple[Law, frozenset[Gate], View]:
        """The law of the request, the gates that take part, and the view; `action` in lower case."""
        return _key(self._probe, action, named, resource, owner)


def _key(
    probe: Prepared, action: str, named: Callers, resource: str, owner: str
) -> tuple[Law, frozenset[Gate], View]:
    """The engine's own plan for the action, as far as it does not depend on what statements say."""
    policies = probe.policies
    web = action == sts.WEB_IDENTITY and named.web != named.usual
    foreign = s3.is_ruled_by_object_owner(action, policies, owner)
    caller, account = named[web], policies.object_owner or "" if foreign else owner
    law = law_of(action, resource, caller, same_account=account == caller.account)
    present = probe.present(law, caller, action)  # not a second law
    unheard: set[Placed] = set()
    if Gate.RESOURCE in present:
        heard = probe.heard_of_resource(action, resource, law, caller, present, foreign=foreign)
        unheard = {*probe.about(Gate.RESOURCE, action)} - {*heard}
    return law, present, View(web, foreign, Gate.BOUNDARY in present, frozenset(map(voice, unheard)))


def _probe(policies: Policies) -> Policies:
    """Policies that make up the same gates, with one statement of each voice, about every action."""
    silent = Policy(())
    return replace(
        policies,
        identity=(),
        resource=policies.resource and _each_voice(policies.resource),
        boundaries=policies.boundaries and (silent,),
        session=policies.session and (silent,),
        scps=policies.scps and ((silent,),),
        rcps=policies.rcps and ((silent,),),
        endpoint=policies.endpoint and (silent,),
        grants=policies.grants and ({"GranteePrincipal": "*", "Operations": ["*"]},),
        acl=policies.acl and {"Grants": [{"Grantee": {"ID": "*"}, "Permission": "FULL_CONTROL"}]},
    )


def _each_voice(policy: Policy) -> Policy:
    found = {
        (each.effect, each.not_principals is not None): each
        for each in policy.statements
        if not usable(each, Gate.RESOURCE)
    }
    return policy._replace(
        statements=tuple(
            Statement(
                each.effect,
                principals=each.principals,
                not_principals=each.not_principals,
                actions=("*",),
                resources=("*",),
            )
            for each in found.values()
        )
    )


def _alike(policies: Policies, masks: Masks, within: int) -> Iterator[tuple[int, str]]:
    """Sets of actions that are alike in everything but what statements say, each with one of them."""
    rest = within
    for service in BY_ACTION:
        for mask, action in masks.each(f"{service}:*"):
            if mask & within:
                rest ^= mask
                yield mask, action
    reached = rest & masks.of_rcp_services if policies.rcp_services_only else 0
    for part in (reached, rest ^ reached):
        if part:
            yield part, masks.first(part)


_SOURCES: Final = (DIRECT, ROLE, RESOURCE, GRANT, GRANT_TO_ROLE)
_LIMITS: Final = (
    (BOUNDARY, Gate.BOUNDARY),
    (SESSION, Gate.SESSION),
    (SCP, Gate.SCP),
    (ENDPOINT, Gate.ENDPOINT),
    (PUBLIC, Gate.BLOCK_PUBLIC_ACCESS),
)


def _short(law: Law, present: frozenset[Gate], *, is_root: bool) -> Law:
    """The law without the atoms that no statement can change."""
    true = {RCP, *(atom for atom, gate in _LIMITS if gate not in present)}
    false = set() if Gate.RESOURCE in present else set(_SOURCES)
    if Gate.IDENTITY not in present:
        (true if is_root else false).add(IDENTITY)
    return law.without(frozenset(true), frozenset(false))
