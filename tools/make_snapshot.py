"""Write `samples/snapshots/`: two states of one small account, as `clew collect` keeps them, a day apart.

A moto server gives the answers their shape; what it cannot say is written as AWS documents it, and two kinds of
calls are refused. Needs the extra `dev`. The account, its people and its mistakes are invented.
"""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.answers import Answer, Answers

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "111122223333"
REGIONS = ("eu-west-1", "us-east-1")
DAYS = ("2026-03-10T06:00:00Z", "2026-03-11T06:00:00Z")
_LONG_AGO = "2025-09-01T09:00:00Z"
_LATELY = "2026-03-11T05:55:00Z"
# What the emulator cannot say, where it is the same in every region.
_SAID: dict[str, dict[str, Any]] = {
    "ec2:GetImageBlockPublicAccessState": {"ImageBlockPublicAccessState": "block-new-sharing"},
    "ec2:GetSnapshotBlockPublicAccessState": {"State": "unblocked"},
    "shield:GetSubscriptionState": {"SubscriptionState": "INACTIVE"},
    "ssm:DescribeInstanceInformation": {"InstanceInformationList": []},
    "ssm:ListResourceComplianceSummaries": {"ResourceComplianceSummaryItems": []},
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
PARTNER = "arn:aws:iam::444455556666:root"
ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def main() -> None:
    """Plant the account, collect it, change what changed overnight, and collect again."""
    from moto.moto_api._internal import mock_random
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel("CRITICAL")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_MAX_ATTEMPTS": "1",
    }
    mock_random.seed(42)
    plant()
    write(DAYS[0])
    overnight()
    write(DAYS[1])
    server.stop()


def client(service: str, region: str = REGIONS[0]) -> Any:
    """A client of the emulator."""
    import boto3

    make: Any = boto3.client
    return make(service, region_name=region)


def plant() -> None:
    """Everything that the account has on the first day."""
    plant_iam()
    plant_buckets()
    plant_watching()
    plant_network()
    plant_data()
    plant_shared()


def plant_iam() -> None:
    """Four users, an administrators' role, a group, a password policy."""
    iam = client("iam")
    for path, name in (("/", "User1"), ("/", "User2"), ("/team/", "User3"), ("/service/", "backup")):
        iam.create_user(Path=path, UserName=name)
    iam.create_group(GroupName="Developers")
    iam.add_user_to_group(GroupName="Developers", UserName="User1")
    iam.put_user_policy(
        UserName="backup", PolicyName="write-backups", PolicyDocument=json.dumps(allow("s3:PutObject"))
    )
    arn = iam.create_policy(PolicyName="everything", PolicyDocument=json.dumps(ADMIN))["Policy"]["Arn"]
    iam.create_role(
        RoleName="deploy", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[tag("team", "platform")]
    )
    iam.attach_role_policy(RoleName="deploy", PolicyArn=arn)
    iam.update_account_password_policy(
        MinimumPasswordLength=8, RequireNumbers=True, PasswordReusePrevention=24
    )


