"""Checks of secrets: Secrets Manager and the parameters of Systems Manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import arn, each_resource, facts, member, moment, text
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?s?$|passw|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|connection_?-?string",
    re.IGNORECASE,
)
"""Names under which people keep secrets."""


_RATE = re.compile(r"rate\((?P<number>\d+) (?P<unit>days?|hours?)\)")


@check("secretsmanager-rotation", "Secrets rotate", "A secret does not rotate", Severity.MEDIUM)
def rotation(state: State, *, days: int = 90, hours: int = 0) -> Iterator[Judgement]:
    """Whether secrets are rotated, often enough and in time.

    Finds. A secret without rotation, one that rotates less often than every `days`, or every `hours` (0: any will do),
    and one whose rotation is overdue.
    Secrets that a service of AWS manages are rotated by it, and those that wait for deletion are not judged.
    Why it matters. A secret that leaked works until it is changed.
    False positives. Keys of partners that nobody can change by a program.
    Fix. Configure rotation; databases of AWS need no function of your own.
    References. AWS Secrets Manager user guide, Rotate AWS Secrets Manager secrets · AWS Config developer guide,
    secretsmanager-rotation-enabled-check
    """

    def judge(secret: Mapping[str, object], _: Answer) -> Judgement | None:
        name = text(secret, "ARN")
        if text(secret, "DeletedDate"):
            return None
        if text(secret, "OwningService"):
            return Judgement(Verdict.NOT_APPLICABLE, name, f"{text(secret, 'OwningService')} manages it")
        return _rotated(state, name, secret, [each for each in (24 * days, hours) if each])

    yield from each_resource(
        state, "secretsmanager:ListSecrets", "SecretList", judge, none="there are no secrets"
    )


def _rotated(state: State, name: str, secret: Mapping[str, object], most: list[int]) -> Judgement:
    """Whether a secret rotates, at least every so many hours for each entry of `most`, and is not overdue."""
    rules = tuple(f"RotationRules.{each}" for each in ("AutomaticallyAfterDays", "ScheduleExpression"))
    seen = facts(secret, "RotationEnabled", *rules, "LastRotatedDate", "NextRotationDate")
    if member(secret, "RotationEnabled") is not True:
        return Judgement(Verdict.FAIL, name, "does not rotate", seen)
    every = _hours(secret)
    if every is not None and any(every > each for each in most):
        often = f"{every // 24} days" if every % 24 == 0 else f"{every} hours"
        return Judgement(Verdict.FAIL, name, f"rotates every {often} only", seen)
    due = moment(text(secret, "NextRotationDate"))
    if due is not None and due < state.as_of:
        return Judgement(Verdict.FAIL, name, f"was to rotate by {due:%Y-%m-%d} and did not", seen)
    if every is None and most:
        message = "how often it rotates is not told"
        return Judgement(Verdict.UNKNOWN, name, message, seen, ("secretsmanager:ListSecrets",))
    return Judgement(Verdict.PASS, name, "rotates", seen)


def _hours(secret: Mapping[str, object]) -> int | None:
    """How many hours lie between two rotations; None where that is not told.

    AWS Secrets Manager API reference, RotationRulesType: `rate(4 hours)`, `rate(10 days)`; of a cron expression the
    days are counted after the first rotation.
    """
    rate = _RATE.fullmatch(text(secret, "RotationRules.ScheduleExpression").strip())
    if rate is not None:
        return int(rate["number"]) * (24 if rate["unit"].startswith("day") else 1)
    every = member(secret, "RotationRules.AutomaticallyAfterDays")
    return 24 * every if isinstance(every, int) else None


@check(
    "ssm-secure-string",
    "Parameters with secrets are encrypted",
    "A parameter with the name of a secret is plain text",
    Severity.MEDIUM,
)
def secure_string(state: State) -> Iterator[Judgement]:
    """Parameters whose name says that they hold a secret, and which are plain text.

    Finds. A parameter of type String or StringList with a name such as `password`, `token` or `api_key`. Values are
    never read, so a secret under another name is not found.
    Why it matters. Whoever may read parameters reads it, and so does everybody who reads their history.
    False positives. A parameter that holds the name or ARN of a secret.
    Fix. Make it a SecureString, or a secret of Secrets Manager.
    References. AWS Systems Manager user guide, AWS Systems Manager Parameter Store, SecureString parameters
    """

    def judge(parameter: Mapping[str, object], answer: Answer) -> Judgement | None:
        own = text(parameter, "Name")
        name = text(parameter, "ARN") or arn(state, answer, f"parameter/{own.removeprefix('/')}")
        seen = facts(parameter, "Type", "KeyId", "Tier")
        if text(parameter, "Type") == "SecureString":
            return Judgement(Verdict.PASS, name, "is encrypted", seen)
        if SECRET_NAME.search(own.rpartition("/")[2]):
            return Judgement(Verdict.FAIL, name, f"is plain text, and called `{own}`", seen)
        return None

    yield from each_resource(
        state, "ssm:DescribeParameters", "Parameters", judge, none="no parameter is or looks like a secret"
    )
