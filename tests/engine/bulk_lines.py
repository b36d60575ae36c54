"""Batch lines in which many gates take part and most statements say something, for the bulk evaluation.

A bulk question looks at all actions, so statements here are about many; a seed makes a line, because what matters is
how gates meet, and not how small a single failing statement can be made.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.properties.lines import ACTIONS, FULL_ACCESS, HOME, OTHER, PRINCIPAL_ELEMENTS, PRINCIPALS, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, object]

PATTERNS = (
    "*", "*", "s3:*", "s3:Get*", "s3:*Object", "s3:Put*", "s3:PutObjectAcl", "kms:*", "kms:RetireGrant", "sts:*",
    "sts:AssumeRole*", "sts:Get*", "iam:*", "iam:Pass*", "sqs:*", "ec2:*", "ec2:Describe*", "*:List*", "*:Get*",
    "s3:ListAllMyBuckets", "lambda:InvokeFunction", "nothing", "organizations:*",
)  # fmt: skip
RESOURCES = (
    "arn:aws:s3:::logs/2024/a.txt",
    "arn:aws:s3:::logs/2024/a.txt",
    f"arn:aws:kms:us-east-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    f"arn:aws:kms:us-east-1:{OTHER}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    f"arn:aws:iam::{HOME}:role/deploy",
    f"arn:aws:iam::{OTHER}:role/audit",
    f"arn:aws:sqs:us-east-1:{OTHER}:q1",
    "arn:aws-cn:s3:::logs/2024/a.txt",
    "*",
)
OF_STATEMENTS = (
    "*", "*", "*", "arn:aws:s3:::logs/*", "arn:aws:kms:*", f"arn:aws:iam::{HOME}:role/*", f"arn:aws:sqs:*:{OTHER}:*",
    "arn:aws:s3:::${aws:username}/*", "arn:*:*:*:*:*", "arn:aws:s3:::logs/2024/${aws:PrincipalTag/team, 'a'}.txt",
)  # fmt: skip
ACL_GRANTEES: tuple[Json, ...] = (
    {"ID": OTHER},
    {"ID": HOME},
    {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
    {"URI": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"},
)
SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "RestrictPublicBuckets")


class Writer:
    """Writes one line, decided by a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # nothing secret

    def line(self) -> Json:
        """Policies of most gates, and a request on one resource."""
        chance = self.chance
        several = self.several
        optional: dict[str, Callable[[], object]] = {
            "identity_policies": several,
            "resource_policy": lambda: self.document(principal=True),
            "permissions_boundaries": several,
            "session_policies": several,
            "scps": lambda: [several() for _ in range(chance.randint(1, 3))],
            "rcps": lambda: [several(principal=True) for _ in range(chance.randint(1, 2))],
            "vpc_endpoint_policies": lambda: several(principal=True),
            "grants": self.grants,
            "acl": self.acl,
            "object_owner": lambda: chance.choice((HOME, OTHER)),
            "block_public_access": lambda: {name: chance.random() < 0.4 for name in SETTINGS},
            "management_account": lambda: chance.random() < 0.2,
        }
        often = {"identity_policies": 0.9, "resource_policy": 0.8}
        line = {name: made() for name, made in optional.items() if chance.random() < often.get(name, 0.4)}
        return {**line, "request": self.request()}

    def request(self) -> Json:
        """A request whose action does not matter."""
        chance = self.chance
        keys = [key for _, of_type in TYPES for key in of_type]
        known = chance.sample(keys, chance.randint(0, 4))
        request: Json = {
            "principal": chance.choice(PRINCIPALS),
            "action": ACTIONS[0][0],
            "resource": chance.choice(RESOURCES),
            "context": {key: chance.choice(values) for key, values, _ in known},
        }
        if chance.random() < 0.4:
            request["resource_account"] = chance.choice((HOME, OTHER))
        return request

    def several(self, *, principal: bool = False) -> list[Json]:
        """The documents of one gate, often with one that allows everything."""
        made = [self.document(principal=principal) for _ in range(self.chance.randint(0, 2))]
        full = {**FULL_ACCESS}
        if principal:
            full["Statement"] = [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]
        return [full, *made] if self.chance.random() < 0.5 else made

    def document(self, *, principal: bool) -> Json:
        """One document of a few statements."""
        count = self.chance.randint(1, 4)
        return {
            "Version": self.chance.choice(("2012-10-17", "2012-10-17", "2008-10-17")),
            "Statement": [self.statement(principal=principal) for _ in range(count)],
        }

    def statement(self, *, principal: bool) -> Json:
        """One statement; half have a condition."""
        chance = self.chance
        statement: Json = {"Effect": "Deny" if chance.random() < 0.3 else "Allow"}
        actions = chance.sample(PATTERNS, chance.randint(1, 3))
        statement["NotAction" if chance.random() < 0.15 else "Action"] = actions
        resources = chance.sample(OF_STATEMENTS, chance.randint(1, 2))
        statement["NotResource" if chance.random() < 0.1 else "Resource"] = resources
        if principal:
            element = chance.choice(("*", *PRINCIPAL_ELEMENTS))
            statement["NotPrincipal" if chance.random() < 0.15 else "Principal"] = element
        if chance.random() < 0.5:
            statement["Condition"] = self.condition()
        return statement

    def condition(self) -> Json:
        """A condition of one or two lines."""
        block: dict[str, Json] = {}
        for operators, keys in self.chance.sample(TYPES, self.chance.randint(1, 2)):
            operator, (key, _, written) = self.chance.choice(operators), self.chance.choice(keys)
            exists = "" if operator == "Null" else self.chance.choice(("", "", "IfExists"))
            block[operator + exists] = {key: self.chance.choice(written)}
        return dict(block)

    def grants(self) -> list[Json]:
        """A grant of KMS, perhaps with a constraint."""
        chance = self.chance
        grant: Json = {
            "GranteePrincipal": chance.choice(PRINCIPALS[:5]),
            "Operations": ["Decrypt", "CreateGrant"],
        }
        which = chance.choice(("", "EncryptionContextSubset", "EncryptionContextEquals"))
        return [{**grant, "Constraints": {which: {"team": "it"}}} if which else grant]

    def acl(self) -> Json:
        """An access control list of two entries."""
        grants = [
            {"Grantee": grantee, "Permission": self.chance.choice(("READ", "FULL_CONTROL", "WRITE_ACP"))}
            for grantee in self.chance.sample(ACL_GRANTEES, 2)
        ]
        return {"Owner": {"ID": OTHER}, "Grants": grants}