def allow(action: str, resource: str = "*", **more: object) -> dict[str, object]:
    """A policy with one statement that allows."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}],
    }


def tag(key: str, value: str) -> dict[str, str]:
    """A tag as most services write it."""
    return {"Key": key, "Value": value}


def plant_buckets() -> None:
    """Four buckets: one public, one with logs, one as it should be, one of a partner."""
    s3 = client("s3")
    for name in ("payroll-reports", "trail-logs-111122223333", "web-assets-111122223333", "partner-share"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGIONS[0]})
    public = allow("s3:GetObject", "arn:aws:s3:::payroll-reports/*", Principal="*", Sid="Everybody")
    s3.put_bucket_policy(Bucket="payroll-reports", Policy=json.dumps(public))
    for name in ("trail-logs-111122223333", "web-assets-111122223333"):
        flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(flags, True))
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    trail = "arn:aws:s3:::trail-logs-111122223333"
    writes = [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": action,
            "Resource": resource,
        }
        for action, resource in (("s3:GetBucketAcl", trail), ("s3:PutObject", f"{trail}/AWSLogs/{ACCOUNT}/*"))
    ]
    s3.put_bucket_policy(
        Bucket="trail-logs-111122223333", Policy=json.dumps({"Version": "2012-10-17", "Statement": writes})
    )
    web = "arn:aws:s3:::web-assets-111122223333"
    deny = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [web, f"{web}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(
        Bucket="web-assets-111122223333", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )


def plant_watching() -> None:
    """A trail of all regions, one metric filter with its alarm, and Config in one region."""
    topic = client("sns").create_topic(Name="security")["TopicArn"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:security"
    )
    logs = client("logs")
    logs.create_log_group(logGroupName="trail")
    trail = client("cloudtrail")
    trail.create_trail(
        Name="main",
        S3BucketName="trail-logs-111122223333",
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy",
    )
    trail.start_logging(Name="main")
    terms = (
        '$.userIdentity.type = "Root"',
        "$.userIdentity.invokedBy NOT EXISTS",
        '$.eventType != "AwsServiceEvent"',
    )
    logs.put_metric_filter(
        logGroupName="trail",
        filterName="root-use",
        filterPattern=f"{{ {' && '.join(terms)} }}",
        metricTransformations=[{"metricName": "RootUse", "metricNamespace": "Security", "metricValue": "1"}],
    )
    client("cloudwatch").put_metric_alarm(
        AlarmName="root-use",
        MetricName="RootUse",
        Namespace="Security",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    config = client("config")
    recorder = {
        "name": "default",
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
    }
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    config.put_delivery_channel(
        DeliveryChannel={"name": "default", "s3BucketName": "trail-logs-111122223333"}
    )
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def plant_network() -> None:
    """A group open to SSH, an instance behind it, and flow logs in one region."""
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(
        GroupName="bastion",
        Description="bastion",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": [tag("team", "platform")]}],
    )["GroupId"]
    open_ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[open_ssh])
    image = ec2.register_image(Name="base", Architecture="x86_64", RootDeviceName="/dev/sda1")["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SecurityGroupIds=[group])
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="REJECT",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::trail-logs-111122223333",
    )


def plant_data() -> None:
    """A key that is never rotated, one that is, a database without encryption, an encrypted file system."""
    kms = client("kms")
    kms.create_key(Description="payroll")
    rotated = kms.create_key(Description="backup")["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=rotated)
    client("rds").create_db_instance(
        DBInstanceIdentifier="payroll",
        DBInstanceClass="db.t3.medium",
        Engine="postgres",
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",  # of the emulator
        AllocatedStorage=20,
        PubliclyAccessible=True,
        StorageEncrypted=False,
    )
    client("efs").create_file_system(CreationToken="home", Encrypted=True)
    client("secretsmanager", "us-east-1").create_secret(
        Name="payroll/db", SecretString="not-a-secret"
    )  # as above


def plant_shared() -> None:
    """A table that a partner's account reads, and what is shared with nobody: a file system, a layer, a stream."""
    table = client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    shared = allow("dynamodb:GetItem", table, Principal={"AWS": PARTNER}, Sid="Partner")
    client("dynamodb").put_resource_policy(ResourceArn=table, Policy=json.dumps(shared))
    own = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    mounts = allow("elasticfilesystem:ClientMount", Principal={"AWS": "*"}, Condition=own)
    [home] = client("efs").describe_file_systems()["FileSystems"]
    client("efs").put_file_system_policy(FileSystemId=home["FileSystemId"], Policy=json.dumps(mounts))
    client("lambda").publish_layer_version(LayerName="tools", Content={"ZipFile": b"tools"})
    client("kinesis").create_stream(StreamName="clicks", ShardCount=1)


def overnight() -> None:
    """What changed until the second day: the public bucket was closed, RDP was opened in the other region."""
    client("s3").delete_bucket_policy(Bucket="payroll-reports")
    ec2 = client("ec2", "us-east-1")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="remote-desktop", Description="for the auditors", VpcId=vpc)[
        "GroupId"
    ]
    world = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world])


