"""The template and the package: least privilege proved by the engine, deployed to the emulator, run from the zip."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from typer.testing import CliRunner

from clew.audit import check_calls
from clew.cli.deployment import document, reads
from clew.cli.main import app
from clew.collect.table import named
from clew.engine import Effect, Policies, Request, authorize
from clew.handlers.audit import settings
from clew.policy.model import PolicyKind
from clew.policy.parse import from_document

ACCOUNT, REGION = "111122223333", "eu-west-1"
FUNCTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/FunctionRole"
AUDITOR_ROLE = f"arn:aws:iam::{ACCOUNT}:role/AuditorRole"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/Other"
ARNS = {
    "FunctionRole": FUNCTION_ROLE,
    "AuditorRole": AUDITOR_ROLE,
    "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:clew",
    "LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/clew-audit:*",
}
SCOPES = pytest.mark.parametrize("account", [False, True])


def resolved(value: Any) -> Any:
    """The template's value with the names of resources in place of references."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::GetAtt" in value:
        return ARNS[value["Fn::GetAtt"][0]]
    if "Ref" in value:
        return ARNS.get(value["Ref"], value["Ref"])
    return {name: resolved(each) for name, each in value.items()}


def policies(account: bool) -> tuple[Any, Any, Any]:
    """The policy of the function's role, that of the auditor role, and whom the auditor role trusts."""
    parts = document(account=account)["Resources"]
    auditor = parts["AuditorRole"]["Properties"]
    return (
        resolved(parts["FunctionPolicy"]["Properties"]["PolicyDocument"]),
        resolved(auditor["Policies"][0]["PolicyDocument"]),
        resolved(auditor["AssumeRolePolicyDocument"]),
    )


def decision(principal: str, action: str, resource: str, identity: Any, trust: Any = None) -> Effect:
    given = Policies(
        identity=(from_document(identity, PolicyKind.IDENTITY),) if identity else (),
        resource=from_document(trust, PolicyKind.TRUST) if trust else None,
    )
    return authorize(Request(principal, action, resource), given).effect


@SCOPES
def test_cr5_only_the_function_assumes_the_auditor_role(account: bool) -> None:
    """CR5: the function's role may assume the auditor role; another role that is allowed to ask may not."""
    function, _, trust = policies(account)
    assert decision(FUNCTION_ROLE, "sts:AssumeRole", AUDITOR_ROLE, function, trust) is Effect.ALLOW
    assert decision(OTHER_ROLE, "sts:AssumeRole", AUDITOR_ROLE, function, trust) is Effect.IMPLICIT_DENY


def test_cr3_auditor_role_needs_both_actions() -> None:
    """CR3: the auditor role may generate and get the report; a policy that lacks either does not do."""
    auditor = policies(account=False)[1]
    both = ("iam:GenerateCredentialReport", "iam:GetCredentialReport")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/AuditorRole/clew-audit"
    assert sorted(auditor["Statement"][0]["Action"]) == list(both)
    for action in both:
        assert decision(session, action, "*", auditor) is Effect.ALLOW
        lacking = json.loads(json.dumps(auditor))
        lacking["Statement"][0]["Action"].remove(action)
        assert decision(session, action, "*", lacking) is Effect.IMPLICIT_DENY


@SCOPES
def test_every_call_of_the_handler_is_allowed_and_no_more(account: bool) -> None:
    """Each call that is made is allowed to the role that makes it; publishing is the function's alone."""
    function, auditor, _ = policies(account)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/AuditorRole/clew-audit"
    own = f"arn:aws:sts::{ACCOUNT}:assumed-role/FunctionRole/clew-audit"
    assert decision(own, "sns:Publish", ARNS["Topic"], function) is Effect.ALLOW
    assert decision(session, "sns:Publish", ARNS["Topic"], auditor) is Effect.IMPLICIT_DENY
    assert (
        decision(own, "sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:other", function)
        is Effect.IMPLICIT_DENY
    )
    assert decision(own, "iam:GetCredentialReport", "*", function) is Effect.IMPLICIT_DENY
    every = named(check_calls.of((), ("all",)))
    asked = {action for read in every for action in read.actions} - {"sts:GetCallerIdentity"}
    if account:
        assert set(auditor["Statement"][0]["Action"]) == asked
    for action in auditor["Statement"][0]["Action"]:
        assert decision(session, action, "*", auditor) is Effect.ALLOW


def test_whole_audit_fits_into_an_inline_policy() -> None:
    """AWS: "IAM and AWS STS quotas": inline policies of a role have at most 10,240 characters together."""
    assert len(json.dumps(reads(account=True), separators=(",", ":"))) < 10_240


