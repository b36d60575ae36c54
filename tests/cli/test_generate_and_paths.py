"""`clew generate-policy`, `clew paths` and `clew policy`: exit codes, forms, and errors of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError

if TYPE_CHECKING:
    from click.testing import Result

_SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
_ESCALATION = str(_SAMPLES / "escalation")
_ROLE = "arn:aws:iam::111122223333:role/ci"


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A workspace with two calls of a role, one of them a denied one."""
    folder = tmp_path_factory.mktemp("generate")
    call = {
        "eventVersion": "1.11",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "eventTime": "2026-03-11T02:00:00Z",
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "eventType": "AwsApiCall",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/ci/build",
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": _ROLE, "userName": "ci"}},
        },
    }
    calls = [
        {**call, "eventID": "1", "requestParameters": {"bucketName": "logs", "key": "a"}},
        {
            **call,
            "eventID": "2",
            "errorCode": "AccessDenied",
            "requestParameters": {"bucketName": "logs", "key": "b"},
        },
    ]
    (folder / "calls.json").write_text(json.dumps({"Records": calls}), encoding="utf-8")
    workspace = str(folder / "workspace")
    assert _run("--workspace", workspace, "ingest", str(folder / "calls.json")).exit_code == 0
    return workspace


def test_generated_policy_is_printed_in_every_form(lake: str) -> None:
    """The same policy stands in text, in JSON and alone."""
    words = ("--workspace", lake, "generate-policy", _ROLE, "--since", "2026-03-01", "--output")
    alone, told, text = (_run(*words, form) for form in ("policy", "json", "text"))
    assert [alone.exit_code, told.exit_code, text.exit_code] == [0, 0, 0]
    [only] = json.loads(told.stdout)["policies"]
    assert only["document"] == json.loads(alone.stdout)
    assert only["document"]["Statement"][0]["Resource"] == "arn:aws:s3:::logs/a"
    assert json.loads(told.stdout)["denied"][0]["example_event_id"] == "2"
    assert "denied, so not in the policy" in text.stdout


def test_nothing_generated_is_no_success(lake: str) -> None:
    """A role without calls gets no policy, and exit code 3."""
    done = _run("--workspace", lake, "generate-policy", f"{_ROLE}2", "--since", "2026-03-01")
    assert done.exit_code == 3
    assert done.stdout.startswith("no policy")


def test_comparison_says_when_the_principal_is_not_at_hand(lake: str) -> None:
    """A principal that the snapshot does not hold is not compared, and the reason is said."""
    words = ("--workspace", lake, "generate-policy", _ROLE, "--since", "2026-03-01", "--output", "json")
    told = json.loads(_run(*words, "--policies", _ESCALATION).stdout)["comparison"]
    assert told["relation"] == "unknown"
    assert "is not among the principals" in told["reason"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generate-policy", "ana"], "give the ARN of a user or role"),
        (["generate-policy", "arn:aws:iam::111122223333:root"], "is no user and no role"),
        (["generate-policy", _ROLE, "--days", "9", "--since", "2d"], "exclude each other"),
        (["paths", "--from", _ROLE, "--policies", _ESCALATION], "is no user and no role of the snapshot"),
        (["policy", "versions", "arn:aws:iam::111122223333:policy/x"], "name a snapshot"),
        (["policy", "versions", _ESCALATION, "arn:aws:iam::111122223333:policy/x"], "is not among"),
    ],
)
def test_wrong_words_are_told(words: list[str], message: str) -> None:
    """What cannot be answered is an error that says what to give."""
    done = _run(*words)
    assert isinstance(done.exception, ClewError)
    assert message in str(done.exception)


def test_paths_fail_on_request() -> None:
    """A path is exit code 1 only where it was asked for, and the page needs nothing from elsewhere."""
    words = ("paths", "--from", "arn:aws:iam::111122223333:user/dev", "--policies", _ESCALATION)
    assert _run(*words).exit_code == 0
    assert _run(*words, "--fail-on", "path").exit_code == 1
    assert [each["certain"] for each in json.loads(_run(*words, "-o", "json").stdout)["paths"]] == [True] * 3
    page = _run(*words, "-o", "html").stdout
    assert "<svg" in page
    assert "src=" not in page


def test_versions_of_files_are_compared_in_order(tmp_path: Path) -> None:
    """Files are versions from old to new, and the last is the one that applies."""
    files = []
    for number, action in enumerate(["s3:GetObject", "s3:*"], 1):
        file = tmp_path / f"{number}.json"
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), encoding="utf-8")
        files.append(str(file))
    done = _run("policy", "versions", *files, "--output", "json")
    assert done.exit_code == 0
    [step] = json.loads(done.stdout)["steps"]
    assert step["changes"]["became_possible"]
    assert not step["changes"]["became_impossible"]
