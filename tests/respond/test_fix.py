"""What holds of every change: nothing unasked, nothing hidden, nothing lost."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import typer
from tests.respond.conftest import point_to
from tests.respond.recorded_server import (
    Recorded,
    as_json,
    json_error,
    query,
    query_error,
    serve,
    xml,
    xml_error,
)
from typer.testing import CliRunner

from clew.cli.commands import block_public_access
from clew.errors import ChangeError, DriftError, UsageError
from clew.findings import Finding, Severity
from clew.store.database import Database
from clew.store.findings import upsert
from clew.store.journal import Journal, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = "123456789012"
BUCKET = "arn:aws:s3:::pay"
BLOCK = ("--action", "block-public-access", "--resource", BUCKET)
USER = f"arn:aws:iam::{OWN}:user/ana"
ALL_ON = "".join(
    f"<{name}>true</{name}>"
    for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
)
NO_BLOCK = xml_error("NoSuchPublicAccessBlockConfiguration", "none", 404)
BLOCKED = xml(f"<PublicAccessBlockConfiguration>{ALL_ON}</PublicAccessBlockConfiguration>")
GET_BLOCK, PUT_BLOCK = "GET /pay?publicAccessBlock", "PUT /pay?publicAccessBlock"


@pytest.fixture
def s3(aws: str) -> Any:
    assert aws
    client = boto3.client("s3")
    client.create_bucket(Bucket="pay")
    return client


def block(client: Any) -> Any:
    return client.get_public_access_block(Bucket="pay")["PublicAccessBlockConfiguration"]


def journal(home: str) -> tuple[Any, ...]:
    with Database(Path(home) / "default" / "state.db") as database:
        return Journal(database).all()


def kept(home: str) -> str:
    """A finding in the workspace about the bucket; its id."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    made = Finding(
        "f" * 16,
        "bucket-policy-public",
        "Bucket is public",
        Severity.HIGH,
        BUCKET,
        now,
        now,
        "public",
        accounts=(OWN,),
        resources=(BUCKET,),
    )
    path = Path(home) / "default"
    path.mkdir(parents=True)
    with Database(path / "state.db") as database:
        return upsert(database, [made], now).new[0]


@pytest.fixture
def home(_own_home: Path) -> str:
    return str(_own_home)


def test_fn6_block_public_access_and_undo(s3: Any, fix: Callable[..., Any], home: str) -> None:
    """FN6: a finding's public access is blocked, and taken back; the journal says who, when, what and the answer."""
    finding = kept(home)
    assert "block-public-access of" not in fix(finding[:6], "--apply").stderr
    assert all(block(s3).values())
    made = journal(home)[0]
    assert (made.finding, made.rule, made.standing) == (finding, "bucket-policy-public", Standing.APPLIED)
    assert made.caller == f"arn:aws:sts::{OWN}:user/moto"
    call = made.calls[0]
    assert (call.call, call.outcome) == ("s3:PutPublicAccessBlock", "ok")
    assert call.request["Bucket"] == "pay"
    assert made.steps[0].before is None
    assert made.steps[0].after[0] == made.steps[0].wanted
    fix("--undo", made.id)
    assert journal(home)[0].standing is Standing.UNDONE
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        block(s3)
    with pytest.raises(ChangeError, match="changed nothing that is not taken back already"):
        fix("--undo", made.id)


def test_preview_shows_the_calls_and_makes_none(s3: Any, fix: Callable[..., Any]) -> None:
    """Without --apply the exact commands, permissions and the way back are shown, and nothing is written."""
    text = fix(*BLOCK).stdout
    assert "aws s3api put-public-access-block --bucket pay --expected-bucket-owner 123456789012" in text
    assert "undo: aws s3api delete-public-access-block --bucket pay" in text
    assert "s3:PutBucketPublicAccessBlock" in text
    with pytest.raises(s3.exceptions.ClientError):
        block(s3)


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("json", '"operation": "PutPublicAccessBlock"'),
        ("cli", "aws s3api put-public-access-block --bucket pay"),
        ("cloudformation", '"PublicAccessBlockConfiguration": {'),
        ("terraform", 'resource "aws_s3_bucket_public_access_block" "pay" {'),
    ],
)
@pytest.mark.usefixtures("s3")
def test_plan_comes_in_the_forms_of_other_tools(form: str, part: str, fix: Callable[..., Any]) -> None:
    """Who keeps state in code gets the change as code."""
    text = fix(*BLOCK, "-o", form).stdout
    assert part in text
    if form in {"json", "cloudformation"}:
        json.loads(text)


