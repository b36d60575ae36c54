"""Whom a resource itself lets in of accounts that are not at hand, and services: they are named, not judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.engine import Context, Policies
from clew.engine.decision import Gate
from clew.engine.gates import GRANT, place_one
from clew.engine.services import kms, s3
from clew.errors import PolicyError
from clew.reach.resource_policy import resource_side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.gates import Placed
    from clew.policy.model import Principal
    from clew.reach.resource_policy import ResourceSide
    from clew.snapshot.model import Snapshot


@dataclass(frozen=True, slots=True)
class Outsider:
    """A principal that the resource lets in and whose account is not at hand: it needs that account's leave."""

    principal: str
    reason: str


def outsiders(snapshot: Snapshot, action: str, resource: str) -> Iterator[Outsider]:
    """Whom the resource's policy, its grants and its access control list let do the action, each once."""
    side = resource_side(snapshot, action, resource)
    seen: set[str] = set()
    try:
        placed = tuple(_allowing(side))
    except PolicyError as error:
        yield Outsider("whoever its policy names", f"it cannot be read: {error}")
        placed = tuple(_beside_policy(side))
    for each in placed:
        for entry in each.statement.principals or () if _is_about(each, action.lower(), resource) else ():
            if entry.value not in seen and not _is_at_hand(entry, snapshot):
                seen.add(entry.value)
                yield Outsider(entry.value, _reason(each))


def _allowing(side: ResourceSide) -> Iterator[Placed]:
    """Every statement of the resource's side that allows. Errors: `PolicyError`."""
    attachment = side.attachment
    if attachment is not None and attachment.document is not None:
        yield from place_one(attachment.document.policy, Gate.RESOURCE, "resource_policy")
    yield from _beside_policy(side)


def _beside_policy(side: ResourceSide) -> Iterator[Placed]:
    held = side.resource
    if held is not None:
        yield from kms.place_grants(held.grants)
        listed = Policies(
            acl=held.acl, object_ownership=held.object_ownership, block_public_access=held.block_public_access
        )
        yield from s3.place_acl(listed)


def _is_about(placed: Placed, action: str, resource: str) -> bool:
    """Whether the statement may allow the action on the resource, in some context."""
    if placed.denies or placed.ignored or not placed.compiled.matches_action(action):
        return False
    wildcard_only = catalog.is_wildcard_only(action)
    return placed.applies(resource, Context(unknown=None), wildcard_only=wildcard_only) is not False


def _is_at_hand(entry: Principal, snapshot: Snapshot) -> bool:
    return entry.is_anyone or (entry.account is not None and entry.account in snapshot.accounts)


def _reason(placed: Placed) -> str:
    statement = placed.statement
    if placed.source == GRANT:
        return "a grant of the key"
    if placed.source != Gate.RESOURCE.value:
        return "the access control list"
    return f"named by `{statement.sid or f'statement {statement.index + 1}'}` of the resource's policy"
