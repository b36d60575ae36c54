"""Checks of the root user, from the credential report, the account summary and the list of virtual MFA devices."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from clew.audit.credentials import (
    REPORT,
    ago,
    both_keys,
    day,
    flag,
    key_facts,
    key_used,
    older,
    password_used,
    root_row,
    said,
    some,
    unknown,
)
from clew.audit.model import Judgement, Verdict, check, not_collected, why_unknown
from clew.findings import Severity
from clew.snapshot.answers import Status
from clew.snapshot.credential_report import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.credential_report import Credentials

SUMMARY = "iam:GetAccountSummary"
DEVICES = "iam:ListVirtualMFADevices"
# The name that the console gave to every virtual device of a root user until November 2022.
_OLD_SERIAL = ":mfa/root-account-mfa-device"


@check("iam-root-used", "Root not used", "Root was used", Severity.HIGH)
def root_used(state: State, *, days: int = 1, warn_days: int = 30) -> Iterator[Judgement]:
    """When the root user's password and access keys were used last.

    Finds. A root user whose password, or one of whose access keys, was used within the last `days` days. Use within
    `warn_days` passes and is said. A region that is `N/A` does not mean unused: services without regions have none.
    Why it matters. Nothing restricts the root user but policies of the organisation; daily work must not need it.
    False positives. The few tasks that only the root user can do, such as closing the account.
    Fix. Find out who used it and what for; work with roles; change the password when nobody knows of it.
    References. IAM user guide, Getting credential reports for your AWS account · IAM user guide, Tasks that require
    root user credentials
    """
    row = root_row(state)
    if isinstance(row, Judgement):
        yield row
        return
    found = both_keys(row, _root_used(row, state.as_of, days, warn_days))
    since = state.report.newest_time if state.report and state.report.is_undated else None
    if found.verdict is Verdict.PASS and since is not None and older(since, state.as_of, days):
        found = _unknown_since(row, since, found)
    yield found


def _unknown_since(row: Credentials, since: datetime, found: Judgement) -> Judgement:
    """A report that does not say when it was made says nothing of the time after the newest one in it."""
    message = (
        f"whether it was used since {day(since)}, the newest time in the report, is open: nothing says when the "
        f"report was made; give `--now`; {found.message}"
    )
    return unknown(row.arn, message, evidence=found.evidence, line=row.line)


def _root_used(row: Credentials, as_of: datetime, days: int, warn_days: int) -> Judgement:
    facts = (
        *said(row, "password_last_used"),
        *key_facts(row, "active", "last_used_date", "last_used_region", "last_used_service"),
    )
    used = {"password": password_used(row)}
    used |= {f"access key {key.number}": key_used(key) for key in row.access_keys}
    times = {name: time for name, time in used.items() if isinstance(time, datetime)}
    recent = [name for name, time in times.items() if not older(time, as_of, days)]
    told = "; ".join(f"{name} {day(time)}, {ago(time, as_of)}" for name, time in times.items())
    if recent:
        return Judgement(Verdict.FAIL, row.arn, f"used: {told}", facts, line=row.line)
    open_ = [name for name, time in used.items() if time is None]
    if open_:
        message = f"the report does not say when it was used: {', '.join(open_)}"
        return unknown(row.arn, message, evidence=facts, line=row.line)
    lately = any(not older(time, as_of, warn_days) for time in times.values())
    warning = f"within {warn_days} days, " if lately else ""
    message = f"{warning}last used: {told}" if told else "never used"
    return Judgement(Verdict.PASS, row.arn, message, facts, line=row.line)


@check("iam-root-access-key", "No root access key", "Root has an access key", Severity.CRITICAL)
def root_access_key(state: State) -> Iterator[Judgement]:
    """Whether the root user has access keys.

    Finds. A root user with an active access key, by the account summary, which is live; by the
    credential report, which may be four hours old, where nobody asked for that.
    Why it matters. Whoever holds such a key may do everything, from anywhere, without MFA.
    False positives. A key that was deleted after the report was made.
    Fix. Let what uses the key use a role instead, deactivate the key, and delete it.
    References. IAM user guide, Getting credential reports for your AWS account · IAM API reference, GetAccountSummary
    · IAM user guide, Root user best practices
    """
    present = _summary(state).get("AccountAccessKeysPresent")
    row = root_row(state)
    if present is not None:
        facts = ((f"{SUMMARY} AccountAccessKeysPresent", str(present)),)
        verdict = Verdict.FAIL if present else Verdict.PASS
        message = (
            "the root user has an access key" if present else "no root access key, by the account summary"
        )
        yield Judgement(verdict, state.root_arn, message, facts)
    elif isinstance(row, Judgement):
        yield unknown(
            row.resource, f"{row.message}, and {_no_summary(state)}", SUMMARY, REPORT, line=row.line
        )
    else:
        yield _unless_refused(state, both_keys(row, _reported_key(row)))


def _reported_key(row: Credentials) -> Judgement:
    facts = key_facts(row, "active", "last_rotated")
    active = some(flag(key.active) for key in row.access_keys)
    if active:
        named = " and ".join(f"access key {key.number}" for key in row.access_keys if key.active is True)
        return Judgement(Verdict.FAIL, row.arn, f"active: {named}", facts, line=row.line)
    if active is None:
        message = "the report does not say whether both keys are inactive"
        return unknown(row.arn, message, SUMMARY, REPORT, evidence=facts, line=row.line)
    return Judgement(Verdict.PASS, row.arn, "no active access key", facts, line=row.line)


@check("iam-root-mfa", "Root has MFA", "Root can sign in without MFA", Severity.CRITICAL)
def root_mfa(state: State) -> Iterator[Judgement]:
    """Whether the root user has a second factor.

    Finds. A root user that can sign in and has no MFA device, by the account summary; by the credential
    report where nobody asked for that. A member account whose root credentials were removed centrally needs none.
    Why it matters. A password, or the mailbox that resets it, is then all that somebody needs to own the account.
    False positives. A device that was registered after the report was made.
    Fix. Register MFA devices for the root user, or remove the root credentials of member accounts centrally.
    References. IAM user guide, Getting credential reports for your AWS account · IAM API reference, GetAccountSummary
    · IAM user guide, Centrally manage root access for member accounts
    """
    yield _root_mfa(state)


def _root_mfa(state: State) -> Judgement:
    summary = _summary(state)
    row = root_row(state)
    enabled, password = summary.get("AccountMFAEnabled"), summary.get("AccountPasswordPresent")
    if enabled is not None:
        facts = [(f"{SUMMARY} AccountMFAEnabled", str(enabled))]
        facts += [(f"{SUMMARY} AccountPasswordPresent", str(password))] * (password is not None)
        return _mfa(state.root_arn, tuple(facts), mfa=bool(enabled), password=password != 0)
    if isinstance(row, Judgement):
        message = f"{row.message}, and {_no_summary(state)}"
        return unknown(row.resource, message, SUMMARY, REPORT, line=row.line)
    facts_said = said(row, "password_enabled", "mfa_active")
    # Reports from before root credentials could be removed write `not_supported`: there always was a password.
    password_said = True if row.password_enabled is Gap.NOT_SUPPORTED else flag(row.password_enabled)
    mfa = flag(row.mfa_active)
    if mfa is None or (not mfa and password_said is None):
        message = "the report does not say whether the root user has MFA"
        return unknown(row.arn, message, SUMMARY, REPORT, evidence=facts_said, line=row.line)
    told = _mfa(row.arn, facts_said, mfa=mfa, password=password_said is not False, line=row.line)
    return _unless_refused(state, told)


def _mfa(
    arn: str, facts: tuple[tuple[str, str], ...], *, mfa: bool, password: bool, line: int = 0
) -> Judgement:
    if mfa:
        return Judgement(Verdict.PASS, arn, "the root user has MFA", facts, line=line)
    if not password:
        message = "the root user has no password to sign in with"
        return Judgement(Verdict.NOT_APPLICABLE, arn, message, facts, line=line)
    return Judgement(Verdict.FAIL, arn, "the root user can sign in without MFA", facts, line=line)


@check(
    "iam-root-hardware-mfa",
    "Root has hardware MFA only",
    "Root has MFA that is no hardware, or none",
    Severity.MEDIUM,
)
def root_hardware_mfa(state: State) -> Iterator[Judgement]:
    """Whether each MFA device of the root user is a piece of hardware.

    Finds. A root user without MFA, or with a virtual device, also where it has hardware besides.
    Why it matters. An application on a telephone can be copied, backed up and moved; a piece of hardware cannot.
    False positives. None known; the list of virtual devices is complete.
    Fix. Register a security key or a hardware token for the root user, then remove the virtual device.
    References. IAM API reference, ListVirtualMFADevices · IAM user guide, Multi-factor authentication for the AWS
    account root user · AWS Config developer guide, root-account-hardware-mfa-enabled
    """
    mfa = _root_mfa(state)
    yield mfa if mfa.verdict is not Verdict.PASS else _hardware(state, mfa)


def _hardware(state: State, mfa: Judgement) -> Judgement:
    answer = state.answer("ListVirtualMFADevices")
    devices = (answer.body or {}).get("VirtualMFADevices")
    if (
        answer.status is not Status.OK
        or not isinstance(devices, list)
        or (answer.body or {}).get("IsTruncated")
    ):
        said_why = "its list is not complete" if answer.status is Status.OK else why_unknown(answer)
        message = f"the root user has MFA; whether it is hardware is open, since {said_why}"
        return unknown(state.root_arn, message, DEVICES, evidence=mfa.evidence, line=mfa.line)
    virtual = [
        str(device.get("SerialNumber", "")) for device in answer.list("VirtualMFADevices") if _of_root(device)
    ]
    facts = (*mfa.evidence, *((f"{DEVICES} SerialNumber", serial) for serial in virtual))
    if virtual:
        return Judgement(Verdict.FAIL, state.root_arn, "the root user has a virtual MFA device", facts)
    return Judgement(Verdict.PASS, state.root_arn, "the root user has MFA and no virtual device", facts)


def _of_root(device: Mapping[str, object]) -> bool:
    user = device.get("User")
    if isinstance(user, dict) and user.get("Arn"):
        return str(user["Arn"]).endswith(":root")
    # A device that nobody uses has no date on which it was enabled.
    return str(device.get("SerialNumber", "")).endswith(_OLD_SERIAL) and bool(device.get("EnableDate"))


def _summary(state: State) -> Mapping[str, int]:
    """The figures of the account summary; empty where it was not read."""
    found = (state.answer("GetAccountSummary").body or {}).get("SummaryMap")
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _unless_refused(state: State, told: Judgement) -> Judgement:
    """What the report tells; unknown where the summary, which is newer, was asked for and refused."""
    answer = state.answer("GetAccountSummary")
    if answer.status is Status.OK or not_collected(answer):
        return told
    message = f"{why_unknown(answer)}; the credential report, which may be hours older, says: {told.message}"
    return unknown(told.resource, message, SUMMARY, evidence=told.evidence, line=told.line)


def _no_summary(state: State) -> str:
    answer = state.answer("GetAccountSummary")
    if answer.status is Status.OK:
        return f"`{SUMMARY}` does not say it either"
    return "the account summary was not given" if not_collected(answer) else why_unknown(answer)