@SCOPES
def test_function_reads_what_the_template_sets(account: bool) -> None:
    """Each variable of the template is one that the handler knows."""
    given = resolved(
        document(account=account)["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    )
    found = settings(given | {"FRAMEWORK": "", "REGIONS": ""})
    assert (found.role, found.topic) == (AUDITOR_ROLE, ARNS["Topic"])
    assert (found.scope, found.framework) == (
        ("account", "cis-7.0") if account else ("credential-report", "cis-1.2")
    )


@pytest.mark.parametrize("account", [pytest.param(False, marks=pytest.mark.long), True])
def test_template_is_one_that_aws_takes(account: bool, tmp_path: Path) -> None:
    """The linter of CloudFormation finds nothing."""
    pytest.importorskip("cfnlint")
    words = ["deploy", "template", *(["--audit"] if account else [])]
    text = CliRunner().invoke(app, words).stdout
    assert yaml.safe_load(text) == document(account=account)
    file = tmp_path / "template.yaml"
    file.write_text(text)
    command = [str(Path(sys.executable).parent / "cfn-lint"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def deployed(account: bool) -> dict[str, str]:
    """The stack in the emulator: its outputs."""
    boto3.client("s3").create_bucket(Bucket="code")
    # The emulator looks into the package of a function.
    boto3.client("s3").put_object(Bucket="code", Key="clew-audit.zip", Body=_empty_zip())
    client = boto3.client("cloudformation")
    template = document(account=account)
    # The emulator has no such resource.
    del template["Resources"]["FailureNotice"]
    client.create_stack(
        StackName="clew",
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": "CodeBucket", "ParameterValue": "code"},
            {"ParameterKey": "Email", "ParameterValue": "team@example.com"},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = client.describe_stacks(StackName="clew")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def _empty_zip() -> bytes:
    import io

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("x.py", "")
    return made.getvalue()


@pytest.mark.parametrize("account", [pytest.param(False, marks=pytest.mark.long), True])
@pytest.mark.usefixtures("aws")
def test_stack_is_deployed(account: bool) -> None:
    """CloudFormation makes the roles, the function, its schedule and the topic with its subscriber."""
    made = deployed(account)
    function = boto3.client("lambda").get_function_configuration(FunctionName="clew-audit")
    assert (function["Runtime"], function["Handler"]) == ("python3.13", "clew.handlers.audit.handler")
    assert function["Environment"]["Variables"]["AUDITOR_ROLE_ARN"] == made["AuditorRole"]
    rule = boto3.client("events").list_rules()["Rules"][0]
    assert rule["ScheduleExpression"] == "cron(0 6 * * ? *)"
    subscription = boto3.client("sns").list_subscriptions_by_topic(TopicArn=made["Topic"])["Subscriptions"][0]
    assert subscription["Endpoint"] == "team@example.com"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "clew-audit.zip"
    result = CliRunner().invoke(app, ["deploy", "package", "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert hashlib.sha256(path.read_bytes()).hexdigest() in result.stdout
    return path


def test_package_is_the_same_for_the_same_inputs(package: Path, tmp_path: Path) -> None:
    """Who reviews a package can make it again, byte for byte."""
    again = tmp_path / "again.zip"
    CliRunner().invoke(app, ["deploy", "package", "-o", str(again)])
    assert again.read_bytes() == package.read_bytes()


def test_package_runs_anywhere_and_is_small(package: Path) -> None:
    """Nothing in it is compiled, nothing of the extras is in it, and Lambda takes it directly."""
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        assert sum(each.file_size for each in archive.infolist()) < 30_000_000
    assert package.stat().st_size < 10_000_000
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    tops = {name.partition("/")[0] for name in names}
    assert {"clew", "yaml", "jinja2"} <= tops
    assert not {"boto3", "duckdb", "sqlalchemy", "pydantic", "typer"} & tops


def test_package_that_cannot_be_written(tmp_path: Path) -> None:
    """A place that is none is one clear line."""
    result = CliRunner().invoke(app, ["deploy", "package", "-o", str(tmp_path / "none" / "x.zip")])
    assert "cannot be written" in str(result.exception)


_RUN = """
import json, sys
sys.path[:0] = sys.argv[1:3]
from clew.handlers.audit import handler
import clew
assert clew.__file__.startswith(sys.argv[1]), clew.__file__
print(json.dumps(handler({}, None)))
"""


def test_handler_runs_from_the_package(
    aws: str, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zip and the SDK alone, as in Lambda, are enough to audit and to publish."""
    made = deployed(account=False)
    boto3.client("iam").create_user(UserName="ana")
    unpacked, runtime = tmp_path / "task", tmp_path / "runtime"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(unpacked)
    runtime.mkdir()
    site = Path(boto3.__file__).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(site / name)
    monkeypatch.setenv("AUDITOR_ROLE_ARN", made["AuditorRole"])
    monkeypatch.setenv("TOPIC_ARN", made["Topic"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    command = [sys.executable, "-I", "-S", "-c", _RUN, str(unpacked), str(runtime)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    # The emulator's report has no row of the root user: that is open, and said.
    assert (answer["status"], answer["controls"]["unknown"] > 0) == ("partial", True)
