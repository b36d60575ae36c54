"""No refusal hides who gets in: each call of the sample snapshot is denied in turn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clew.analyzer.exposure import run
from clew.analyzer.exposure_accounts import State, everything
from clew.analyzer.exposure_model import ZoneOfTrust
from clew.analyzer.exposure_zones import zone_of
from clew.snapshot import file, load
from clew.snapshot.answers import Answer, Answers, Status

if TYPE_CHECKING:
    from clew.analyzer.exposure_model import Report

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "snapshots" / "2026-03-11T060000Z.json.gz"
ACCOUNT = "111122223333"


def exposure(answers: Answers) -> Report:
    """Who gets in from outside the account, as these answers tell."""
    state = State(load.of_answers("sample", answers), answers, "sample")
    zone, _ = zone_of(state, ACCOUNT, ZoneOfTrust.ACCOUNT)
    return run(ACCOUNT, zone, everything(state, ACCOUNT))


def test_denied_call_is_an_unknown_wherever_something_is_no_longer_told() -> None:
    """When a call is refused, each exposure and resource is still told, or something new is said to be unknown."""
    answers = file.read(SAMPLE).answers
    before = exposure(answers)
    assert before.exposures
    for denied in answers:
        refused = Answer(denied.call, "", Status.DENIED, None, "AccessDenied")
        after = exposure(Answers(refused if each.call == denied.call else each for each in answers))
        is_lost = {each.subject for each in before.exposures} - {each.subject for each in after.exposures}
        is_gone = before.targets.keys() - after.targets.keys()
        if is_lost or is_gone:
            assert set(after.unknown) - set(before.unknown), denied.call
