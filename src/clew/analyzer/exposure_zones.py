"""The zone of trust around an account: whose organisation it is in, and which control policies are above it.

The accounts of an organisation are told by its management account, or by one that it has delegated administration to.
So an account's own answers need not hold them: those of every account at hand are looked at, in every file.
AWS: Organizations API Reference: "ListAccounts"; Organizations User Guide: "Resource control policies (RCPs)".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.analyzer.exposure_model import Unknown, Zone, ZoneOfTrust
from clew.analyzer.exposure_reading import about, member
from clew.reach import guardrails
from clew.reach.attached import held
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.exposure_accounts import State
    from clew.policy.model import Policy
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Account, Organization


@dataclass(frozen=True, slots=True)
class _Membership:
    """The organisation's id and its accounts, None where nobody told them, and the calls that would."""

    id: str | None
    members: frozenset[str] | None
    missing: tuple[str, ...] = ()


def zone_of(
    state: State, account: str, kind: ZoneOfTrust, beside: Sequence[State] = ()
) -> tuple[Zone, tuple[Unknown, ...]]:
    """The zone around the account, and what is not known of it; `beside` are the other states that are at hand."""
    states = (state, *beside)
    found = _membership(states, account)
    unknown: tuple[Unknown, ...] = ()
    if kind is ZoneOfTrust.ORGANIZATION and found.missing:
        why = f"which accounts are of the organisation is not known: {found.missing[0]}"
        unknown = (Unknown("", "AWS::Organizations::Account", account, "", found.missing, why),)
    ids = _ids(state.snapshot.accounts.get(account))
    rcps = _rcps(states, account, found)
    zone = Zone(account, kind, found.id, found.members, ids, rcps or (), rcps_known=rcps is not None)
    return zone, unknown


def _membership(states: Sequence[State], account: str) -> _Membership:
    own = states[0]
    if not len(own.answers):
        return _of_files(states)
    described = _described(own, account)
    if described.status is Status.ABSENT:
        return _Membership(None, frozenset({account}))
    listed = next((each for each in _listings(states, account) if _names(each, account)), None)
    if listed is None:
        told = (described, own.answers.get(account, GLOBAL, "organizations", "ListAccounts"))
        missing = tuple(about(each) for each in told if each.status is not Status.OK)
        # A list that does not hold the account itself is of another organisation, or not whole.
        return _Membership(_id(described), None, missing or (about(told[1]),))
    tellers = (described, *(_described(each, listed.call.account) for each in states))
    name = next((found for found in map(_id, tellers) if found is not None), None)
    return _Membership(name, frozenset(str(each.get("Id")) for each in listed.list("Accounts")))


def _described(state: State, account: str) -> Answer:
    return state.answers.get(account, GLOBAL, "organizations", "DescribeOrganization")


def _listings(states: Sequence[State], account: str) -> Iterator[Answer]:
    """What the account itself was told, then what others were."""
    yield states[0].answers.get(account, GLOBAL, "organizations", "ListAccounts")
    for state in states:
        yield from state.answers.each("organizations", "ListAccounts")


def _names(listed: Answer, account: str) -> bool:
    return listed.status is Status.OK and any(each.get("Id") == account for each in listed.list("Accounts"))


def _id(described: Answer) -> str | None:
    name = member(described.body, "Organization.Id")
    return str(name) if name else None


def _of_files(states: Sequence[State]) -> _Membership:
    """What hand-written files say."""
    for state in states:
        known = state.snapshot.organization
        if known.paths:
            return _Membership(known.id, frozenset(known.paths))
    return _Membership(states[0].snapshot.organization.id, None, ("organizations:ListAccounts",))


def _rcps(states: Sequence[State], account: str, found: _Membership) -> tuple[tuple[Policy, ...], ...] | None:
    """The resource control policies above the account, None where nobody told them.

    One that cannot be read may allow and may deny everything.
    """
    if len(states[0].answers) and found.id is None and not found.missing:
        return ()
    known = _organization(states, account)
    if account == known.management_account:
        # AWS: "Resource control policies": they do not affect resources in the management account.
        return ()
    if known.rcps is None:
        return None
    levels = guardrails.rcps(known, account).levels
    return tuple(held(level, with_principal=True).policies for level in levels)


def _organization(states: Sequence[State], account: str) -> Organization:
    """The organisation as the first state tells it that knows control policies and the account's place."""
    told = [state.snapshot.organization for state in states if state.snapshot.organization.rcps is not None]
    placed = (each for each in told if account in each.paths or account == each.management_account)
    return next(placed, told[0] if told else states[0].snapshot.organization)


def _ids(account: Account | None) -> frozenset[str]:
    if account is None:
        return frozenset()
    users = (user.id for user in account.users.values())
    assumable = (role.id for role in account.roles.values())
    return frozenset(each for each in (*users, *assumable) if each)
