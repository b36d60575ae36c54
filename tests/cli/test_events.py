"""`clew events`: the questions of tests/cases/history, and what no case can say."""

from __future__ import annotations

import csv
import io
import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file
from typer.testing import CliRunner

from clew.cli.main import app
from clew.lake.history import words
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

CASES = Path(__file__).parent.parent / "cases"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUESTIONS = read_case_file(CASES / "history" / "questions.yaml")
ROOT_SIGN_INS = read_case_file(CASES / "history" / "last-root-sign-in.yaml")


def made_up() -> list[dict[str, Any]]:
    """The events of events.yaml, each merged over the defaults."""
    document = read_case_file(CASES / "history" / "events.yaml")
    events = []
    for given in document["events"]:
        event = {**document["defaults"], **given, "eventID": given["id"], "requestID": f"R-{given['id']}"}
        if "as" in given:
            event["userIdentity"] = document["identities"][given["as"]]
        events.append({key: value for key, value in event.items() if key not in {"id", "as"}})
    return events


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the examples EV1 to EV15 and the made-up events."""
    home = tmp_path_factory.mktemp("events")
    for path in sorted((CASES / "events").glob("EV*.yaml")):
        for number, given in enumerate(read_case_file(path).get("inputs", [])):
            suffix = "log" if given["kind"] == "s3_access" else "json"
            (home / f"{path.stem}-{number}.{suffix}").write_text(given["text"])
    (home / "made-up.json").write_text(json.dumps({"Records": made_up()}))
    ingest(home / "w" / "lake", sorted([*home.glob("*.json"), *home.glob("*.log")]), now=NOW)
    return home / "w"


def ask(workspace: Path, *words: str) -> Any:
    """The outcome of `clew events` with these words."""
    return CliRunner().invoke(app, ["-w", str(workspace), "events", *words], catch_exceptions=False)


def identity(row: dict[str, Any]) -> str:
    """The event id of a made-up event, `ev:EV5` for the record of an example."""
    return (
        row["event_id"]
        if row["event_id"] in MADE_UP
        else f"ev:{Path(row['source']['path']).name.split('-')[0]}"
    )


MADE_UP = {event["eventID"] for event in made_up()}


@pytest.mark.parametrize("case", QUESTIONS, ids=[case["id"] for case in QUESTIONS])
def test_question(workspace, case):
    """Each question is answered by exactly its events, in order, told as the case says."""
    words = shlex.split(case["ask"]) if isinstance(case["ask"], str) else case["ask"]
    result = ask(workspace, *words, "--output", "json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    rows = {identity(row): row for row in answer["events"]}
    assert list(rows) == case["finds"]
    assert answer["more"] is case.get("more", False)
    assert bool(answer["blind_spots"]) is (not case["finds"])
    for name, expected in case.get("rows", {}).items():
        assert {key: rows[name][key] for key in expected} == expected
    for name, roles in case.get("via", {}).items():
        assert [session["role"] for session in rows[name]["via"]] == roles


def test_questions_for_resources_are_answered_alike_when_words_are_kept(workspace, monkeypatch):
    """The first such question of a large lake is followed by keeping its words; the answers stay."""
    monkeypatch.setattr(words, "LEAST_ROWS", 0)
    kept = workspace / "lake" / words.FILE_NAME
    assert not kept.exists()
    ask(workspace, "--resource", "sg-12341234")
    assert kept.is_file()
    assert words.may_concern(open_lake(workspace / "lake"), ["nobody-knows-this"]) == ()
    for case in QUESTIONS:
        asked = shlex.split(case["ask"]) if isinstance(case["ask"], str) else case["ask"]
        if "--resource" in asked:
            answer = json.loads(ask(workspace, *asked, "--output", "json").stdout)
            assert [identity(row) for row in answer["events"]] == case["finds"]
    kept.unlink()


def test_contradiction_is_shown_with_both_values(workspace):
    """EV5 names two users: the table shows both, and says what the mark means."""
    text = ask(workspace, "--user", "Jane").stdout
    assert "! userIdentity.userName is `Jane` but userIdentity.arn is" in text
    assert "arn:aws:iam::123456789012:user/Alice" in text
    assert "contradict themselves" in text


def test_session_is_shown_with_its_opener(workspace):
    """EV10: a call of an assumed role names the roles and who opened the first session."""
    text = " ".join(ask(workspace, "--resource", "payroll").stdout.split())
    assert "via role EC2-dev → role Admin, opened by JohnDoe" in text


def test_table_fits_in_100_columns(workspace):
    """No line of the table is wider than 100 columns, whatever names the records hold."""
    text = ask(workspace, "--limit", "0").stdout
    assert max(map(len, text.splitlines())) <= 100


def test_request_is_shown_from_both_logs(workspace):
    """EV15: the request id shows the access line beside the record, the pre-signature, and where they disagree."""
    result = ask(workspace, "--request-id", "4RDM0X7KAX9P6Y6Y")
    assert "authentication        QueryString" in result.stdout
    assert "TLS version           TLSv1.2" in result.stdout
    assert "valid for 300 s" in result.stdout
    assert "≠ host id" in result.stdout


def test_raw_is_byte_for_byte(workspace):
    """EV5: --raw writes the record's text as it stood in its file, and nothing else."""
    case = read_case_file(CASES / "events" / "EV5.yaml")
    result = ask(workspace, "--user", "Jane", "--raw")
    assert result.stdout_bytes == case["inputs"][0]["text"].strip().encode() + b"\n"


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_hostile_text_stays_inert(workspace, output):
    """Terminal escapes and formulas planted in a record come out inert in every form."""
    text = ask(workspace, "--event-id", "hostile", "--output", output).stdout
    assert "\x1b" not in text
    assert "\x07" not in text
    if output == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["user_name"] == "'=HYPERLINK(1)"


