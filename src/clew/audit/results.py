"""What an audit says: judgements by check and account, results by control, findings, and what nobody could read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from clew.audit.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from clew.audit.frameworks import Control, Framework
    from clew.audit.model import Check, Judgement, Parameter
    from clew.findings import Finding, Severity
    from clew.snapshot.answers import Answer
    from clew.snapshot.credential_report import CredentialReport


@dataclass(frozen=True)
class Judged:
    """One check, under the thresholds that it was asked with, and what it said of each resource of one account.

    `answers` are those of AWS that the check looked at, kept for an evidence pack only.
    """

    check: Check
    account: str
    judgements: tuple[Judgement, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    @cached_property
    def verdict(self) -> Verdict:
        """What the check says of the account."""
        return Verdict.of_all(judgement.verdict for judgement in self.judgements)

    def subject(self, resource: str) -> str:
        """How a finding about the resource is told from others: under another threshold it is another question."""
        return f"{resource} ({self.thresholds})" if self.thresholds else resource

    @property
    def thresholds(self) -> str:
        """The thresholds that are not the check's own, as text: `days=45`; empty where all are."""
        own = self.check.defaults
        return ", ".join(f"{name}={value}" for name, value in self.parameters.items() if own[name] != value)


@dataclass(frozen=True)
class Result:
    """One control of a framework with the checks that answer it, in every account; without any it is manual."""

    framework: Framework
    control: Control
    judged: tuple[Judged, ...]

    @cached_property
    def verdict(self) -> Verdict:
        """What the checks together say of the accounts."""
        return Verdict.of_all(each.verdict for each in self.judged) if self.judged else Verdict.MANUAL

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The judgements of all its checks."""
        return tuple(judgement for each in self.judged for judgement in each.judgements)

    def of(self, verdict: Verdict) -> tuple[Judgement, ...]:
        """Its judgements with that verdict."""
        return tuple(judgement for judgement in self.judgements if judgement.verdict is verdict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The calls whose answers would settle what is unknown, each once."""
        return tuple(dict.fromkeys(call for j in self.of(Verdict.UNKNOWN) for call in j.missing))

    @property
    def severity(self) -> Severity | None:
        """The severity of its worst check; None for a manual control."""
        return max((each.check.severity for each in self.judged), key=lambda one: one.rank, default=None)


@dataclass(frozen=True, slots=True)
class Origin:
    """The snapshot that was audited: its file, where it was asked, and how many calls were made."""

    file: str
    regions: tuple[str, ...]
    calls: int
    tool_version: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Calls that AWS refused or that failed, of one operation and one reason, and the checks left unknown by it.

    Shape: `checks` is empty where no check of the audit needed the answer.
    """

    operation: str
    status: str
    code: str
    calls: int
    example: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One earlier run: when its state was true (UTC), and how many controls of the framework had each verdict."""

    as_of: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """What changed since the run before: ids of findings that are new or back, that stayed, and findings now fixed.

    `since` is the time of the run before, None when there was none; `steps` are the last runs of the same question,
    oldest first.
    """

    since: datetime | None
    new: frozenset[str]
    still: frozenset[str]
    fixed: tuple[Finding, ...]
    steps: tuple[Step, ...] = ()

    def counts(self, checks: frozenset[str], findings: tuple[Finding, ...]) -> tuple[int, int, int]:
        """How many findings of these checks are new, still there, and fixed."""
        ids = [finding.id for finding in findings if finding.rule in checks]
        fixed = sum(finding.rule in checks for finding in self.fixed)
        return sum(i in self.new for i in ids), sum(i in self.still for i in ids), fixed


@dataclass(frozen=True)
class Audit:
    """An audit of one or several accounts by one or several frameworks.

    Units: `as_of`, at which ages are counted, and `now`, when the audit was made, are UTC. `reports` are the credential
    reports that were read, `problems` what of the inputs could not be, `trend` is None where no run was kept before.
    """

    accounts: tuple[str, ...]
    as_of: datetime
    now: datetime
    frameworks: tuple[Framework, ...]
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    judged: tuple[Judged, ...] = ()
    reports: tuple[CredentialReport, ...] = ()
    origin: Origin | None = None
    unread: tuple[Unread, ...] = ()
    problems: tuple[str, ...] = ()
    trend: Trend | None = None

    @property
    def account(self) -> str:
        """The accounts in words: their ids."""
        return ", ".join(self.accounts)

    @property
    def title(self) -> str:
        """The names and versions of the frameworks."""
        return ", ".join(framework.title for framework in self.frameworks)

    @property
    def report(self) -> CredentialReport | None:
        """The credential report, where there is exactly one."""
        return self.reports[0] if len(self.reports) == 1 else None

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """How many controls have each verdict."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def is_partial(self) -> bool:
        """Whether a check could not know something."""
        return any(each.verdict is Verdict.UNKNOWN or _open(each) for each in self.judged)

    def settled_rules(self, account: str) -> frozenset[str]:
        """The checks that left nothing of the account unknown: what they do not find is gone."""
        mine = [each for each in self.judged if each.account == account]
        return frozenset(e.check.id for e in mine) - frozenset(e.check.id for e in mine if _open(e))

    def cleared(self, account: str) -> frozenset[tuple[str, str]]:
        """The pairs of a check and a subject of which all is known, and nothing fails."""
        mine = [each for each in self.judged if each.account == account]
        good = {Verdict.PASS, Verdict.NOT_APPLICABLE}
        told = [
            (each.check.id, each.subject(j.resource), j.verdict in good)
            for each in mine
            for j in each.judgements
        ]
        well = frozenset((check, subject) for check, subject, is_good in told if is_good)
        return well - frozenset((check, subject) for check, subject, is_good in told if not is_good)


def _open(judged: Judged) -> bool:
    return any(judgement.verdict is Verdict.UNKNOWN for judgement in judged.judgements)
