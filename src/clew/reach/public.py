"""Whether everybody can read, write, list, or change the permissions of a resource, and what keeps them out.

For each leg: the Allow statements for everybody that no condition holds to known callers, less what the engine says is
denied to a stranger on every witness; then an S3 access control list; then Object Ownership and Block Public Access of
bucket and account. What could not be read leaves a leg unknown only where it could change the answer.

AWS S3 User Guide: "Blocking public access to your Amazon S3 storage", "Access control list (ACL) overview".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.engine.services.s3 import ENFORCED
from clew.engine.services.s3_public import is_public as is_public_to_s3
from clew.policy.model import Policy
from clew.reach.alike import alike
from clew.reach.callers import is_held, without_strangers
from clew.reach.witnesses import actions_on, fits, kinds_of, witnesses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.policy.model import Statement


class Leg(StrEnum):
    """What everybody may be able to do."""

    READ = "read"
    WRITE = "write"
    LIST = "list"
    PERMISSIONS = "permissions"


class Openness(StrEnum):
    """The answer of one leg."""

    PUBLIC = "public"
    NOT_PUBLIC = "not_public"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that nobody could read, and the call that would tell it."""

    call: str


Settings = Mapping[str, bool] | Unread | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about one resource. None: AWS said that there is none.

    `acl`, `ownership` and both settings of Block Public Access are a bucket's; other resources leave them None.
    """

    arn: str
    account: str
    policy: Policy | Unread | None = None
    acl: Mapping[str, object] | Unread | None = None
    ownership: str | Unread | None = None
    block: Settings = None
    account_block: Settings = None


@dataclass(frozen=True, slots=True)
class Way:
    """One statement or one entry of an access control list that is for everybody.

    `closed_by` names what keeps everybody out all the same; empty where nothing does. `any_account` when callers need
    some AWS account. `limited`: a condition or a Deny may take part of it back, and a stranger can get past it.
    `unsettled` are the calls without which it is not known whether something closes it.
    """

    name: str
    by: str
    actions: tuple[str, ...]
    closed_by: str = ""
    any_account: bool = False
    limited: bool = False
    unsettled: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Access:
    """The answer of one leg: the ways that are open, those that something closes, and the calls that are missing."""

    leg: Leg
    openness: Openness
    ways: tuple[Way, ...] = ()
    closed: tuple[Way, ...] = ()
    missing: tuple[str, ...] = ()


_LEVELS: Final[Mapping[str, Leg]] = MappingProxyType(
    {
        "Read": Leg.READ,
        "List": Leg.LIST,
        "Write": Leg.WRITE,
        "Tagging": Leg.WRITE,
        "Permissions management": Leg.PERMISSIONS,
    }
)
# AWS: "Access control list (ACL) overview", what grants on a bucket mean.
_GRANTED: Final[Mapping[str, tuple[Leg, ...]]] = MappingProxyType(
    {
        "READ": (Leg.LIST,),
        "WRITE": (Leg.WRITE,),
        "READ_ACP": (Leg.PERMISSIONS,),
        "WRITE_ACP": (Leg.PERMISSIONS,),
        "FULL_CONTROL": (Leg.LIST, Leg.WRITE, Leg.PERMISSIONS),
    }
)
_GROUPS: Final = "http://acs.amazonaws.com/groups/global/"
_EVERYBODY: Final = f"{_GROUPS}AllUsers"
_ANY_ACCOUNT: Final = f"{_GROUPS}AuthenticatedUsers"
_RESTRICT: Final = "RestrictPublicBuckets"
_MAY_LET_IN: Final = frozenset({Effect.ALLOW, Effect.UNDETERMINED})
_IGNORE: Final = "IgnorePublicAcls"


def public_access(facts: Facts) -> Mapping[Leg, Access]:
    """The answer of each leg."""
    by_policy, policy_missing = _of_policy(facts)
    by_acl, acl_missing = _of_acl(facts)
    missing = tuple(dict.fromkeys((*policy_missing, *acl_missing)))
    return {leg: _leg(leg, (*by_policy.get(leg, ()), *by_acl.get(leg, ())), missing) for leg in Leg}


def _leg(leg: Leg, ways: tuple[Way, ...], missing: tuple[str, ...]) -> Access:
    open_ways = tuple(way for way in ways if not way.closed_by and not way.unsettled)
    closed = tuple(way for way in ways if way.closed_by)
    if open_ways:
        return Access(leg, Openness.PUBLIC, open_ways, closed)
    doubts = (*missing, *(call for way in ways for call in way.unsettled))
    openness = Openness.UNKNOWN if doubts else Openness.NOT_PUBLIC
    return Access(leg, openness, (), closed, tuple(dict.fromkeys(doubts)))


_Ways = dict[Leg, tuple[Way, ...]]
_Opened = tuple[tuple["Statement", tuple[tuple[str, bool], ...]], ...]


def _of_policy(facts: Facts) -> tuple[_Ways, tuple[str, ...]]:
    """The ways of the policy by leg, and what is missing to tell them."""
    restricted, unread = _flag(facts, _RESTRICT)
    if isinstance(facts.policy, Unread):
        return {}, () if restricted else (facts.policy.call,)
    if facts.policy is None:
        return {}, ()
    found = _statements(facts.arn, facts.account, facts.policy)
    if not is_public_to_s3(facts.policy):
        restricted, unread = False, ()
    # AWS: RestrictPublicBuckets keeps strangers away from a bucket whose policy S3 calls public.
    return _by_leg(found, _RESTRICT if restricted else "", unread), ()


def _by_leg(found: _Opened, closed: str, unsettled: tuple[str, ...]) -> _Ways:
    ways: dict[Leg, tuple[Way, ...]] = {}
    for statement, actions in found:
        name = f"statement `{statement.sid}`" if statement.sid else f"statement {statement.index + 1}"
        for leg in Leg:
            mine = tuple((action, limited) for action, limited in actions if _leg_of(action) is leg)
            if mine:
                limited = all(each for _, each in mine)
                way = Way(name, "policy", tuple(action for action, _ in mine), closed)
                way = replace(way, limited=limited, unsettled=unsettled)
                ways[leg] = (*ways.get(leg, ()), way)
    return ways


def open_statements(arn: str, account: str, policy: Policy) -> tuple[Statement, ...]:
    """The Allow statements of a resource's policy by which a stranger gets something."""
    return tuple(statement for statement, _ in _statements(arn, account, policy))


