"""When S3 calls a bucket policy public, which is stricter than "everybody can do something".

AWS S3 User Guide: "Blocking public access to your Amazon S3 storage", The meaning of "public".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier, read
from clew.engine.conditions.addresses import network

if TYPE_CHECKING:
    from clew.policy.model import Condition, Policy, Statement

_FIXING_OPERATORS: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"}
)
_FIXING_KEYS: Final = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:userid",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)
_ACCESS_POINT: Final = "s3:dataaccesspointarn"
_OF_ONE_ACCOUNT: Final = re.compile(r"arn:[^:*?]+:s3:[^:]*:\d{12}:.*", re.ASCII | re.DOTALL)
_OPEN: Final = ("*", "?", "${")
_BROADEST: Final = {4: 8, 6: 32}
_BITS: Final = {4: 32, 6: 128}


def is_public(policy: Policy) -> bool:
    """Whether S3 takes the bucket policy for public: an Allow for everybody that no condition fixes."""
    return any(
        statement.allows and is_for_everybody(statement) and not any(map(_fixes, statement.conditions))
        for statement in policy.statements
    )


def is_for_everybody(statement: Statement) -> bool:
    """Whether the statement names every principal, or every user of an identity provider."""
    if statement.not_principals is not None:
        return True
    return any(
        principal.is_anyone or principal.kind == "Federated" for principal in statement.principals or ()
    )


def _fixes(condition: Condition) -> bool:
    """Whether the condition holds for callers of fixed values only."""
    qualified = read(condition.operator)
    if qualified is None or qualified.if_exists or qualified.quantifier is Quantifier.ALL:
        return False
    if not condition.values:
        return False
    key, name = condition.key.lower(), qualified.operator.name
    if key == "aws:sourceip":
        return name == "IpAddress" and all(map(_is_narrow, condition.values))
    if name not in _FIXING_OPERATORS or key not in _FIXING_KEYS:
        return False
    return all(_is_fixed(value, key) for value in condition.values)


def _is_fixed(value: str, key: str) -> bool:
    if key == _ACCESS_POINT and "${" not in value and _OF_ONE_ACCOUNT.fullmatch(value):
        return True
    return not any(sign in value for sign in _OPEN)


def _is_narrow(value: str) -> bool:
    """Whether the range is not "very broad"; none of RFC 1918 is. What is no range holds for nobody."""
    found = network(value)
    if found is None:
        return True
    family, rest, _ = found
    return _BITS[family] - rest >= _BROADEST[family]
