"""How long `clew explain` takes on a snapshot of 1,000 roles beside a lake of 1,000,000 events.

Usage: python benchmarks/explain.py [--events 1000000] [--roles 1000] [--denials 10000]

One refused call by its id, and all refusals of the lake grouped by cause; both as whole processes: start, snapshot,
lake, decision, fix. The roles hold two to six of 150 policies, half of them a boundary; the refusals are theirs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import archive
import measure
import organisation

from clew.policy.format import document

if TYPE_CHECKING:
    from clew.policy.model import Policy

CLEW = [sys.executable, "-m", "clew", "--quiet"]
LIMIT_ONE_SECONDS = 1.0
LIMIT_ALL_SECONDS = 30.0
CALLS = (
    ("s3", "PutObject", {"bucketName": "payroll", "key": "november.csv"}, "arn:aws:s3:::payroll/november.csv"),
    ("s3", "GetObject", {"bucketName": "web-assets", "key": "a"}, "arn:aws:s3:::web-assets/a"),
    ("iam", "CreateUser", {"userName": "eve"}, f"arn:aws:iam::{organisation.ACCOUNT}:user/eve"),
    ("ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-0abc"}]}},
     f"arn:aws:ec2:eu-west-1:{organisation.ACCOUNT}:instance/i-0abc"),
    ("sqs", "SendMessage", {"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/{organisation.ACCOUNT}/orders"},
     f"arn:aws:sqs:eu-west-1:{organisation.ACCOUNT}:orders"),
    ("dynamodb", "GetItem", {"tableName": "orders", "key": {"id": "1"}},
     f"arn:aws:dynamodb:eu-west-1:{organisation.ACCOUNT}:table/orders"),
)  # fmt: skip
REASONS = (
    "no identity-based policy allows the {action} action",
    "no permissions boundary allows the {action} action",
    "an explicit deny in an identity-based policy",
)


def account(roles: int) -> dict[str, object]:
    """The account as `aws iam get-account-authorization-details` prints it."""
    chance = random.Random(7)
    pool = [*organisation.managed(), *(organisation.own(chance) for _ in range(organisation.OWN_POLICIES))]
    bounds = organisation.boundaries()
    managed = [_managed(f"pool-{number}", policy) for number, policy in enumerate(pool)]
    limits = [_managed(f"boundary-{number}", policy) for number, policy in enumerate(bounds)]
    made = []
    for number in range(roles):
        role = _role(f"role-{number}", f"AROA{number:017d}", chance.sample(managed, chance.randint(2, 6)))
        if number % 2:
            limit = chance.choice(limits)["Arn"]
            role["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": limit,
            }
        made.append(role)
    nobody: dict[str, object] = {"UserDetailList": [], "GroupDetailList": []}
    return nobody | {"RoleDetailList": made, "Policies": [*managed, *limits]}


def _role(name: str, unique_id: str, held: list[dict[str, object]]) -> dict[str, object]:
    trusted = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "RoleName": name,
        "RoleId": unique_id,
        "Arn": f"arn:aws:iam::{organisation.ACCOUNT}:role/{name}",
        "Path": "/",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trusted},
        "AttachedManagedPolicies": [
            {"PolicyName": each["PolicyName"], "PolicyArn": each["Arn"]} for each in held
        ],
        "RolePolicyList": [],
    }


def _managed(name: str, policy: Policy) -> dict[str, object]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document(policy)}
    return {
        "PolicyName": name,
        "Arn": f"arn:aws:iam::{organisation.ACCOUNT}:policy/{name}",
        "DefaultVersionId": "v1",
        "PolicyVersionList": [version],
    }


def refusals(count: int, roles: int) -> list[dict[str, object]]:
    """Refused calls of the roles, spread over a week, as CloudTrail records them."""
    chance = random.Random(11)
    found: list[dict[str, object]] = []
    for number in range(count):
        service, name, parameters, arn = chance.choice(CALLS)
        role, session = f"role-{chance.randrange(roles)}", f"i-0{number:016x}"
        who = f"arn:aws:sts::{organisation.ACCOUNT}:assumed-role/{role}/{session}"
        action = f"{service}:{name}"
        reason = chance.choice(REASONS).format(action=action)
        joined = f"with {reason}" if reason.startswith("an explicit") else f"because {reason}"
        moment = archive.START + timedelta(seconds=number * 7 * 86400 // count)
        found.append({
            "eventVersion": "1.11",
            "eventID": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "198.51.100.7",
            "userAgent": archive.AGENTS[0],
            "errorCode": "AccessDenied",
            "errorMessage": f'User: {who} is not authorized to perform: {action} on resource: "{arn}" {joined}',
            "requestParameters": parameters,
            "responseElements": None,
            "eventType": "AwsApiCall",
            "recipientAccountId": organisation.ACCOUNT,
            "userIdentity": _identity(role, session, who),
        })  # fmt: skip
    return found


def _identity(role: str, session: str, arn: str) -> dict[str, object]:
    issuer = {
        "type": "Role",
        "arn": f"arn:aws:iam::{organisation.ACCOUNT}:role/{role}",
        "accountId": organisation.ACCOUNT,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{int(role[5:]):017d}:{session}",
        "arn": arn,
        "accountId": organisation.ACCOUNT,
        "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "sessionContext": {"sessionIssuer": issuer},
    }


def main() -> int:
    """Measure; 1 where a limit of the issue is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--roles", type=int, default=1_000)
    parser.add_argument("--denials", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        details, workspace = scratch / "account.json", str(scratch / "workspace")
        details.write_text(json.dumps(account(given.roles)), encoding="utf-8")
        archive.write(scratch / "logs", given.events)
        refused = refusals(given.denials, given.roles)
        records = json.dumps({"Records": refused}).encode()
        (scratch / "logs" / "refused.json.gz").write_bytes(gzip.compress(records))
        told = measure.run([*CLEW, "-w", workspace, "ingest", str(scratch / "logs")])
        if told.code:
            raise SystemExit(told.output)
        asked = ["-w", workspace, "explain", "--policies", str(details)]
        one = _measured("one event", [*asked, "--event", str(refused[0]["eventID"])])
        every = _measured(f"{given.denials:,} refusals by cause", [*asked, "--since", "2026-03-01"])
    return int(one.wall > LIMIT_ONE_SECONDS or every.wall > LIMIT_ALL_SECONDS)


def _measured(label: str, words: list[str]) -> measure.Cost:
    cost = min((measure.run([*CLEW, *words]) for _ in range(2)), key=lambda each: each.wall)
    print(
        f"{label:<28} {cost.wall:6.2f} s wall {cost.cpu:6.2f} s CPU {cost.peak_mb:6.0f} MB, exit {cost.code}"
    )
    return cost


if __name__ == "__main__":
    raise SystemExit(main())
