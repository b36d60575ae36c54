"""`clew config`: what each command prints, keeps and ends with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.snapshot import file
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "111122223333"
RULE = """
id: own
title: policies are there
resource: AWS::S3::Bucket
assert: {path: BucketPolicy, exists: true}
"""


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLEW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["config", *arguments])
    failure = result.exception if not isinstance(result.exception, SystemExit) else None
    return result.exit_code, result.output + str(failure or "")


def snapshot(folder: Path, hour: int, buckets: dict[str, Answer | None]) -> str:
    """A snapshot of these buckets, each with the answer to GetBucketPolicy; None for one without policy."""
    time = f"2026-03-10T{hour:02d}:00:00Z"
    listed = Call(ACCOUNT, GLOBAL, "s3", "ListBuckets")
    answers = [Answer(listed, time, Status.OK, {"Buckets": [{"Name": name} for name in buckets]})]
    for name, given in buckets.items():
        call = Call(ACCOUNT, GLOBAL, "s3", "GetBucketPolicy", (("Bucket", name),))
        found = given or Answer(call, time, Status.ABSENT, None, "NoSuchBucketPolicy")
        answers.append(Answer(call, time, found.status, found.body, found.error_code))
    path = folder / f"{hour}.json.gz"
    file.write(path, Answers(answers), tool_version="0", collected_at=time)
    return str(path)


POLICY = Answer(Call("", "", "", ""), "", Status.OK, {"Policy": '{"Statement": []}'})
DENIED = Answer(Call("", "", "", ""), "", Status.DENIED, None, "AccessDenied")


def test_successive_snapshots_make_a_history(workspace: Path) -> None:
    """Snapshots are taken in the order of time, and a second time they add nothing."""
    late = snapshot(workspace, 2, {"a": POLICY})
    early = snapshot(workspace, 1, {"a": None, "b": None})
    code, output = run("ingest", late, early)
    assert code == 0
    assert output.index("1.json.gz: 2 configuration items added") < output.index("2.json.gz: 2 configuration")
    assert "2.json.gz: 0 configuration items added" in run("ingest", late)[1]
    _, output = run("history", "arn:aws:s3:::a", "-o", "json", "--no-events")
    assert [step["changes"][0]["place"] for step in json.loads(output)] == ["configuration", "BucketPolicy"]
    _, output = run("diff", "--from", "2026-03-10T01:30Z", "--to", "2026-03-10T03:00Z")
    assert "gone      arn:aws:s3:::b" in output


def test_history_without_events_says_what_is_not_known(workspace: Path) -> None:
    """A lake without CloudTrail records names that as its blind spot."""
    run("ingest", snapshot(workspace, 1, {"a": None}), snapshot(workspace, 2, {"a": POLICY}))
    _, output = run("history", "a")
    assert "changed by unknown" in output
    assert "the lake holds no CloudTrail record" in output


def test_two_recorders_share_one_list(workspace: Path) -> None:
    """What Clew collected and what AWS Config recorded stand in the order of time, each with who saw it."""
    items = [
        {
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": f"2026-03-10T01:{minute}:00Z",
            "configurationItemStatus": "OK",
            "awsAccountId": ACCOUNT,
            "resourceType": "AWS::S3::Bucket",
            "resourceId": "a",
            "ARN": "arn:aws:s3:::a",
            "awsRegion": "eu-west-1",
            "configuration": {"name": "a", "creationDate": minute},
        }
        for minute in ("20", "40")
    ]
    delivered = workspace / "config.json"
    delivered.write_text(json.dumps({"fileVersion": "1.0", "configurationItems": items}))
    early, late = snapshot(workspace, 1, {"a": None}), snapshot(workspace, 2, {"a": POLICY})
    run("ingest", early, late, str(delivered))
    lines = [line for line in run("history", "a", "--no-events")[1].splitlines() if line.startswith("2026")]
    assert [line.partition("a, as ")[2] for line in lines] == [
        "clew collect saw it",
        "AWS Config saw it",
        "AWS Config saw it",
        "clew collect saw it",
    ]


def test_a_resource_that_nobody_knows(workspace: Path) -> None:
    """An unknown name is an error with advice."""
    run("ingest", snapshot(workspace, 1, {"a": None}))
    assert "no configuration item of `zzz`" in run("history", "zzz")[1]


def test_names_of_resources_cannot_drive_the_terminal(workspace: Path) -> None:
    """Control characters in an item are shown, not sent."""
    item = {
        "awsAccountId": ACCOUNT,
        "awsRegion": "eu-west-1",
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "a\x1b[2Jb",
        "configurationItemCaptureTime": "2026-03-10T06:00:00Z",
        "configuration": {"name": "=cmd()\x1b"},
    }
    (workspace / "config.json").write_text(json.dumps({"configurationItems": [item]}), encoding="utf-8")
    run("ingest", str(workspace / "config.json"))
    for command in (
        ["items"],
        ["history", "a\x1b[2Jb"],
        ["diff", "--from", "2026-03-09", "--to", "2026-03-11"],
    ):
        for output in ("table", "csv"):
            assert "\x1b" not in run(*command, "-o", output)[1]


@pytest.mark.parametrize(
    ("policy", "code", "state"),
    [(POLICY, 0, "COMPLIANT"), (None, 1, "NON_COMPLIANT"), (DENIED, 3, "INSUFFICIENT_DATA")],
)
def test_evaluation_ends_with_what_it_found(
    workspace: Path, policy: Answer | None, code: int, state: str
) -> None:
    """The exit code says whether all is compliant, and the state is kept."""
    rules = workspace / "rules"
    rules.mkdir()
    (rules / "own.yaml").write_text(RULE, encoding="utf-8")
    path = snapshot(workspace, 1, {"a": policy})
    assert run("evaluate", path, "--rules", str(rules))[0] == code
    _, output = run("evaluate", path, "--rules", str(rules), "-o", "json")
    told = json.loads(output)
    assert ([each["compliance"] for each in told["evaluations"]], told["changes"]) == ([state], [])
    assert state in run("compliance", "arn:aws:s3:::a")[1]


def test_evaluation_of_what_changed(workspace: Path) -> None:
    """Only resources with an item since then are told; what was deleted ends its compliance."""
    rules = workspace / "rules"
    rules.mkdir()
    (rules / "own.yaml").write_text(RULE, encoding="utf-8")
    first = snapshot(workspace, 1, {"a": None, "b": None, "c": None})
    second = snapshot(workspace, 2, {"a": POLICY, "b": None})
    run("ingest", first, second)
    run("evaluate", first, "--rules", str(rules))
    _, output = run(
        "evaluate", second, "--rules", str(rules), "--changed-since", "2026-03-10T01:30Z", "-o", "json"
    )
    told = json.loads(output)
    assert [each["resource"] for each in told["evaluations"]] == ["arn:aws:s3:::a"]
    assert [(each["resource"], each["old"], each["new"]) for each in told["changes"]] == [
        ("arn:aws:s3:::a", "NON_COMPLIANT", "COMPLIANT"),
        ("arn:aws:s3:::c", "NON_COMPLIANT", "NOT_APPLICABLE"),
    ]
