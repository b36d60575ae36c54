"""A made-up CloudTrail archive of any size, in the layout that AWS delivers, for measuring only.

Records have the sizes and shapes of a busy account (about 1.4 KB each, data and management events mixed, nested
parameters); the same arguments give the same bytes.
"""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, object]

START = datetime(2026, 3, 2, tzinfo=UTC)
ACCOUNTS = ("111122223333", "212132324343", "313142425353")
REGIONS = ("us-east-1", "us-east-1", "us-west-2", "eu-west-1")
AGENTS = (
    "aws-cli/2.15.30 md/Botocore#2.4.5 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8",
    "Boto3/1.34.60 md/Botocore#1.34.60 ua/2.0 os/linux#5.10 md/arch#aarch64 lang/python#3.12.2",
    "aws-sdk-go-v2/1.25.2 os/linux lang/go#1.22.0 md/GOOS#linux md/GOARCH#amd64 api/s3#1.51.1",
)
READS = (
    ("ec2", "DescribeInstances"), ("ec2", "DescribeSecurityGroups"), ("iam", "GetRole"), ("iam", "ListRoles"),
    ("rds", "DescribeDBInstances"), ("kms", "Decrypt"), ("secretsmanager", "GetSecretValue"), ("sts", "AssumeRole"),
    ("logs", "DescribeLogGroups"), ("lambda", "GetFunction20150331v2"), ("cloudformation", "DescribeStacks"),
)  # fmt: skip


def write(directory: Path, events: int, *, per_file: int = 800, days: int = 7, seed: int = 7) -> int:
    """Write about `events` records in files of about `per_file` records; returns the number of files."""
    source = random.Random(seed)
    files = 0
    while events > 0:
        count = min(events, max(1, int(source.lognormvariate(0, 0.6) * per_file)))
        account, region = source.choice(ACCOUNTS), source.choice(REGIONS)
        start = START + timedelta(seconds=source.randrange(days * 86400 - 300))
        records = [
            _record(source, account, region, start + timedelta(seconds=n * 300 // count))
            for n in range(count)
        ]
        _write(directory, records, account, region, start, f"{source.getrandbits(80):020X}")
        events -= count
        files += 1
    return files


def _write(
    directory: Path, records: list[Json], account: str, region: str, start: datetime, tail: str
) -> None:
    folder = directory / "AWSLogs" / account / "CloudTrail" / region / f"{start:%Y/%m/%d}"
    folder.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"Records": records}, separators=(",", ":")).encode()
    name = f"{account}_CloudTrail_{region}_{start:%Y%m%dT%H%MZ}_{tail[:16]}.json.gz"
    (folder / name).write_bytes(gzip.compress(body, 6, mtime=0))


def _record(source: random.Random, account: str, region: str, when: datetime) -> Json:
    data = source.random() < 0.45
    service, name = ("s3", source.choice(("GetObject", "PutObject"))) if data else source.choice(READS)
    record: Json = {
        "eventVersion": "1.11",
        "userIdentity": _INSTANCE_SERVICE if name == "AssumeRole" else _identity(source, account, when),
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": f"198.51.100.{source.randrange(2, 60)}",
        "userAgent": source.choice(AGENTS),
    }
    if source.random() < 0.01:
        record |= {"errorCode": "ThrottlingException", "errorMessage": "Rate exceeded"}
    elif name == "AssumeRole":
        record |= _session_of_an_instance(source, account, when)
        return record | _tail(source, data, service, region, account)
    return record | _parameters(source, data, region, account) | _tail(source, data, service, region, account)


_INSTANCE_SERVICE: Json = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}


def _session_of_an_instance(source: random.Random, account: str, when: datetime) -> Json:
    """What EC2 asks and gets when it opens the session of an instance's role: the key with which it then calls."""
    number = source.randrange(60)
    role, name = f"app-{number % 9}", f"i-{number:017x}"
    return {
        "requestParameters": {
            "roleArn": f"arn:aws:iam::{account}:role/{role}",
            "roleSessionName": name,
            "durationSeconds": 3600,
        },
        "responseElements": {
            "credentials": {
                "accessKeyId": _key(number, when),
                "sessionToken": f"{source.getrandbits(720):x}",
                "expiration": f"{when + timedelta(hours=1):%b %d, %Y, %I:%M:%S %p}",
            },
            "assumedRoleUser": {
                "assumedRoleId": f"AROA{number % 9:017d}:{name}",
                "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            },
        },
    }


def _key(number: int, when: datetime) -> str:
    return f"ASIA{number:08d}{when:%d%H}EXAM"


def _identity(source: random.Random, account: str, when: datetime) -> Json:
    number = source.randrange(60)
    role, name = f"app-{number % 9}", f"i-{number:017x}"
    issuer = {
        "type": "Role",
        "principalId": f"AROA{number % 9:017d}",
        "arn": f"arn:aws:iam::{account}:role/{role}",
        "accountId": account,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{number % 9:017d}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": _key(number, when),
        "sessionContext": {
            "sessionIssuer": issuer,
            "attributes": {"creationDate": f"{when:%Y-%m-%dT%H:00:00Z}", "mfaAuthenticated": "false"},
            "ec2RoleDelivery": "2.0",
        },
    }


def _parameters(source: random.Random, data: bool, region: str, account: str) -> Json:
    if not data:
        items = [{"instanceId": f"i-{source.getrandbits(68):017x}"} for _ in range(source.randrange(6))]
        return {
            "requestParameters": {"maxResults": 100, "instancesSet": {"items": items}},
            "responseElements": None,
        }
    bucket, key = (
        f"acme-{source.randrange(9)}-{account[-4:]}",
        f"dt=02/part-{source.getrandbits(64):016x}.parquet",
    )
    return {
        "requestParameters": {
            "bucketName": bucket,
            "Host": f"{bucket}.s3.{region}.amazonaws.com",
            "key": key,
        },
        "responseElements": {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-version-id": f"{source.getrandbits(128):x}",
        },
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": source.randrange(10**6),
            "bytesTransferredOut": source.randrange(10**7),
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": f"{source.getrandbits(300):x}",
        },
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
    }


def _tail(source: random.Random, data: bool, service: str, region: str, account: str) -> Json:
    return {
        "requestID": _uuid(source),
        "eventID": _uuid(source),
        "readOnly": source.random() < 0.8,
        "eventType": "AwsApiCall",
        "managementEvent": not data,
        "recipientAccountId": account,
        "eventCategory": "Data" if data else "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
        },
    }


def _uuid(source: random.Random) -> str:
    digits = f"{source.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
