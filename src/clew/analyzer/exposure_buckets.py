"""The ways into a bucket: policy, access control list, access points; and the settings that close them.

AWS: S3 User Guide: "Blocking public access to your Amazon S3 storage", "Controlling ownership of objects and disabling
ACLs for your bucket", "Access control list (ACL) overview".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_access_points import Bucket, access_points
from clew.analyzer.exposure_model import Entry, Target, Through, WayIn
from clew.analyzer.exposure_reading import IGNORE, RESTRICT, about, document_of, member, setting
from clew.aws.partitions import region_of_bucket
from clew.engine.services.s3 import ENFORCED
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.analyzer.exposure_reading import Reading
    from clew.snapshot.answers import Answer

_GROUPS: Final = "http://acs.amazonaws.com/groups/global/"
_EVERYBODY: Final = frozenset({f"{_GROUPS}AllUsers", f"{_GROUPS}AuthenticatedUsers"})
# AWS: "Access control list (ACL) overview", mapping of ACL permissions and access policy permissions, for buckets.
GRANTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "READ": ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"),
        "WRITE": ("s3:PutObject",),
        "READ_ACP": ("s3:GetBucketAcl",),
        "WRITE_ACP": ("s3:PutBucketAcl",),
    }
)
"""What an entry of a bucket's access control list allows."""


def bucket(reading: Reading, _: Answer, item: Mapping[str, object]) -> Iterator[Target]:
    """The bucket with its policy, its access control list and its access points."""
    name = str(item.get("Name"))
    arn = f"arn:{reading.partition}:s3:::{name}"
    block = _settings(reading, name)
    region, policy = _region(reading, name), _policy(reading, name, block)
    points = access_points(reading, Bucket(name, region, policy, block))
    yield Target(
        arn, "AWS::S3::Bucket", reading.account, region, (policy, _acl(reading, name, block), *points)
    )


def _region(reading: Reading, name: str) -> str:
    located = reading.ask(GLOBAL, "s3", "GetBucketLocation", Bucket=name)
    if located.status is not Status.OK:
        return ""
    return region_of_bucket(member(located.body, "LocationConstraint"))


def _settings(reading: Reading, name: str) -> tuple[Answer, Answer]:
    """What the bucket and its account say of Block Public Access."""
    of_bucket = reading.ask(GLOBAL, "s3", "GetPublicAccessBlock", Bucket=name)
    of_account = reading.ask(GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=reading.account)
    return of_bucket, of_account


def _policy(reading: Reading, name: str, block: tuple[Answer, ...]) -> WayIn:
    told = reading.ask(GLOBAL, "s3", "GetBucketPolicy", Bucket=name)
    closed, unsettled = setting(block, RESTRICT)
    document, unread = document_of(told, "Policy")
    return WayIn(
        Through.POLICY,
        "s3:GetBucketPolicy",
        reading.file,
        told.collected_at,
        document,
        unread=unread,
        unsettled=unsettled,
        closed_to_public=closed,
    )


def _acl(reading: Reading, name: str, block: tuple[Answer, ...]) -> WayIn:
    told = reading.ask(GLOBAL, "s3", "GetBucketAcl", Bucket=name)
    ownership = reading.ask(GLOBAL, "s3", "GetBucketOwnershipControls", Bucket=name)
    if ENFORCED in str(ownership.body):
        return WayIn(Through.BUCKET_ACL, "s3:GetBucketAcl", reading.file, told.collected_at)
    closed, unsettled = setting(block, IGNORE)
    if not ownership.status.is_known:
        unsettled = (*unsettled, about(ownership))
    unread = () if told.status.is_known else (about(told),)
    entries = tuple(acl_entries(told.body or {}))
    return WayIn(
        Through.BUCKET_ACL,
        "s3:GetBucketAcl",
        reading.file,
        told.collected_at,
        entries=entries,
        unread=unread,
        unsettled=unsettled,
        closed_to_public=closed,
    )


def acl_entries(acl: Mapping[str, object]) -> Iterator[Entry]:
    """The entries of an access control list for anybody but the owner."""
    owner = member(acl, "Owner.ID")
    grants = acl.get("Grants")
    for grant in grants if isinstance(grants, list | tuple) else ():
        group, grantee = str(member(grant, "Grantee.URI")), member(grant, "Grantee.ID")
        permission = str(member(grant, "Permission"))
        actions = _granted(permission)
        if group in _EVERYBODY:
            name = f"ACL entry {permission} for {group.removeprefix(_GROUPS)}"
            yield Entry("*", "*", actions, name, is_public=True)
        elif grantee is not None and grantee != owner:
            name = f"ACL entry {permission} for {grantee}"
            yield Entry("CanonicalUser", str(grantee), actions, name)


def _granted(permission: str) -> tuple[str, ...]:
    if permission == "FULL_CONTROL":
        return tuple(action for actions in GRANTED.values() for action in actions)
    return GRANTED.get(permission, ())