def _statements(arn: str, account: str, policy: Policy) -> _Opened:
    """Each open statement with the actions that it opens, and whether each is under conditions."""
    denials = tuple(without_strangers(each) for each in policy.statements if not each.allows)
    stands_for = tuple(witnesses(arn, policy))
    found = []
    for statement in policy.statements:
        if statement.allows and not is_held(statement):
            opened = tuple(_opened(Policy((statement, *denials), policy.version), arn, account, stands_for))
            if opened:
                found.append((statement, opened))
    return tuple(found)


def _opened(
    policy: Policy, arn: str, account: str, stands_for: tuple[str, ...]
) -> Iterator[tuple[str, bool]]:
    """The actions of the first statement that a stranger can do on some witness, and whether under conditions."""
    # Alone first: where it lets nobody in, a Deny under conditions leaves open only which denial it is.
    alone = prepare(Policies(resource=Policy(policy.statements[:1], policy.version)))
    prepared = prepare(Policies(resource=policy))
    kinds = {witness: kinds_of(witness) for witness in stands_for}
    for group in alike(actions_on(policy.statements[0], arn.split(":")[2]), policy.statements):
        asked = [Request("*", group[0], witness, account, Context(unknown=None)) for witness in stands_for]
        effects = {
            each.resource: prepared.effect(each) for each in asked if alone.effect(each) in _MAY_LET_IN
        }
        for action in group:
            found = {effect for witness, effect in effects.items() if fits(action, kinds[witness])}
            if found & _MAY_LET_IN:
                yield action, Effect.ALLOW not in found


def _leg_of(action: str) -> Leg | None:
    known = catalog.current().action(action)
    return _LEVELS.get(known.access_level) if known else None


def _of_acl(facts: Facts) -> tuple[_Ways, tuple[str, ...]]:
    """The ways of the access control list by leg, and what is missing to tell them."""
    if facts.acl is None or facts.ownership == ENFORCED:
        return {}, ()
    ignored, unread = _flag(facts, _IGNORE)
    if isinstance(facts.acl, Unread):
        return {}, () if ignored else (facts.acl.call,)
    if isinstance(facts.ownership, Unread) and not ignored:
        unread = (*unread, facts.ownership.call)
    ways: dict[Leg, tuple[Way, ...]] = {}
    for permission, group in _entries(facts.acl):
        name = f"ACL entry {permission} for {group.removeprefix(_GROUPS)}"
        closed = _IGNORE if ignored else ""
        way = Way(name, "acl", (), closed, any_account=group == _ANY_ACCOUNT, unsettled=unread)
        for leg in _GRANTED[permission]:
            ways[leg] = (*ways.get(leg, ()), way)
    return ways, ()


def _entries(acl: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Permission and group of each entry that is for everybody, or for everybody with an AWS account."""
    grants = acl.get("Grants")
    for grant in grants if isinstance(grants, list | tuple) else ():
        grantee = grant.get("Grantee") if isinstance(grant, Mapping) else None
        group = grantee.get("URI") if isinstance(grantee, Mapping) else None
        permission = str(grant.get("Permission"))
        if group in {_EVERYBODY, _ANY_ACCOUNT} and permission in _GRANTED:
            yield permission, str(group)


def _flag(facts: Facts, name: str) -> tuple[bool, tuple[str, ...]]:
    """Whether bucket or account has the setting on, and what is missing where neither is known to have it."""
    settings = (facts.block, facts.account_block)
    if any(isinstance(each, Mapping) and each.get(name) is True for each in settings):
        return True, ()
    return False, tuple(each.call for each in settings if isinstance(each, Unread))


def worst(accesses: Iterable[Access]) -> Openness:
    """One answer for several legs: public when one is, unknown when one is and none is public."""
    found = {access.openness for access in accesses}
    return next((o for o in (Openness.PUBLIC, Openness.UNKNOWN) if o in found), Openness.NOT_PUBLIC)
