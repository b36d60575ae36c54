"""Refusals with the account behind them: the true cause is found, and the fix lets the request through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.explain.scenario import CASES, explained

from clew.explain.cause import Agreement, CauseId
from clew.report import explanation_text


@pytest.mark.parametrize("given", CASES["rows"], ids=lambda row: row["name"])
def test_the_true_cause_of_a_refusal_is_found(given: dict[str, Any]) -> None:
    """Cause, gate, sentence and fix are those of the case; a fix that was tried lets the request through."""
    row, found = explained(given)
    assert found.cause.id == row["cause"], found.cause.sentence
    assert row.get("says", "") in found.cause.sentence
    if "gate" in row:
        assert found.cause.gate == row["gate"], found.cause.sentence
    if "agreement" in row:
        assert found.agreement == row["agreement"]
    titles = [fix.title for fix in found.fixes]
    if "fix" in row:
        assert any(row["fix"] in title for title in titles), titles
    elif not row.get("open"):
        assert all(title.startswith(("Narrow the Deny", "Spare ")) for title in titles), titles
    if "fix" in row and found.fixes[0].statement and not row.get("open"):
        assert found.fixes[0].proven


@pytest.mark.parametrize("given", CASES["rows"], ids=lambda row: row["name"])
def test_an_explanation_is_told_in_every_form(given: dict[str, Any]) -> None:
    """Text and JSON tell the cause; what is open is said to be open."""
    _, found = explained(given)
    words = " ".join(explanation_text.render([found]).split())
    assert found.cause.sentence.split("`")[0].strip() in words
    json.dumps(explanation_text.document(found))
    if found.agreement is Agreement.DISAGREE:
        assert "policies at hand disagree" in words


def test_every_cause_has_a_scenario() -> None:
    """No cause goes without a scenario in which it is the true one."""
    shown = {row["cause"] for row in CASES["rows"]}
    assert set(CauseId) - shown <= {CauseId.NEVER_ALLOWED, CauseId.UNKNOWN}
