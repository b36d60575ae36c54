"""Every case of every correlation, in one lake: each case is moved to an account, addresses and names of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from clew.detect.catalog import load_builtin
from clew.detect.run import run
from clew.events.patterns.sigma_model import SigmaCorrelation
from clew.lake.detection import combinations, scan
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def apart(text, number):
    """The events' text with account, addresses and keys that no other case has."""
    for shared, own in (
        ("111122223333", f"{number + 1:012d}"),
        ("203.0.113.", f"203.{number}.113."),
        ("198.51.100.", f"198.{number}.100."),
        ("192.0.", f"192.{number}."),
        ("EXAMPLE00", f"EX{number:05d}00"),
    ):
        text = text.replace(shared, own)
    return text


@pytest.fixture(scope="module")
def correlations():
    catalog = load_builtin()
    return catalog, {rule.id for rule in catalog.reporting if isinstance(rule.sigma, SigmaCorrelation)}


@pytest.mark.parametrize(("wide", "keys"), [(20_000, 24), (1, 24), (1, 0)])
def test_correlations_judge_their_cases(detection_cases, correlations, tmp_path, monkeypatch, wide, keys):
    """A correlation finds the events of each firing case and nothing in a silent one, few or many as events are."""
    monkeypatch.setattr(combinations, "_WIDE", wide)
    monkeypatch.setattr(scan, "_MOST_KEYS", keys)
    catalog, names = correlations
    cases = [case for case in detection_cases if case.rule in names]
    assert 100 < len(cases) < 250, "an address has room for so many cases only"
    logs = tmp_path / "logs"
    logs.mkdir()
    owner = {}
    for number, case in enumerate(cases):
        lines = [apart(json.dumps(event), number) for event in case.events]
        for place, line in enumerate(lines):
            event = json.loads(line) | {"eventID": f"{number}-{place}"}
            owner[event["eventID"]] = number
            lines[place] = json.dumps(event)
        (logs / f"{number}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ingest(tmp_path / "lake", [logs], now=NOW, workers=1)
    found = {
        (item.rule, owner[event])
        for item in run(open_lake(tmp_path / "lake"), catalog).findings
        for event in item.event_ids
    }
    wrong = [
        f"{case}: {'is silent' if case.fires else 'fires'}"
        for number, case in enumerate(cases)
        if ((case.rule, number) in found) != case.fires
    ]
    assert wrong == []
