"""A real refusal, its explanation, its fix, and the call that then succeeds, over an emulator that enforces IAM.

The emulator enforces identity policies only; the other gates are proven by the scenarios.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import typer
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from clew.cli.commands import explain, fix
from clew.engine import Request
from clew.errors import ChangeError, ClewError
from clew.explain import fix_plan
from clew.explain.fix import Fix
from clew.explain.fix_edit import Edit, Kind, Where

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

moto = pytest.importorskip("moto")
_core = pytest.importorskip("moto.core")
_ADMIN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_BEFORE_ENFORCEMENT = 5


def _iam(key: dict[str, str] | None = None) -> Any:
    given = key or {"AccessKeyId": "testing", "SecretAccessKey": "testing"}
    return boto3.client(
        "iam",
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
    )


def _user(name: str) -> tuple[Any, dict[str, str]]:
    """A client that signs as the new user, and its key."""
    nobody = _iam()
    nobody.create_user(UserName=name)
    key = nobody.create_access_key(UserName=name)["AccessKey"]
    return _iam(key), key


@pytest.fixture
def clew(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `clew explain` and `clew fix`; nothing waits, and errors of ours are raised."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    app = typer.Typer()
    explain.register(app)
    fix.register(app)

    def run(*words: str, given: str = "") -> Result:
        result = CliRunner().invoke(app, words, input=given)
        if isinstance(result.exception, ClewError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def _refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refusal:
        call()
    return str(refusal.value)


@moto.mock_aws
@_core.set_initial_no_auth_action_count(_BEFORE_ENFORCEMENT)
def test_the_fix_of_a_real_refusal_lets_the_call_through(
    clew: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the SDK prints is explained; its fix is applied and verified; taken back, the call is refused again."""
    ana, _ = _user("ana")
    admin, key = _user("admin")
    _iam().put_user_policy(UserName="admin", PolicyName="All", PolicyDocument=json.dumps(_ADMIN))
    refused = _refusal(ana.list_groups)
    details = tmp_path / "details.json"
    details.write_text(json.dumps(admin.get_account_authorization_details(), default=str), encoding="utf-8")
    asked = ("explain", "-", "--policies", str(details))
    assert "allow it in an identity policy of the user `ana`" in clew(*asked, given=refused).stdout
    plan = clew(*asked, "--fix-as", "plan", given=refused).stdout
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    file = tmp_path / "plan.json"
    file.write_text(plan, encoding="utf-8")
    shown = clew("fix", "--from", str(file)).stdout
    assert "call: aws iam put-user-policy --user-name ana --policy-name ClewFix" in shown
    assert "undo: aws iam delete-user-policy --user-name ana --policy-name ClewFix" in shown
    assert "Nothing was changed." in shown
    _refusal(ana.list_groups)
    made = clew("fix", "--from", str(file), "--apply")
    assert made.exit_code == 0
    assert (
        "evaluated again: iam:ListGroups on * by arn:aws:iam::123456789012:user/ana: allowed" in made.stdout
    )
    assert ana.list_groups()["Groups"] == []
    assert "edit-policy" in clew("fix", "list").stdout
    assert clew("fix", "--undo", "fix-1").exit_code == 0
    assert _refusal(ana.list_groups) == refused


@moto.mock_aws
def test_a_policy_that_was_changed_since_is_not_overwritten(
    clew: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was explained is what is edited: another document in its place stops the change, before any call."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="Edge", PolicyDocument=json.dumps(_ADMIN))["Policy"]["Arn"]
    where = Where(Kind.MANAGED, "managed policy Edge", arn, "v1", "123456789012")
    only = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    request = Request("arn:aws:iam::123456789012:user/ana", "s3:GetObject", "arn:aws:s3:::logs/a")
    files = {}
    for name, before in (("as-it-is", _ADMIN), ("as-it-was", only)):
        edit = Edit(where, "identity_policies/0", before, only)
        fix_ = Fix("Narrow it", "identity", "managed policy Edge", "nothing", "none", (edit,))
        files[name] = tmp_path / f"{name}.json"
        files[name].write_text(fix_plan.written(fix_, request), encoding="utf-8")
    with pytest.raises(ChangeError, match="managed policy Edge is not as it was explained"):
        clew("fix", "--from", str(files["as-it-was"]))
    assert clew("fix", "--from", str(files["as-it-is"]), "--apply").exit_code == 0
    assert _default(iam, arn) == ("v2", only)
    assert clew("fix", "--undo", "fix-1").exit_code == 0
    assert _default(iam, arn) == ("v1", _ADMIN)
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 1


def _default(iam: Any, arn: str) -> tuple[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return version, found
