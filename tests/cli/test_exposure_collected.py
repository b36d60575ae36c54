"""`clew collect`, then `clew exposure`, over HTTP: accounts of an organisation, and access points of buckets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.moto_api._internal import moto_api_backend
from tests.respond.conftest import point_to
from tests.respond.recorded_server import Answers, Recorded, query, query_error, serve, xml, xml_error
from typer.testing import CliRunner

from clew.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

OWN, OUTSIDE = "123456789012", "444455556666"
_REGION = "eu-west-1"
# AWS: S3 User Guide, "Multi-Region Access Point permissions", Example 1.
_ALIAS = "mfzwi23gnjvgw.mrap"
_EVERYWHERE = f"arn:aws:s3::{OWN}:accesspoint/{_ALIAS}"
_HERE = f"arn:aws:s3:{_REGION}:{OWN}:accesspoint/partner"


def run(*words: str) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(app, words)


def exposed(*words: str) -> dict[str, Any]:
    """What `clew exposure` tells of these files, and its exit code."""
    done = run("exposure", "--no-keep", "--output", "json", *words)
    assert done.exit_code in {0, 3}, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "exit_code": done.exit_code}


def rows(told: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Resource, who, and through what."""
    return {
        (each["resource"], next(iter(each["principal"].values())), each["through"])
        for each in told["findings"]
    }


