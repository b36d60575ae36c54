"""Which actions follow which law: the catalogue cut into slices that the engine decides alike for one kind of caller.

Almost every action follows the common law; IAM, KMS and STS choose by action, and so do the owner of an S3 object,
Block Public Access and the reach of resource control policies. Each slice asks the engine itself about one of its
actions, so nothing of the law is written here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.authorize import Prepared, _law
from clew.engine.bulk_masks import without
from clew.engine.decision import Gate
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine.bulk_masks import Masks
    from clew.engine.policies import Policies


class Callers(NamedTuple):
    """A principal as the engine reads it, and as it reads it for AssumeRoleWithWebIdentity, where that differs."""

    usual: Caller
    web: Caller


def callers(principal: str) -> Callers:
    """The principal in both readings; `PrincipalError` when it is none."""
    return Callers(parse_principal(principal), parse_principal(principal, web_identity=True))


class View(NamedTuple):
    """What, besides the resource, decides how a statement names the caller.

    `web` says that a bare name is an identity provider's, `foreign` that the object's owner is not the bucket's, and
    `bounded` that a permissions boundary limits the caller.
    """

    web: bool
    foreign: bool
    bounded: bool


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


def slices(
    named: Callers, policies: Policies, resource: str, owner: str, masks: Masks, within: int
) -> tuple[Slice, ...]:
    """The actions within the mask, cut by law, gates and view, for a principal and the policies that apply to it.

    Of the principal's own policies it only matters which gates they make up.
    """
    by_law: dict[tuple[Law, bool, bool], int] = {}
    for part, action in _alike_in_law(policies, owner, masks, within):
        web = action == sts.WEB_IDENTITY and named.web != named.usual
        foreign = s3.is_ruled_by_object_owner(action, policies, owner)
        caller, account = named[web], policies.object_owner or "" if foreign else owner
        law = _law(action, resource, caller, same_account=account == caller.account)
        by_law[law, web, foreign] = by_law.get((law, web, foreign), 0) | part
    prepared, is_root = Prepared(replace(policies, identity=())), named.usual.kind is Kind.ROOT
    found: list[Slice] = []
    for (law, web, foreign), mask in by_law.items():
        for part in _split([mask], _alike_in_gates(policies, masks)):
            present = prepared._present(law, named[web], masks.first(part))  # noqa: SLF001  # the engine's own answer
            view = View(web, foreign, Gate.BOUNDARY in present)
            found.append(Slice(part, _short(law, present, is_root=is_root), present, view))
    return tuple(found)


def _alike_in_law(policies: Policies, owner: str, masks: Masks, within: int) -> Iterator[tuple[int, str]]:
    """Sets of actions that are alike in what the law looks at, each with one of them: most actions together.

    Services with laws of their own come action by action.
    """
    rest = within
    for service in LAWS:
        for mask, action in masks.each(f"{service}:*"):
            if mask & within:
                rest ^= mask
                yield mask, action
    foreign = masks.where("s3:*", lambda action: s3.is_ruled_by_object_owner(action, policies, owner))
    for part in _split([rest], [foreign]):
        yield part, masks.first(part)


def _alike_in_gates(policies: Policies, masks: Masks) -> Iterator[int]:
    """Sets of actions for which other gates may take part than for the rest."""
    if policies.block_public_access:
        yield masks.index.mask("s3:*")
    if policies.rcps:
        yield masks.of_rcp_services
        # AWS KMS Developer Guide, "Resource control policies": the one action of its service that they do not reach.
        yield masks.index.mask("kms:RetireGrant")


def _split(parts: list[int], dividers: Iterable[int]) -> list[int]:
    """The parts, each cut where a divider cuts it."""
    for divider in dividers:
        parts = [half for part in parts for half in (part & divider, without(part, divider))]
    return [part for part in parts if part]


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


def about_trust(masks: Masks, resource: str) -> int:
    """The actions whose resource policy is a role's trust policy."""
    return masks.where("sts:*", lambda action: sts.is_about_trust(action, resource))
