"""An audit: the checks that frameworks ask for, over the state of accounts, and the findings that follow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.audit import declared, tags
from clew.audit.checks import CHECKS, named
from clew.audit.credentials import written
from clew.audit.model import Verdict
from clew.audit.results import Audit, Judged, Origin, Result, Unread
from clew.findings import Evidence, Finding, finding_id
from clew.snapshot.offline.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.audit.frameworks import Control, Framework
    from clew.audit.model import Check, Judgement, Parameter, State
    from clew.snapshot.answers import Answer, Call

Thresholds = tuple[tuple[str, "Parameter"], ...]
_MOST_TOLD = 5
_MOST_EVIDENCE = 50
_REGION_PART, _ARN_PARTS = 3, 6


def run(
    states: Sequence[State],
    frameworks: Sequence[Framework],
    *,
    now: datetime,
    parameters: Mapping[str, Mapping[str, Parameter]] | None = None,
    origin: Origin | None = None,
    problems: Sequence[str] = (),
    keep_answers: bool = False,
    checks: Mapping[str, Check] = CHECKS,
) -> Audit:
    """Judge every control of the frameworks in every account; `parameters`, by check, go before the frameworks' own.

    `checks` are all that controls may name. With `keep_answers` each check keeps the answers of AWS that it looked at.
    Errors: `UsageError` for a parameter that a check does not have.
    """
    judging = _Judging(states, parameters or {}, checks, keep_answers=keep_answers)
    results = tuple(
        Result(framework, control, tuple(judging.of(control)))
        for framework in frameworks
        for control in framework.controls
    )
    return Audit(
        accounts=tuple(state.account for state in states),
        as_of=max(state.as_of for state in states),
        now=now,
        frameworks=tuple(frameworks),
        results=results,
        findings=tuple(_findings(states, results, judging.all)),
        judged=judging.all,
        reports=tuple(state.report for state in states if state.report),
        origin=origin,
        unread=tuple(_unread(states, judging.all)),
        problems=tuple(problems),
    )


class _Judging:
    """Each check under the same thresholds is asked once of each account, whatever number of controls name it."""

    def __init__(
        self,
        states: Sequence[State],
        given: Mapping[str, Mapping[str, Parameter]],
        checks: Mapping[str, Check],
        *,
        keep_answers: bool,
    ) -> None:
        self._states, self._given, self._checks, self._keep = states, given, checks, keep_answers
        self._origins = {id(state): Origins(state.answers) for state in states}
        self._found: dict[tuple[str, Thresholds], tuple[Judged, ...]] = {}

    def of(self, control: Control) -> Iterator[Judged]:
        """What the checks of a control say."""
        for identity in control.checks:
            chosen = {**control.parameters.get(identity, {}), **self._given.get(identity, {})}
            key = identity, tuple(sorted(chosen.items()))
            if key not in self._found:
                found = named(identity, self._checks)
                self._found[key] = tuple(self._judged(found, state, chosen) for state in self._states)
            yield from self._found[key]

    def _judged(self, check: Check, state: State, chosen: Mapping[str, Parameter]) -> Judged:
        if not self._keep:
            return Judged(check, state.account, self._judgements(check, state, chosen), chosen)
        read: dict[Call, Answer] = {}
        noted = replace(state, answers=state.answers.noting(read))
        said = declared.located(check.judge(noted, **chosen), self._origins[id(state)])
        return Judged(check, state.account, said, chosen, tuple(read[call] for call in sorted(read)))

    def _judgements(
        self, check: Check, state: State, chosen: Mapping[str, Parameter]
    ) -> tuple[Judgement, ...]:
        return declared.located(check.judge(state, **chosen), self._origins[id(state)])

    @property
    def all(self) -> tuple[Judged, ...]:
        """Everything judged so far, in the order of the controls."""
        return tuple(judged for each in self._found.values() for judged in each)


def _findings(
    states: Sequence[State], results: Sequence[Result], judged: Sequence[Judged]
) -> Iterator[Finding]:
    """One finding for each check and resource that fails, however many controls or statements say so."""
    by_account = {state.account: state for state in states}
    controls: dict[int, list[str]] = {}
    for result in results:
        for each in result.judged:
            asked = f"{result.framework.title}, control {result.control.id}".lstrip(" ,")
            controls.setdefault(id(each), []).append(asked)
    tagged = {account: tags.of(state.answers, account) for account, state in by_account.items()}
    for each in judged:
        failed: dict[str, list[Judgement]] = {}
        for judgement in each.judgements:
            if judgement.verdict is Verdict.FAIL:
                failed.setdefault(judgement.resource, []).append(judgement)
        references = (*dict.fromkeys(controls[id(each)]), *each.check.references)
        for resource, told in failed.items():
            found = tags.named(tagged[each.account], resource)
            yield _finding(by_account[each.account], each, told, references, found)


def _finding(
    state: State,
    judged: Judged,
    told: Sequence[Judgement],
    references: tuple[str, ...],
    tagged: tuple[tuple[str, str], ...],
) -> Finding:
    check, resource = judged.check, told[0].resource
    subject = judged.subject(resource)
    region = _region(resource)
    return Finding(
        id=finding_id("audit", check.id, state.account, subject),
        rule=check.id,
        title=check.failure,
        severity=max((each.severity or check.severity for each in told), key=lambda one: one.rank),
        actor=resource,
        first_seen=state.as_of,
        last_seen=state.as_of,
        explanation=f"{_told(told)} (as of {written(state.as_of)})",
        why_it_matters=check.text["Why it matters"],
        next_steps=(check.text["Fix"],),
        false_positives=(check.text["False positives"],),
        references=references,
        accounts=(state.account,) if state.account else (),
        regions=(region,) if region else (),
        resources=(resource,),
        evidence=tuple(_proof(state, each) for each in told[:_MOST_EVIDENCE]),
        producer="audit",
        subject=subject,
        tags=tagged,
    )


def _told(told: Sequence[Judgement]) -> str:
    messages = list(dict.fromkeys(each.message for each in told))
    more = f"; and {len(messages) - _MOST_TOLD} more" if len(messages) > _MOST_TOLD else ""
    return "; ".join(messages[:_MOST_TOLD]) + more


def _proof(state: State, judgement: Judgement) -> Evidence:
    return Evidence(
        event_id="",
        time=state.as_of,
        summary=", ".join(f"{name}={value}" for name, value in judgement.evidence),
        account=state.account,
        actor=judgement.resource,
        resources=(judgement.resource,),
        source=state.report.source if state.report and judgement.line else "",
        record_number=judgement.line or None,
    )


def _region(resource: str) -> str:
    parts = resource.split(":", _ARN_PARTS - 1)
    return parts[_REGION_PART] if len(parts) == _ARN_PARTS else ""


def _unread(states: Sequence[State], judged: Sequence[Judged]) -> Iterator[Unread]:
    """The calls of these accounts that were refused or failed, those that leave most checks unknown first."""
    leaves: dict[tuple[str, str], set[str]] = {}
    for each in judged:
        for judgement in each.judgements:
            for named_call in judgement.missing:
                leaves.setdefault((each.account, named_call.split(" ")[0]), set()).add(each.check.id)
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    accounts = {state.account for state in states}
    for answer in states[0].answers:
        call = answer.call
        if call.account in accounts and not answer.status.is_known:
            key = f"{call.service}:{call.operation}", answer.status.value, answer.error_code
            groups.setdefault(key, []).append(answer)
    found = [_group(key, answers, leaves) for key, answers in groups.items()]
    yield from sorted(found, key=lambda each: (-len(each.checks), each.operation, each.code))


def _group(
    key: tuple[str, str, str], answers: list[Answer], leaves: Mapping[tuple[str, str], set[str]]
) -> Unread:
    operation, status, code = key
    accounts = {answer.call.account for answer in answers}
    checks = {check for account in accounts for check in leaves.get((account, operation), ())}
    first = answers[0].call
    given = " ".join(value for _, value in first.parameters)
    example = " ".join(part for part in (first.account, first.region, given) if part)
    return Unread(operation, status, code, len(answers), example, tuple(sorted(checks)))
