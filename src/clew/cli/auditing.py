"""How `clew audit` reads its files, keeps what it finds, and prints it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context, times
from clew.errors import InputError, UsageError
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.audit.model import Parameter, State
    from clew.audit.run import Audit
    from clew.findings import Severity
    from clew.snapshot.credential_report import CredentialReport

_NONE = "none"
_OPERATIONS = {
    "account_summary": ("GetAccountSummary", "SummaryMap"),
    "password_policy": ("GetAccountPasswordPolicy", "PasswordPolicy"),
    "mfa_devices": ("ListVirtualMFADevices", "VirtualMFADevices"),
}


@dataclass(frozen=True, slots=True)
class Given:
    """The files with outputs of AWS's command line, each None where it was not given."""

    account_summary: str | None = None
    password_policy: str | None = None
    mfa_devices: str | None = None
    account_details: str | None = None


def carry_out(
    file: str,
    given: Given,
    *,
    framework: str,
    now: str | None,
    parameters: Sequence[str],
    keep: bool,
    fail_on: Severity | None,
    output: str,
) -> int:
    """Audit the report and print it; the exit code."""
    from clew.audit import frameworks
    from clew.audit.run import run
    from clew.cli.investigation import reaches, severity

    clock = datetime.now(UTC)
    report = _report(file)
    moment = times.moment(now, clock) if now else clock
    state = _state(report, given, (times.moment(now, clock) if now else report.generated_at) or clock)
    audit = run(state, frameworks.load(framework), now=moment, parameters=_parameters(parameters))
    audit = _kept(audit, clock) if keep else audit
    _print(audit, output)
    if reaches(audit.findings, fail_on or severity(context.config().fail_on)):
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if report.problems else context.EXIT_CLEAN


def _print(audit: Audit, output: str) -> None:
    from clew.report import audit_formats, audit_text

    if output == "text":
        sys.stdout.write(audit_text.render(audit, color=context.use_color()))
    else:
        sys.stdout.write(audit_formats.render(audit, output))


def _report(file: str) -> CredentialReport:
    from clew.snapshot.credential_report import read

    return read(_bytes(file), "standard input" if file == "-" else file)


def _bytes(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}") from error


def _state(report: CredentialReport, given: Given, as_of: datetime) -> State:
    from clew.audit.model import State
    from clew.snapshot.load import Inputs, load
    from clew.snapshot.model import Snapshot

    return State(
        account=report.account,
        as_of=as_of,
        report=report,
        answers=Answers(_answers(report.account, given)),
        snapshot=load(Inputs(accounts=(given.account_details,))) if given.account_details else Snapshot(),
    )


def _answers(account: str, given: Given) -> Iterator[Answer]:
    for option, (operation, member) in _OPERATIONS.items():
        file = getattr(given, option)
        if file is not None:
            call = Call(account, GLOBAL, "iam", operation)
            yield _answer(call, file, member, may_be_absent=option == "password_policy")


def _answer(call: Call, file: str, member: str, *, may_be_absent: bool) -> Answer:
    if file == _NONE and may_be_absent:
        return Answer(call, "", Status.ABSENT, None, "NoSuchEntity", "said on the command line")
    try:
        body = json.loads(_bytes(file).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not JSON: {str(error).lower()}") from error
    if not isinstance(body, dict) or member not in body:
        raise InputError(f"{file}: no `{member}`; expected what the command prints that asks `{call}`")
    return Answer(call, "", Status.OK, body)


def _parameters(given: Sequence[str]) -> dict[str, dict[str, Parameter]]:
    """Thresholds by check, out of texts like `iam-access-key-age.days=60`."""
    from clew.audit.checks import named

    found: dict[str, dict[str, Parameter]] = {}
    for text in given:
        place, _, value = text.partition("=")
        check, _, name = place.partition(".")
        if not (name and value):
            raise UsageError(f"`{text}` is no threshold; expected CHECK.PARAMETER=VALUE")
        default = named(check).defaults.get(name)
        if isinstance(default, int) and not value.isdecimal():
            raise UsageError(f"`{text}`: expected a whole number")
        found.setdefault(check, {})[name] = int(value) if isinstance(default, int) else value
    return found


def _kept(audit: Audit, now: datetime) -> Audit:
    """The audit with the identity and standing that its findings have in the workspace."""
    from clew.store.database import Database
    from clew.store.findings import upsert

    # What one account's audit does not find says nothing of another's.
    producer = f"audit:{audit.account}"
    with Database(context.workspace().create().state_path) as database:
        outcome = upsert(
            database,
            [replace(finding, producer=producer) for finding in audit.findings],
            now,
            producer=producer,
            covered=audit.settled_rules,
            gap=None,
        )
    if outcome.new or outcome.resolved:
        context.note(f"{len(outcome.new)} new, {len(outcome.resolved)} resolved since the last audit")
    return replace(audit, findings=outcome.findings)
