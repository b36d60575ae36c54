"""The access points of a bucket, of one region and of several, as ways into it.

AWS: S3 User Guide: "Configuring IAM policies for using access points", "Multi-Region Access Point permissions",
"Blocking public access to your Amazon S3 storage", Access points; S3 API Reference: "ListMultiRegionAccessPoints".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_model import Through, WayIn
from clew.analyzer.exposure_reading import RESTRICT, about, document_of, member, setting
from clew.errors import PolicyError
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.analyzer.exposure_reading import Reading
    from clew.policy.model import Condition
    from clew.snapshot.answers import Answer
    from clew.snapshot.model import Document

_LISTED: Final = "ListAccessPoints"
_LISTED_EVERYWHERE: Final = "ListMultiRegionAccessPoints"
_KEYS: Final = ("s3:dataaccesspoint", "s3:accesspointnetworkorigin")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket whose access points are looked for: its region (empty where nobody knows), policy, and settings.

    `block` are the answers about Block Public Access of the bucket and of its account.
    """

    name: str
    region: str
    policy: WayIn
    block: tuple[Answer, ...]


def access_points(reading: Reading, bucket: Bucket) -> Iterator[WayIn]:
    """Each access point of the bucket, and a way that nobody could read where the list is missing and matters."""
    leaves = leaves_decision(bucket.policy.document, reading.account)
    for region in dict.fromkeys((*filter(None, [bucket.region]), *reading.regions)):
        listed = reading.ask(region, "s3control", _LISTED, AccountId=reading.account)
        # An access point is in the region of its bucket.
        if not listed.status.is_known and leaves and bucket.region in {"", region}:
            yield _unlisted(reading, listed)
        for item in listed.list("AccessPointList"):
            if item.get("Bucket") == bucket.name:
                yield _access_point(reading, region, item, bucket)
    # AWS: S3 User Guide, "Multi-Region Access Point restrictions and limitations": no region of another partition.
    if reading.partition == "aws":
        yield from _of_several_regions(reading, bucket, leaves=leaves)


def leaves_decision(document: Document | None, account: str) -> bool:
    """Whether the bucket's policy may let somebody in who comes through an access point of the account, only so.

    Without such a condition an access point opens nothing to others that the bucket's policy does not open itself.
    """
    if document is None:
        return False
    try:
        statements = document.policy.statements
    except PolicyError:
        return False
    return any(
        _is_about_own(condition, account)
        for each in statements
        if each.allows
        for condition in each.conditions
    )


def _is_about_own(condition: Condition, account: str) -> bool:
    """Whether the condition is about access points, and none of its values is of another account for sure."""
    if not condition.key.lower().startswith(_KEYS):
        return False
    owners = (value.split(":")[4] if value.count(":") > 4 else value for value in condition.values)  # noqa: PLR2004  # an ARN's account
    return any(owner == account or not owner.isdigit() for owner in owners)


def _unlisted(reading: Reading, listed: Answer) -> WayIn:
    call = f"{listed.call.service}:{listed.call.operation}"
    return WayIn(Through.S3_ACCESS_POINT, call, reading.file, listed.collected_at, unread=(about(listed),))


def _access_point(reading: Reading, region: str, item: Mapping[str, object], bucket: Bucket) -> WayIn:
    name = str(item.get("Name"))
    arn = str(
        item.get("AccessPointArn")
        or f"arn:{reading.partition}:s3:{region}:{reading.account}:accesspoint/{name}"
    )
    told = reading.ask(region, "s3control", "GetAccessPointPolicy", AccountId=reading.account, Name=name)
    document, unread = document_of(told, "Policy")
    own = reading.ask(region, "s3control", "GetAccessPoint", AccountId=reading.account, Name=name)
    closed, unsettled = setting((*bucket.block, own), RESTRICT)
    return WayIn(
        Through.S3_ACCESS_POINT,
        "s3control:GetAccessPointPolicy",
        reading.file,
        told.collected_at,
        document,
        unread=unread,
        unsettled=unsettled,
        closed_to_public=closed,
        about=arn,
        # A VPC's access point takes no request from the internet.
        vpc_only=item.get("NetworkOrigin") == "VPC",
    )


def _of_several_regions(reading: Reading, bucket: Bucket, *, leaves: bool) -> Iterator[WayIn]:
    listed = reading.ask(GLOBAL, "s3control", _LISTED_EVERYWHERE, AccountId=reading.account)
    if not listed.status.is_known and leaves:
        yield _unlisted(reading, listed)
    for item in listed.list("AccessPoints"):
        if _reaches(item, bucket.name, reading.account):
            yield _multi_region_access_point(reading, item, bucket)


def _reaches(item: Mapping[str, object], bucket: str, account: str) -> bool:
    """Whether the bucket of this account is behind the access point."""
    regions = item.get("Regions")
    return any(
        member(each, "Bucket") == bucket and member(each, "BucketAccountId") in {None, "", account}
        for each in (regions if isinstance(regions, list | tuple) else ())
    )


def _multi_region_access_point(reading: Reading, item: Mapping[str, object], bucket: Bucket) -> WayIn:
    name = str(item.get("Name"))
    told = reading.ask(
        GLOBAL, "s3control", "GetMultiRegionAccessPointPolicy", AccountId=reading.account, Name=name
    )
    # AWS: the policy that is proposed does not count before it is established in all regions.
    document, unread = document_of(told, "Policy.Established.Policy")
    closed, unsettled = setting(bucket.block, RESTRICT)
    own = member(item, f"PublicAccessBlock.{RESTRICT}") is True
    return WayIn(
        Through.S3_ACCESS_POINT,
        "s3control:GetMultiRegionAccessPointPolicy",
        reading.file,
        told.collected_at,
        document,
        unread=unread,
        unsettled=() if own else unsettled,
        closed_to_public=own or closed,
        about=f"arn:{reading.partition}:s3::{reading.account}:accesspoint/{item.get('Alias')}",
    )
