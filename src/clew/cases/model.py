"""What a case is made of; every value is one that its files write.

Units: all times are UTC. A text that is empty, and a time that is None, is not said yet.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta  # the files are read by these annotations
from enum import StrEnum

from clew.explain.links import Verdict as LinkVerdict
from clew.explain.operational.scene import About
from clew.explain.operational.symptoms import Kind, Symptom


class Severity(StrEnum):
    """How much the fault hurts."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Verdict(StrEnum):
    """What is known of a hypothesis."""

    TRUE = "true"
    REFUTED = "refuted"
    UNDETERMINED = "undetermined"


OF_LINK = {
    LinkVerdict.BROKEN: Verdict.TRUE,
    LinkVerdict.HOLDS: Verdict.REFUTED,
    LinkVerdict.UNKNOWN: Verdict.UNDETERMINED,
}


class Kept(StrEnum):
    """What a piece of evidence is."""

    ANSWER = "answer"
    REFUSAL = "refusal"
    LOG = "log"
    SNAPSHOT = "snapshot"
    POLICIES = "policies"
    EVENT = "event"
    FINDING = "finding"
    EXPLANATION = "explanation"
    CHANGES = "changes"
    FILE = "file"


class Risk(StrEnum):
    """What may go wrong with a step."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


BEFORE = timedelta(hours=3)
"""How long before a fault is seen its cause may show."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: what it is, where it lies in the folder, and the SHA-256 of its bytes.

    `of` is what it is about. `after` says that it was made after the plan was carried out.
    """

    id: str
    kind: Kept
    name: str
    file: str
    sha256: str
    size_bytes: int
    at: datetime
    says: str
    of: str = ""
    after: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis with its rank and what came of its test.

    `by` names who settled it, where a person did. `explains` are the symptoms that it would explain.
    """

    id: str
    says: str
    component: str
    likelihood: int
    impact: int
    verdict: Verdict
    because: str = ""
    facts: tuple[Fact, ...] = ()
    evidence: tuple[str, ...] = ()
    fix: str = ""
    settle: str = ""
    source: str = ""
    explains: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    by: str = ""

    @property
    def score(self) -> int:
        """Likelihood × impact."""
        return self.likelihood * self.impact


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """Every hypothesis, the highest rank first, and when they were tested."""

    at: datetime
    of: tuple[Hypothesis, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the plan; `hypothesis` is the one that it mends."""

    id: int
    title: str
    hypothesis: str
    risk: Risk
    risk_is: str = ""
    command: str = ""
    backup: str = ""
    rollback: str = ""
    trial: str = ""
    verify: str = ""
    done_at: datetime | None = None
    done_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved the plan, and the SHA-256 of the plan as it was then."""

    by: str
    at: datetime
    plan: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, when, who is told, and on what it is tried first."""

    at: datetime
    steps: tuple[PlanStep, ...]
    window: str = ""
    inform: tuple[str, ...] = ()
    trial: str = ""
    approvals: tuple[Approval, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a second test said of a hypothesis that was true."""

    at: datetime
    hypothesis: str
    verdict: Verdict
    because: str
    evidence: tuple[str, ...] = ()
    settle: str = ""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What was learned, under the five headings by which a solution is judged."""

    effectiveness: str = ""
    time: str = ""
    cost: str = ""
    quality: str = ""
    safety: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """How the case ended; `unresolved` says why, where it is closed without a solution that was verified."""

    at: datetime
    by: str
    root_cause: str
    prevention: str = ""
    unresolved: str = ""
    watch_until: datetime | None = None
    lessons: Lessons = field(default_factory=Lessons)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look after closing said: `true`, it came back; `refuted`, it did not; `undetermined`, nobody can tell."""

    at: datetime
    verdict: Verdict
    because: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """To whom the case was handed, and why."""

    at: datetime
    to: str
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A symptom as the file writes it."""

    kind: Kind
    port: int = 0
    text: str = ""

    @property
    def symptom(self) -> Symptom:
        """The symptom itself."""
        return Symptom(self.kind, self.port, self.text)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the case is about: resources, ports, from where they come, with which key."""

    instance: str = ""
    bucket: str = ""
    key: str = ""
    client: str = ""
    resources: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every resource that is named."""
        return tuple(dict.fromkeys(filter(None, (self.instance, self.bucket, *self.resources))))


@dataclass(frozen=True, slots=True)
class Case:
    """A case with all that its folder holds. `since` is when the fault was first seen; `affected` says who feels it."""

    id: str
    title: str
    opened_at: datetime
    opened_by: str = ""
    severity: Severity = Severity.MEDIUM
    affected: str = ""
    since: datetime | None = None
    symptoms: tuple[Seen, ...] = ()
    about: Subject = field(default_factory=Subject)
    changes: tuple[str, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    verified: tuple[Verified, ...] = ()
    closing: Closing | None = None
    watched: tuple[Watched, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    hypotheses: Hypotheses | None = None
    plan: Plan | None = None

    @property
    def question(self) -> About:
        """What hypotheses are asked about."""
        client = ipaddress.ip_network(self.about.client) if self.about.client else None
        ports = tuple(dict.fromkeys(seen.port for seen in self.symptoms if seen.port))
        window = self.since - BEFORE if self.since else None
        return About(
            self.about.instance, self.about.bucket, self.about.key, client, ports, self.since, window
        )

    @property
    def true(self) -> tuple[Hypothesis, ...]:
        """The hypotheses that are true, the highest rank first."""
        return self.of(Verdict.TRUE)

    def of(self, verdict: Verdict) -> tuple[Hypothesis, ...]:
        """The hypotheses of that verdict, the highest rank first."""
        return (
            tuple(each for each in self.hypotheses.of if each.verdict is verdict) if self.hypotheses else ()
        )

    def piece(self, identity: str) -> Evidence | None:
        """The evidence of that id; None where there is none."""
        return next((each for each in self.evidence if each.id == identity), None)

    @property
    def implemented_at(self) -> datetime | None:
        """When the last step of the plan was done; None while one is not."""
        times = [step.done_at for step in self.plan.steps] if self.plan else []
        done = [time for time in times if time]
        return max(done) if done and len(done) == len(times) else None
