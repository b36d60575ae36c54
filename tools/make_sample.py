"""Write the sample incident that `make demo` investigates: one made-up account, two days, one leaked key.

The records follow the formats that AWS documents ("CloudTrail record contents", "Amazon S3 server access log format",
"Flow log record fields"). Same output on every run. Usage: python tools/make_sample.py [DIRECTORY]
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "eu-west-1"
DAY = datetime(2026, 3, 10, tzinfo=UTC)
OFFICE = ("203.0.113.10", "203.0.113.11")
INTRUDER = "192.0.2.66"
BUCKET = "anycompany-payroll"
CLI = "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7 md/command#{}"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.1 (+https://www.terraform.io) terraform-provider-aws/6.14.0"
BOTO = "Boto3/1.40.3 md/Botocore#1.40.3 ua/2.1 os/linux#6.1 lang/python#3.12.9"

Json = dict[str, object]

_random = random.Random(20260310)  # noqa: S311  # a reproducible sample, no secret


def _hex(count: int) -> str:
    return f"{_random.getrandbits(count * 4):0{count}x}"


def _uuid() -> str:
    digits = _hex(32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def user(name: str, key: str) -> Json:
    """The identity of an IAM user who calls with a long-lived key."""
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper():X<17.17}".replace("-", "X"),
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "userName": name,
    }


def session(role: str, name: str, key: str, started: datetime) -> Json:
    """The identity of a role session."""
    role_id = f"AROA{role.upper():X<17.17}".replace("-", "X")
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "accountId": ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": f"{started:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"},
        },
    }


DEPLOYER = user("ci-deployer", "AKIAEXAMPLEDEPLOY001")
MARY = user("mary", "AKIAEXAMPLEMARY00001")
NIKHIL = user("nikhil", "AKIAEXAMPLENIKHIL001")
ROOT: Json = {
    "type": "Root",
    "principalId": ACCOUNT,
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
    "accountId": ACCOUNT,
}
BACKDOOR = user("svc-metrics", "AKIAEXAMPLEBACKDOOR1")


def event(  # a record has this many parts
    when: datetime,
    call: str,
    who: Json,
    address: str,
    agent: str,
    parameters: Json | None = None,
    **more: object,
) -> Json:
    """One CloudTrail record; `call` is `service:EventName`, `more` overrides or adds top-level elements."""
    service, name = call.split(":")
    read = name.startswith(("Get", "List", "Describe", "Head", "Lookup"))
    record: Json = {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service in {"iam", "signin", "organizations"} else REGION,
        "sourceIPAddress": address,
        "userAgent": agent,
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": _uuid(),
        "eventID": _uuid(),
        "readOnly": read,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    record.update(more)
    return record


def sign_in(when: datetime, who: Json, address: str, *, success: bool, mfa: bool) -> Json:
    """One console sign-in."""
    outcome: Json = {"responseElements": {"ConsoleLogin": "Success" if success else "Failure"}}
    if not success:
        outcome["errorMessage"] = "Failed authentication"
    identity = {key: value for key, value in who.items() if key != "accessKeyId"}
    return (
        event(
            when,
            "signin:ConsoleLogin",
            identity,
            address,
            BROWSER,
            eventType="AwsConsoleSignIn",
            additionalEventData={
                "LoginTo": "https://console.aws.amazon.com/console/home",
                "MobileVersion": "No",
                "MFAUsed": "Yes" if mfa else "No",
            },
        )
        | outcome
    )


def s3_object(
    when: datetime, name: str, who: Json, address: str, agent: str, key: str, request_id: str
) -> Json:
    """One S3 data event on an object of the payroll bucket."""
    return event(
        when,
        f"s3:{name}",
        who,
        address,
        agent,
        {"bucketName": BUCKET, "key": key, "Host": f"{BUCKET}.s3.{REGION}.amazonaws.com"},
        requestID=request_id,
        managementEvent=False,
        eventCategory="Data",
        resources=[
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/{key}"},
            {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
        ],
        additionalEventData={"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
    )


ORDINARY: tuple[tuple[str, Json | None], ...] = (
    ("ec2:DescribeInstances", {"maxResults": 100}),
    ("ec2:DescribeSecurityGroups", {"maxResults": 100}),
    ("rds:DescribeDBInstances", None),
    ("logs:DescribeLogGroups", {"limit": 50}),
    ("monitoring:DescribeAlarms", None),
    ("lambda:ListFunctions20150331", None),
    ("sts:GetCallerIdentity", None),
    ("cloudformation:DescribeStacks", {"stackName": "web"}),
)


def ordinary_life() -> list[Json]:
    """Two working days of an untroubled account."""
    records = []
    for day in (DAY, DAY + timedelta(days=1)):
        for who, address, agent in (
            (MARY, OFFICE[0], CLI.format("describe")),
            (NIKHIL, OFFICE[1], BROWSER),
            (DEPLOYER, "198.51.100.7", TERRAFORM),
        ):
            records.append(
                sign_in(day + timedelta(hours=8, minutes=41), NIKHIL, OFFICE[1], success=True, mfa=True)
            )
            for _ in range(110):
                when = day + timedelta(seconds=_random.randrange(8 * 3600, 18 * 3600))
                call, parameters = _random.choice(ORDINARY)
                records.append(event(when, call, who, address, agent, parameters))
        for minute in range(0, 24 * 60, 15):
            when = day + timedelta(minutes=minute, seconds=_random.randrange(40))
            worker = session("payroll-batch", "i-0a1b2c3d4e5f60718", "ASIAEXAMPLEBATCH0001", day)
            key = f"2026/03/run-{minute:04d}.csv"
            records.append(s3_object(when, "PutObject", worker, "198.51.100.20", BOTO, key, _request_id()))
    return records


def _request_id() -> str:
    return "".join(_random.choices("ABCDEFGHJKMNPQRSTVWXYZ0123456789", k=16))


def at(clock: str) -> datetime:
    """A moment of the second day, from `HH:MM:SS`."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return DAY + timedelta(days=1, hours=hours, minutes=minutes, seconds=seconds)


