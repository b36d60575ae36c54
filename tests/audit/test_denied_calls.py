"""No refusal turns into a verdict: each call of the sample snapshot is denied in turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clew.audit import frameworks
from clew.audit.checks import CHECKS
from clew.audit.model import Verdict
from clew.audit.state import of_snapshot
from clew.snapshot import file
from clew.snapshot.answers import Answer, Answers, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.answers import Call

SAMPLE = (
    Path(__file__).resolve().parent.parent.parent / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz"
)
RECORDED = file.read(SAMPLE)
Question = tuple[str, tuple[tuple[str, object], ...]]


def questions() -> tuple[Question, ...]:
    """Every check under its own thresholds, and under those of every control."""
    asked = {(each, ()) for each in CHECKS}
    for name in frameworks.NAMES:
        for control in frameworks.load(name).controls:
            for each in control.checks:
                asked.add((each, tuple(sorted(control.parameters.get(each, {}).items()))))
    return tuple(sorted(asked, key=repr))


def verdicts(answers: Answers) -> Iterator[tuple[Question, dict[str, Verdict]]]:
    """What every check says of each resource."""
    [state], _ = of_snapshot(replace(RECORDED, answers=answers), "sample")
    for check, parameters in questions():
        told: dict[str, list[Verdict]] = {}
        for judgement in CHECKS[check].judge(state, **dict(parameters)):
            told.setdefault(judgement.resource, []).append(judgement.verdict)
        yield (check, parameters), {resource: Verdict.of_all(each) for resource, each in told.items()}


def without(call: Call) -> Answers:
    """The answers of the sample, with that one refused."""
    return Answers(
        Answer(call, each.collected_at, Status.DENIED, None, "AccessDenied") if each.call == call else each
        for each in RECORDED.answers
    )


BEFORE = dict(verdicts(RECORDED.answers))
CALLS = sorted({(a.call.service, a.call.operation) for a in RECORDED.answers if a.status.is_known})


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_denied_call_never_changes_a_verdict_to_another_known_one(service: str, operation: str) -> None:
    """When a call is refused, what every check says stays what it was, or becomes unknown, resource by resource.

    A resource that is no longer known is spoken for by an unknown of something else; none appears that was not there,
    but as unknown.
    """
    for answer in RECORDED.answers.each(service, operation):
        for question, after in verdicts(without(answer.call)):
            before = BEFORE[question]
            for resource, verdict in after.items():
                assert verdict in {Verdict.UNKNOWN, before.get(resource)}, (question, resource, answer.call)
            if set(before) - set(after):
                assert Verdict.UNKNOWN in after.values(), (question, answer.call)
            whole = Verdict.of_all(after.values())
            assert whole in {Verdict.UNKNOWN, Verdict.of_all(before.values())}
