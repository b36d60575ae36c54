"""Each action over real HTTP: planned, applied, verified, taken back, in several accounts and regions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from clew.respond.actions import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

OWN, OTHER = "123456789012", "222233334444"
POLICY = (
    '{ "Version":"2012-10-17", "Id":"Mine", "Statement": {"Sid":"DenyInsecureTransport","Effect":"Allow",'
    '"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::pay/*"} }'
)


@dataclass(frozen=True)
class World:
    """One account and region of the emulator."""

    account: str
    region: str
    made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def client(self, service: str) -> Any:
        if service not in self.made:
            self.made[service] = self._client(service)
        return self.made[service]

    def _session(self) -> Any:
        if "session" not in self.made:
            self.made["session"] = self._new_session()
        return self.made["session"]

    def _new_session(self) -> Any:
        session = boto3.session.Session(region_name=self.region)
        if self.account != OWN:
            role = f"arn:aws:iam::{self.account}:role/Fixer"
            found = session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            session = boto3.session.Session(
                found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region_name=self.region
            )
        return session

    def _client(self, service: str) -> Any:
        client = self._session().client(service)
        if service == "s3control":
            client.meta.events.register("before-sign.s3-control", _without_account)
        return client


def _without_account(request: Any, **_: object) -> None:
    request.url = re.sub(r"//\d{12}\.", "//", request.url)


@dataclass(frozen=True)
class Trial:
    """How one action is tried: what is planted, what is looked at, what must be there between."""

    action: str
    plant: Callable[[World], str]
    look: Callable[[World, str], Any]
    applied: Callable[[Any], bool]
    options: dict[str, str] = field(default_factory=dict)
    undone: Callable[[Any], Any] = lambda before: before


def body(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def absent(call: Callable[..., Any], **given: str) -> Any:
    """The answer, or AWS's code where there is nothing."""
    from botocore.exceptions import ClientError

    try:
        return body(call(**given))
    except ClientError as error:
        return error.response["Error"]["Code"]


def bucket(world: World, name: str = "pay", policy: str | None = None) -> str:
    place = (
        {}
        if world.region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": world.region}}
    )
    world.client("s3").create_bucket(Bucket=name, **place)
    if policy:
        world.client("s3").put_bucket_policy(Bucket=name, Policy=policy)
    return f"arn:aws:s3:::{name}"


def half_blocked(world: World) -> str:
    arn = bucket(world)
    world.client("s3").put_public_access_block(
        Bucket="pay", PublicAccessBlockConfiguration={"BlockPublicAcls": True, "RestrictPublicBuckets": False}
    )
    return arn


def logged(world: World) -> str:
    bucket(world, "logs", POLICY.replace("arn:aws:s3:::pay", "arn:aws:s3:::logs"))
    return bucket(world)


def policy(world: World, name: str = "pay") -> Any:
    return absent(world.client("s3").get_bucket_policy, Bucket=name)


def statements(found: Any) -> list[dict[str, Any]]:
    return list(json.loads(found["Policy"])["Statement"])


def user(world: World) -> str:
    iam = world.client("iam")
    iam.create_user(UserName="ana", Path="/team/")
    iam.create_access_key(UserName="ana")
    return f"arn:aws:iam::{world.account}:user/team/ana"


def key_status(world: World, _: str) -> Any:
    found = world.client("iam").list_access_keys(UserName="ana")["AccessKeyMetadata"]
    return [(key["AccessKeyId"], key["Status"]) for key in found]


def weak_passwords(world: World) -> str:
    world.client("iam").update_account_password_policy(MinimumPasswordLength=8, MaxPasswordAge=365)
    return f"arn:aws:iam::{world.account}:account"


def lasting_passwords(world: World) -> str:
    """A policy without an age, which AWS may give as 0 and never takes as that."""
    world.client("iam").update_account_password_policy(MinimumPasswordLength=8, RequireNumbers=True)
    return account(world)


def account(world: World) -> str:
    return f"arn:aws:iam::{world.account}:account"


def passwords(world: World, _: str) -> Any:
    return absent(world.client("iam").get_account_password_policy)


def trail(world: World) -> str:
    bucket(world, "trail")
    client = world.client("cloudtrail")
    arn = client.create_trail(Name="audit", S3BucketName="trail", IncludeGlobalServiceEvents=False)[
        "TrailARN"
    ]
    return str(arn)


def selecting_trail(world: World) -> str:
    arn = trail(world)
    selector = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}
    world.client("cloudtrail").put_event_selectors(TrailName=arn, EventSelectors=[selector])
    return arn


