"""The files that `clew audit credential-report` reads: a credential report and its companions."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.model import State
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


def credential_report(file: str) -> CredentialReport:
    """The report in a file, or on standard input. Errors: `InputError`."""
    from clew.snapshot.credential_report import read

    return read(_bytes(file), "standard input" if file == "-" else file)


def report_state(report: CredentialReport, given: Given, as_of: datetime) -> State:
    """The state that the report and its companions tell."""
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


def _bytes(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}") from error


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
