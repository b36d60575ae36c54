"""What a hostile or careless user feeds the command line ends in answers, refusals and exit codes, never in a crash."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: {0}
id: {0}
name: name-of-{0}
level: high
logsource: {{product: aws, service: cloudtrail}}
detection:
  s:
    {1}
  condition: s
"""


def event(number=1, **changes):
    """A record of the given number with some of its fields changed; `...` takes a field away."""
    made = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/Bob", "userName": "Bob"},
        "eventTime": "2023-07-10T11:42:36Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.13",
        "eventID": f"e-{number:04}",
        "readOnly": True,
        "eventType": "AwsApiCall",
    } | changes
    return {key: value for key, value in made.items() if value is not ...}


def text(*events):
    """A compact log file of the events."""
    return json.dumps({"Records": events}, separators=(",", ":"))


@pytest.fixture
def clew(tmp_path, monkeypatch):
    """Run the command line with a home of its own."""
    monkeypatch.setenv("CLEW_HOME", str(tmp_path / "home"))
    return lambda *arguments, **options: CliRunner().invoke(app, [*map(str, arguments)], **options)


def test_a_folder_of_odd_things_is_read_around(clew, tmp_path: Path):
    """Broken links, link loops, pipes, sockets, odd names and nameless logs neither stop, block nor vanish."""
    logs = tmp_path / "logs"
    (logs / "dir.json").mkdir(parents=True)
    (logs / "dir.json" / "a.json").write_text(text(event(1)))
    (logs / "broken.json").symlink_to("nowhere")
    (logs / "loop").symlink_to("..")
    (logs / "self").symlink_to("self")
    (logs / "again.json").symlink_to("dir.json/a.json")
    os.mkfifo(logs / "pipe.json")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(logs / "s.json"))
    (logs / "two\nlines\x1b[31m.json").write_text(text(event(2)))
    (logs / os.fsdecode(b"bad\xff.json")).write_text(text(event(3)))
    (logs / os.fsdecode(b"worse\xff.json")).write_text("<html>")
    (logs / "no-ending").write_text(text(event(4)))
    (logs / "logs.zip").write_bytes(b"PK\x03\x04")
    (logs / "README").write_text("read me")
    done = clew("ingest", "-o", "json", logs)
    found = json.loads(done.stdout)
    assert (done.exit_code, found["events"], len(found["ignored"])) == (3, 4, 1)
    assert found["reasons"] == {"html_or_xml": 1, "unknown_format": 1, "unreadable": 4}
    assert json.loads(clew("ingest", "-o", "json", logs).stdout)["reasons"] == found["reasons"]
    assert "\x1b" not in clew("lake", "quarantine").stdout


def test_a_workspace_among_the_logs_is_not_read_into_itself(clew, tmp_path: Path):
    """The figures are the same on every run when the lake lies in the investigated folder."""
    (tmp_path / "a.json").write_text(text(event(1), event(2)))
    runs = [clew("-w", tmp_path / "w", "investigate", tmp_path, "-o", "json") for _ in range(3)]
    assert {run.exit_code for run in runs} == {0}
    assert [json.loads(run.stdout)["events"] for run in runs] == [2, 2, 2]


def test_a_folder_without_logs_is_no_clean_bill(clew, tmp_path: Path):
    """Investigating a folder that holds no log is an input error, and does not become the current question."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_text(text(event(1)))
    (tmp_path / "empty").mkdir()
    clew("investigate", tmp_path / "logs", "-o", "json")
    with pytest.raises(ClewError, match="holds no log files"):
        raise clew("investigate", tmp_path / "empty").exception
    assert json.loads(clew("events", "-o", "json").stdout)["events"][0]["event_id"] == "e-0001"


@pytest.mark.parametrize("pasted", ["{0},{1}", "{0},\n{1},\n", '"Records":[{0},{1}]', "[{0},{1}]", "{0}{1}"])
def test_pasted_records_need_no_repair(clew, tmp_path: Path, pasted: str):
    """Records cut out of an array are read, with the commas that came along."""
    cut = pasted.replace("{0}", json.dumps(event(1))).replace("{1}", json.dumps(event(2)))
    (tmp_path / "a.json").write_text(cut)
    done = clew("ingest", "-o", "json", tmp_path / "a.json")
    assert (done.exit_code, json.loads(done.stdout)["events"]) == (0, 2)


def test_a_repeated_key_says_the_same_everywhere(clew, tmp_path: Path):
    """The lake's columns, the rules in flight and the history take the first value of a repeated key."""
    twice = json.dumps(event(1, eventName="StopLogging", eventSource="cloudtrail.amazonaws.com"))
    twice = f'{twice[:-1]},"eventName":"DescribeTrails"}}'
    (tmp_path / "a.json").write_text(f'{{"Records":[{twice}]}}')
    found = json.loads(clew("investigate", tmp_path / "a.json", "-o", "json").stdout)
    assert "cloudtrail-stopped" in {finding["rule"] for finding in found["findings"]}
    in_flight = json.loads(clew("detect", "--events", "-", input=twice).stdout)
    assert "cloudtrail-stopped" in in_flight["rules"]
    shown = json.loads(clew("events", "-o", "json").stdout)["events"][0]
    assert shown["event_name"] == "StopLogging"
    assert shown["contradictions"]


