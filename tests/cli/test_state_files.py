"""Questions about permissions are answered from the newest snapshot of the workspace where no file is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import UsageError
from clew.snapshot import file
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from pathlib import Path

_ACCOUNT = "111122223333"
_DETAILS = {
    "UserDetailList": [
        {
            "UserName": "ana",
            "Arn": f"arn:aws:iam::{_ACCOUNT}:user/ana",
            "UserPolicyList": [
                {
                    "PolicyName": "Read",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
                    },
                }
            ],
        }
    ],
    "GroupDetailList": [],
    "RoleDetailList": [],
    "Policies": [],
}
_REFUSAL = (
    f"User: arn:aws:iam::{_ACCOUNT}:user/ana is not authorized to perform: s3:PutObject "
    'on resource: "arn:aws:s3:::artifacts/x" because no identity-based policy allows the s3:PutObject action'
)
_QUESTIONS = (
    ("who-can", "s3:GetObject", "arn:aws:s3:::payroll/2026.csv"),
    ("what-can", f"arn:aws:iam::{_ACCOUNT}:user/ana"),
    ("paths", "--from", f"arn:aws:iam::{_ACCOUNT}:user/ana"),
    ("policy", "review"),
    ("explain", _REFUSAL),
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two snapshots, of which the older one knows nobody."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "snapshots").mkdir()
    call = Call(_ACCOUNT, GLOBAL, "iam", "GetAccountAuthorizationDetails")
    for time, said in (("2026-03-10T06:00:00Z", []), ("2026-03-11T06:00:00Z", [_DETAILS])):
        answers = Answers(Answer(call, time, Status.OK, body) for body in said)
        name = time.replace(":", "")
        file.write(folder / "snapshots" / f"{name}.json.gz", answers, tool_version="0", collected_at=time)
    return folder


@pytest.mark.parametrize("question", _QUESTIONS, ids=lambda question: question[0])
def test_newest_snapshot_answers_and_is_named(question: tuple[str, ...], workspace: Path) -> None:
    """The answer knows the user of the newest snapshot, and says on stderr whose word it is."""
    result = CliRunner().invoke(app, ["--workspace", str(workspace), *question])
    assert "user/ana" in result.stdout or "Read" in result.stdout
    assert "policies of the newest snapshot, `2026-03-11T060000Z.json.gz`" in result.stderr


@pytest.mark.parametrize("question", _QUESTIONS[:-1], ids=lambda question: question[0])
def test_no_snapshot_is_an_error_with_a_way_out(question: tuple[str, ...], tmp_path: Path) -> None:
    """Without any state the command says how to get one; it never answers from nothing."""
    result = CliRunner().invoke(app, ["--workspace", str(tmp_path), *question])
    assert isinstance(result.exception, UsageError)
    assert "or run `clew collect`" in str(result.exception)


def test_refusal_is_explained_without_a_snapshot(tmp_path: Path) -> None:
    """The words of the message alone still tell the cause, and that no policies are at hand."""
    result = CliRunner().invoke(app, ["--workspace", str(tmp_path), "explain", _REFUSAL])
    assert "No identity policy allows `s3:PutObject`" in result.stdout
    assert "clew collect" in result.stdout
