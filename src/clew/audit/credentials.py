"""The credential report in the terms of checks: three-valued questions, ages, and the facts that prove an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict
from clew.snapshot.credential_report import ROOT, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from clew.audit.model import State
    from clew.snapshot.credential_report import AccessKey, Credentials, Flag, Time

REPORT = "iam:GetCredentialReport"
"""The call whose answer is the credential report."""


def flag(value: Flag) -> bool | None:
    """The flag, or None where the report does not say."""
    return value if isinstance(value, bool) else None


def every(facts: Iterable[bool | None]) -> bool | None:
    """Whether all hold: False when one does not, None when that is open.

    >>> every([True, None]), every([None, False])
    (None, False)
    """
    found = tuple(facts)
    if any(fact is False for fact in found):
        return False
    return None if any(fact is None for fact in found) else True


def some(facts: Iterable[bool | None]) -> bool | None:
    """Whether one holds: True when one does, None when that is open."""
    turned = every(None if fact is None else not fact for fact in facts)
    return None if turned is None else not turned


def key_used(key: AccessKey) -> datetime | bool | None:
    """When the key was last used; False for never, None where the report does not say."""
    if isinstance(key.last_used, datetime):
        return key.last_used
    return False if key.last_used in {Gap.NOT_APPLICABLE, Gap.NO_INFORMATION} else None


def password_used(row: Credentials) -> datetime | bool | None:
    """When the password was last used; False for never, None where the report does not say."""
    used = row.password_last_used
    if isinstance(used, datetime):
        return used
    return False if used in {Gap.NOT_APPLICABLE, Gap.NO_INFORMATION} else None


def older(time: Time, as_of: datetime, days: int) -> bool | None:
    """Whether the time lies more than so many days back; exactly so many is not more."""
    return as_of - time > timedelta(days=days) if isinstance(time, datetime) else None


def said(row: Credentials, *columns: str) -> tuple[tuple[str, str], ...]:
    """The columns and what the report says there, as AWS writes it."""
    return tuple((column, written(_cell(row, column))) for column in columns)


def key_facts(row: Credentials, *members: str) -> tuple[tuple[str, str], ...]:
    """The same for these members of both access keys."""
    return said(row, *(f"access_key_{key.number}_{member}" for key in row.access_keys for member in members))


def _cell(row: Credentials, column: str) -> object:
    if not column.startswith("access_key_"):
        return getattr(row, column)
    number, _, member = column.removeprefix("access_key_").partition("_")
    key = row.access_keys[int(number) - 1]
    return getattr(key, "last_used" if member == "last_used_date" else member)


def written(value: object) -> str:
    """A value of the report as AWS writes it.

    >>> written(True), written(Gap.NOT_APPLICABLE), written(datetime(2026, 3, 11, 2, 11, 4, tzinfo=UTC))
    ('true', 'N/A', '2026-03-11T02:11:04Z')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case Gap():
            return str(value.value)
        case _:
            return str(value)


def ago(time: datetime, as_of: datetime) -> str:
    """How long before, in whole days or hours.

    >>> ago(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC))
    '10 days before'
    """
    passed = as_of - time
    if passed < timedelta(0):
        return "after that moment"
    if passed >= timedelta(days=1):
        return f"{passed.days} day{'s' if passed.days > 1 else ''} before"
    hours = passed // timedelta(hours=1)
    return f"{hours} hour{'' if hours == 1 else 's'} before" if hours else "less than an hour before"


def day(time: datetime) -> str:
    """The moment as people read it.

    >>> day(datetime(2026, 3, 11, 2, 11, tzinfo=UTC))
    '2026-03-11 02:11 UTC'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def each_user(state: State, judge: Callable[[Credentials], Judgement]) -> Iterator[Judgement]:
    """A judgement of each IAM user; unknown for rows that cannot be read, and where there is no report."""
    state.rests_on("GetCredentialReport")
    if state.report is None:
        yield unknown(state.account_arn, "there is no credential report")
        return
    for row in state.report.users:
        yield judge(row)
    yield from _damaged(state, root=False)
    if not state.report.users and not state.report.damaged:
        if state.report.root is None:
            yield unknown(state.account_arn, "the credential report lists nobody")
        else:
            message = "the account has no IAM users"
            yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, message)


def both_keys(row: Credentials, judgement: Judgement) -> Judgement:
    """The judgement from the two keys of the report; no pass where the report says that it does not list all."""
    if judgement.verdict is Verdict.FAIL or not row.has_further_credentials:
        return judgement
    facts = (*judgement.evidence, *said(row, "additional_credentials_info"))
    message = "there are further credentials, for which the report has no columns"
    return unknown(row.arn, message, "iam:ListAccessKeys", evidence=facts, line=row.line)


def root_row(state: State) -> Credentials | Judgement:
    """The row of the root user, or why there is none."""
    state.rests_on("GetCredentialReport")
    if state.report is None:
        return unknown(state.root_arn, "there is no credential report")
    if state.report.root is not None:
        return state.report.root
    return next(
        _damaged(state, root=True), unknown(state.root_arn, f"the credential report has no row `{ROOT}`")
    )


def _damaged(state: State, *, root: bool) -> Iterator[Judgement]:
    for row in state.report.damaged if state.report else ():
        if not row.user or (row.user == ROOT) is root:
            resource = state.root_arn if root else row.user or state.account_arn
            yield unknown(
                resource, f"line {row.line} of the report cannot be read: {row.reason}", line=row.line
            )


def unknown(
    resource: str,
    message: str,
    *missing: str,
    evidence: tuple[tuple[str, str], ...] = (),
    line: int = 0,
) -> Judgement:
    """The judgement that nobody can tell; without a call named, a readable credential report is what is missing."""
    return Judgement(Verdict.UNKNOWN, resource, message, evidence, missing or (REPORT,), line)