def write(day: str) -> None:
    """Collect, mend what the emulator cannot say, and write the file of that day."""
    from clew.collect.asking import Clock
    from clew.collect.collector import Scale, collect
    from clew.collect.table import TABLE
    from clew.snapshot import file
    from clew.snapshot.answers import Answers

    clock = Clock(lambda: datetime.fromisoformat(day).astimezone(UTC), lambda _: None)
    found = collect(TABLE, Scale(regions=REGIONS), clock)
    path = ROOT / "samples" / "snapshots" / f"{day.replace(':', '')}.json.gz"
    path.parent.mkdir(exist_ok=True)
    file.write(path, Answers(mended(found, day)), tool_version="0.1.0", collected_at=day)


def mended(answers: Answers, day: str) -> Iterator[Answer]:
    """The answers with the times of the story, with what AWS would say where the emulator cannot, and two refusals."""
    from clew.snapshot.answers import Status

    for answer in answers:
        call = answer.call
        name = f"{call.service}:{call.operation}"
        if name == "macie2:GetMacieSession" or (
            name == "s3:GetBucketPolicy" and dict(call.parameters).get("Bucket") == "partner-share"
        ):
            code, message = "AccessDeniedException" if "macie2" in name else "AccessDenied", "not authorized"
            yield replace(answer, status=Status.DENIED, body=None, error_code=code, error_message=message)
            continue
        body = said(name, call.region, dict(call.parameters), answer.body, day)
        if body is None:
            yield answer
        elif body == {} and name == "iam:ListOrganizationsFeatures":
            code = "AccountNotManagementOrDelegatedAdministratorException"
            yield replace(answer, status=Status.ABSENT, body=None, error_code=code, error_message="")
        else:
            plain = json.loads(json.dumps(body))
            yield replace(answer, status=Status.OK, body=timed(plain, ""), error_code="", error_message="")


def said(name: str, region: str, parameters: dict[str, str], body: object, day: str) -> dict[str, Any] | None:
    """The body of an answer; None where the emulator gave none."""
    match name:
        case "iam:GetCredentialReport":
            text = (ROOT / "samples" / "credential-report.csv").read_text(encoding="utf-8")
            return {"Content": text, "ReportFormat": "text/csv", "GeneratedTime": f"{day[:11]}05:40:00Z"}
        case "iam:GetAccountSummary" if isinstance(body, dict):
            return {
                "SummaryMap": {**body["SummaryMap"], "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1}
            }
        case "iam:ListOrganizationsFeatures":
            return {}
        case "ec2:DescribeRegions" if isinstance(body, dict):
            # Two regions, so that the sample stays small.
            return {"Regions": [each for each in body["Regions"] if each["RegionName"] in REGIONS]}
        case "accessanalyzer:ListAnalyzers":
            analyzer = {
                "arn": f"arn:aws:access-analyzer:{region}:{ACCOUNT}:analyzer/account",
                "name": "account",
                "type": "ACCOUNT",
                "createdAt": _LONG_AGO,
                "status": "ACTIVE",
            }
            here = region == REGIONS[0] and parameters["type"] == "ACCOUNT"
            return {"analyzers": [analyzer] if here else []}
        case "config:DescribeDeliveryChannelStatus":
            status = {"name": "default", "configSnapshotDeliveryInfo": {"lastStatus": "SUCCESS"}}
            return {"DeliveryChannelsStatus": [status] if region == REGIONS[0] else []}
        case "inspector2:BatchGetAccountStatus":
            scans = {"status": "ENABLED" if region == REGIONS[0] else "DISABLED"}
            kinds = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository")
            found = {"accountId": ACCOUNT, "state": scans, "resourceState": dict.fromkeys(kinds, scans)}
            return {"accounts": [found], "failedAccounts": []}
        case _ if name in _SAID:
            return _SAID[name]
    return body if isinstance(body, dict) else None


def timed(value: Any, member: str) -> Any:
    """The value with every time of the emulator's clock moved into the story."""
    if isinstance(value, dict):
        return {name: timed(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [timed(inner, member) for inner in value]
    if isinstance(value, str) and member != "Content" and _TIME.fullmatch(value) and value > DAYS[1]:
        return _LATELY if member.lower().startswith(("latest", "last")) else _LONG_AGO
    return value


if __name__ == "__main__":
    # Before moto is imported: it reads these once.
    os.environ |= {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    main()
