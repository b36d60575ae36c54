"""An audit of a credential report as plain text, as people would mail it: each control in turn, then each user."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import TYPE_CHECKING

from clew.audit.credentials import ago, day, flag, key_used, password_used, written
from clew.audit.model import Verdict
from clew.findings import Status
from clew.report.escape import terminal
from clew.report.html import actor_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import Judgement
    from clew.audit.results import Audit, Result
    from clew.snapshot.credential_report import AccessKey, CredentialReport, Credentials, Flag

_STYLE = {Verdict.FAIL: "1;31", Verdict.PASS: "32", Verdict.UNKNOWN: "1;33"}
_LABEL = {Verdict.NOT_APPLICABLE: "n/a"}
_ACTIVE = {True: "active", False: "not active", None: "state not said"}
_COLUMNS = ("User", "Password", "MFA", "Key 1", "Key 2", "Fails")
_LISTED = 50
_WIDTH = 100
# AWS makes a new report when the last one is this old.
_FRESH_HOURS = 4


def render(audit: Audit, *, color: bool = False) -> str:
    """The audit as text, ending with a line break."""
    decided = [result for result in audit.results if result.judged]
    blocks = [
        _head(audit),
        heading("Controls")
        + "\n".join(line for result in decided for line in _result(audit, result, color=color)),
        _users(audit),
        _manual(audit),
        _tally(audit),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(audit: Audit) -> str:
    report = audit.report
    lines = [
        f"Audit of account {audit.account or 'unknown'}",
        f"{audit.title}, as of {day(audit.as_of)}",
    ]
    if report is not None:
        users = len(report.users)
        root = "and the root user" if report.root else "without a row of the root user"
        lines.append(f"Credential report {report.source}: {users} user{'' if users == 1 else 's'} {root}")
        lines.append(age(report, audit.now))
        lines += [f"Note: {note}" for note in report.notes]
        lines += [f"Problem: {problem}" for problem in report.problems]
    return "\n".join(line for text in lines for line in textwrap.wrap(terminal(text), _WIDTH))


def age(report: CredentialReport, now: datetime) -> str:
    """How old the report is, as far as it says."""
    if report.generated_at is None:
        newest = report.newest_time
        bound = f"; the newest time in it is {day(newest)}, {ago(newest, now)}" if newest else ""
        return f"Age of the report: a CSV does not say it{bound}"
    stale = (now - report.generated_at).total_seconds() > _FRESH_HOURS * 3600
    advice = "; a newer one can be had" if stale else ""
    return f"Age of the report: made {day(report.generated_at)}, {ago(report.generated_at, now)}{advice}"


def _result(audit: Audit, result: Result, *, color: bool) -> Iterator[str]:
    label = f"{_LABEL.get(result.verdict, result.verdict.value).upper():<8}"
    shown = f"\x1b[{_STYLE[result.verdict]}m{label}\x1b[0m" if color and result.verdict in _STYLE else label
    yield f"{result.control.id:<6} {shown} {result.control.title}"
    failed, open_ = result.of(Verdict.FAIL), result.of(Verdict.UNKNOWN)
    if result.control.checks == ("iam-root-used",) and audit.report and audit.report.root:
        # The lines say what the failure would.
        yield from _root_use(audit, audit.report.root)
        failed = ()
    yield from _judgements((*failed, *open_))
    told = " ".join(judgement.message for judgement in open_)
    untold = [call for call in result.missing if call not in told]
    if untold:
        yield from wrapped(f"to know: {', '.join(untold)}")


def _judgements(found: tuple[Judgement, ...]) -> Iterator[str]:
    for judgement in found[:_LISTED]:
        mark = "" if judgement.verdict is Verdict.FAIL else "? "
        yield from wrapped(f"{mark}{name(judgement.resource)}: {judgement.message}")
    if len(found) > _LISTED:
        yield from wrapped(f"and {len(found) - _LISTED} more")


def name(resource: str) -> str:
    """What people call the resource."""
    return "account" if resource.endswith(":account") else actor_name(resource)


def _root_use(audit: Audit, row: Credentials) -> Iterator[str]:
    """When each credential of the root user was used last, where, and for which service."""
    yield from wrapped(f"password      {_used(password_used(row), row.password_last_used, audit)}")
    for key in row.access_keys:
        used = key_used(key)
        place = f", {_place(key)}" if isinstance(used, datetime) else ""
        state = _ACTIVE[flag(key.active)]
        yield from wrapped(f"access key {key.number}  {_used(used, key.last_used, audit)}{place} ({state})")


def _used(used: datetime | bool | None, said: object, audit: Audit) -> str:
    if isinstance(used, datetime):
        return f"{day(used)}, {ago(used, audit.as_of)}"
    return "never" if used is False else f"unknown ({written(said)})"


def _place(key: AccessKey) -> str:
    region = key.last_used_region if isinstance(key.last_used_region, str) else "no region said"
    service = key.last_used_service if isinstance(key.last_used_service, str) else "no service said"
    return f"{service} in {region}" if region != "no region said" else f"{service}, {region}"


def _users(audit: Audit) -> str:
    """One line for each user: what they sign in with, and the controls that they fail."""
    rows = users(audit)
    widths = [min(40, max(len(row[i]) for row in rows)) for i in range(len(_COLUMNS) - 1)] if rows else []
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
    return heading("Users") + "\n".join(lines) if rows else ""


def users(audit: Audit) -> list[tuple[str, ...]]:
    """A row for each user of the credential reports under a row of headings; empty where there is none."""
    failing: dict[str, list[str]] = {}
    for result in audit.results:
        for judgement in result.of(Verdict.FAIL):
            failing.setdefault(judgement.resource, []).append(result.control.id)
    rows = [
        (*_cells(row), ", ".join(dict.fromkeys(failing.get(row.arn, ()))) or "-")
        for report in audit.reports
        for row in report.users
    ]
    return [_COLUMNS, *rows] if rows else []


def _cells(row: Credentials) -> tuple[str, str, str, str, str]:
    first, second = row.access_keys
    return (
        terminal(row.user),
        _credential(row.password_enabled, password_used(row)),
        _flag(row.mfa_active),
        _credential(first.active, key_used(first)),
        _credential(second.active, key_used(second)),
    )


def _credential(active: Flag, used: datetime | bool | None) -> str:
    if active is False:
        return "-"
    if active is not True:
        return "unknown"
    return f"{used:%Y-%m-%d}" if isinstance(used, datetime) else "never used" if used is False else "unknown"


def _flag(value: Flag) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else "unknown"


def _manual(audit: Audit) -> str:
    """The controls that nobody but a person can answer, and those that Clew cannot answer yet."""
    manual = [result.control for result in audit.results if not result.judged]
    people = [f"{control.id} {control.title}: {control.manual}" for control in manual if not control.planned]
    planned = [control.id for control in manual if control.planned]
    lines = [line for text in people for line in wrapped(text)]
    if planned:
        lines += wrapped(f"Not checked by Clew yet: {', '.join(planned)}")
    return heading("Manual") + "\n".join(lines) if lines else ""


def _tally(audit: Audit) -> str:
    counts = [
        f"{count} {_LABEL.get(verdict, verdict.value)}" for verdict, count in audit.counts.items() if count
    ]
    suppressed = sum(finding.status is Status.SUPPRESSED for finding in audit.findings)
    hidden = f"; {suppressed} of {len(audit.findings)} findings suppressed" if suppressed else ""
    controls = "1 control" if len(audit.results) == 1 else f"{len(audit.results)} controls"
    return f"{controls}: {', '.join(counts)}{hidden}"


def heading(text: str) -> str:
    """A heading with a line under it."""
    return f"{text}\n{'-' * len(text)}\n"


def wrapped(text: str, indent: str = " " * 16) -> list[str]:
    """The text on lines that are indented, the second and further ones more."""
    return textwrap.wrap(
        terminal(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
