"""From AWS over HTTP to findings: two accounts by role, two regions, one file, one audit, and what changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from tests.collect.test_collect import OTHER, OWN, _aws, plant, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["_aws"]  # the emulator behind AWS_ENDPOINT_URL
CHECKS = ("-c", "s3-bucket-public-read", "-c", "ec2-security-group-admin-ipv4", "-c", "kms-rotation")
WORLD = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def other() -> Any:
    """A session in the other account, by the role."""
    role = {"RoleArn": f"arn:aws:iam::{OTHER}:role/Audit", "RoleSessionName": "test"}
    given = boto3.client("sts").assume_role(**role)["Credentials"]
    return boto3.session.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def collect(accounts: str, *words: str) -> None:
    """Collect what checks read in these accounts, in two regions; the emulator answers every call."""
    scale = ("--role", "Audit", "--accounts", accounts, "--regions", "eu-west-1,us-east-1")
    assert run("collect", *scale, *words).exit_code == 0


def test_from_aws_to_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planted in each account and region is found there, kept, and told as fixed when it is gone."""
    monkeypatch.setenv("CLEW_WORKSPACE", str(tmp_path / "workspace"))
    plant(boto3.session.Session())
    ec2 = other().client("ec2", region_name="us-east-1")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[WORLD])
    collect(f"{OWN},{OTHER}", *CHECKS)
    first = run("audit", *CHECKS, "--fail-on", "high", "-o", "json")
    document = json.loads(first.stdout)
    assert first.exit_code == 1
    assert document["accounts"] == [OWN, OTHER]
    found = {(f["rule"], *f["accounts"], *f["regions"]) for f in document["findings"]}
    assert found == {
        ("s3-bucket-public-read", OWN),
        ("ec2-security-group-admin-ipv4", OTHER, "us-east-1"),
        ("kms-rotation", OWN, "eu-west-1"),
    }
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[WORLD])
    later = tmp_path / "later.json.gz"
    collect(OTHER, *CHECKS[2:4], "--output", str(later))
    second = json.loads(run("audit", str(later), *CHECKS, "-o", "json").stdout)
    assert [len(second["trend"][name]) for name in ("new", "still", "fixed")] == [0, 0, 1]
    # Only two regions were asked, and neither S3 nor KMS: the group itself is known to be closed all the same.
    assert second["counts"]["unknown"] == 3
    listed = json.loads(run("findings", "list", "--status", "resolved", "-o", "json").stdout)
    assert [f["rule"] for f in listed] == ["ec2-security-group-admin-ipv4"]
