"""Rule 47: what Amazon S3 calls a public bucket policy.

Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "The meaning of "public"",
"Bucket policies". 0007 Q41.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from spec.values import network

if TYPE_CHECKING:
    from spec.conditions import Condition
    from spec.documents import Document, Statement

FIXING_OPERATORS = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}
)
FIXING_KEYS = frozenset(
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
        "s3:dataaccesspointaccount",
    }
)
NARROWEST_PREFIX = {4: 8, 6: 32}
PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
ACCESS_POINT_OF_ACCOUNT = re.compile(r"arn:[^*?$:]+:s3:[^$:]*:[0-9]{12}:[^$]*")


def is_public(policy: Document) -> bool:
    """A policy is public when some Allow of it is."""
    return any(statement.effect == "Allow" and _is_public_grant(statement) for statement in policy.statements)


def _is_public_grant(statement: Statement) -> bool:
    return _is_open(statement) and not any(_fixes(condition) for condition in statement.conditions)


def _is_open(statement: Statement) -> bool:
    """Whether the principal element alone leaves the grant open to anybody."""
    if statement.not_principals is not None:
        return True
    return any(entry == ("AWS", "*") or entry[0] == "Federated" for entry in statement.principals or ())


def _fixes(condition: Condition) -> bool:
    """Whether the condition limits the grant to fixed values."""
    decisive = condition.operator in FIXING_OPERATORS and condition.qualifier in {None, "ForAnyValue"}
    if not decisive or condition.if_exists or not condition.values:
        return False
    return all(_is_fixed(condition.operator, condition.key.lower(), value) for value in condition.values)


def _is_fixed(operator: str, key: str, value: str) -> bool:
    if key == "aws:sourceip":
        return operator == "IpAddress" and _is_narrow(value)
    if key == "s3:dataaccesspointarn" and operator != "IpAddress":
        return ACCESS_POINT_OF_ACCOUNT.fullmatch(value) is not None or _is_literal(value)
    return operator != "IpAddress" and key in FIXING_KEYS and _is_literal(value)


def _is_literal(value: str) -> bool:
    return not re.search(r"[*?]|\$\{", value)


def _is_narrow(value: str) -> bool:
    """Whether the range is not "very broad": /8 or longer in IPv4, /32 or longer in IPv6, or private."""
    found = network(value)
    if found is None:
        return True
    private = isinstance(found, ipaddress.IPv4Network) and any(found.subnet_of(one) for one in PRIVATE)
    return private or found.prefixlen >= NARROWEST_PREFIX[found.version]
