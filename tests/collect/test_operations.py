"""Operational evidence read live over the emulator: what comes is what the files of a case are, refusals included."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from clew.cases import folder
from clew.cases.model import Kept, Verdict
from clew.cli import casing
from clew.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account, and noon."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # The emulator has no AWS Health: nobody listens there, and nobody asks twice.
    monkeypatch.setenv("AWS_ENDPOINT_URL_HEALTH", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(casing, "now", lambda: NOW)
    with mock_aws():
        yield


def _stopped(ec2: Any) -> str:
    """A stopped instance in the default VPC, whose group lets nobody in."""
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="shut", Description="shut", VpcId=vpc)["GroupId"]
    given = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "SecurityGroupIds": [group]}
    name = ec2.run_instances(**given)["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[name])
    return str(name)


def test_a_case_reads_and_verifies_live(tmp_path: Path) -> None:
    """What AWS says is kept as the command line's own files, refusals too; started, the instance is seen to run."""
    ec2 = boto3.client("ec2", region_name=REGION)
    name, where = _stopped(ec2), str(tmp_path / "c")
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="reports")
    run = CliRunner()

    def case(*words: str) -> int:
        found = run.invoke(app, ["--quiet", "case", *words])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found.exit_code

    error = "ssh: connect to host a port 22: Connection timed out"
    assert case("open", "t", "--error", error, "--instance", name, "--bucket", "reports", "--dir", where) == 0
    assert case("attach", where, "--live", "--region", REGION) == 0
    assert case("hypotheses", where) == 1
    found = folder.load(tmp_path / "c")
    told = {each.id: each.verdict for each in found.of(Verdict.TRUE)}
    assert {"not-running", "group-closed"} <= set(told)
    assert {each.kind for each in found.evidence} == {Kept.ANSWER, Kept.LOG, Kept.REFUSAL}
    files = {each.name: (tmp_path / "c" / each.file).read_text() for each in found.evidence}
    assert set(files) >= {
        *("describe-instances.json", "describe-instance-status.json", "describe-security-groups.json"),
        *("describe-network-acls.json", "describe-route-tables.json", "describe-alarms.json"),
        *(
            "get-console-output.json",
            f"get-metric-statistics.{name}.json",
            "get-bucket-versioning.reports.json",
        ),
    }
    refusal = (
        "An error occurred (NoSuchLifecycleConfiguration) when calling the GetBucketLifecycleConfiguration"
    )
    assert files["get-bucket-lifecycle-configuration.reports.txt"].startswith(refusal)
    assert case("plan", where, "--for", "not-running") == 0
    ec2.start_instances(InstanceIds=[name])
    assert case("done", where, "1", "--urgent", "test") == 0
    now = tmp_path / "describe-instances.json"
    now.write_text(json.dumps(ec2.describe_instances(), default=str))
    assert case("verify", where, str(now)) == 0
    assert folder.load(tmp_path / "c").verified[0].because == "the instance is running"
