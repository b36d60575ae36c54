"""`clew replay`: the matrix, the disagreements with their events, exit codes, and errors of one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import ClewError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

_USER = "arn:aws:iam::111122223333:user/ana"
_ACCOUNT: dict[str, Any] = {
    "UserDetailList": [
        {
            "Path": "/",
            "UserName": "ana",
            "UserId": "AIDAEXAMPLEANA000000",
            "Arn": _USER,
            "UserPolicyList": [
                {
                    "PolicyName": "Look",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
                    },
                }
            ],
        }
    ],
    "GroupDetailList": [],
    "RoleDetailList": [],
    "Policies": [],
}


def _call(identity: str, name: str, **more: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "eventID": identity,
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "eventTime": "2026-03-11T02:00:00Z",
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser", "arn": _USER, "accountId": "111122223333", "userName": "ana"},
        "requestParameters": {},
        **more,
    }


_REFUSED = {"errorCode": "Client.UnauthorizedOperation", "errorMessage": "You are not authorized.\x1b[2J"}


def _replayed(folder: Path, lines: list[str], *words: str) -> Result:
    account, calls = folder / "account.json", folder / "calls.jsonl"
    account.write_text(json.dumps(_ACCOUNT), encoding="utf-8")
    calls.write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = ["replay", "--policies", str(account), "--events", str(calls), *words]
    return CliRunner().invoke(app, asked)


def _lines(*calls: dict[str, Any]) -> list[str]:
    return [json.dumps(call) for call in calls]


def test_what_happened_as_predicted_ends_with_0(tmp_path: Path) -> None:
    """An allowed call that worked, and one that nothing allows and that was refused."""
    calls = _lines(_call("1", "DescribeInstances"), _call("2", "DescribeVpcs"))
    found = _replayed(tmp_path, ["", *calls])
    assert found.exit_code == 0
    assert "2 calls, 2 compared (100 % of all)" in found.stdout
    assert "not as predicted" not in found.stdout


def test_a_disagreement_names_its_event_and_what_aws_said(tmp_path: Path) -> None:
    """It ends with 1; what AWS's message holds is printed inert."""
    calls = _lines(_call("1", "DescribeInstances"), _call("2", "DescribeVpcs", **_REFUSED))
    found = _replayed(tmp_path, calls)
    assert found.exit_code == 1
    assert "not as predicted:" in found.stdout
    assert f"ec2:DescribeVpcs on * by {_USER}, once" in found.stdout
    assert "such as event 2 at 2026-03-11T02:00:00Z" in found.stdout
    assert "AWS said: You are not authorized." in found.stdout
    assert "\x1b" not in found.stdout


def test_what_cannot_be_compared_is_counted_with_its_reason(tmp_path: Path) -> None:
    """A caller who is not among the principals: nothing is compared, which ends with 3."""
    stranger = _call("1", "DescribeInstances")
    stranger["userIdentity"] = {
        **stranger["userIdentity"],
        "arn": _USER.replace("ana", "eve"),
        "userName": "eve",
    }
    found = _replayed(tmp_path, _lines(stranger))
    assert found.exit_code == 3
    assert "none of them could be compared" in found.stdout
    assert "is not among the principals of account 111122223333" in found.stdout


def test_as_json_every_disagreement_has_its_events(tmp_path: Path) -> None:
    """The matrix is whole, cells of nothing too."""
    calls = _lines(_call("1", "DescribeInstances"), _call("2", "DescribeVpcs", **_REFUSED))
    told = json.loads(_replayed(tmp_path, calls, "--output", "json").stdout)
    assert told["calls"] == 2
    assert told["comparisons"]["agrees"] == told["comparisons"]["disagrees"] == 1
    assert sum(cell["calls"] for cell in told["matrix"]) == 2
    assert [group["event_ids"] for group in told["groups"]] == [["2"]]


@pytest.mark.parametrize(
    ("line", "words", "said"),
    [
        ("{", (), "calls.jsonl:1: not JSON"),
        ("[]", (), "calls.jsonl:1: expected one CloudTrail record on each line"),
        ("{}", ("--user", "ana"), "`--events` takes every record"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(
    tmp_path: Path, line: str, words: tuple[str, ...], said: str
) -> None:
    """An error of one line, which `main` ends with 2."""
    found = _replayed(tmp_path, [line], *words)
    assert isinstance(found.exception, ClewError)
    assert said in str(found.exception)