def advanced_trail(world: World) -> str:
    arn = trail(world)
    selector = {"Name": "m", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    world.client("cloudtrail").put_event_selectors(TrailName=arn, AdvancedEventSelectors=[selector])
    return arn


def trail_settings(world: World, arn: str) -> Any:
    return body(world.client("cloudtrail").get_trail(Name=arn))


def selectors(world: World, arn: str) -> Any:
    return body(world.client("cloudtrail").get_event_selectors(TrailName=arn))


def key(world: World) -> str:
    return str(world.client("kms").create_key()["KeyMetadata"]["Arn"])


def vpc(world: World) -> str:
    identity = world.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return f"arn:aws:ec2:{world.region}:{world.account}:vpc/{identity}"


def default_group(world: World) -> str:
    client, identity = world.client("ec2"), vpc(world).rpartition("/")[2]
    found = client.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [identity]}])
    return (
        f"arn:aws:ec2:{world.region}:{world.account}:security-group/{found['SecurityGroups'][0]['GroupId']}"
    )


def open_group(world: World) -> str:
    client, identity = world.client("ec2"), vpc(world).rpartition("/")[2]
    group = client.create_security_group(GroupName="web", Description="w", VpcId=identity)["GroupId"]
    world_ssh = {"CidrIp": "0.0.0.0/0", "Description": "ssh, for now"}
    permissions = [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [world_ssh]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]},
    ]
    client.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return f"arn:aws:ec2:{world.region}:{world.account}:security-group/{group}"


def rules(world: World, arn: str) -> Any:
    found = world.client("ec2").describe_security_groups(GroupIds=[arn.rpartition("/")[2]])["SecurityGroups"][
        0
    ]
    return {
        name: sorted(json.dumps(permission, sort_keys=True) for permission in _each_source(found[name]))
        for name in ("IpPermissions", "IpPermissionsEgress")
    }


def _each_source(permissions: list[dict[str, Any]]) -> list[Any]:
    """AWS puts sources of the same ports together, in no order that means anything."""
    kinds = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    ports = ("IpProtocol", "FromPort", "ToPort")
    return [
        [[permission.get(name) for name in ports], kind, source]
        for permission in permissions
        for kind in kinds
        for source in permission.get(kind, ())
    ]


def flow_logs(world: World, arn: str) -> Any:
    identity = arn.rpartition("/")[2]
    logs, iam = world.client("logs"), world.client("iam")
    return {
        "flow": world.client("ec2").describe_flow_logs(
            Filters=[{"Name": "resource-id", "Values": [identity]}]
        )["FlowLogs"],
        "groups": logs.describe_log_groups()["logGroups"],
        "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
    }


def recorded(world: World) -> str:
    bucket(world, "history")
    # The emulator would call the service-linked role otherwise than AWS does.
    world.client("iam").create_role(RoleName="AWSServiceRoleForConfig", AssumeRolePolicyDocument="{}")
    return f"arn:aws:config:{world.region}:{world.account}:region/{world.region}"


def config(world: World, _: str) -> Any:
    client = world.client("config")
    return {
        "recorders": client.describe_configuration_recorders()["ConfigurationRecorders"],
        "channels": client.describe_delivery_channels()["DeliveryChannels"],
        "status": client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"],
        "roles": [role["RoleName"] for role in world.client("iam").list_roles()["Roles"]],
        "policy": policy(world, "history"),
    }


def block(world: World, _: str) -> Any:
    return absent(world.client("s3").get_public_access_block, Bucket="pay")


def account_block(world: World, _: str) -> Any:
    return absent(world.client("s3control").get_public_access_block, AccountId=world.account)


def is_blocked(found: Any) -> bool:
    return all(found["PublicAccessBlockConfiguration"].values())


def logging(world: World, _: str) -> Any:
    return [body(world.client("s3").get_bucket_logging(Bucket="pay")), policy(world, "logs")]


