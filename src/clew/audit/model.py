"""What an audit is made of: the state that checks read, their judgements, and the checks themselves."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.errors import UsageError
from clew.snapshot.answers import GLOBAL, NOT_COLLECTED, Answer, Answers, Status
from clew.snapshot.model import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from clew.findings import Severity
    from clew.snapshot.credential_report import CredentialReport

Parameter = int | str
NOT_ASKED = "regions not asked"
"""The evidence by which a judgement says that enabled regions were not asked: their names, with commas."""

_HEADINGS = ("Finds", "Why it matters", "False positives", "Fix", "References")
_HEADING = re.compile(rf"^({'|'.join(_HEADINGS)})\. ", re.MULTILINE)


class Verdict(StrEnum):
    """What a check says of one resource, or all its judgements together of a control.

    `unknown`: something is needed that nobody could read. `manual`: no machine can say. `not_applicable`: the question
    does not arise.
    """

    PASS = "pass"  # noqa: S105  # a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    MANUAL = "manual"

    @classmethod
    def of_all(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """One verdict for several: the worst that is known, and no pass while something is unknown.

        >>> Verdict.of_all([Verdict.PASS, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE]).value
        'unknown'
        """
        found = frozenset(verdicts)
        order = (cls.FAIL, cls.UNKNOWN, cls.PASS, cls.MANUAL)
        return next((verdict for verdict in order if verdict in found), cls.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of one resource, and the facts that it says it from.

    Shape: `missing` names, for `unknown`, the calls whose answer would settle it; `evidence` holds pairs of a name and
    a value as AWS writes them. `line` is that of the credential report, 0 for facts from elsewhere. `severity` is set
    where this failure weighs otherwise than its check.
    """

    verdict: Verdict
    resource: str
    message: str
    evidence: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    line: int = 0
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one account when checks run.

    Units: `as_of` is UTC: the moment at which the state was true, against which ages are counted.
    """

    account: str
    as_of: datetime
    report: CredentialReport | None = None
    answers: Answers = field(default_factory=lambda: Answers(()))
    snapshot: Snapshot = field(default_factory=Snapshot)
    partition: str = "aws"

    def answer(self, operation: str) -> Answer:
        """What AWS said to a call of IAM about this account; `failed` with `NotCollected` where nobody asked."""
        return self.answers.get(self.account, GLOBAL, "iam", operation)

    def each(self, service: str, operation: str) -> tuple[Answer, ...]:
        """Every answer of this account to an operation, refusals included; never empty.

        Where nobody asked it is one answer, `failed` with `NotCollected`: what was not looked at is not absent.
        """
        found = tuple(self.answers.each(service, operation, self.account))
        return found or (self.answers.get(self.account, GLOBAL, service, operation),)

    def about(self, answer: Answer, operation: str, **parameters: str) -> Answer:
        """What AWS said to another operation of the same service and region as `answer`."""
        call = answer.call
        return self.answers.get(call.account, call.region, call.service, operation, **parameters)

    def rests_on(self, operation: str) -> None:
        """Say that what follows is decided by an answer of IAM that was decoded before: the report, the details."""
        self.answer(operation)

    @property
    def regions(self) -> tuple[str, ...] | None:
        """The regions that are enabled in the account, sorted; None where nobody could say."""
        answer = next(iter(self.each("ec2", "DescribeRegions")))
        if not answer.status.is_known:
            return None
        enabled = (r for r in answer.list("Regions") if r.get("OptInStatus") != "not-opted-in")
        return tuple(sorted(str(region.get("RegionName")) for region in enabled))

    @property
    def root_arn(self) -> str:
        """The ARN of the account's root user."""
        row = self.report.root if self.report else None
        return row.arn if row else f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def account_arn(self) -> str:
        """The name under which settings of the whole account are judged."""
        return f"{self.root_arn.removesuffix(':root')}:account"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its function, its names, and what its docstring says under the fixed headings.

    `title` says what should be, `failure` is the title of a finding.
    """

    id: str
    title: str
    failure: str
    severity: Severity
    function: Callable[..., Iterator[Judgement]]
    defaults: Mapping[str, Parameter]
    text: Mapping[str, str]

    def judge(self, state: State, **parameters: Parameter) -> tuple[Judgement, ...]:
        """What the check says of that state; thresholds that are not given have their defaults.

        Errors: `UsageError` for a parameter that the check does not have.
        """
        for name in parameters:
            if name not in self.defaults:
                known = ", ".join(self.defaults) or "none"
                raise UsageError(f"check `{self.id}` has no parameter `{name[:80]}`; it has {known}")
        return tuple(self.function(state, **parameters))

    @property
    def service(self) -> str:
        """The service that its id begins with: `iam` of `iam-root-used`."""
        return self.id.partition("-")[0]

    @property
    def references(self) -> tuple[str, ...]:
        """Where AWS says what the check relies on."""
        found = (line.strip("- ") for line in self.text["References"].split(" · "))
        return tuple(line for line in found if line)


def check(
    identity: str, title: str, failure: str, severity: Severity
) -> Callable[[Callable[..., Iterator[Judgement]]], Check]:
    """Make a check of a function: keyword-only arguments are its parameters, the docstring its text.

    `title` says what should be, `failure` what is where it is not so.
    """

    def made(function: Callable[..., Iterator[Judgement]]) -> Check:
        arguments = inspect.signature(function).parameters.values()
        defaults = {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY}
        text = headings(inspect.getdoc(function) or "")
        return Check(identity, title, failure, severity, function, MappingProxyType(defaults), text)

    return made


def headings(docstring: str) -> Mapping[str, str]:
    r"""The paragraphs of a docstring under the fixed headings, each on one line; a heading that is missing is empty.

    >>> headings("Finds. Old keys,\nstill active.\nFix. Replace them.")["Finds"]
    'Old keys, still active.'
    """
    pieces = _HEADING.split(docstring)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return MappingProxyType({name: " ".join(found.get(name, "").split()) for name in _HEADINGS})


def one_of(name: str, given: str, *known: str) -> str:
    """The known value that was given for a parameter, in whatever case. Errors: `UsageError` for any other.

    >>> one_of("mode", "governance", "", "GOVERNANCE", "COMPLIANCE")
    'GOVERNANCE'
    """
    for value in known:
        if value.lower() == given.strip().lower():
            return value
    choices = ", ".join(value for value in known if value)
    raise UsageError(f"`{given[:80]}` is no value of `{name}`; known are {choices}")


def is_true(name: str, given: str) -> bool:
    """Whether a parameter is `true`, in whatever case. Errors: `UsageError` for anything but `true` and `false`."""
    return one_of(name, given, "true", "false") == "true"


def not_collected(answer: Answer) -> bool:
    """Whether nobody asked, as opposed to AWS having refused."""
    return answer.error_code == NOT_COLLECTED


def why_unknown(answer: Answer) -> str:
    """Why an answer cannot be built on, in words."""
    name = f"{answer.call.service}:{answer.call.operation}"
    if not_collected(answer):
        if answer.source:
            return f"{answer.source} leaves `{name}` open: {answer.error_message}"
        return f"`{name}` was not asked"
    what = "failed" if answer.status is Status.FAILED else f"was {answer.status}"
    return f"`{name}` {what}: {answer.error_code or 'no reason given'}"