def test_what_was_approved_is_what_is_made(s3: Any, fix: Callable[..., Any]) -> None:
    """A plan that is not the approved one any more changes nothing."""
    approved = re.search(r"^plan (\w+)", fix(*BLOCK).stdout, re.MULTILINE)
    assert approved
    half = {"BlockPublicAcls": True}
    s3.put_public_access_block(Bucket="pay", PublicAccessBlockConfiguration=half)
    with pytest.raises(UsageError, match=f"approved was `{approved[1]}`; nothing was changed"):
        fix(*BLOCK, "--apply", "--approved", approved[1])
    assert not block(s3)["BlockPublicPolicy"]


def test_undo_refuses_what_was_changed_since(s3: Any, fix: Callable[..., Any]) -> None:
    """Somebody's later change is not overwritten, unless that is asked for."""
    fix(*BLOCK, "--apply")
    s3.put_public_access_block(Bucket="pay", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    with pytest.raises(DriftError, match="bucket-public-access-block of `pay` is not as left by fix-1"):
        fix("--undo", "fix-1")
    assert block(s3)["BlockPublicAcls"]
    fix("--undo", "fix-1", "--force")
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        block(s3)


def test_change_between_plan_and_call_stops_it(fix: Callable[..., Any], monkeypatch: Any, home: str) -> None:
    """What stands is read again just before the first call: where it is not as planned with, nothing is called."""
    with serve({GET_BLOCK: [NO_BLOCK, BLOCKED]}) as server:
        point_to(server.url, monkeypatch)
        with pytest.raises(DriftError, match="is not as planned with"):
            fix(*BLOCK, "--apply")
        assert PUT_BLOCK not in server.operations()
    assert journal(home) == ()


def test_what_cannot_be_read_is_not_planned_with(fix: Callable[..., Any], monkeypatch: Any) -> None:
    """A refused read is no absence: there is no plan, and the call and AWS's code are named."""
    with serve({GET_BLOCK: xml_error("AccessDenied")}) as server:
        point_to(server.url, monkeypatch)
        with pytest.raises(ChangeError, match=r"s3:GetPublicAccessBlock .*: denied: AccessDenied"):
            fix(*BLOCK, "--apply")
        assert PUT_BLOCK not in server.operations()


@pytest.mark.usefixtures("aws")
def test_bucket_that_is_not_there_is_named(fix: Callable[..., Any]) -> None:
    """A missing bucket is not a bucket without settings."""
    with pytest.raises(ChangeError, match="NoSuchBucket: `pay` does not exist"):
        fix(*BLOCK)


LOG = ("--action", "enable-access-logging", "--resource", BUCKET, "--set", "target-bucket=logs")


def test_denied_call_is_told_with_what_was_done(fix: Callable[..., Any], monkeypatch: Any, home: str) -> None:
    """When the second call is refused, the first is listed, with the command that takes it back."""
    policy = as_json({"Version": "2012-10-17", "Statement": []})
    no_policy = xml_error("NoSuchBucketPolicy", "none", 404)
    recorded = {
        "GET /logs?policy": [no_policy, no_policy, policy],
        "PUT /logs?policy": Recorded(status=204),
        "GET /pay?logging": xml("<BucketLoggingStatus/>"),
        "PUT /pay?logging": xml_error("AccessDenied"),
    }
    with serve(recorded) as server:
        point_to(server.url, monkeypatch)
        result = fix(*LOG, "--apply")
    assert result.exit_code == 3
    assert "fix-1: s3:PutBucketPolicy: ok" in result.stdout
    assert "fix-1: s3:PutBucketLogging: denied: AccessDenied" in result.stdout
    assert "To take it back: clew fix --undo fix-1" in result.stdout
    assert "s3:PutBucketLogging was denied: AccessDenied" in result.stderr
    assert journal(home)[0].standing is Standing.PARTIAL


@pytest.mark.parametrize("carried_out", [True, pytest.param(False, marks=pytest.mark.long)])
def test_kill_between_intent_and_outcome(
    carried_out: bool, fix: Callable[..., Any], monkeypatch: Any, home: str
) -> None:
    """A process killed during a call leaves it on record, and undoing finds out whether it was carried out."""
    started: list[subprocess.Popen[bytes]] = []
    with serve({GET_BLOCK: NO_BLOCK, PUT_BLOCK: Recorded()}) as server:
        point_to(server.url, monkeypatch)
        server.before = lambda operation: started[0].kill() if operation == PUT_BLOCK else None
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "clew", "fix", *BLOCK, "--apply"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        assert started[0].wait(60) == -9
        assert journal(home)[0].standing is Standing.INTERRUPTED
        assert "it may or may not have been carried out" in fix("list").stdout
        server.answers[GET_BLOCK] = [BLOCKED, BLOCKED, NO_BLOCK] if carried_out else NO_BLOCK
        server.answers["DELETE /pay?publicAccessBlock"] = Recorded(status=204)
        assert fix("--undo", "fix-1").exit_code == 0
        assert ("DELETE /pay?publicAccessBlock" in server.operations()) is carried_out
    assert journal(home)[0].standing is Standing.UNDONE


def test_intent_is_on_disk_before_the_call(fix: Callable[..., Any], monkeypatch: Any, home: str) -> None:
    """When a call arrives at AWS, another process can read its intent."""
    seen: list[object] = []

    def look(operation: str) -> None:
        if operation == PUT_BLOCK:
            with sqlite3.connect(Path(home) / "default" / "state.db") as connection:
                seen.extend(connection.execute("select call, outcome from fix_calls"))

    with serve({GET_BLOCK: [NO_BLOCK, NO_BLOCK, BLOCKED], PUT_BLOCK: Recorded()}) as server:
        point_to(server.url, monkeypatch)
        server.before = look
        fix(*BLOCK, "--apply")
    assert seen == [("s3:PutPublicAccessBlock", None)]


@pytest.mark.usefixtures("aws")
def test_key_is_deactivated_then_deleted(fix: Callable[..., Any]) -> None:
    """An active key is never deleted, and a deletion needs a word of its own since nothing takes it back."""
    iam = boto3.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]["AccessKeyId"]
    delete = ("--action", "delete-access-key", "--resource", USER)
    with pytest.raises(ChangeError, match=rf"which inactive access key\?; there are: `{key}` \(Active\)"):
        fix(*delete)
    fix("--action", "deactivate-access-key", "--resource", USER, "--apply")
    with pytest.raises(UsageError, match=f"access key `{key}` is deleted: .*; give `--irreversible`"):
        fix(*delete, "--apply")
    assert "undo: none: access key" in fix(*delete).stdout
    fix(*delete, "--apply", "--irreversible")
    assert iam.list_access_keys(UserName="ana")["AccessKeyMetadata"] == []
    result = fix("--undo", "fix-2")
    assert (result.exit_code, "AWS never gives its secret again" in result.stderr) == (3, True)