TRIALS = (
    Trial("block-public-access", bucket, block, is_blocked),
    Trial("block-public-access", half_blocked, block, is_blocked),
    Trial("block-public-access-of-account", account, account_block, is_blocked),
    Trial(
        "enable-versioning",
        bucket,
        lambda w, _: body(w.client("s3").get_bucket_versioning(Bucket="pay")),
        lambda found: found == {"Status": "Enabled"},
        # AWS: "Using versioning in S3 buckets": there is no way back to a bucket that never had versions.
        undone=lambda _: {"Status": "Suspended"},
    ),
    Trial(
        "enable-access-logging",
        logged,
        logging,
        lambda found: (
            found[0]["LoggingEnabled"] == {"TargetBucket": "logs", "TargetPrefix": "pay/"}
            and statements(found[1])[1]["Principal"] == {"Service": "logging.s3.amazonaws.com"}
        ),
        {"target-bucket": "logs"},
    ),
    Trial(
        "require-tls",
        lambda w: bucket(w, policy=POLICY),
        lambda w, _: policy(w),
        lambda found: (
            statements(found)[0] == json.loads(POLICY)["Statement"]
            and statements(found)[1]["Sid"] == "DenyInsecureTransport2"
            and json.loads(found["Policy"])["Id"] == "Mine"
        ),
    ),
    Trial("require-tls", bucket, lambda w, _: policy(w), lambda found: len(statements(found)) == 1),
    Trial("deactivate-access-key", user, key_status, lambda found: found[0][1] == "Inactive"),
    Trial(
        "set-password-policy",
        weak_passwords,
        passwords,
        lambda found: (
            found["PasswordPolicy"]["MinimumPasswordLength"] == 14
            and found["PasswordPolicy"]["MaxPasswordAge"] == 90
        ),
        {"max-age": "90"},
    ),
    Trial(
        "set-password-policy",
        lasting_passwords,
        passwords,
        lambda found: found["PasswordPolicy"]["MaxPasswordAge"] == 90,
        {"max-age": "90"},
    ),
    Trial(
        "set-password-policy",
        account,
        passwords,
        lambda found: found["PasswordPolicy"]["PasswordReusePrevention"] == 24,
    ),
    Trial(
        "start-trail",
        trail,
        lambda w, arn: w.client("cloudtrail").get_trail_status(Name=arn)["IsLogging"],
        bool,
    ),
    Trial("validate-trail", trail, trail_settings, lambda found: found["Trail"]["LogFileValidationEnabled"]),
    Trial(
        "make-trail-multi-region",
        trail,
        trail_settings,
        lambda found: found["Trail"]["IsMultiRegionTrail"] and found["Trail"]["IncludeGlobalServiceEvents"],
    ),
    Trial(
        "log-object-events",
        selecting_trail,
        selectors,
        lambda found: (
            found["EventSelectors"][1]["DataResources"]
            == [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::pay/"]}]
        ),
        {"bucket": "pay"},
    ),
    Trial(
        "log-object-events",
        advanced_trail,
        selectors,
        lambda found: len(found["AdvancedEventSelectors"]) == 2,
        {"events": "WriteOnly"},
    ),
    Trial(
        "rotate-key",
        key,
        lambda w, arn: body(w.client("kms").get_key_rotation_status(KeyId=arn)),
        lambda found: found["KeyRotationEnabled"],
    ),
    Trial(
        "empty-default-security-group", default_group, rules, lambda found: not any(map(len, found.values()))
    ),
    Trial(
        "close-world-ingress",
        open_group,
        rules,
        lambda found: "0.0.0.0/0" not in str([r for r in found["IpPermissions"] if "22" in r]),
        {"ports": "22", "cidr": "203.0.113.0/24"},
    ),
    Trial(
        "close-world-ingress",
        open_group,
        rules,
        lambda found: len(found["IpPermissions"]) == 2 and len(found["IpPermissionsEgress"]) == 1,
    ),
    Trial(
        "enable-flow-logs",
        vpc,
        flow_logs,
        lambda found: found["flow"] and found["groups"] and "clew-vpc-flow-logs" in found["roles"],
    ),
    Trial(
        "record-configuration",
        recorded,
        config,
        lambda found: found["status"][0]["recording"] and found["channels"] and found["roles"],
        {"bucket": "history"},
    ),
)
# Tried elsewhere: deletion has no way back, and the emulator has no Access Analyzer.
ELSEWHERE = {"delete-access-key", "create-analyzer"}


def words(trial: Trial, account: str, resource: str, *more: str) -> list[str]:
    options = [word for name, value in trial.options.items() for word in ("--set", f"{name}={value}")]
    return [
        "--action",
        trial.action,
        "--resource",
        resource,
        *options,
        "--account",
        account,
        "--role",
        "Fixer",
        *more,
    ]


def test_every_action_is_tried() -> None:
    """No action goes without a trial."""
    assert {trial.action for trial in TRIALS} | ELSEWHERE == set(ACTIONS)


def _often(number: int) -> Any:
    """One trial of each action always, the further ones where time does not matter."""
    is_first = TRIALS[number].action not in {trial.action for trial in TRIALS[:number]}
    return () if is_first else pytest.mark.long


@pytest.mark.parametrize(
    "trial", [pytest.param(t, id=f"{i}-{t.action}", marks=_often(i)) for i, t in enumerate(TRIALS)]
)
@pytest.mark.usefixtures("aws")
def test_action_is_planned_applied_verified_and_taken_back(trial: Trial, fix: Callable[..., Any]) -> None:
    """A plan writes nothing, applying makes what was planned, and undoing leaves what stood before."""
    world = World(OTHER, "eu-west-1") if TRIALS.index(trial) % 2 else World(OWN, "us-east-1")
    resource = trial.plant(world)
    before = trial.look(world, resource)
    planned = fix(*words(trial, world.account, resource))
    assert planned.exit_code == 0
    assert trial.look(world, resource) == before
    fingerprint = re.search(r"^plan (\w{8})$", planned.stdout, re.MULTILINE)
    assert fingerprint
    applied = fix(*words(trial, world.account, resource, "--apply", "--approved", fingerprint[1]))
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert trial.applied(trial.look(world, resource))
    assert "there is nothing to do" in fix(*words(trial, world.account, resource)).stdout
    undone = fix("--undo", "fix-1", "--role", "Fixer")
    assert (undone.exit_code, undone.stderr) == (0, "")
    assert trial.look(world, resource) == trial.undone(before)
    assert "  undone  " in fix("list").stdout