def policy(*statements: dict[str, object]) -> str:
    """The text of a policy with these Allow statements."""
    told = [{"Effect": "Allow", **each} for each in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": told})


@pytest.fixture
def member(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An organisation with a bucket in its management account and two roles in a member, whose id this is."""
    point_to(_server, monkeypatch)
    moto_api_backend.reset()
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="second", Email="a@example.com")["CreateAccountStatus"]
    account = str(made["AccountId"])
    shared = {"Principal": {"AWS": [f"arn:aws:iam::{account}:root", f"arn:aws:iam::{OUTSIDE}:root"]}}
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="pay")
    s3.put_bucket_policy(
        Bucket="pay", Policy=policy({**shared, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay/*"})
    )
    iam = _of_member(account, "iam")
    for name, trusted in (("inside", OWN), ("partner", OUTSIDE)):
        trust = policy({"Principal": {"AWS": f"arn:aws:iam::{trusted}:root"}, "Action": "sts:AssumeRole"})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return account


def _of_member(account: str, service: str) -> Any:
    role = f"arn:aws:iam::{account}:role/Audit"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,  # type: ignore[call-overload]  # boto3's stubs know services by their literal names only
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


_ONLY = ("--only", "iam,s3,organizations", "--regions", "us-east-1")


def _roles_and_buckets(told: dict[str, Any]) -> set[str]:
    """The reasons of what is not known, but for types that these runs did not collect."""
    kinds = {"AWS::IAM::Role", "AWS::S3::Bucket", "AWS::Organizations::Account"}
    return {each["why"] for each in told["unknown"] if each["resource_type"] in kinds}


def test_in_one_snapshot_of_an_organisation_members_are_inside(member: str, tmp_path: Path) -> None:
    """The role that trusts a member, and what a bucket shares with it, are exposed to the account's zone only."""
    file = str(tmp_path / "all.json.gz")
    run("collect", "--organization", "--role", "Audit", *_ONLY, "-o", file)
    partner, inside = (f"arn:aws:iam::{member}:role/{name}" for name in ("partner", "inside"))
    outsider = {
        ("arn:aws:s3:::pay", f"arn:aws:iam::{OUTSIDE}:root", "POLICY"),
        (partner, f"arn:aws:iam::{OUTSIDE}:root", "POLICY"),
    }
    told = exposed("--policies", file, "--zone", "organization")
    assert told["accounts"] == sorted([OWN, member])
    assert (rows(told), _roles_and_buckets(told)) == (outsider, set())
    # The emulator makes the role of a new account that its management account may assume, as AWS does.
    made = f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole"
    assert rows(exposed("--policies", file)) == outsider | {
        ("arn:aws:s3:::pay", f"arn:aws:iam::{member}:root", "POLICY"),
        (inside, f"arn:aws:iam::{OWN}:root", "POLICY"),
        (made, f"arn:aws:iam::{OWN}:root", "POLICY"),
    }


def test_several_snapshots_are_one_organisation(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member's own snapshot does not tell who else is a member; beside that of the management account it is known."""
    first, second = (str(tmp_path / f"{name}.json.gz") for name in ("management", "member"))
    run("collect", *_ONLY, "-o", first)
    role = f"arn:aws:iam::{member}:role/Audit"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    run("collect", "--only", "iam,s3", "--regions", "us-east-1", "-o", second)
    alone = exposed("--policies", second, "--zone", "organization")
    assert any(
        "which accounts are of the organisation is not known" in why for why in _roles_and_buckets(alone)
    )
    together = exposed("--policies", first, "--policies", second, "--zone", "organization")
    assert rows(together) == {
        ("arn:aws:s3:::pay", f"arn:aws:iam::{OUTSIDE}:root", "POLICY"),
        (f"arn:aws:iam::{member}:role/partner", f"arn:aws:iam::{OUTSIDE}:root", "POLICY"),
    }


_BLOCK = (
    "<BlockPublicAcls>{0}</BlockPublicAcls><IgnorePublicAcls>{0}</IgnorePublicAcls>"
    "<BlockPublicPolicy>{0}</BlockPublicPolicy><RestrictPublicBuckets>{0}</RestrictPublicBuckets>"
)
_LEFT = policy(
    {
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": OWN}},
    }
)
_PLACE = "/v20180820"
_POINT = (
    "<AccessPoint><Name>partner</Name><NetworkOrigin>Internet</NetworkOrigin><Bucket>payroll</Bucket>"
    f"<AccessPointArn>{_HERE}</AccessPointArn></AccessPoint>"
)
_MULTI = (
    f"<AccessPoint><Name>global</Name><Alias>{_ALIAS}</Alias><CreatedAt>2026-01-02T03:04:05Z</CreatedAt>"
    f"<PublicAccessBlock>{_BLOCK.format('false')}</PublicAccessBlock><Status>READY</Status><Regions><Region>"
    f"<Bucket>payroll</Bucket><Region>{_REGION}</Region><BucketAccountId>{OWN}</BucketAccountId></Region>"
    "<Region><Bucket>payroll-us</Bucket><Region>us-east-1</Region><BucketAccountId>444455556666</BucketAccountId>"
    "</Region></Regions></AccessPoint>"
)


def _text(document: str) -> str:
    return document.replace("&", "&amp;").replace("<", "&lt;")


def _answers(**more: Any) -> Answers:
    """A bucket that leaves the decision to the account's access points: one of a region, one of several regions."""
    point = policy(
        {"Principal": {"AWS": OUTSIDE}, "Action": "s3:GetObject", "Resource": f"{_HERE}/object/*"},
    )
    multi = policy(
        {"Principal": "*", "Action": "s3:PutObject", "Resource": f"{_EVERYWHERE}/object/*"},
    )
    return {
        "DescribeRegions": query("DescribeRegions"),
        "GET /": xml(
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>payroll</Name></Bucket></Buckets></ListAllMyBucketsResult>"
        ),
        "GET /payroll?location": xml(f"<LocationConstraint>{_REGION}</LocationConstraint>"),
        "GET /payroll?policy": Recorded(_LEFT, content_type="application/json"),
        "GET /payroll?acl": xml(
            "<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList/></AccessControlPolicy>"
        ),
        "GET /payroll?publicAccessBlock": xml_error("NoSuchPublicAccessBlockConfiguration", status=404),
        "GET /payroll?ownershipControls": xml(
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
        ),
        f"GET {_PLACE}/configuration/publicAccessBlock": _control_error(
            "NoSuchPublicAccessBlockConfiguration", 404
        ),
        f"GET {_PLACE}/accesspoint": xml(
            f"<ListAccessPointsResult><AccessPointList>{_POINT}</AccessPointList></ListAccessPointsResult>"
        ),
        f"GET {_PLACE}/accesspoint/partner": xml(
            "<GetAccessPointResult><Name>partner</Name><Bucket>payroll</Bucket><NetworkOrigin>Internet</NetworkOrigin>"
            f"<PublicAccessBlockConfiguration>{_BLOCK.format('true')}</PublicAccessBlockConfiguration>"
            "</GetAccessPointResult>"
        ),
        f"GET {_PLACE}/accesspoint/partner/policy": xml(
            f"<GetAccessPointPolicyResult><Policy>{_text(point)}</Policy></GetAccessPointPolicyResult>"
        ),
        f"GET {_PLACE}/mrap/instances": xml(
            "<ListMultiRegionAccessPointsResult><AccessPoints>"
            f"{_MULTI}</AccessPoints></ListMultiRegionAccessPointsResult>"
        ),
        f"GET {_PLACE}/mrap/instances/global/policy": xml(
            f"<GetMultiRegionAccessPointPolicyResult><Policy><Established><Policy>{_text(multi)}</Policy></Established>"
            "<Proposed><Policy>{}</Policy></Proposed></Policy></GetMultiRegionAccessPointPolicyResult>"
        ),
    } | more


def _control_error(code: str, status: int = 403) -> Any:
    return query_error(code, "refused", status)


def _told_of(answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    file = str(tmp_path / "points.json.gz")
    with serve(answers) as server:
        point_to(server.url, monkeypatch)
        done = run("collect", "--only", "s3", "--regions", _REGION, "-o", file)
        assert done.exit_code in {0, 3}, done.stderr
    return exposed("--policies", file)


def test_access_points_of_one_and_of_several_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each access point's policy is a way into the bucket that leaves the decision to it; blocked ones are closed."""
    told = _told_of(_answers(), tmp_path, monkeypatch)
    found = {each["access_point"]: each for each in told["findings"]}
    assert rows(told) == {
        ("arn:aws:s3:::payroll", OUTSIDE, "S3_ACCESS_POINT"),
        ("arn:aws:s3:::payroll", "*", "S3_ACCESS_POINT"),
    }
    assert (found[_HERE]["public"], found[_HERE]["actions"]) == (False, ["s3:GetObject"])
    assert (found[_EVERYWHERE]["public"], found[_EVERYWHERE]["actions"]) == (True, ["s3:PutObject"])
    assert not _roles_and_buckets(told) - {"not read: iam:GetAccountAuthorizationDetails (NotCollected)"}


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (f"GET {_PLACE}/accesspoint", "s3control:ListAccessPoints"),
        (f"GET {_PLACE}/mrap/instances", "s3control:ListMultiRegionAccessPoints"),
        (f"GET {_PLACE}/mrap/instances/global/policy", "s3control:GetMultiRegionAccessPointPolicy"),
    ],
)
def test_access_points_that_nobody_could_read_are_said(
    refused: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused list, or policy, of access points leaves the bucket unknown that left the decision to them."""
    told = _told_of(_answers(**{refused: _control_error("AccessDenied")}), tmp_path, monkeypatch)
    assert told["exit_code"] == 3
    assert any(words in why for why in _roles_and_buckets(told))