@pytest.mark.usefixtures("aws")
def test_forced_undo_never_deletes_an_active_key(fix: Callable[..., Any]) -> None:
    """Keys made since are kept even where everything else is overwritten."""
    iam = boto3.client("iam")
    iam.create_user(UserName="ana")
    iam.create_access_key(UserName="ana")
    fix("--action", "deactivate-access-key", "--resource", USER, "--apply")
    iam.create_access_key(UserName="ana")
    with pytest.raises(ChangeError, match="is active; deactivate it first"):
        fix("--undo", "fix-1", "--force")
    assert len(iam.list_access_keys(UserName="ana")["AccessKeyMetadata"]) == 2


def test_mfa_delete_is_left_to_the_root_user(fix: Callable[..., Any], monkeypatch: Any) -> None:
    """A bucket with MFA delete cannot be changed without the root user's device, and that is said."""
    state = xml(
        "<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"
    )
    with serve({"GET /pay?versioning": state}) as server:
        point_to(server.url, monkeypatch)
        with pytest.raises(ChangeError, match="has MFA delete on: only the root user may change it"):
            fix("--action", "enable-versioning", "--resource", BUCKET)


def test_analyzer_is_made_and_deleted(fix: Callable[..., Any], monkeypatch: Any) -> None:
    """An analyzer of external access is created where a region has none, and undoing deletes that one."""
    own = {
        "name": "clew-external-access",
        "type": "ACCOUNT",
        "status": "ACTIVE",
        "arn": "arn:aws:access-analyzer:eu-west-1:123456789012:analyzer/clew-external-access",
        "createdAt": "2026-03-01T00:00:00Z",
    }
    none, one = as_json({"analyzers": []}), as_json({"analyzers": [own]})
    recorded = {
        "GET /analyzer": [none, none, one],
        "PUT /analyzer": as_json({"arn": own["arn"]}),
        "DELETE /analyzer/clew-external-access": as_json({}),
    }
    with serve(recorded) as server:
        point_to(server.url, monkeypatch)
        make = ("--action", "create-analyzer", "--resource", OWN, "--region", "eu-west-1")
        assert fix(*make, "--apply").exit_code == 0
        server.answers["GET /analyzer"] = [one, one, none]
        assert fix("--undo", "fix-1").exit_code == 0
        assert server.operations()[-2:] == ["DELETE /analyzer/clew-external-access", "GET /analyzer"]


