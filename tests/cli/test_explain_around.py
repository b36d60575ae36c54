"""`clew explain --event` reads the calls recorded around the refused one; an integration has options of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.explain.accounts import authorization_details
from typer.testing import CliRunner

from clew.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

_ANA = "arn:aws:iam::111122223333:user/ana"
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/k-1"


def _record(number: int, source: str, name: str, **more: Any) -> dict[str, Any]:
    who = {
        "type": "IAMUser",
        "arn": _ANA,
        "accountId": "111122223333",
        "accessKeyId": "AKIAEXAMPLE",
        "userName": "ana",
    }
    return {
        "eventVersion": "1.11", "eventID": f"00000000-0000-4000-8000-{number:012}", "eventTime": "2026-03-11T02:24:10Z",
        "eventSource": f"{source}.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2", "userIdentity": who, "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333", "requestID": f"REQUEST{number}", **more,
    }  # fmt: skip


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, " ".join([*done.output.split(), str(done.exception or "")])


def test_key_behind_an_object_is_found_in_the_lake(tmp_path: Path) -> None:
    """S3 says Access Denied; the refused Decrypt of the same object, recorded beside it, is the cause.

    So it is for the record itself, as a file, EventBridge or a look-up gives it, and for a text with its request id.
    """
    refused = _record(
        1, "s3", "GetObject", errorCode="AccessDenied", errorMessage="Access Denied",
        requestParameters={"bucketName": "logs", "key": "a"}, eventCategory="Data",
    )  # fmt: skip
    behind = _record(
        2, "kms", "Decrypt", errorCode="AccessDenied", resources=[{"ARN": _KEY, "accountId": "111122223333"}],
        requestParameters={"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::logs/a"}},
        errorMessage=f"User: {_ANA} is not authorized to perform: kms:Decrypt on resource: {_KEY} because no "
        "identity-based policy allows the kms:Decrypt action",
    )  # fmt: skip
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [refused, behind]}))
    account = authorization_details({_ANA: {"identity": "Allow s3:* on *"}}, {})
    (tmp_path / "account.json").write_text(json.dumps(account))
    assert _run("--quiet", "ingest", str(tmp_path / "trail.json"))[0] == 0
    found = ("explain", "--event", refused["eventID"], "--policies", str(tmp_path / "account.json"))
    assert f"Behind it `kms:Decrypt` on `{_KEY}` was refused" in _run(*found)[1]
    beside = _record(3, "s3", "ListBuckets")
    looked_up = {"Events": [{"EventId": "x", "CloudTrailEvent": json.dumps(refused)}]}
    for told in (
        json.dumps(refused),
        json.dumps({"Records": [beside, refused]}),
        json.dumps({"detail": refused}),
        json.dumps(looked_up),
        f"{json.dumps(beside)}\n{json.dumps(refused)}",
        "AccessDenied: Access Denied (Service: S3, Status Code: 403, Request ID: REQUEST1)",
    ):
        said = _run("explain", told, "--policies", str(tmp_path / "account.json"))[1]
        assert f"Behind it `kms:Decrypt` on `{_KEY}` was refused" in said


def test_integrations_are_listed_and_their_options_checked() -> None:
    """Without a name all are listed; an option that means nothing, or lacks its value, is named."""
    code, listed = _run("explain", "integration")
    assert code == 0
    assert "lambda-logs --function" in listed
    rows = json.loads(CliRunner().invoke(app, ["explain", "integration", "--output", "json"]).stdout)
    assert {"name": "pass-role", "needs": ["principal", "role", "service"]}.items() <= next(
        each for each in rows["integrations"] if each["name"] == "pass-role"
    ).items()
    policies = ("--policies", "samples/account")
    for words, said in (
        (("lambda-logs", "--functoin", "x"), "`lambda-logs` needs `--function`"),
        (("dashboards", "--principal", "x", "--bucket", "b"), "takes no `--bucket`"),
        (("dashboards", "--principal"), "`--principal` needs a value"),
        (("dashboards", "ana"), "`ana` is no option"),
    ):
        assert said in _run("explain", "integration", *policies, *words)[1]
