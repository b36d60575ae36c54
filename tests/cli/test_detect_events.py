"""The contract of `clew detect --events`: one line in, one line out, in order, without a lake."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CLEW = [sys.executable, "-m", "clew"]
STOP = {
    "eventVersion": "1.08",
    "eventID": "e-1",
    "eventName": "StopLogging",
    "eventSource": "cloudtrail.amazonaws.com",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Bob", "userName": "Bob"},
    "requestParameters": {"name": "trail"},
}
FAILED_LOGIN = {
    "eventVersion": "1.08",
    "eventName": "ConsoleLogin",
    "eventSource": "signin.amazonaws.com",
    "responseElements": {"ConsoleLogin": "Failure"},
}


def run(*arguments, lines=(), tmp_path=None):
    """`clew detect --events - ARGUMENTS` over the given lines."""
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return subprocess.run(
        [*CLEW, "detect", "--events", "-", *arguments],
        input=text.encode(),
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )


def documents(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_line_out_for_one_line_in(tmp_path):
    """Every line gives one line, in order, whatever it holds, and what was unreadable makes the exit code 3."""
    envelope = {"detail-type": "AWS API Call via CloudTrail", "detail": STOP}
    lines = [STOP, "", "{broken", envelope, {"Records": [STOP, STOP]}, "7", {"Records": [FAILED_LOGIN]}]
    done = run("--output", "jsonl", lines=lines, tmp_path=tmp_path)
    found = documents(done)
    assert [document["index"] for document in found] == list(range(7))
    assert ["error" in document for document in found] == [False, True, True, False, True, True, False]
    assert found[0] == {**found[3], "index": 0}
    assert (found[0]["event_id"], found[6]["event_id"]) == ("e-1", None)
    assert "cloudtrail-stopped" in found[0]["rules"]
    assert done.returncode == 3


def test_only_rules_that_report_are_listed(tmp_path):
    """Rules that serve a correlation only are listed with --all alone."""
    plain = documents(run(lines=[FAILED_LOGIN], tmp_path=tmp_path))[0]["rules"]
    everything = documents(run("--all", lines=[FAILED_LOGIN], tmp_path=tmp_path))[0]["rules"]
    assert "console-brute-force-event" not in plain
    assert "console-brute-force-event" in everything


@pytest.mark.parametrize(("threshold", "code"), [("high", 1), ("critical", 0)])
def test_fail_on_decides_the_exit_code(tmp_path, threshold, code):
    """The exit code is 1 when a rule of that severity or worse matches."""
    done = run("--fail-on", threshold, "--rule", "cloudtrail-stopped", lines=[STOP], tmp_path=tmp_path)
    assert (done.returncode, done.stderr) == (code, b"")


def test_no_lake_is_touched(tmp_path):
    """Events in flight need no workspace, no DuckDB and no SQLAlchemy."""
    program = (
        "import sys; from clew.cli.main import app; sys.argv = ['clew', 'detect', '--events', '-']\n"
        "try:\n    app()\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'pyarrow', 'sqlalchemy', 'pyiceberg', 'boto3', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=b"{}\n", capture_output=True, check=False, cwd=tmp_path
    )
    assert done.stderr == b""
    assert list(tmp_path.iterdir()) == []


def test_user_rules_are_read_and_their_faults_reported(tmp_path):
    """A user's Sigma folder joins in; what it does wrong is named with its line and makes the answer partial."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "own.yml").write_text(
        "title: Own\nid: 7ad1ed3c-0000-4000-8000-000000000001\nlogsource: {product: aws, service: cloudtrail}\n"
        "detection: {s: {eventName: StopLogging}, condition: s}\nlevel: low\n"
    )
    good = run("--rules", str(folder), lines=[STOP], tmp_path=tmp_path)
    assert "7ad1ed3c-0000-4000-8000-000000000001" in documents(good)[0]["rules"]
    assert good.returncode == 0
    (folder / "windows.yml").write_text(
        "title: Other\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n"
    )
    assert run("--rules", str(folder), lines=[STOP], tmp_path=tmp_path).returncode == 0
    (folder / "bad.yml").write_text(
        "title: Bad\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s: {a|nosuch: b}\n  condition: s\n"
    )
    bad = run("--rules", str(folder), lines=[STOP], tmp_path=tmp_path)
    assert bad.returncode == 3
    assert b"bad.yml:4" in bad.stderr
    assert "cloudtrail-stopped" in documents(bad)[0]["rules"]


def test_other_outputs_are_refused(tmp_path):
    """A table of lines in flight is a usage error, not a guess."""
    done = run("--output", "table", lines=[STOP], tmp_path=tmp_path)
    assert done.returncode == 2
    assert b"jsonl" in done.stderr
