"""A snapshot as the states that checks read: one for each account, as of the time at which it was collected."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.audit.model import State
from clew.aws.partitions import partition_of
from clew.errors import InputError, UsageError
from clew.snapshot import credential_report, load
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.snapshot.answers import Answers
    from clew.snapshot.credential_report import CredentialReport
    from clew.snapshot.file import Recorded


def collected_at(recorded: Recorded, name: str) -> datetime:
    """When the snapshot was collected, UTC. Errors: `InputError` where its header says something else than a time."""
    try:
        found = datetime.fromisoformat(recorded.header.collected_at)
    except ValueError as error:
        said = recorded.header.collected_at[:80]
        raise InputError(f"{name}:1: `collected_at` is `{said}`; expected a time") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def of_snapshot(
    recorded: Recorded, name: str, accounts: Sequence[str] = ()
) -> tuple[tuple[State, ...], tuple[str, ...]]:
    """The state of each account, or of those named, and what of the snapshot could not be read.

    Errors: `UsageError` for an account that the snapshot does not hold, `InputError` for a snapshot without any.
    """
    answers = recorded.answers
    for account in accounts:
        if account not in answers.accounts:
            held = ", ".join(answers.accounts)
            raise UsageError(f"`{name}` holds no account `{account[:80]}`; it holds {held}")
    if not answers.accounts:
        raise InputError(f"`{name}` holds no answer of AWS; collect again")
    as_of, snapshot = collected_at(recorded, name), load.of_answers(name, answers)
    states, problems = [], list(snapshot.notes)
    partition = next(filter(None, map(partition_of, recorded.header.regions)), "aws")
    for account in accounts or answers.accounts:
        report, problem = _credential_report(answers, account, name)
        problems += [*(report.problems if report else ()), *([problem] if problem else [])]
        states.append(State(account, as_of, report, answers, snapshot, partition))
    return tuple(states), tuple(problems)


def _credential_report(answers: Answers, account: str, name: str) -> tuple[CredentialReport | None, str]:
    """The account's report; None, with the reason where AWS gave one that cannot be read."""
    answer = answers.get(account, GLOBAL, "iam", "GetCredentialReport")
    if answer.body is None:
        return None, ""
    content = str(answer.body.get("Content", ""))
    # The SDK decodes the report; AWS's own command prints it in base64.
    packed = base64.b64encode(content.encode()).decode() if content.startswith("user,") else content
    body = {"Content": packed, "GeneratedTime": answer.body.get("GeneratedTime")}
    try:
        return credential_report.read(
            json.dumps(body).encode(), f"{name}#{account}/{answer.call.operation}"
        ), ""
    except InputError as error:
        return None, str(error)
