"""The plan of a case: the steps that mend each hypothesis that is true, with risk, backup, way back and trial."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from clew.cases import denials, fields
from clew.cases.model import Approval, Plan, PlanStep, Risk
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.cases.model import Case, Hypothesis
    from clew.explain.explanation import Explanation

_GAP = re.compile(r"{(\w+)}")
# Facts of a hypothesis that fill gaps in its steps.
_FACTS = {"security groups": "group", "network ACL": "acl", "route table": "table", "KeyName": "own"}


def _table() -> Mapping[str, Sequence[Mapping[str, str]]]:
    return tomllib.loads(files("clew.cases").joinpath("remedies.toml").read_text(encoding="utf-8"))


REMEDIES = _table()
"""The steps that mend each hypothesis about operations."""


def steps(case: Case, chosen: Sequence[Hypothesis], refusal: Explanation | None) -> tuple[PlanStep, ...]:
    """The steps for these hypotheses, in the order of their rank."""
    made = [step for each in chosen for step in _of(case, each, refusal)]
    return tuple(replace(step, id=number) for number, step in enumerate(made, start=1))


def _of(case: Case, hypothesis: Hypothesis, refusal: Explanation | None) -> Iterator[PlanStep]:
    if hypothesis.id.startswith(denials.PREFIX):
        yield from _of_refusal(hypothesis, refusal)
        return
    given = _given(case, hypothesis)
    remedies = REMEDIES.get(hypothesis.id)
    for each in remedies or ():
        told = {name: _filled(text, given) for name, text in each.items() if name != "risk"}
        yield PlanStep(id=0, hypothesis=hypothesis.id, risk=Risk(each["risk"]), **told)  # type: ignore[arg-type]  # texts
    if remedies is None:
        title = hypothesis.fix or f"mend it: {hypothesis.says}"
        risk_is = "nobody has said what may go wrong: write it here before anybody approves"
        yield PlanStep(0, title, hypothesis.id, Risk.MEDIUM, risk_is, verify="look again")


def _given(case: Case, hypothesis: Hypothesis) -> Mapping[str, str]:
    told = {_FACTS[fact.name]: fact.value.split(",")[0] for fact in hypothesis.facts if fact.name in _FACTS}
    closed = [
        fact.name.split()[-1]
        for fact in hypothesis.facts
        if fact.name.startswith("port ") and "no rule" in fact.value
    ]
    ports = [str(seen.port) for seen in case.symptoms if seen.port]
    client = str(case.question.client) if case.about.client else ""
    found = {
        "instance": case.about.instance
        or next((fact.value for fact in hypothesis.facts if fact.name == "Target.Id"), ""),
        "bucket": case.about.bucket,
        "key": case.about.key,
        "client": client,
        "port": next(iter(closed or ports), ""),
    }
    return {name: value for name, value in {**found, **told}.items() if value}


def _filled(text: str, given: Mapping[str, str]) -> str:
    """The text with what is known put in; what is not known stands in capitals, for a person to say.

    >>> _filled("stop {instance}, then {bucket}", {"instance": "i-1"})
    'stop i-1, then BUCKET'
    """
    return _GAP.sub(lambda found: given.get(found[1], found[1].upper()), text)


def _of_refusal(hypothesis: Hypothesis, refusal: Explanation | None) -> Iterator[PlanStep]:
    gate = hypothesis.id.removeprefix(denials.PREFIX)
    fixes = [each for each in refusal.fixes if each.gate in {gate, ""}] if refusal else []
    if not fixes:
        title = hypothesis.fix or "narrow the statement that denies it; nothing that is added overrides it"
        risk_is = "whoever the statement holds back may then do more"
        yield PlanStep(0, title, hypothesis.id, Risk.HIGH, risk_is, verify="clew explain, on a new snapshot")
        return
    fix = fixes[0]
    proof = "; tried with the engine: then it is allowed" if fix.proven else ""
    risk = Risk.LOW if not fix.edits else Risk.MEDIUM
    yield PlanStep(
        0,
        fix.title,
        hypothesis.id,
        risk,
        f"newly allows: {fix.newly}; {fix.risk}{proof}",
        "\n".join(fix.commands),
        "the policy as it is: clew collect --only iam",
        "\n".join(fix.undo),
        verify="attach a new snapshot: clew case verify tries the same request",
    )


def digest(plan: Plan) -> str:
    """The SHA-256 of what was approved: the steps as planned, the window, who is told, the trial."""
    bare = tuple(replace(step, done_at=None, done_by="", note="") for step in plan.steps)
    text = fields.dump(replace(plan, steps=bare, approvals=(), note=""))
    return hashlib.sha256(text.encode()).hexdigest()


def is_approved(plan: Plan) -> bool:
    """Whether somebody approved the plan as it is now."""
    return any(each.plan == digest(plan) for each in plan.approvals)


def approved(plan: Plan, by: str, note: str, at: datetime) -> Plan:
    """The plan with one approval more, which holds for the plan as it is now."""
    return replace(plan, approvals=(*plan.approvals, Approval(by, at, digest(plan), note)))


def done(plan: Plan, number: int, by: str, note: str, at: datetime) -> Plan:
    """The plan with one step carried out. Errors: `UsageError` where there is no such step."""
    if number not in {step.id for step in plan.steps}:
        raise UsageError(
            f"the plan has no step {number}; it has {', '.join(str(step.id) for step in plan.steps)}"
        )
    return replace(
        plan,
        steps=tuple(
            replace(step, done_at=at, done_by=by, note=note) if step.id == number else step
            for step in plan.steps
        ),
    )
