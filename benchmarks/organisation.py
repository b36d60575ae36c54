"""A made-up account of many roles, the same each time: what `bulk.py` asks about.

A pool of policies, some like AWS's managed ones, is attached to roles two to six at a time; half of the roles have a
permissions boundary; two levels of service control policies hold for all; the bucket has a policy.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.engine import Context
from clew.engine.bulk import Asker
from clew.engine.policies import Policies
from clew.policy.parse import from_document

if TYPE_CHECKING:
    from clew.policy.model import Policy

ACCOUNT = "111122223333"
RESOURCE = "arn:aws:s3:::payroll/2026/november.csv"
OWN_POLICIES = 150
TEAMS = ("payroll", "data", "web", "security", "platform")

Json = dict[str, object]

CONDITIONS: tuple[Json, ...] = (
    {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEquals": {"aws:PrincipalTag/team": "payroll"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"BoolIfExists": {"aws:ViaAWSService": "false"}},
    {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}},
    {"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/*"}},
    {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}, "Bool": {"aws:SecureTransport": "true"}},
)
RESOURCES: tuple[object, ...] = (
    "*",
    "*",
    "*",
    "arn:aws:s3:::payroll/*",
    ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"],
    "arn:aws:s3:::${aws:PrincipalTag/team}/*",
    ["arn:aws:s3:::*", f"arn:aws:sqs:*:{ACCOUNT}:*"],
    f"arn:aws:dynamodb:*:{ACCOUNT}:table/orders",
    f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:*",
    "arn:aws:s3:::web-assets/*",
)


def document(*statements: Json) -> Policy:
    """The policy of these statements."""
    return from_document({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, action: object, resource: object = "*", condition: Json | None = None) -> Json:
    """One statement."""
    written: Json = {"Effect": effect, "Action": action, "Resource": resource}
    return written if condition is None else {**written, "Condition": condition}


def managed() -> list[Policy]:
    """Policies like those that AWS manages and many roles have."""
    services = [service.prefix for service in catalog.current().services()]
    reads = [f"{service}:{verb}*" for service in services for verb in ("Get", "List", "Describe")]
    views = [f"{service}:{verb}*" for service in services for verb in ("List", "Describe")]
    full = [
        document(statement("Allow", [f"{service}:*", "cloudwatch:GetMetricData", "tag:GetResources"]))
        for service in ("s3", "dynamodb", "lambda", "sqs", "sns", "ec2", "logs", "kms")
    ]
    power: Json = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
    return [
        document(statement("Allow", reads)),
        document(statement("Allow", views)),
        document(power, statement("Allow", ["iam:ListRoles", "iam:CreateServiceLinkedRole"])),
        *full,
    ]


def own(chance: random.Random) -> Policy:
    """One policy of 1 to 30 statements, most of them short, more than a third with a condition."""
    count = min(30, 1 + int(chance.expovariate(0.16)))
    return document(*[_own_statement(chance) for _ in range(count)])


def _own_statement(chance: random.Random) -> Json:
    denies = chance.random() < 0.12
    condition = chance.choice(CONDITIONS) if chance.random() < (0.7 if denies else 0.35) else None
    return statement("Deny" if denies else "Allow", _actions(chance), chance.choice(RESOURCES), condition)


def _actions(chance: random.Random) -> list[str]:
    index = catalog.current().index
    found: list[str] = []
    for _ in range(1 + int(chance.expovariate(0.4))):
        name = chance.choice(index.spelled)
        service, _, action = name.partition(":")
        kind = chance.random()
        if kind < 0.15:
            found.append(f"{service}:*")
        elif kind < 0.4:
            found.append(f"{service}:{action[: chance.randint(3, 6)]}*")
        elif kind < 0.45:
            found.append(f"{service}:*{action[-6:]}")
        else:
            found.append(name)
    return [*found, "s3:Get*"] if chance.random() < 0.2 else found


REGIONS: Json = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1", "us-east-1"]}}
EVERYTHING = statement("Allow", "*")


def scps() -> tuple[tuple[Policy, ...], ...]:
    """Two levels: the organisation's root, and the unit of the account."""
    home: Json = {
        "Effect": "Deny",
        "NotAction": [
            "iam:*",
            "sts:*",
            "organizations:*",
            "route53:*",
            "cloudfront:*",
            "support:*",
            "budgets:*",
        ],
        "Resource": "*",
        "Condition": {**REGIONS, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/platform/*"}},
    }
    return (
        (
            document(EVERYTHING),
            document(statement("Deny", ["organizations:LeaveOrganization", "account:CloseAccount"]), home),
        ),
        (
            document(EVERYTHING),
            document(
                statement("Deny", ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "guardduty:Delete*"]),
                statement(
                    "Deny",
                    ["iam:CreateUser", "iam:CreateAccessKey", "iam:Attach*", "iam:Put*Policy"],
                    "*",
                    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/platform/*"}},
                ),
                statement(
                    "Deny",
                    "s3:Delete*",
                    "arn:aws:s3:::payroll/*",
                    {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
                ),
            ),
        ),
    )


def boundaries() -> list[Policy]:
    """The boundaries that roles may have."""
    unless_iam: Json = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    return [
        document(unless_iam, statement("Allow", ["iam:Get*", "iam:List*", "iam:PassRole"])),
        document(
            statement(
                "Allow", ["s3:*", "sqs:*", "sns:*", "lambda:*", "dynamodb:*", "logs:*", "kms:*", "ec2:*"]
            ),
            statement("Deny", ["kms:ScheduleKeyDeletion", "s3:PutBucketPolicy"]),
        ),
        document(
            statement("Allow", "*", "*", {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}),
            statement("Allow", ["iam:*", "sts:*", "s3:*"]),
        ),
    ]


def bucket_policy() -> Policy:
    """The bucket's policy: one team's role, the account under a condition, no plain HTTP."""
    here = ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"]
    return document(
        {
            **statement("Allow", ["s3:GetObject", "s3:PutObject"], here),
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/team/role-7"},
        },
        {
            **statement(
                "Allow", ["s3:Get*", "s3:List*"], here, {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
            ),
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        },
        {
            **statement("Deny", "s3:*", here, {"Bool": {"aws:SecureTransport": "false"}}),
            "Principal": "*",
        },
    )


def shared() -> Policies:
    """What holds for every role: the bucket's policy and the organisation's."""
    return Policies(resource=bucket_policy(), scps=scps())


def roles(count: int, *, seed: int = 3) -> list[Asker]:
    """That many roles with their policies; each knows its ARN, account and team, and nothing else is known."""
    chance = random.Random(seed)
    common = managed()
    pool = [*common, *(own(chance) for _ in range(OWN_POLICIES - len(common)))]
    limits = boundaries()
    found: list[Asker] = []
    for number in range(count):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{'platform' if number % 50 == 0 else 'team'}/role-{number}"
        attached = tuple(
            chance.sample(common, chance.randint(0, 2))
            + chance.sample(pool[len(common) :], chance.randint(2, 4))
        )
        boundary = (chance.choice(limits),) if number % 2 else ()
        context = Context(
            {
                "aws:PrincipalArn": arn,
                "aws:PrincipalAccount": ACCOUNT,
                "aws:RequestedRegion": "eu-west-1",
                "aws:PrincipalTag/team": chance.choice(TEAMS),
            },
            unknown=None,
        )
        found.append(Asker(arn, attached, boundary, (), context))
    return found
