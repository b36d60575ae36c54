"""Roles, access keys and passwords that nobody used within a window.

What existed for less than the window is not judged, service-linked roles are skipped, and what nobody says stays open.
AWS: IAM User Guide: "Create an IAM Access Analyzer unused access analyzer", "Getting credential reports for your AWS
account"; IAM API Reference: "RoleLastUsed": activity is reported for the trailing 400 days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from clew.analyzer.unused_advice import is_of_identity_center
from clew.analyzer.unused_model import Activity, Judged, Kind, Open, Unused, Window, moment
from clew.analyzer.unused_permissions import permissions
from clew.snapshot.credential_report import Gap

if TYPE_CHECKING:
    from clew.snapshot.answers import Answers
    from clew.snapshot.credential_report import AccessKey, CredentialReport, Credentials, Time
    from clew.snapshot.model import Snapshot

_DETAILS: Final = "iam:GetAccountAuthorizationDetails"
_REPORT: Final = "iam:GetCredentialReport"
_SERVICE_LINKED: Final = "/aws-service-role/"
_TRACKED_DAYS: Final = 400
_NEVER: Final = frozenset({Gap.NOT_APPLICABLE, Gap.NO_INFORMATION})

Result = Unused | Open | str
"""A finding, something open, or the ARN of what is too young to be judged."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of one account. `roles` are `RoleDetailList` items by ARN; None where nobody could read them."""

    account: str
    snapshot: Snapshot
    answers: Answers
    roles: Mapping[str, Mapping[str, object]] | None
    report: CredentialReport | None
    activity: Activity | None = None


def run(given: Given, window: Window) -> Judged:
    """Everything of the account that was not used, in the order roles, keys, passwords, permissions."""
    found = [*_roles(given, window), *_credentials(given, window)]
    gone = {each.resource for each in found if isinstance(each, Unused) and each.kind is Kind.ROLE}
    young = {each for each in found if isinstance(each, str)}
    found += permissions(given, window, skipped=gone | young, dates=_dates(given))
    looked_at = len(given.roles or ()) + (len(given.report.users) if given.report else 0)
    return Judged(
        given.account,
        window,
        looked_at,
        tuple(_with_tags(each, given) for each in found if isinstance(each, Unused)),
        tuple(each for each in found if isinstance(each, Open)),
        tuple(sorted({each for each in found if isinstance(each, str)})),
    )


def _with_tags(found: Unused, given: Given) -> Unused:
    """The finding with the tags of its user or role, by which people suppress."""
    account = given.snapshot.accounts.get(given.account)
    holder = (account.users.get(found.resource) or account.roles.get(found.resource)) if account else None
    return replace(found, tags=tuple(sorted(holder.tags.items()))) if holder is not None else found


def _dates(given: Given) -> Mapping[str, datetime]:
    """When each role and user was made, as far as that is told."""
    roles = {arn: moment(role.get("CreateDate")) for arn, role in (given.roles or {}).items()}
    rows = given.report.rows if given.report else ()
    users = {row.arn: row.user_creation_time for row in rows}
    return {arn: time for arn, time in (roles | users).items() if isinstance(time, datetime)}


def _roles(given: Given, window: Window) -> Iterator[Result]:
    if given.roles is None:
        yield Open(Kind.ROLE, given.account, "", "the roles could not be read", (_DETAILS,))
        return
    for arn, role in given.roles.items():
        if _SERVICE_LINKED not in str(role.get("Path", "")):
            yield from _role(given, arn, role, window)


def _role(given: Given, arn: str, role: Mapping[str, object], window: Window) -> Iterator[Result]:
    created = moment(role.get("CreateDate"))
    if created is not None and window.has(created):
        yield arn
        return
    if given.activity is not None and arn in given.activity.by_principal:
        return
    last, is_told = _role_last_used(role)
    if last is not None and window.has(last):
        return
    if created is None or not is_told:
        why = "when it was made is not told" if created is None else "when it was last used is not told"
        yield Open(Kind.ROLE, given.account, arn, why, ("iam:GetRole",))
        return
    if last is None and window.days > _TRACKED_DAYS:
        why = f"use of roles is told for {_TRACKED_DAYS} days only"
        yield Open(Kind.ROLE, given.account, arn, why, ("recorded calls of the whole window",))
        return
    told = f"RoleLastUsed of {_DETAILS}"
    yield Unused(Kind.ROLE, arn, given.account, told, _advice(arn), created=created, last_used=last)


def _advice(arn: str) -> str:
    if is_of_identity_center(arn):
        return (
            f"take back who has its permission set in IAM Identity Center, which then deletes the role: {arn}"
        )
    return f"delete the role, or take back who may assume it: {arn}"


def _role_last_used(role: Mapping[str, object]) -> tuple[datetime | None, bool]:
    """When the role was last used, None for never; and whether the answer tells it at all."""
    told = role.get("RoleLastUsed")
    if not isinstance(told, Mapping):
        return None, False
    said = told.get("LastUsedDate")
    last = moment(said)
    return last, said is None or last is not None


def _credentials(given: Given, window: Window) -> Iterator[Result]:
    if given.report is None:
        for kind in (Kind.ACCESS_KEY, Kind.PASSWORD):
            yield Open(kind, given.account, "", "no credential report could be read", (_REPORT,))
        return
    for damaged in given.report.damaged:
        why = f"line {damaged.line} of the credential report: {damaged.reason}"
        yield Open(Kind.ACCESS_KEY, given.account, damaged.user, why, (_REPORT,))
    for row in given.report.users:
        for key in row.access_keys:
            yield from _key(given, row, key, window)
        yield from _password(given, row, window)


def _key(given: Given, row: Credentials, key: AccessKey, window: Window) -> Iterator[Result]:
    item = f"access key {key.number}"
    if key.active is False or key.active is Gap.NOT_APPLICABLE:
        return
    told = f"line {row.line} of {_REPORT}"
    advice = f"deactivate access key {key.number} of {row.user}, and delete it when nobody misses it"
    created = key.last_rotated
    yield from _judged(
        given, Kind.ACCESS_KEY, row, item, key.active, created, key.last_used, window, told, advice
    )


def _password(given: Given, row: Credentials, window: Window) -> Iterator[Result]:
    enabled = row.password_enabled
    if enabled is False or enabled is Gap.NOT_APPLICABLE:
        return
    told = f"line {row.line} of {_REPORT}"
    advice = f"delete the console password of {row.user}"
    # A password that was set lately may wait for its first sign-in, however old the user.
    created = row.password_last_changed
    yield from _judged(
        given, Kind.PASSWORD, row, "", enabled, created, row.password_last_used, window, told, advice
    )


def _judged(  # the facts of one credential
    given: Given,
    kind: Kind,
    row: Credentials,
    item: str,
    active: bool | Gap,
    created: Time,
    last: Time,
    window: Window,
    told: str,
    advice: str,
) -> Iterator[Result]:
    if isinstance(last, datetime) and window.has(last):
        return
    if isinstance(created, datetime) and window.has(created):
        yield f"{row.arn} {item}".rstrip()
        return
    is_told = isinstance(last, datetime) or last in _NEVER
    if not isinstance(active, bool) or not isinstance(created, datetime) or not is_told:
        why = "the credential report does not say whether it is active, since when, or when it was last used"
        yield Open(kind, given.account, row.arn, why, (_REPORT,), item)
        return
    used = last if isinstance(last, datetime) else None
    yield Unused(kind, row.arn, given.account, told, advice, item, created, used)
