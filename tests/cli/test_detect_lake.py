"""`clew detect`, `findings`, `suppress` and `rules` over a workspace, as a user runs them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.lake.ingest import ingest

NOW = datetime(2026, 4, 1, tzinfo=UTC)
EVIL = "=cmd()\x1b]0;owned\x07<script>"


def event(name, number, agent="aws-cli/2.15.30"):
    return {
        "eventVersion": "1.11",
        "eventTime": f"2026-03-02T10:00:{number:02d}Z",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": agent,
        "eventID": f"e-{number}",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::111122223333:user/{EVIL}",
            "userName": EVIL,
            "accountId": "111122223333",
        },
        "requestParameters": {"name": "trail"},
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake that holds a stopped trail and a hacking tool."""
    path = tmp_path_factory.mktemp("lake")
    events = [event("StopLogging", 1), event("ListTrails", 2, "aws-cli/1.2 kali-amd64")]
    (path / "a.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    ingest(path / "lake", [path / "a.jsonl"], now=NOW, workers=1)
    return path / "lake"


@pytest.fixture
def clew(lake, tmp_path):
    """Runs `clew` in a workspace of its own over that lake."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "lake").symlink_to(lake)
    runner = CliRunner()

    def run(*arguments):
        return runner.invoke(app, ["--workspace", str(tmp_path / "w"), *arguments])

    return run


def findings(done):
    return json.loads(done.stdout)


def test_findings_keep_their_identity(clew):
    """Two runs give the same findings, and the second finds nothing new."""
    first, second = findings(clew("detect", "-o", "json")), findings(clew("detect", "-o", "json"))
    assert [(f["id"], f["first_seen"]) for f in first] == [(f["id"], f["first_seen"]) for f in second]
    trend = json.loads(clew("findings", "trend", "-o", "json").stdout)
    assert [run["new"] for run in trend] == [len(first), 0]


@pytest.mark.parametrize(("threshold", "code"), [("high", 1), ("critical", 0)])
def test_fail_on_decides_the_exit_code(clew, threshold, code):
    """The exit code is 1 when an active finding reaches the threshold, and 0 otherwise."""
    assert clew("detect", "--fail-on", threshold).exit_code == code


def test_suppressed_findings_do_not_fail(clew):
    """A suppression takes findings out of `--fail-on`, shows its reason, and can be taken back."""
    clew("detect")
    assert "cloudtrail-stopped" in clew("suppress", "test", "--rule", "cloudtrail-stopped").stdout
    for rule in {f["rule"] for f in findings(clew("detect", "-o", "json"))}:
        made = clew(
            "suppress", "add", "--rule", rule, "--reason", "drill", "--owner", "mary", "--expires", "30d"
        )
        assert made.exit_code == 0, made.output
    assert clew("detect", "--fail-on", "low").exit_code == 0
    hidden = findings(clew("findings", "list", "--status", "suppressed", "-o", "json"))
    assert all("drill (mary, until " in f["suppression"] for f in hidden)
    identity = clew("suppress", "list").stdout.split()[0]
    assert clew("suppress", "remove", identity).exit_code == 0
    assert clew("detect", "--fail-on", "informational").exit_code == 1


def test_a_suppression_must_end_or_say_that_it_does_not(clew):
    """Neither expiry nor `--no-expiry` is refused, and so are both."""
    base = ("suppress", "add", "--rule", "r", "--reason", "x")
    assert clew(*base).exit_code != 0
    assert clew(*base, "--expires", "3d", "--no-expiry").exit_code != 0
    assert clew(*base, "--no-expiry").exit_code == 0


def test_unused_suppressions_are_named(clew):
    """A suppression that fits nothing is mentioned by the next run."""
    clew("suppress", "add", "--rule", "nosuch", "--reason", "x", "--no-expiry")
    assert "fits no finding" in clew("detect").stderr


@pytest.mark.parametrize(
    "arguments", [("detect",), ("findings", "list"), ("detect", "-o", "csv"), ("suppress", "list")]
)
def test_hostile_names_are_inert(clew, arguments):
    """Escape codes in names reach no terminal, and no cell begins a formula."""
    clew("detect")
    clew("suppress", "add", "--actor", f"*{EVIL}", "--reason", EVIL, "--no-expiry")
    shown = clew(*arguments).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    if "csv" in arguments:
        cells = [cell for row in csv.reader(io.StringIO(shown)) for cell in row]
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_the_table_is_readable_at_a_hundred_columns(clew):
    """No line of the table is wider than a terminal, and the worst finding comes first."""
    lines = clew("detect").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].startswith("HIGH")


def test_one_finding_in_full(clew):
    """A finding is found by the beginning of its id and shows evidence and history."""
    identity = findings(clew("detect", "-o", "json"))[0]["id"]
    shown = clew("findings", "show", identity[:7]).stdout
    assert "Evidence" in shown
    assert "a.jsonl record" in shown
    assert "new" in shown.splitlines()[-1]
    document = findings(clew("findings", "show", identity, "-o", "json"))
    assert document["history"][0]["change"] == "new"


def test_one_finding_per_line(clew):
    """`--output jsonl` prints one finding per line."""
    lines = clew("detect", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["rule"] for line in lines]


def test_only_the_named_rules_run(clew):
    """`--rule` runs that rule alone and resolves nothing of the others."""
    clew("detect")
    only = findings(clew("detect", "--rule", "cloudtrail-stopped", "-o", "json"))
    assert {f["rule"] for f in only} == {"cloudtrail-stopped"}
    assert findings(clew("findings", "list", "--status", "resolved", "-o", "json")) == []


def test_rules_can_be_read(clew):
    """Every rule is listed, and one is shown with its reason and its first steps."""
    listed = json.loads(clew("rules", "list", "-o", "json").stdout)
    assert len(listed) > 90
    assert all(rule["reports"] for rule in listed)
    shown = clew("rules", "show", "cloudtrail-stopped").stdout
    assert "why_it_matters:" in shown
    assert clew("rules", "show", "nosuch").exit_code != 0


def test_without_a_lake_there_is_no_empty_answer(tmp_path):
    """A workspace without a lake, or without findings, is an error that says what to do."""
    runner = CliRunner()
    for command in (["detect"], ["findings", "list"], ["suppress", "list"]):
        done = runner.invoke(app, ["--workspace", str(tmp_path / "none"), *command])
        assert done.exit_code != 0
        assert "run `clew" in str(done.exception)
