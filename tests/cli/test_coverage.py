"""`clew coverage`: what the evidence covers, as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.lake.ingest import ingest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two events nine hours apart, the second by a hostile name."""
    home = tmp_path_factory.mktemp("coverage-command")
    events = [
        {"eventVersion": "1.09", "eventTime": f"2024-05-01T{hour}:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
         "eventName": "StopLogging", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventID": hour,
         "userIdentity": {"type": "IAMUser", "userName": name}}
        for hour, name in (("01", "Ann"), ("10", "\x1b]0;owned\x07"))
    ]  # fmt: skip
    (home / "a.json").write_text(json.dumps({"Records": events}))
    ingest(home / "w" / "lake", [home / "a.json"], now=datetime(2026, 1, 1, tzinfo=UTC))
    return home / "w"


def test_text(workspace):
    """The text names places, hours, gaps and changes of recording, in 100 columns, with hostile text inert."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "coverage"])
    assert result.exit_code == 0
    assert "2 of 10 h" in result.stdout
    assert "no records: 8 h from 2024-05-01 02:00" in result.stdout
    assert "StopLogging  by Ann" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_json(workspace):
    """The JSON tells the same with stable keys."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "coverage", "-o", "json"])
    held = json.loads(result.stdout)
    assert held["accounts"] == ["111122223333"]
    assert held["places"][0]["gaps"] == [
        {"start": "2024-05-01T02:00:00Z", "hours": 8, "account_active": False}
    ]
    assert held["span"] == {"first": "2024-05-01T01:00:00Z", "last": "2024-05-01T10:00:00Z", "records": 2}


def test_action(workspace):
    """An action is answered by every kind of evidence, with its delay and its source."""
    words = ["-w", str(workspace), "coverage", "--action", "s3:GetObject"]
    text = CliRunner().invoke(app, words).stdout
    assert "CloudTrail event history: no" in text
    assert "best effort" in text
    evidence = json.loads(CliRunner().invoke(app, [*words, "-o", "json"]).stdout)["evidence"]
    assert {row["key"]: row["would_record"] for row in evidence}["trail_data"] == "if enabled"


@pytest.mark.parametrize("words", [["--action", "GetObject"], ["--bucket", "b"]])
def test_wrong_words(workspace, words):
    """An action without its service, and a bucket without an action, are usage errors."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "coverage", *words])
    assert "s3:GetObject" in str(result.exception)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("s3:*", "`s3:*` names several calls"),
        ("s3:GetObjct", "did you mean `s3:GetObject`?"),
        ("GetObject", "expected service:Call"),
    ],
)
def test_what_is_no_single_call_is_refused(workspace, action, message):
    """A pattern and a misspelt data event get no answer that would be about something else."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "coverage", "--action", action])
    assert message in str(result.exception)