def test_service_linked_role_of_config(fix: Callable[..., Any], monkeypatch: Any) -> None:
    """A first recorder gets AWS's own role; a denied role stops what depends on it."""
    recorded = {
        "DescribeConfigurationRecorders": as_json({"ConfigurationRecorders": []}),
        "DescribeDeliveryChannels": as_json({"DeliveryChannels": [{"name": "c", "s3BucketName": "h"}]}),
        "DescribeConfigurationRecorderStatus": as_json({"ConfigurationRecordersStatus": []}),
        "GetRole": query_error("NoSuchEntity", "none", 404),
        "CreateServiceLinkedRole": query_error("AccessDenied"),
        "PutConfigurationRecorder": json_error("AccessDeniedException"),
    }
    with serve(recorded) as server:
        point_to(server.url, monkeypatch)
        words = ("--action", "record-configuration", "--resource", OWN, "--region", "eu-west-1", "--apply")
        result = fix(*words)
        assert result.exit_code == 3
        assert "iam:CreateServiceLinkedRole was denied: AccessDenied" in result.stderr
        assert "PutConfigurationRecorder" not in server.operations()


def test_log_group_with_logs_is_kept() -> None:
    """Undoing deletes what was made, but never logs that were written since."""
    from clew.respond.aspects.logs import LOG_GROUP
    from clew.respond.model import Place

    place = Place(OWN, "eu-west-1", "/g")
    with pytest.raises(ChangeError, match="holds 5 bytes of logs; it is kept"):
        LOG_GROUP.change(place, {"retentionInDays": 1, "storedBytes": 5}, None)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("--plan", "--apply", *BLOCK), UsageError, "`--plan` does nothing"),
        ((), UsageError, "fix what"),
        (("--check", "iam-root-mfa", "--resource", OWN), UsageError, "no action remedies `iam-root-mfa`"),
        (("--action", "nonsense", "--resource", OWN), UsageError, "no action `nonsense`"),
        (("--action", "require-tls"), UsageError, "which resource"),
        ((*BLOCK, "--set", "nonsense=1"), ChangeError, "has no option `nonsense`; it has none"),
        ((*BLOCK, "--set", "nonsense"), UsageError, "expected NAME=VALUE"),
        (("--action", "rotate-key", "--resource", BUCKET), ChangeError, "is no key"),
        (("--action", "block-public-access", "--resource", USER), ChangeError, "is no bucket"),
        (("--action", "create-analyzer", "--resource", OWN), ChangeError, "which region"),
        (
            ("--action", "enable-access-logging", "--resource", BUCKET),
            ChangeError,
            "which bucket takes the logs",
        ),
        ((*LOG[:4], "--set", "target-bucket=pay"), ChangeError, "cannot log into itself"),
        ((*BLOCK, "--account", "222233334444"), ChangeError, "give `--role NAME`"),
        (("--undo", "fix-9"), UsageError, "no fix `fix-9`"),
    ],
)
def test_wrong_words_are_named(
    words: tuple[str, ...],
    error: type[Exception],
    message: str,
    fix: Callable[..., Any],
    monkeypatch: Any,
    home: str,
) -> None:
    """What does not fit together is one line, and nothing is asked of AWS but who the caller is."""
    (Path(home) / "default").mkdir()
    with Database(Path(home) / "default" / "state.db"), serve({}) as server:
        point_to(server.url, monkeypatch)
        with pytest.raises(error, match=message):
            fix(*words)
        assert set(server.operations()) <= {"GetCallerIdentity"}


def test_query_answers_have_their_envelope() -> None:
    """The recorded answers of the query APIs are as AWS writes them."""
    assert query("GetRole", "<A/>").body.startswith("<GetRoleResponse><GetRoleResult><A/></GetRoleResult>")


def test_fn6_the_short_command_blocks_and_takes_back(
    s3: Any, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    """FN6: `clew block-public-access pay` plans, applies and undoes as `clew fix` does."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    app = typer.Typer()
    block_public_access.register(app)
    planned = CliRunner().invoke(app, ["pay"])
    assert "aws s3api put-public-access-block --bucket pay" in planned.stdout
    assert CliRunner().invoke(app, ["pay", "--apply"]).exit_code == 0
    assert all(block(s3).values())
    made = journal(home)[0]
    assert CliRunner().invoke(app, ["--undo", made.id]).exit_code == 0
    assert journal(home)[0].standing is Standing.UNDONE
