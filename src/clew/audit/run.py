"""An audit: the checks of a framework, or others, over the state of one account, and the findings that follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.checks import named
from clew.audit.credentials import written
from clew.audit.model import Judgement, Verdict
from clew.findings import Evidence, Finding, finding_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from clew.audit.frameworks import Control, Framework
    from clew.audit.model import Check, Parameter, State
    from clew.snapshot.credential_report import CredentialReport


@dataclass(frozen=True, slots=True)
class Judged:
    """One check with what it said of each resource."""

    check: Check
    judgements: tuple[Judgement, ...]

    @property
    def verdict(self) -> Verdict:
        """What the check says of the account."""
        return Verdict.of_all(judgement.verdict for judgement in self.judgements)


@dataclass(frozen=True, slots=True)
class Result:
    """One control of the framework with the checks that answer it; without any it is manual."""

    control: Control
    judged: tuple[Judged, ...]

    @property
    def verdict(self) -> Verdict:
        """What the checks together say of the account."""
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


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit of one account.

    Units: `as_of`, at which ages are counted, and `now`, when the audit was made, are UTC.
    """

    account: str
    as_of: datetime
    now: datetime
    framework: Framework
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    report: CredentialReport | None = None

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many controls have each verdict."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def settled_rules(self) -> tuple[str, ...]:
        """The checks that left nothing unknown: what they do not find is gone."""
        return tuple(
            each.check.id
            for result in self.results
            for each in result.judged
            if all(judgement.verdict is not Verdict.UNKNOWN for judgement in each.judgements)
        )

    def result(self, *checks: str) -> Result | None:
        """The first control that one of these checks answers."""
        return next(
            (r for r in self.results if any(each.check.id in checks for each in r.judged)),
            None,
        )


def run(
    state: State,
    framework: Framework,
    *,
    now: datetime,
    parameters: Mapping[str, Mapping[str, Parameter]] | None = None,
) -> Audit:
    """Judge every control of the framework; `parameters`, by check, go before those of the framework.

    Errors: `UsageError` for a parameter that a check does not have.
    """
    results = tuple(
        Result(each, tuple(_judged(state, each, parameters or {}))) for each in framework.controls
    )
    return Audit(
        account=state.account,
        as_of=state.as_of,
        now=now,
        framework=framework,
        results=results,
        findings=tuple(_findings(state, results, framework)),
        report=state.report,
    )


def _judged(state: State, control: Control, given: Mapping[str, Mapping[str, Parameter]]) -> Iterator[Judged]:
    for identity in control.checks:
        chosen = {**control.parameters.get(identity, {}), **given.get(identity, {})}
        found = named(identity)
        yield Judged(found, found.judge(state, **chosen))


def _findings(state: State, results: tuple[Result, ...], framework: Framework) -> Iterator[Finding]:
    """One finding for each failure; a check that answers several controls gives its findings once."""
    seen: set[tuple[str, str, int]] = set()
    for result in results:
        for each in result.judged:
            for judgement in each.judgements:
                key = (each.check.id, judgement.resource, judgement.line)
                if judgement.verdict is Verdict.FAIL and key not in seen:
                    seen.add(key)
                    yield _finding(
                        state, each.check, judgement, f"{framework.title}, control {result.control.id}"
                    )


def _finding(state: State, check: Check, judgement: Judgement, control: str) -> Finding:
    source = state.report.source if state.report and judgement.line else ""
    proof = Evidence(
        event_id="",
        time=state.as_of,
        summary=", ".join(f"{name}={value}" for name, value in judgement.evidence),
        account=state.account,
        actor=judgement.resource,
        resources=(judgement.resource,),
        source=source,
        record_number=judgement.line or None,
    )
    return Finding(
        id=finding_id("audit", check.id, state.account, judgement.resource),
        rule=check.id,
        title=check.failure,
        severity=judgement.severity or check.severity,
        actor=judgement.resource,
        first_seen=state.as_of,
        last_seen=state.as_of,
        explanation=f"{judgement.message} (as of {written(state.as_of)})",
        why_it_matters=check.text["Why it matters"],
        next_steps=(check.text["Fix"],),
        false_positives=(check.text["False positives"],),
        references=(control, *check.references),
        accounts=(state.account,) if state.account else (),
        resources=(judgement.resource,),
        evidence=(proof,),
        producer="audit",
        subject=judgement.resource,
    )
