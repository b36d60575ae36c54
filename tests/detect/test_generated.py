"""The generated incidents: each is found, by more than the name of a tool, and a clean set raises no alarm."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clew.detect.catalog import load_builtin
from clew.detect.run import run
from clew.findings import Severity
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

GENERATOR = Path(__file__).resolve().parents[3] / "shared" / "bin" / "gen_cloudtrail.py"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
TOOL = "offensive-tool"

pytestmark = pytest.mark.skipif(not GENERATOR.is_file(), reason="the generator of events is not at hand")


def findings(tmp_path, *arguments):
    """What the built-in rules find in a generated set, with the set's folder."""
    logs = tmp_path / "logs"
    subprocess.run([sys.executable, GENERATOR, *arguments, logs], check=True, capture_output=True)
    ingest(tmp_path / "lake", [logs], now=NOW, workers=2)
    return run(open_lake(tmp_path / "lake"), load_builtin()).findings, logs


def missed(found, logs):
    """The planted incidents that no finding of medium severity or more, tools' names aside, shares an event with."""
    proven = {
        event
        for finding in found
        if finding.severity.rank >= Severity.MEDIUM.rank and finding.rule != TOOL
        for event in finding.event_ids
    }
    planted = [json.loads(line) for line in (logs / "_truth.jsonl").read_text().splitlines()]
    assert planted
    return [item["scenario"] for item in planted if proven.isdisjoint(item["event_ids"])]


@pytest.mark.parametrize("events", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_every_planted_incident_is_found(tmp_path, events):
    """Each incident has a finding of medium severity or worse that shares an event with it."""
    found, logs = findings(tmp_path, "--events", str(events))
    assert missed(found, logs) == []


@pytest.mark.parametrize("events", [5_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_clean_set_raises_no_alarm(tmp_path, events):
    """Without incidents nothing of high severity or worse is found."""
    found, _ = findings(tmp_path, "--events", str(events), "--no-incidents")
    assert [(f.rule, f.actor) for f in found if f.severity.rank >= Severity.HIGH.rank] == []
