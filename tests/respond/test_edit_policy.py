"""Every kind of policy that an explanation edits: written over an emulator, read again, and taken back as it was."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import typer
from moto import mock_aws
from typer.testing import CliRunner

from clew.cli.commands import fix as fix_command
from clew.engine import Request
from clew.errors import ChangeError, ClewError, UsageError
from clew.explain import fix_plan
from clew.explain.fix import Fix
from clew.explain.fix_edit import Edit, Kind, Where
from clew.respond.aspects.policies import with_version

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNT = "123456789012"
REGION = "us-east-1"
ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
REQUEST = Request(ANA, "s3:GetObject", "arn:aws:s3:::logs/a")
Made = tuple[Where, "Callable[[], Any]"]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}


OLD, NEW = document(allow()), document(allow(), allow(Sid="ClewFix", Action="s3:PutObject"))


def _to(who: str, action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": who}, "Action": action, "Resource": "*", **more}


def _inline(kind: str) -> Made:
    iam = boto3.client("iam")
    trust = json.dumps(
        document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    )
    more = {"AssumeRolePolicyDocument": trust} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**{f"{kind.title()}Name": "the-one"}, **more)
    named = {f"{kind.title()}Name": "the-one", "PolicyName": "Own"}
    getattr(iam, f"put_{kind}_policy")(**named, PolicyDocument=json.dumps(OLD))
    where = Where(Kind(f"{kind}-policy"), f"{kind} it", "the-one", "Own", ACCOUNT)
    return where, lambda: getattr(iam, f"get_{kind}_policy")(**named)["PolicyDocument"]


def _trust() -> Made:
    where, _ = _inline("role")
    iam = boto3.client("iam")
    found = lambda: iam.get_role(RoleName="the-one")["Role"]["AssumeRolePolicyDocument"]  # noqa: E731  # one of many readers
    return Where(Kind.TRUST, "role it", where.name, "", ACCOUNT), found


def _bucket() -> Made:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="the-one")
    s3.put_bucket_policy(Bucket="the-one", Policy=json.dumps(document(_to(ANA, "s3:GetObject"))))
    where = Where(Kind.BUCKET, "bucket it", "the-one", "", ACCOUNT)
    return where, lambda: json.loads(s3.get_bucket_policy(Bucket="the-one")["Policy"])


def _key() -> Made:
    kms = boto3.client("kms")
    arn = kms.create_key(Policy=json.dumps(document(_to(ACCOUNT, "kms:*"))))["KeyMetadata"]["KeyId"]
    where = Where(Kind.KEY, "key", arn, "", ACCOUNT, REGION)
    return where, lambda: json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])


def _topic() -> Made:
    sns = boto3.client("sns")
    arn = sns.create_topic(Name="the-one")["TopicArn"]
    where = Where(Kind.TOPIC, "topic it", arn, "", ACCOUNT, REGION)
    return where, lambda: json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])


def _queue() -> Made:
    sqs = boto3.client("sqs")
    policy = json.dumps(document(_to(ACCOUNT, "sqs:SendMessage")))
    url = sqs.create_queue(QueueName="the-one", Attributes={"Policy": policy})["QueueUrl"]
    where = Where(Kind.QUEUE, "queue it", f"arn:aws:sqs:{REGION}:{ACCOUNT}:the-one", "", ACCOUNT, REGION)

    def found() -> Any:
        said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        return json.loads(said["Attributes"]["Policy"])

    return where, found


def _secret() -> Made:
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="the-one", SecretString="x")["ARN"]
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=json.dumps(document(_to(ANA, "secretsmanager:GetSecretValue")))
    )
    where = Where(Kind.SECRET, "secret it", arn, "", ACCOUNT, REGION)
    return where, lambda: json.loads(secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"])


def _scp() -> Made:
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    given = {
        "Name": "the-one",
        "Description": "x",
        "Type": "SERVICE_CONTROL_POLICY",
        "Content": json.dumps(OLD),
    }
    identity = organizations.create_policy(**given)["Policy"]["PolicySummary"]["Id"]
    where = Where(Kind.SCP, "SCP it", identity, "the-one")
    return where, lambda: json.loads(organizations.describe_policy(PolicyId=identity)["Policy"]["Content"])


def _managed() -> Made:
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="the-one", PolicyDocument=json.dumps(OLD))["Policy"]["Arn"]

    def found() -> Any:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    return Where(Kind.MANAGED, "managed policy it", arn, "v1", ACCOUNT), found


MAKERS: dict[str, Callable[[], Made]] = {
    "user": lambda: _inline("user"),
    "group": lambda: _inline("group"),
    "role": lambda: _inline("role"),
    "trust": _trust,
    "bucket": _bucket,
    "key": _key,
    "topic": _topic,
    "queue": _queue,
    "secret": _secret,
    "scp": _scp,
    "managed": _managed,
}


@pytest.fixture
def run(_models: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run `clew fix` against the emulator within this process; errors of ours are raised."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("time.sleep", lambda _: None)
    app = typer.Typer()
    fix_command.register(app)

    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, words)
        if isinstance(result.exception, ClewError):
            raise result.exception
        return result

    return run


def planned(path: Path, *edits: Edit) -> str:
    """A file with the plan of these edits."""
    fix = Fix("Allow it", "identity", "the-one", "something", "small", edits)
    file = path / "plan.json"
    file.write_text(fix_plan.written(fix, REQUEST), encoding="utf-8")
    return str(file)


# Kinds that are written by calls of the same shape as another one's.
LONG = {"group", "role", "topic", "secret"}


@pytest.mark.parametrize(
    "kind", [pytest.param(each, marks=pytest.mark.long) if each in LONG else each for each in MAKERS]
)
@mock_aws
def test_a_policy_is_written_and_taken_back(kind: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """The document stands afterwards as it was planned, and after undoing as it was before."""
    where, found = MAKERS[kind]()
    before = found()
    added = {**before["Statement"][0], "Sid": "ClewFix"}
    after = {**before, "Statement": [*before["Statement"], added]}
    file = planned(tmp_path, Edit(where, "identity_policies/0", before, after))
    assert "Nothing was changed." in run("--from", file).stdout
    assert found() == before
    made = run("--from", file, "--apply")
    assert "everything was read again and is as wanted" in made.stdout
    assert found() == after
    assert run("--undo", "fix-1").exit_code == 0
    assert found() == before


@mock_aws
def test_a_function_gets_a_permission_and_loses_it(run: Callable[..., Any], tmp_path: Path) -> None:
    """Statements of a function's policy are added and removed one by one, under their Sid."""
    iam, function = boto3.client("iam"), boto3.client("lambda")
    trust = json.dumps(
        document(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        )
    )
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.py", "def a(*_): ...")
    code = {"ZipFile": held.getvalue()}
    arn = function.create_function(
        FunctionName="the-one", Runtime="python3.12", Role=role, Handler="a.a", Code=code
    )["FunctionArn"]
    statement = _to("arn:aws:iam::444455556666:root", "lambda:InvokeFunction", Sid="ClewFix", Resource=arn)
    where = Where(Kind.FUNCTION, "function it", arn, "", ACCOUNT, REGION)
    file = planned(tmp_path, Edit(where, "resource_policy", None, document(statement)))
    assert "aws lambda add-permission" in run("--from", file).stdout
    run("--from", file, "--apply")
    (there,) = json.loads(function.get_policy(FunctionName="the-one")["Policy"])["Statement"]
    assert (there["Sid"], there["Action"]) == ("ClewFix", "lambda:InvokeFunction")
    run("--undo", "fix-1", "--force")
    with pytest.raises(function.exceptions.ResourceNotFoundException):
        function.get_policy(FunctionName="the-one")


