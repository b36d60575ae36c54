"""The resource that an action takes, from the ARN of a finding or of a user."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.aws import arn as arns
from clew.errors import ChangeError
from clew.respond.model import Place, Target
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.aws.arn import Arn

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
# AWS: "General purpose bucket naming rules"; older buckets may have capitals and underscores.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_OF_ACCOUNT = ("account", "region")
_SHAPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "user": ("iam", "user"),
        "trail": ("cloudtrail", "trail"),
        "key": ("kms", "key"),
        "vpc": ("ec2", "vpc"),
        "security-group": ("ec2", "security-group"),
    }
)
"""The service and the type of resource in the ARN of each kind."""
_NAMES: Mapping[str, Callable[[Arn], str]] = MappingProxyType(
    {
        "user": lambda arn: arn.name,
        "trail": str,
        "key": str,
        "vpc": lambda arn: arn.resource_id,
        "security-group": lambda arn: arn.resource_id,
    }
)
"""What the API of each kind asks for."""


def target(kind: str, resource: str, *, account: str, region: str = "", partition: str = "aws") -> Target:
    """The resource of that kind; `account` and `region` are for what the ARN does not say.

    Errors: `ChangeError` for an ARN of another kind, `ArnError` for what is none.

    >>> target("bucket", "arn:aws:s3:::pay", account="111122223333").place.name
    'pay'
    """
    if kind == "bucket":
        return _bucket(resource, account, partition)
    if kind in _OF_ACCOUNT:
        return _account(kind, resource, account, region, partition)
    arn = arns.parse(resource)
    if (arn.service, arn.resource_type) != _SHAPES[kind]:
        wanted = kind.replace("-", " ")
        raise ChangeError(
            f"`{resource[:200]}` is no {wanted}, which is what the action changes; give `--resource ARN`"
        )
    place = Place(arn.account, arn.region or GLOBAL, _NAMES[kind](arn), arn.partition)
    return Target(resource, place)


def _bucket(resource: str, account: str, partition: str) -> Target:
    found = arns.read(resource)
    name = found.resource if found else resource
    if (found and found.service != "s3") or not _BUCKET.fullmatch(name):
        raise ChangeError(f"`{resource[:200]}` is no bucket; expected an ARN such as arn:aws:s3:::NAME")
    used = found.partition if found else partition
    return Target(f"arn:{used}:s3:::{name}", Place(account, GLOBAL, name, used))


def _account(kind: str, resource: str, account: str, region: str, partition: str) -> Target:
    found = arns.read(resource)
    owner = (found.account if found else resource) or account
    used = found.partition if found else partition
    if not _ACCOUNT.fullmatch(owner):
        raise ChangeError(f"`{resource[:200]}` is no account; expected 12 digits or an ARN with them")
    if kind == "account":
        return Target(f"arn:{used}:iam::{owner}:account", Place(owner, GLOBAL, owner, used))
    where = region or (found.region if found else "")
    if not where:
        raise ChangeError("which region? give `--region REGION`")
    return Target(resource, Place(owner, where, owner, used))