def test_a_repeated_key_cannot_hide_a_real_record(clew, tmp_path: Path):
    """A forged record that equals the real one only to a reader of last values is a conflict, no duplicate."""
    real = json.dumps(event(1, eventName="StopLogging"))
    forged = f'{json.dumps(event(1))[:-1]},"eventName":"StopLogging"}}'
    (tmp_path / "a.json").write_text(f'{{"Records":[{forged},{real}]}}')
    found = json.loads(clew("ingest", "-o", "json", tmp_path / "a.json").stdout)
    assert (found["events"], found["conflicts"]) == (2, 1)


def test_a_row_of_cloudtrail_lake_is_the_record_it_was_made_of(clew, tmp_path: Path):
    """Lower-case columns, left-out nulls and Lake's spelling of the time make no second event."""
    record = event(1, errorCode=None, requestParameters={"name": None, "size": 1})
    row = {key.lower(): value for key, value in record.items() if value is not None}
    row |= {"eventtime": "2023-07-10 11:42:36.000", "requestparameters": '{"size": 1}'}
    (tmp_path / "a.json").write_text(text(record))
    (tmp_path / "b.json").write_text(json.dumps(row))
    found = json.loads(clew("ingest", "-o", "json", tmp_path / "a.json", tmp_path / "b.json").stdout)
    assert (found["events"], found["duplicates"], found["conflicts"]) == (1, 1, 0)


def test_numbers_of_thousands_of_digits_can_be_asked_for(clew, tmp_path: Path):
    """A record with a number that Python does not convert is stored, shown and judged like any other."""
    odd = f'{json.dumps(event(1))[:-1]},"requestParameters":{{"x":{"9" * 5000},"y":"\\ud800"}}}}'
    (tmp_path / "a.json").write_text(f'{{"Records":[{odd},{json.dumps(event(2))}]}}')
    assert json.loads(clew("investigate", tmp_path / "a.json", "-o", "json").stdout)["events"] == 2
    assert clew("events", "--raw", "--event-id", "e-0001").stdout == f"{odd}\n"
    assert clew("events", "--resource", "*").exit_code == 0


def test_rules_of_users_are_named_by_their_sigma_id(clew, tmp_path: Path):
    """A user's rule prints its `id`; one that a correlation counts is still true of the event in flight."""
    (tmp_path / "a.yml").write_text(RULE.format("base", "eventName: DescribeInstances"))
    (tmp_path / "b.yml").write_text(
        "title: many\nid: many\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [base]\n"
        "  group-by: [userIdentity.arn]\n  timespan: 1h\n  condition: {gte: 5}\n"
    )
    done = clew("detect", "--events", "-", "--rules", tmp_path, input=json.dumps(event()))
    assert json.loads(done.stdout)["rules"] == ["base"]


def test_rules_about_other_fields_are_asked_of_any_object(clew, tmp_path: Path):
    """An object without any field of CloudTrail is an error, unless a rule reads such fields."""
    (tmp_path / "a.yml").write_text(RULE.format("foreign", "Foo.Bar: x"))
    lines = '{"Foo": {"Bar": "x"}}\n{"Foo": 1}\n'
    asked = clew("detect", "--events", "-", "--rules", tmp_path, input=lines).stdout.splitlines()
    assert [json.loads(line)["rules"] for line in asked] == [["foreign"], []]
    plain = clew("detect", "--events", "-", input=lines).stdout.splitlines()
    assert ["error" in json.loads(line) for line in plain] == [True, True]


def test_a_packed_file_of_events_is_unpacked(clew, tmp_path: Path):
    """`--events` takes a gzip file; a damaged one is an error, after the lines that could be read."""
    packed = gzip.compress(f"{json.dumps(event(1))}\n{json.dumps(event(2))}\n".encode())
    (tmp_path / "a.gz").write_bytes(packed)
    (tmp_path / "b.gz").write_bytes(packed[:-9])
    done = clew("detect", "--events", tmp_path / "a.gz")
    assert [json.loads(line)["event_id"] for line in done.stdout.splitlines()] == ["e-0001", "e-0002"]
    with pytest.raises(ClewError, match="cannot be read: damaged gzip"):
        raise clew("detect", "--events", tmp_path / "b.gz").exception


