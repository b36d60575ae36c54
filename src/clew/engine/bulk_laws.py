"""Which actions follow which law: the catalogue cut into slices that the engine decides alike for one kind of caller.

Almost every action follows the common law; IAM, KMS and STS choose by action, and so do the owner of an S3 object,
Block Public Access and the reach of resource control policies. Each slice asks the engine itself about one of its
actions, so nothing of the law is written here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.engine.authorize import Prepared, _law
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
    from collections.abc import Iterator

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
    prepared = Prepared(replace(policies, identity=()))
    found: dict[tuple[Law, frozenset[Gate], View], int] = {}
    for part in _parts(policies, owner, masks, within):
        action = masks.index.lowered[(part & -part).bit_length() - 1]
        web = action == sts.WEB_IDENTITY and named.web != named.usual
        caller = named.web if web else named.usual
        foreign = s3.is_ruled_by_object_owner(action, policies, owner)
        account = policies.object_owner or "" if foreign else owner
        law = _law(action, resource, caller, same_account=account == caller.account)
        present = prepared._present(law, caller, action)  # noqa: SLF001  # the engine's answer, not a second one
        key = (law, present, View(web, foreign, Gate.BOUNDARY in present))
        found[key] = found.get(key, 0) | part
    is_root = named.usual.kind is Kind.ROOT
    return tuple(
        Slice(mask, _short(law, present, is_root=is_root), present, view)
        for (law, present, view), mask in found.items()
    )


def _parts(policies: Policies, owner: str, masks: Masks, within: int) -> Iterator[int]:
    """Sets of actions that are alike in everything that the law looks at."""
    rest = within
    for service in LAWS:
        for mask, _ in masks.each(f"{service}:*"):
            if mask & within:
                rest ^= mask
                yield mask
    parts = [rest]
    for divider in _dividers(policies, owner, masks):
        parts = [half for part in parts for half in (part & divider, part ^ (part & divider))]
    yield from filter(None, parts)


def _dividers(policies: Policies, owner: str, masks: Masks) -> Iterator[int]:
    """Sets of actions for which other gates or another owner may count than for the rest."""
    if policies.block_public_access:
        yield masks.index.mask("s3:*")
    if policies.rcp_services_only:
        yield masks.of_rcp_services
    if policies.object_owner is not None:
        yield masks.where("s3:*", lambda action: s3.is_ruled_by_object_owner(action, policies, owner))


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
