"""The credential report of an account: generated where there is none that is fresh, waited for, and fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.collect.asking import Question, ask
from clew.collect.reads import Read, Scope
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.collect.asking import Clock
    from clew.collect.clients import Clients
    from clew.snapshot.answers import Answer

GENERATE = Read("iam", "GenerateCredentialReport", Scope.ACCOUNT)
GET = Read("iam", "GetCredentialReport", Scope.ACCOUNT)
# AWS: "GetCredentialReport", Errors: there is none yet, it is being made, or it is older than four hours.
_AGAIN = frozenset({"ReportNotPresent", "ReportInProgress", "ReportExpired"})
_COMPLETE = "COMPLETE"
# Two minutes in all; a report of an account with thousands of users takes longer than a second.
_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What AWS said to the call for the report, and what went wrong on the way to it, in sentences."""

    answer: Answer
    problems: tuple[str, ...]


def fetch(clients: Clients, account: str, clock: Clock) -> Fetched:
    """The report, at most four hours old: AWS keeps one for so long, and gives that instead of a new one.

    Where AWS refuses to make one, the last is fetched all the same, and the refusal is told.
    """
    problems: list[str] = []
    for attempt in range(2):
        problems = list(_generated(clients, account, clock))
        answer = ask(Question(GET, account, GLOBAL, {}), clients, clock)
        if answer.error_code not in _AGAIN or attempt:
            break
    if answer.status is not Status.OK:
        problems.append(_told(answer))
    return Fetched(answer, tuple(problems))


def _generated(clients: Clients, account: str, clock: Clock) -> Iterator[str]:
    """Wait until the report is made; what is wrong where it is not."""
    for wait in (*_WAITS, None):
        answer = ask(Question(GENERATE, account, GLOBAL, {}), clients, clock)
        if answer.status is not Status.OK:
            yield _told(answer)
            return
        if (answer.body or {}).get("State") == _COMPLETE:
            return
        if wait is not None:
            clock.sleep(wait)
    yield f"{answer.call}: the report was not complete after {sum(_WAITS):g} seconds"


def _told(answer: Answer) -> str:
    detail = f": {answer.error_message}" if answer.error_message else ""
    return f"{answer.call}: {answer.status}: {answer.error_code}{detail}"