def test_hostile_names_are_inert_in_the_report(clew, tmp_path: Path):
    """Terminal codes and markup in names reach neither the HTML nor the terminal alive."""
    evil = "\x1b[2J<img src=x onerror=alert(1)></script>\u202e{{7*7}}"
    arn = f"arn:aws:iam::111122223333:user/{evil}"
    stop = event(
        1,
        eventName="StopLogging",
        eventSource="cloudtrail.amazonaws.com",
        userAgent=evil,
        userIdentity={"type": "IAMUser", "userName": evil, "arn": arn},
        requestParameters={"name": evil},
    )
    (tmp_path / "a.json").write_text(text(stop))
    page = tmp_path / "report.html"
    done = clew("investigate", tmp_path / "a.json", "--report", page)
    written = page.read_text()
    assert "A trail was stopped" in written
    for shown in (done.stdout, written, clew("events", "-o", "csv").stdout):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "<img src=x" not in written


def test_problems_of_rules_are_told_by_an_investigation(clew, tmp_path: Path):
    """A rule that cannot be used is named with file and line, and the exit code is 3."""
    (tmp_path / "bad.yml").write_text(RULE.format("bad", "eventName|frobnicate: x"))
    (tmp_path / "a.json").write_text(text(event(1)))
    done = clew("investigate", tmp_path / "a.json", "--rules", tmp_path)
    assert done.exit_code == 3
    assert "bad.yml:8" in done.stderr
    assert "frobnicate" in done.stderr


def test_a_severity_that_is_none_is_found_out_first(clew, tmp_path: Path):
    """`--fail-on` with another word answers nothing: no findings stand on standard output beside the refusal."""
    (tmp_path / "a.json").write_text(text(event(1)))
    done = clew("investigate", tmp_path / "a.json", "--fail-on", "bogus")
    assert done.stdout == ""
    with pytest.raises(ClewError, match="not a severity"):
        raise done.exception


def test_answers_lose_no_column_and_destroy_no_lake(clew, tmp_path: Path):
    """Columns of one name all reach JSON, CSV holds no terminal codes, and no answer is written into the lake."""
    (tmp_path / "a.json").write_text(text(event(1, userAgent="\x1b[31m")))
    clew("-w", tmp_path / "w", "ingest", tmp_path / "a.json")

    def ask(*arguments):
        return clew("-w", tmp_path / "w", "sql", *arguments)

    query = "SELECT eventid AS a, eventname AS a FROM cloudtrail_logs"
    assert json.loads(ask("-o", "json", query).stdout) == [{"a": "e-0001", "a_2": "DescribeInstances"}]
    assert "\x1b" not in ask("-o", "csv", "SELECT useragent FROM cloudtrail_logs").stdout
    with pytest.raises(ClewError, match="inside the lake"):
        raise ask("-o", "csv", "--force", "--out", tmp_path / "w" / "lake" / "catalog.db", query).exception
    for large in ("repeat('x', 1000000000)", "sequence(1, 100000000)"):
        with pytest.raises(ClewError, match="more than 10000 entries"):
            raise ask("-o", "json", f"SELECT {large}").exception


def test_a_reader_that_leaves_is_no_finding():
    """When the reader of the output closes it, the exit code is not the one of findings."""
    with subprocess.Popen(
        [sys.executable, "-m", "clew", "rules", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, b"")


def test_an_extra_that_is_not_installed_is_named(tmp_path: Path):
    """Without the packages of the lake a question ends in the command that installs them."""
    program = (
        "import sys\nsys.modules.update(dict.fromkeys(('duckdb', 'isal', 'pyarrow')))\n"
        "from clew.cli.main import main\nmain()"
    )
    (tmp_path / "a.json").write_text(text(event(1)))
    done = subprocess.run(
        [sys.executable, "-c", program, "-w", tmp_path / "w", "ingest", tmp_path / "a.json"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert "is not installed; run `pip install 'clew-aws[lake]'`" in done.stderr


def test_a_name_that_is_too_long_is_an_input_error(clew):
    """A path that the system refuses is refused in one line."""
    with pytest.raises(ClewError, match="cannot be read"):
        raise clew("ingest", "x" * 5000).exception


def test_threshold_that_is_no_severity_is_a_usage_error() -> None:
    """A threshold that is no severity is refused by name."""
    from clew.cli.investigation import severity
    from clew.errors import UsageError

    with pytest.raises(UsageError, match="`bogus` is not a severity"):
        severity("bogus")
