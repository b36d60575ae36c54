"""The daily audit in AWS Lambda: assume the auditor role, read, judge, and publish the report as plain text.

Two roles: the function's own may assume the auditor role and publish, nothing else; the auditor role only reads. What
cannot be read is unknown in the report and named in the answer; a failure is published and raised.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew import __version__
from clew.aws import arn as arns
from clew.collect.asking import Clock
from clew.collect.clients import start
from clew.collect.session import Account, error_code, error_message
from clew.errors import ClewError, InputError
from clew.handlers.credential_report import fetch
from clew.notify import sns
from clew.report.escape import terminal
from clew.snapshot.answers import GLOBAL, Answer, Answers
from clew.snapshot.file import VERSION, Header, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.audit.frameworks import Framework
    from clew.audit.results import Audit
    from clew.collect.clients import Clients

REPORT_CHECKS = (
    "iam-root-used",
    "iam-console-user-mfa",
    "iam-credentials-unused",
    "iam-access-key-age",
    "iam-root-access-key",
    "iam-root-mfa",
    "iam-access-key-at-creation",
)
"""The checks that a credential report alone can answer."""
_SESSION_NAME = "clew-audit"
_SCOPES = ("credential-report", "account")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function's environment says; `scope` is `credential-report`, or `account` for the whole audit."""

    role: str
    topic: str
    framework: str
    scope: str = _SCOPES[0]
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The message that is published."""

    subject: str
    text: str
    document: Mapping[str, object] = field(default_factory=dict)


def handler(event: Mapping[str, object], context: object) -> dict[str, object]:
    """What Lambda calls: audits the account and publishes; the answer has the counts and what could not be read."""
    del event, context
    return carry_out(settings(os.environ), Clock(lambda: datetime.now(UTC), time.sleep))


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings of the environment. Errors: `InputError` for a variable that is missing or wrong."""
    for name in ("AUDITOR_ROLE_ARN", "TOPIC_ARN"):
        if arns.read(environment.get(name)) is None:
            raise InputError(f"environment variable `{name}`: expected an ARN")
    scope = environment.get("SCOPE") or _SCOPES[0]
    if scope not in _SCOPES:
        raise InputError(
            f"environment variable `SCOPE`: expected one of {', '.join(_SCOPES)}, found `{scope[:40]}`"
        )
    framework = environment.get("FRAMEWORK") or ("cis-1.2" if scope == _SCOPES[0] else "cis-7.0")
    regions = tuple(filter(None, (name.strip() for name in environment.get("REGIONS", "").split(","))))
    return Settings(environment["AUDITOR_ROLE_ARN"], environment["TOPIC_ARN"], framework, scope, regions)


def carry_out(chosen: Settings, clock: Clock) -> dict[str, object]:
    """Audit and publish. Errors: whatever went wrong, published before it is raised."""
    own, _ = start(Account(), connections=4)
    topic = own.of("sns", arns.parse(chosen.topic).region)
    account = arns.parse(chosen.role).account
    try:
        audit, problems = _audit(chosen, own.with_role(_credentials(own, chosen.role)), account, clock)
    except Exception as error:
        sns.publish(chosen.topic, _failure(account, error), topic)
        raise
    sns.publish(chosen.topic, _report(audit, problems), topic)
    return {
        "account": account,
        "status": "partial" if problems or audit.is_partial else "complete",
        "controls": {verdict.value: count for verdict, count in audit.counts.items()},
        "findings": len(audit.findings),
        "problems": list(problems),
    }


def _credentials(own: Clients, role: str) -> Mapping[str, str]:
    from botocore.exceptions import ClientError

    try:
        said = own.of("sts", GLOBAL).assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME)
    except ClientError as error:
        raise InputError(
            f"sts:AssumeRole ({role}): {error_code(error)}: {error_message(error)}; "
            "the role must trust the function's role, which needs sts:AssumeRole on it"
        ) from error
    credentials: Mapping[str, str] = said["Credentials"]
    return credentials


def _audit(chosen: Settings, clients: Clients, account: str, clock: Clock) -> tuple[Audit, tuple[str, ...]]:
    from clew.audit import frameworks
    from clew.audit.checks import CHECKS
    from clew.audit.run import run
    from clew.audit.state import of_snapshot

    fetched = fetch(clients, account, clock)
    answers = Answers((*_answers(chosen, clients, account, clock), fetched.answer))
    # Ages in a credential report end when it was made.
    made = str((fetched.answer.body or {}).get("GeneratedTime", ""))
    stamp = made if made and chosen.scope == _SCOPES[0] else clock.stamp()
    header = Header(VERSION, __version__, stamp, answers.accounts, answers.regions, len(answers), "")
    states, problems = of_snapshot(Recorded(header, answers), "AWS", (account,))
    framework: Framework = frameworks.load(chosen.framework)
    if chosen.scope == _SCOPES[0]:
        only = frameworks.Choice(checks=frozenset(REPORT_CHECKS))
        framework, problems = only.narrowed(framework, CHECKS), ()
    told = tuple(dict.fromkeys((*fetched.problems, *problems)))
    return run(states, (framework,), now=clock.now(), problems=told), told


def _answers(chosen: Settings, clients: Clients, account: str, clock: Clock) -> tuple[Answer, ...]:
    """What the checks of the framework read but the credential report; nothing where that alone is judged."""
    from clew.audit import check_calls
    from clew.collect.collector import collect_as
    from clew.collect.table import named

    if chosen.scope == _SCOPES[0]:
        return ()
    calls = check_calls.of((), (chosen.framework,))
    reads = tuple(read for read in named(calls) if read.operation != "GetCredentialReport")
    return tuple(collect_as(clients, account, reads, clock, regions=chosen.regions))


def _report(audit: Audit, problems: tuple[str, ...]) -> Report:
    from clew.audit.model import Verdict
    from clew.report import audit_text, credential_text

    counted = [
        f"{audit.counts[verdict]} {word}"
        for verdict, word in (
            (Verdict.FAIL, "failed"),
            (Verdict.UNKNOWN, "unknown"),
            (Verdict.PASS, "passed"),
        )
        if audit.counts[verdict]
    ]
    incomplete = ", incomplete" if problems else ""
    subject = f"[clew] Audit of {audit.account}: {', '.join(counted) or 'nothing judged'}{incomplete}"
    is_short = all(check in REPORT_CHECKS for check in {each.check.id for each in audit.judged})
    text = (credential_text if is_short else audit_text).render(audit)
    if problems:
        lines = "".join(f"- {terminal(problem)}\n" for problem in problems)
        text = f"This audit is incomplete:\n{lines}\n{text}"
    return Report(subject, text)


def _failure(account: str, error: Exception) -> Report:
    # What is no error of ours may hold anything in its words.
    said = terminal(str(error)) if isinstance(error, ClewError) else type(error).__name__
    return Report(f"[clew] Audit of {account} failed", f"The audit of account {account} failed: {said}\n")