@mock_aws
def test_a_fix_of_two_accounts_is_made_in_one_after_the_other(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    """Which account is meant is asked; only its documents are touched."""
    where, found = _inline("user")
    there = Where(Kind.BUCKET, "bucket of another account", "theirs", "", "444455556666")
    edits = (Edit(where, "identity_policies/0", OLD, NEW), Edit(there, "resource_policy", None, NEW))
    file = planned(tmp_path, *edits)
    with pytest.raises(UsageError, match=f"about accounts {ACCOUNT} and 444455556666; .* with `--account`"):
        run("--from", file)
    run("--from", file, "--apply", "--account", ACCOUNT)
    assert found() == NEW


@mock_aws
def test_what_nobody_has_given_is_not_written(run: Callable[..., Any], tmp_path: Path) -> None:
    """A document that was not at hand when it was explained is never put over what stands there."""
    where, _ = _inline("user")
    file = planned(tmp_path, Edit(where, "identity_policies", None, NEW, is_at_hand=False))
    with pytest.raises(ChangeError, match="what stands there is not at hand"):
        run("--from", file)
    with pytest.raises(UsageError, match="says all that is to be changed"):
        run("--from", file, "--resource", ANA)


def test_a_sixth_version_is_refused() -> None:
    """AWS: "Versioning IAM policies": five versions are all that IAM keeps; nothing is deleted unasked."""
    versions = [{"VersionId": f"v{n}", "IsDefaultVersion": n == 5, "Document": OLD} for n in range(1, 6)]
    with pytest.raises(
        ChangeError, match="has 5 versions, which is all that IAM keeps; delete one first, such as `v1`"
    ):
        with_version(versions, NEW)
