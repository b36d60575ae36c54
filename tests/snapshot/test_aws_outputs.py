"""What AWS's own API prints is read: the output of a server that speaks its format, and every managed policy of AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from moto.iam.aws_managed_policies import aws_managed_policies_data

from clew.engine import Context, Effect, Request, authorize
from clew.reach.applied import applied
from clew.snapshot.load import Inputs, load

if TYPE_CHECKING:
    from pathlib import Path

    from clew.snapshot.model import Snapshot

READ = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
)


def saved(folder: Path, output: object) -> Snapshot:
    """The snapshot of an output that was saved to a file."""
    path = folder / "account.json"
    path.write_text(json.dumps(output, indent=4, default=str))
    return load(Inputs(accounts=(str(path),)))


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ("user/ana", Effect.ALLOW),
        ("user/bob", Effect.IMPLICIT_DENY),
        ("role/reader", Effect.ALLOW),
        ("role/idle", Effect.IMPLICIT_DENY),
    ],
)
def test_output_of_the_api_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, principal: str, effect: Effect
) -> None:
    """What the API returns for users, groups and roles decides as it was set up."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with mock_aws():
        iam = boto3.client("iam", region_name="us-east-1")
        arn = iam.create_policy(PolicyName="Read", PolicyDocument=READ)["Policy"]["Arn"]
        iam.create_group(GroupName="Readers")
        iam.attach_group_policy(GroupName="Readers", PolicyArn=arn)
        for name in ("ana", "bob"):
            iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="Readers", UserName="ana")
        for name in ("reader", "idle"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
        iam.put_role_policy(RoleName="reader", PolicyName="Read", PolicyDocument=READ)
        output = iam.get_paginator("get_account_authorization_details").paginate().build_full_result()
    asker = f"arn:aws:iam::123456789012:{principal}"
    found = applied(saved(tmp_path, output), asker, "s3:GetObject", "arn:aws:s3:::b/k")
    assert found.missing == ()
    request = Request(asker, "s3:GetObject", "arn:aws:s3:::b/k", None, Context())
    assert authorize(request, found.policies).effect is effect


def test_every_managed_policy_of_aws_is_read(tmp_path: Path) -> None:
    """No policy that AWS itself writes is refused or left unknown; each is held, every fifth is read."""
    policies = [
        {
            "PolicyName": name,
            "Arn": f"arn:aws:iam::aws:policy{given['Path']}{name}",
            "PolicyVersionList": [{"IsDefaultVersion": True, "Document": given["Document"]}],
        }
        for name, given in json.loads(aws_managed_policies_data).items()
    ]
    snapshot = saved(tmp_path, {"Policies": policies})
    documents = snapshot.accounts["aws"].policies
    assert len(documents) == len(policies) > 1000
    # tests/policy reads all of them; here it is their way through the account file that counts.
    assert all(document.policy.statements for document in list(documents.values())[::5])
