"""Conditions that hold a statement for everybody to callers of known places: what a stranger cannot fulfil.

AWS S3 User Guide: "Blocking public access to your Amazon S3 storage", The meaning of "public"; the keys of the source's
and the caller's organisation, of KMS, Lambda and EFS name callers in the same way. Unlike S3's own word "public", a
wildcard behind a fixed account number counts as fixed: all of them are of that account.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier, read

if TYPE_CHECKING:
    from clew.policy.model import Condition, Statement

KEYS: Final = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
        "aws:principalservicename", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceorgid",
        "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:vpcsourceip",
        "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "elasticfilesystem:accesspointarn",
        "kms:calleraccount", "lambda:eventsourcetoken", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)  # fmt: skip
"""The keys, in lower case, that name who calls or from where."""

_ADDRESSES: Final = frozenset({"aws:sourceip", "aws:vpcsourceip"})
_ARNS: Final = frozenset({"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"})
_POSITIVE: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}
)
_NEGATIVE: Final = frozenset(
    {
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "StringNotLike",
        "ArnNotEquals",
        "ArnNotLike",
        "NotIpAddress",
    }
)
_OPEN: Final = ("*", "?", "${")
_BROADEST: Final = {4: 8, 6: 32}
_ACCOUNT_PART: Final = 4


def is_held(statement: Statement) -> bool:
    """Whether some condition of the statement holds for callers of known places only."""
    return any(
        _names_known(condition, _POSITIVE) and not _may_be_absent(condition)
        for condition in statement.conditions
    )


def without_strangers(statement: Statement) -> Statement:
    """A Deny without the conditions that hold for every stranger: `StringNotEquals` of known places and the like.

    A key that is absent fulfils a negated operator, so a caller without it is denied as well.
    """
    kept = tuple(
        condition
        for condition in statement.conditions
        if not _names_known(condition, _NEGATIVE, negated=True)
    )
    return statement._replace(conditions=kept)


def _names_known(condition: Condition, operators: frozenset[str], *, negated: bool = False) -> bool:
    qualified = read(condition.operator)
    key = condition.key.lower()
    if qualified is None or key not in KEYS or qualified.operator.name not in operators:
        return False
    # Of a negated operator only the plain form and `ForAllValues` are true of a key that is absent.
    if negated and qualified.quantifier is Quantifier.ANY:
        return False
    return bool(condition.values) and all(_is_known(key, value) for value in condition.values)


def _may_be_absent(condition: Condition) -> bool:
    """Whether the condition is also true of a request that does not have the key."""
    qualified = read(condition.operator)
    return qualified is None or qualified.if_exists or qualified.quantifier is Quantifier.ALL


def _is_known(key: str, value: str) -> bool:
    if key in _ADDRESSES:
        return _is_narrow(value)
    if key in _ARNS:
        parts = value.split(":", _ACCOUNT_PART + 1)
        account = parts[_ACCOUNT_PART] if len(parts) > _ACCOUNT_PART else ""
        # A bucket's ARN has no account and is known by its name.
        return _is_fixed(account) if account else _is_fixed(value)
    return bool(value) and _is_fixed(value.partition("/")[0] if key.endswith("orgpaths") else value)


def _is_fixed(value: str) -> bool:
    return bool(value) and not any(sign in value for sign in _OPEN)


def _is_narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _BROADEST[network.version]