def intrusion() -> list[Json]:
    """What the intruder does on the second night with the leaked key of `ci-deployer`."""
    cli = CLI.format("unknown")
    refused = {"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this action"}
    look = [event(at("02:11:04"), "sts:GetCallerIdentity", DEPLOYER, INTRUDER, cli)]
    for index, name in enumerate(_RECONNAISSANCE):
        outcome = refused if index % 3 == 0 else {}
        look.append(event(at(f"02:12:{index:02d}"), name, DEPLOYER, INTRUDER, cli, {}, **outcome))
    stay = [
        event(at("02:19:30"), "iam:CreateUser", DEPLOYER, INTRUDER, cli, {"userName": "svc-metrics"}),
        event(
            at("02:19:41"),
            "iam:AttachUserPolicy",
            DEPLOYER,
            INTRUDER,
            cli,
            {"userName": "svc-metrics", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        event(
            at("02:19:55"),
            "iam:CreateAccessKey",
            DEPLOYER,
            INTRUDER,
            cli,
            {"userName": "svc-metrics"},
            responseElements={
                "accessKey": {
                    "accessKeyId": BACKDOOR["accessKeyId"],
                    "status": "Active",
                    "userName": "svc-metrics",
                }
            },
        ),
    ]
    return look + stay + _blind_and_take(cli) + _sign_ins()


_RECONNAISSANCE = (
    "iam:ListUsers", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "s3:ListBuckets", "ec2:DescribeInstances",
    "ec2:DescribeSnapshots", "rds:DescribeDBInstances", "secretsmanager:ListSecrets", "kms:ListKeys",
    "lambda:ListFunctions20150331", "organizations:DescribeOrganization", "cloudtrail:DescribeTrails",
    "guardduty:ListDetectors", "ec2:DescribeVpcs", "ec2:DescribeSecurityGroups", "ssm:DescribeParameters",
    "iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "dynamodb:ListTables", "sns:ListTopics", "sqs:ListQueues",
    "ecr:DescribeRepositories", "eks:ListClusters", "logs:DescribeLogGroups", "config:DescribeConfigurationRecorders",
    "ses:GetSendQuota", "cloudformation:DescribeStacks", "iam:GetAccountSummary",
)  # fmt: skip


def _blind_and_take(cli: str) -> list[Json]:
    trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/organisation"
    opened = {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {},
                         "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "prefixListIds": {}}]}  # fmt: skip
    allowed = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    public = {"Version": "2012-10-17", "Statement": [allowed]}
    everyone = {"add": {"items": [{"group": "all"}]}}
    calls: list[tuple[str, str, Json]] = [
        ("02:24:10", "cloudtrail:StopLogging", {"name": trail}),
        ("02:25:02", "guardduty:DeleteDetector", {"detectorId": "12abc34d567e8fa901bc2d34e56789f0"}),
        ("02:27:45", "ec2:AuthorizeSecurityGroupIngress", {"groupId": "sg-12341234", "ipPermissions": opened}),
        ("02:31:20", "s3:PutBucketPublicAccessBlock", {"bucketName": BUCKET, "publicAccessBlock": "",
         "PublicAccessBlockConfiguration": {"BlockPublicPolicy": False, "BlockPublicAcls": False,
                                            "IgnorePublicAcls": False, "RestrictPublicBuckets": False}}),
        ("02:31:48", "s3:PutBucketPolicy", {"bucketName": BUCKET, "bucketPolicy": public, "policy": ""}),
        ("02:58:12", "ec2:ModifySnapshotAttribute", {"snapshotId": "snap-0fedcba9876543210",
         "attributeType": "CREATE_VOLUME_PERMISSION", "createVolumePermission": everyone}),
        ("03:04:37", "kms:ScheduleKeyDeletion", {"keyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-"
         "1234567890ab", "pendingWindowInDays": 7}),
    ]  # fmt: skip
    records = [
        event(at(clock), call, BACKDOOR, INTRUDER, cli, parameters) for clock, call, parameters in calls
    ]
    for number in range(160):
        when = at("02:36:00") + timedelta(seconds=number * 3)
        key = f"2026/0{1 + number % 3}/payslip-{number:04d}.pdf"
        records.append(s3_object(when, "GetObject", BACKDOOR, INTRUDER, cli, key, _TAKEN[number]))
    return records


_TAKEN = tuple(_request_id() for _ in range(160))


def _sign_ins() -> list[Json]:
    failed = [
        sign_in(at("03:20:00") + timedelta(seconds=11 * n), MARY, INTRUDER, success=False, mfa=False)
        for n in range(18)
    ]
    return [*failed, sign_in(at("03:31:09"), ROOT, INTRUDER, success=True, mfa=False)]


def access_log_lines() -> list[str]:
    """The server access log of the payroll bucket for the night."""
    owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
    lines = []
    for number, request_id in enumerate(_TAKEN):
        when = at("02:36:00") + timedelta(seconds=number * 3)
        key = f"2026/0{1 + number % 3}/payslip-{number:04d}.pdf"
        lines.append(
            f"{owner} {BUCKET} [{when:%d/%b/%Y:%H:%M:%S} +0000] {INTRUDER} {BACKDOOR['arn']} {request_id} "
            f'REST.GET.OBJECT {key} "GET /{key} HTTP/1.1" 200 - {48000 + number} {48000 + number} 21 20 "-" '
            f'"{CLI.format("s3.cp")}" - host{number:04d}= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader '
            f"{BUCKET}.s3.{REGION}.amazonaws.com TLSv1.3 - -"
        )
    return lines


def flow_log_lines() -> list[str]:
    """The flow log of the instance behind the opened security group."""
    header = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
        "action log-status"
    )
    lines = [header]
    for number in range(40):
        start = int(at("02:30:00").timestamp()) + 60 * number
        action = "ACCEPT" if number % 4 else "REJECT"
        lines.append(
            f"2 {ACCOUNT} eni-0123456789abcdef0 {INTRUDER} 10.0.1.17 {40000 + number} 22 6 {12 + number} "
            f"{1800 + 90 * number} {start} {start + 59} {action} OK"
        )
    return lines


def write(directory: Path) -> None:
    """Write all files in the layout that AWS delivers."""
    groups: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for record in sorted(ordinary_life() + intrusion(), key=lambda r: str(r["eventTime"])):
        groups[
            str(record["awsRegion"]),
            str(record["eventTime"])[:11] + str(int(str(record["eventTime"])[11:13]) // 6),
        ].append(record)
    for (region, part), records in groups.items():
        day = part[:10]
        stamp = f"{day.replace('-', '')}T{int(part[11:]) * 6:02d}05Z"
        folder = directory / "AWSLogs" / ACCOUNT / "CloudTrail" / region / day.replace("-", "/")
        body = json.dumps({"Records": records}, separators=(",", ":")).encode()
        _write(
            folder / f"{ACCOUNT}_CloudTrail_{region}_{stamp}_{_hex(16)}.json.gz",
            gzip.compress(body, 9, mtime=0),
        )
    _write(directory / "access-logs" / "2026-03-11-03-15-20-0A1B2C3D4E5F6071", _text(access_log_lines()))
    flow = directory / "AWSLogs" / ACCOUNT / "vpcflowlogs" / REGION / "2026/03/11"
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0123456789abcdef0_20260311T0230Z_1a2b3c4d.log.gz"
    _write(flow / name, gzip.compress(_text(flow_log_lines()), 9, mtime=0))


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    write(
        Path(sys.argv[1])
        if len(sys.argv) > 1
        else Path(__file__).resolve().parent.parent / "samples" / "incident"
    )
