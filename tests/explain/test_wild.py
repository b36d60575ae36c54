"""Refusals as they look in logs, stack traces and consoles: read as they are meant, with the true cause behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import read_case_file
from tests.explain import scenario

from clew.explain.around import explained
from clew.explain.denial_text import read
from clew.explain.explanation import of_text
from clew.reach.predict import Predictor
from clew.report import explanation_text

if TYPE_CHECKING:
    from clew.explain.explanation import Explanation

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "wild.yaml"
ROWS: list[dict[str, Any]] = read_case_file(_FILE)["rows"]
_OF_ACCOUNT = {
    "identity",
    "boundary",
    "trust",
    "bucket",
    "key",
    "policy",
    "scps",
    "rcps",
    "also",
    "settings",
    "roles",
}


def _ids(row: dict[str, Any]) -> str:
    return str(row["name"])


@pytest.mark.parametrize("row", [row for row in ROWS if "text" in row], ids=_ids)
def test_a_text_of_the_wild_is_read(row: dict[str, Any]) -> None:
    """As many refusals are read as there are, each part as it is written."""
    found = read(row["text"])
    assert len(found) == row.get("count", 1)
    said = {name: getattr(found[0], name) for name in row.get("says", {})}
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    assert told == row.get("says", {})


@pytest.mark.parametrize("given", [row for row in ROWS if {"cause", "gate", "tells"} & row.keys()], ids=_ids)
def test_the_true_cause_is_told(given: dict[str, Any]) -> None:
    """Cause, gate and sentence are those of the case; what is open is said; the first fix adds what was meant."""
    found = _explained(given)
    assert found.cause.id == given.get("cause", found.cause.id), found.cause.sentence
    assert found.cause.gate == given.get("gate", found.cause.gate), found.cause.sentence
    assert given.get("tells", "") in found.cause.sentence
    assert found.agreement == given.get("agreement", found.agreement)
    titles = [fix.title for fix in found.fixes]
    assert not given.get("no_fix") or not titles
    assert "fix" not in given or any(given["fix"] in title for title in titles), titles
    added = json.dumps(found.fixes[0].statement) if found.fixes else ""
    assert given.get("adds", "") in added
    assert not given.get("no_commands") or not found.fixes[0].commands
    assert "newly" not in given or found.fixes[0].newly == given["newly"]
    is_open = [*found.unknown, *found.settle, *found.assumed]
    assert "open" not in given or any(given["open"] in text for text in is_open), is_open
    words = " ".join(explanation_text.render([found]).split())
    assert found.cause.sentence.split("`")[0].strip() in words


def _explained(given: dict[str, Any]) -> Explanation:
    row = {**scenario.CASES["defaults"], **given}
    is_known = bool({*_OF_ACCOUNT, "account"} & given.keys())
    predictor = Predictor(scenario.snapshot(row)) if is_known else None
    if "event" in row:
        return explained(scenario.event(row, row["event"]), [], predictor)
    return of_text(scenario.text(row), predictor)[0]


def test_what_a_log_says_again_and_again_is_told_once() -> None:
    """The same refusal, with another request id each time, is one explanation with the lines that tell of it."""
    once = ROWS[0]["text"]
    found = of_text("\n".join([f"{once} request id: {number:08}" for number in range(3)]), None)
    assert [each.lines for each in found] == [(1, 2, 3)]
    assert "3 times in the text (lines 1, 2, 3)" in explanation_text.render(found)