def test_json_lines_hold_the_same_rows_as_json(workspace):
    """JSON lines, JSON and CSV tell the same events with the same keys."""
    rows = [json.loads(line) for line in ask(workspace, "-r", "reports", "-o", "jsonl").stdout.splitlines()]
    assert rows == json.loads(ask(workspace, "-r", "reports", "-o", "json").stdout)["events"]
    cells = list(csv.DictReader(io.StringIO(ask(workspace, "-r", "reports", "-o", "csv").stdout)))
    assert [row["event_id"] for row in cells] == [row["event_id"] for row in rows]


def test_nothing_found_names_blind_spots(workspace):
    """Object reads in a bucket without data events are not simply absent: the answer says what was not recorded."""
    result = ask(workspace, "-r", "arn:aws:s3:::payroll", "-n", "GetObject", "--account", "222233334444")
    text = " ".join(result.stdout.split())
    assert result.stdout.startswith("no event found")
    assert "no record of account 222233334444" in text
    assert "no data events of bucket `payroll` in the lake" in text


def test_nothing_found_suggests_names(workspace):
    """A misspelt call or user is answered with the name that occurs."""
    assert "did you mean DeleteSecurityGroup?" in ask(workspace, "-n", "DeleteSecurtyGroup").stdout
    assert "did you mean JohnDoe?" in ask(workspace, "-u", "johndoe").stdout


def test_no_root_sign_in_found(workspace):
    """CR6: without a sign-in the answer says so, shows the root user's own last call, and names blind spots."""
    text = ask(workspace, "--last-root-login").stdout
    assert text.startswith("no root sign-in found")
    assert "ec2 AuthorizeSecurityGroupIngress" in text
    assert "what this lake cannot have seen" in text


@pytest.mark.parametrize("case", ROOT_SIGN_INS, ids=lambda case: case["id"])
def test_last_root_sign_in(tmp_path, case):
    """CR6: the latest successful console sign-in of the root user is found; a refused one is not, but is a use."""
    events = [
        {**made_up()[0], "eventID": f"root-{hour}", "eventTime": f"2024-06-01T{hour:02}:00:00Z",
         "awsRegion": "us-east-1", "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
         "eventType": "AwsConsoleSignIn",
         "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"},
         "responseElements": {"ConsoleLogin": answer}, "additionalEventData": {"MFAUsed": "Yes"}}
        for hour, answer in case["signs_in"].items()
    ]  # fmt: skip
    (tmp_path / "root.json").write_text(json.dumps({"Records": events}))
    ingest(tmp_path / "w" / "lake", [tmp_path / "root.json"], now=NOW)
    answer = json.loads(ask(tmp_path / "w", "--last-root-login", "-o", "json").stdout)
    assert answer["last_root_use"]["event_id"] == f"root-{case['last_use']}"
    if case["last"] is None:
        assert answer["last_root_sign_in"] is None
        return
    assert answer["last_root_sign_in"]["event_id"] == f"root-{case['last']}"
    assert answer["last_root_sign_in"]["mfa"] == "used"
    assert answer["last_root_sign_in"]["source"]["path"] == str(tmp_path / "root.json")
    assert ask(tmp_path / "w", "--last-root-login").stdout.startswith("the root user's last sign-in")


def test_conflicting_records_are_both_shown(tmp_path):
    """Two records with one event id and different content are both shown, and marked."""
    first = {**made_up()[0], "eventID": "same"}
    second = {**first, "eventName": "StopInstances"}
    (tmp_path / "a.json").write_text(json.dumps({"Records": [first, second]}))
    ingest(tmp_path / "w" / "lake", [tmp_path / "a.json"], now=NOW)
    rows = json.loads(ask(tmp_path / "w", "--event-id", "same", "-o", "json").stdout)["events"]
    assert sorted(row["event_name"] for row in rows) == ["StopInstances", "TerminateInstances"]
    assert all(row["conflict"] for row in rows)


def test_reads_and_writes_exclude_each_other(workspace):
    """Asking for only reads and only writes at once is a usage error."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "events", "--read-only", "--write-only"])
    assert "exclude each other" in str(result.exception)


def test_broken_network_is_refused(tmp_path: Path) -> None:
    """`--ip` with numbers that are no address or network is an error, not an empty answer."""
    from clew.errors import UsageError
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import find
    from clew.lake.reader import open_lake

    source = tmp_path / "one.json"
    source.write_text(
        json.dumps({"Records": [{"eventID": "1", "eventTime": "2026-03-01T00:00:00Z"}]}), encoding="utf-8"
    )
    ingest(tmp_path / "lake", [source], now=datetime(2026, 4, 1, tzinfo=UTC))
    for wanted in ("junk/99", "192.0.2.0/33", "300.1.1.1", "2001:db8:::1"):
        with pytest.raises(UsageError, match="is no address or network"):
            find(open_lake(tmp_path / "lake"), Filters(ips=(wanted,)))


def test_a_time_that_ends_before_it_begins_is_refused(workspace):
    """`--until` before `--since` is a usage error, not an empty answer."""
    words = ["events", "--since", "2024-07-18T12:00Z", "--until", "2024-07-18T12:00Z"]
    result = CliRunner().invoke(app, ["-w", str(workspace), *words])
    assert "is not after `--since` (2024-07-18 12:00:00Z)" in str(result.exception)
