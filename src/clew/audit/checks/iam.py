"""Checks of IAM users that the credential report decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clew.audit.credentials import (
    ago,
    both_keys,
    day,
    each_user,
    every,
    flag,
    key_facts,
    key_used,
    older,
    password_used,
    said,
    some,
    unknown,
)
from clew.audit.model import Judgement, Verdict, check
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State
    from clew.snapshot.credential_report import AccessKey, Credentials

_ANCIENT_DAYS = 730  # AWS Trusted Advisor: "IAM Access Key Rotation": red after two years


@check("iam-console-user-mfa", "Console users have MFA", "Console user without MFA", Severity.HIGH)
def console_user_mfa(state: State) -> Iterator[Judgement]:
    """Users who can sign in to the console, and the second factor that they have or lack.

    Finds. IAM users with a console password and no MFA device of any kind. Users without a password are not judged,
    and the root user has a check of its own.
    Why it matters. A password that was guessed, reused or phished is then all that somebody needs to sign in.
    False positives. A user who got a device after the report was made: AWS makes a new report every four hours at most.
    Fix. Register an MFA device for the user, or delete the password if the user does not need the console.
    References. IAM user guide, Getting credential reports for your AWS account · IAM user guide, AWS Multi-factor
    authentication in IAM
    """
    return each_user(state, _mfa)


def _mfa(row: Credentials) -> Judgement:
    facts = said(row, "password_enabled", "mfa_active")
    lacking = every(
        [flag(row.password_enabled), None if flag(row.mfa_active) is None else not row.mfa_active]
    )
    if flag(row.password_enabled) is False:
        return Judgement(Verdict.NOT_APPLICABLE, row.arn, "no console password", facts, line=row.line)
    if lacking is None or flag(row.password_enabled) is None:
        return unknown(row.arn, "the report does not say both", evidence=facts, line=row.line)
    if lacking:
        message = "can sign in to the console with a password and no second factor"
        return Judgement(Verdict.FAIL, row.arn, message, facts, line=row.line)
    return Judgement(Verdict.PASS, row.arn, "console password and MFA", facts, line=row.line)


@check(
    "iam-credentials-unused",
    "Unused credentials are disabled",
    "Unused credentials are active",
    Severity.MEDIUM,
)
def credentials_unused(state: State, *, days: int = 90) -> Iterator[Judgement]:
    """Passwords and access keys that work, and when they were used last.

    Finds. IAM users with a console password, or an active access key, that was not used for more than `days` days. What
    was never used counts from the day on which the password was set or the key made. Inactive keys do not count.
    Why it matters. Nobody notices when a credential that nobody uses is stolen.
    False positives. Use before October 2014 (passwords) or April 2015 (keys) was not recorded, nor were passwords
    between 3 and 23 May 2018. A key that is kept for an emergency: suppress it with a reason.
    Fix. Deactivate the key or delete the password; delete the key when nothing broke.
    References. IAM user guide, Getting credential reports for your AWS account · IAM user guide, Find unused AWS
    credentials
    """
    return each_user(state, lambda row: both_keys(row, _unused(row, state.as_of, days)))


def _unused(row: Credentials, as_of: datetime, days: int) -> Judgement:
    facts = (
        *said(row, "password_enabled", "password_last_used", "password_last_changed"),
        *key_facts(row, "active", "last_used_date", "last_rotated"),
    )
    enabled = {"password": flag(row.password_enabled)}
    enabled |= {f"access key {key.number}": flag(key.active) for key in row.access_keys}
    since = {"password": _password_counts_from(row)}
    since |= {f"access key {key.number}": _key_counts_from(key) for key in row.access_keys}
    stale = {
        name: every([enabled[name], None if time is None else older(time, as_of, days)])
        for name, time in since.items()
    }
    if some(stale.values()):
        named = [
            f"{name} since {day(time)}, {ago(time, as_of)}"
            for name, time in since.items()
            if stale[name] and time is not None
        ]
        message = f"not used for more than {days} days: {'; '.join(named)}"
        return Judgement(Verdict.FAIL, row.arn, message, facts, line=row.line)
    open_ = [name for name, answer in stale.items() if answer is None]
    if open_:
        message = f"the report does not say when it was used: {', '.join(open_)}"
        return unknown(row.arn, message, evidence=facts, line=row.line)
    if not any(enabled.values()):
        return Judgement(Verdict.NOT_APPLICABLE, row.arn, "no active credentials", facts, line=row.line)
    return Judgement(Verdict.PASS, row.arn, f"all used within {days} days", facts, line=row.line)


def _password_counts_from(row: Credentials) -> datetime | None:
    used = password_used(row)
    if used is False:
        changed = row.password_last_changed
        return changed if isinstance(changed, datetime) else None
    return used if isinstance(used, datetime) else None


def _key_counts_from(key: AccessKey) -> datetime | None:
    used = key_used(key)
    if used is False:
        return key.last_rotated if isinstance(key.last_rotated, datetime) else None
    return used if isinstance(used, datetime) else None


@check("iam-access-key-age", "Active access keys are young", "Active access key is old", Severity.MEDIUM)
def access_key_age(state: State, *, days: int = 90) -> Iterator[Judgement]:
    """Active access keys, and when they were made.

    Finds. IAM users with an active access key that was made, or changed its status, more than `days` days ago. Inactive
    keys never fail; keys of the root user have a check of their own.
    Why it matters. The longer a key lives, the more copies of it lie about.
    False positives. The report's time also moves when a key is switched off and on again, so a key may be older than it
    says, never younger.
    Fix. Make a second key, let the program use it, deactivate the first, and delete it when nothing broke.
    References. IAM user guide, Getting credential reports for your AWS account · IAM user guide, Update access keys
    """
    return each_user(state, lambda row: both_keys(row, _key_age(row, state.as_of, days)))


def _key_age(row: Credentials, as_of: datetime, days: int) -> Judgement:
    facts = key_facts(row, "active", "last_rotated")
    old = {key: every([flag(key.active), older(key.last_rotated, as_of, days)]) for key in row.access_keys}
    if some(old.values()):
        named = [
            f"access key {key.number} of {day(key.last_rotated)}, {ago(key.last_rotated, as_of)}"
            for key, answer in old.items()
            if answer and isinstance(key.last_rotated, datetime)
        ]
        message = f"older than {days} days: {'; '.join(named)}"
        ancient = [
            every([flag(k.active), older(k.last_rotated, as_of, _ANCIENT_DAYS)]) for k in row.access_keys
        ]
        worse = Severity.HIGH if some(ancient) else None
        return Judgement(Verdict.FAIL, row.arn, message, facts, line=row.line, severity=worse)
    if None in old.values():
        return unknown(row.arn, "the report does not say how old each key is", evidence=facts, line=row.line)
    if not any(key.active is True for key in row.access_keys):
        return Judgement(Verdict.NOT_APPLICABLE, row.arn, "no active access key", facts, line=row.line)
    return Judgement(Verdict.PASS, row.arn, f"no key older than {days} days", facts, line=row.line)


@check(
    "iam-access-key-at-creation",
    "No access key made along with a console user",
    "Access key made along with a console user and never used",
    Severity.LOW,
)
def access_key_at_creation(state: State, *, tolerance_seconds: int = 60) -> Iterator[Judgement]:
    """Console users and the access keys that were made together with them.

    Finds. IAM users with a console password and an active access key that was made within `tolerance_seconds` of the
    user and never used.
    Why it matters. A key that was made because a form offered it is needed by nobody and watched by nobody.
    False positives. A user made by a program that will use the key soon.
    Fix. Delete the key; make one when somebody needs it.
    References. IAM user guide, Getting credential reports for your AWS account
    """
    tolerance = timedelta(seconds=tolerance_seconds)
    return each_user(state, lambda row: both_keys(row, _made_along(row, tolerance)))


def _made_along(row: Credentials, tolerance: timedelta) -> Judgement:
    facts = (
        *said(row, "user_creation_time", "password_enabled"),
        *key_facts(row, "active", "last_rotated", "last_used_date"),
    )
    if flag(row.password_enabled) is False:
        return Judgement(Verdict.NOT_APPLICABLE, row.arn, "no console password", facts, line=row.line)
    along = {
        key.number: every(
            [flag(row.password_enabled), flag(key.active), _never_used(key), _near(row, key, tolerance)]
        )
        for key in row.access_keys
    }
    if some(along.values()):
        named = " and ".join(f"access key {number}" for number, answer in along.items() if answer)
        message = f"{named} was made along with the user and never used"
        return Judgement(Verdict.FAIL, row.arn, message, facts, line=row.line)
    if None in along.values() or flag(row.password_enabled) is None:
        return unknown(row.arn, "the report does not say all that it takes", evidence=facts, line=row.line)
    return Judgement(
        Verdict.PASS, row.arn, "no unused key from the user's first moment", facts, line=row.line
    )


def _never_used(key: AccessKey) -> bool | None:
    used = key_used(key)
    return None if used is None else used is False


def _near(row: Credentials, key: AccessKey, tolerance: timedelta) -> bool | None:
    made, user = key.last_rotated, row.user_creation_time
    if not isinstance(made, datetime) or not isinstance(user, datetime):
        return None
    return abs(made - user) <= tolerance
