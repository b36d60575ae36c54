"""A snapshot with some of its resources as they were at another moment, from their configuration items.

Items of `clew collect` and of AWS Config are read alike. A resource without an item of that time stays as the snapshot
has it, and is named as such: what it was then is assumed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clew.snapshot import details, side
from clew.snapshot.history import Step, between, by_resource, filled
from clew.snapshot.items import CONFIG, Item, Status
from clew.snapshot.model import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clew.snapshot.model import Account, Resource, Snapshot

_GONE = frozenset({Status.DELETED, Status.NOT_RECORDED})
_LISTS = {
    "AWS::IAM::User": "UserDetailList",
    "AWS::IAM::Group": "GroupDetailList",
    "AWS::IAM::Role": "RoleDetailList",
    "AWS::IAM::Policy": "Policies",
}
# Where a resource's policy stands among the parts of its item, in Clew's items and in AWS Config's.
_POLICIES: Mapping[str, tuple[str, ...]] = {
    "AWS::S3::Bucket": ("BucketPolicy",),
    "AWS::KMS::Key": ("Policy",),
    "AWS::Lambda::Function": ("Policy",),
    "AWS::SecretsManager::Secret": ("ResourcePolicy",),
    "AWS::SNS::Topic": ("Attributes", "Policy"),
    "AWS::SQS::Queue": ("Attributes", "Policy"),
}


TYPES = frozenset({*_LISTS, *_POLICIES})
"""The types of resources whose items say what policies were."""


@dataclass(frozen=True, slots=True)
class Used:
    """One resource as it was at that moment: the item that says it, and whether it is certain.

    `why` tells what is assumed where it is not: the resource changed between two items, nobody knows when.
    """

    arn: str
    item: Item
    why: str = ""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The snapshot as of a moment, what it was made from, and the resources that no item tells of."""

    snapshot: Snapshot
    time: datetime
    used: tuple[Used, ...] = ()
    missing: tuple[str, ...] = ()


def as_of(
    snapshot: Snapshot,
    time: datetime,
    arns: Iterable[str],
    items: Iterable[Item],
    changed_at: Callable[[Step], datetime | None],
) -> AsOf:
    """The snapshot with the resources of these ARNs as their items say they were.

    `changed_at` says when the change between an item before the moment and one after it was made, where that is known.
    """
    histories: dict[str, list[list[Item]]] = {}
    for key, found in by_resource(items).items():
        for arn in {item.arn for item in found if item.arn}:
            if key.type in TYPES:
                histories.setdefault(arn, []).append(found)
    # A snapshot taken after the item and before the moment knows better.
    collected = datetime.fromisoformat(snapshot.collected_at) if snapshot.collected_at else None
    used: list[Used] = []
    missing: list[str] = []
    for arn in dict.fromkeys(arns):
        told = [each for history in histories.get(arn, ()) if (each := _at(arn, history, time, changed_at))]
        best = max(told, key=lambda each: (not each.why, each.item.captured_at), default=None)
        if best is None:
            missing.append(arn)
        elif collected is None or not best.item.captured_at <= collected <= time:
            used.append(best)
    return AsOf(_with(snapshot, [each.item for each in used]), time, tuple(used), tuple(missing))


def _at(
    arn: str, history: list[Item], time: datetime, changed_at: Callable[[Step], datetime | None]
) -> Used | None:
    """What the resource was at the moment; None where no item of that time says it."""
    before = None
    for item in history:
        known = item if before is None else filled(item, before)
        if item.captured_at <= time:
            before = known
            continue
        if before is None or before.status in _GONE:
            return None
        found = tuple(between(before, known))
        if not found and item.status not in _GONE:
            return Used(arn, before)
        moment = changed_at(Step(known, before, found))
        if moment is not None:
            return Used(arn, known if moment <= time and item.status not in _GONE else before)
        return Used(arn, before, f"it changed until {_told(item.captured_at)}, nobody knows when")
    return None if before is None or before.status in _GONE else Used(arn, before)


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _with(snapshot: Snapshot, items: list[Item]) -> Snapshot:
    """The snapshot in which the items' resources are as the items say."""
    collected = details.Collected()
    for item in items:
        if item.key.type in _LISTS and item.configuration is not None:
            page = {_LISTS[item.key.type]: [_plain(item)]}
            collected.add(Source(_name(item), json.dumps(page)), item.key.account)
    accounts = dict(snapshot.accounts)
    for name, found in collected.accounts().items():
        accounts[name] = _joined(accounts[name], found) if name in accounts else found
    resources = dict(snapshot.resources)
    for item in items:
        if item.key.type in _POLICIES and item.arn:
            resources |= _resource(item, resources.get(item.arn))
    return replace(snapshot, accounts=accounts, resources=resources)


def _name(item: Item) -> str:
    return f"{item.key.recorder} {item.captured_at:%Y-%m-%dT%H:%M:%SZ}"


def _joined(account: Account, then: Account) -> Account:
    return replace(
        account,
        users={**account.users, **then.users},
        groups={**account.groups, **then.groups},
        roles={**account.roles, **then.roles},
        policies={**account.policies, **then.policies},
        versions={**account.versions, **then.versions},
    )


def _plain(item: Item) -> object:
    """The configuration in the words of GetAccountAuthorizationDetails; AWS Config begins its names in lower case."""
    return _capital(item.configuration) if item.key.recorder == CONFIG else item.configuration


def _capital(value: object) -> object:
    """The names with capitals; policy documents, which AWS Config writes as text, stay."""
    if isinstance(value, dict):
        return {f"{name[:1].upper()}{name[1:]}": _capital(each) for name, each in value.items()}
    return [_capital(each) for each in value] if isinstance(value, list) else value


def _resource(item: Item, now: Resource | None) -> Mapping[str, Resource]:
    """The resource with its policy of then; what the item does not tell is as the snapshot has it."""
    value: Any = item.supplements
    for step in _POLICIES[item.key.type]:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict) and "policyText" in value:
        value = value["policyText"]
    record = {"Account": item.key.account, "Policy": value or None}
    made = side.resources(Source(_name(item), json.dumps({item.arn: {**record, **dict(_settings(item))}})))
    found = made[item.arn]
    if now is None:
        return {item.arn: found}
    return {item.arn: replace(now, account=found.account, policy=found.policy, **_kept(found, now))}


def _settings(item: Item) -> Iterator[tuple[str, object]]:
    """The Block Public Access settings of a bucket, where the item tells them as S3's API does."""
    block = item.supplements.get("PublicAccessBlockConfiguration")
    if isinstance(block, dict) and block:
        yield "PublicAccessBlockConfiguration", _capital(block)


def _kept(found: Resource, now: Resource) -> dict[str, Any]:
    block = found.block_public_access
    return {"block_public_access": block if block is not None else now.block_public_access}
