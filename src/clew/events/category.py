"""Which category an event belongs to: management, data, network activity, Insights."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clew.aws.services import service_label
from clew.events.paths import text_at

if TYPE_CHECKING:
    from collections.abc import Mapping


class Category(StrEnum):
    """CloudTrail's event categories, spelled as `eventCategory` spells them."""

    MANAGEMENT = "Management"
    DATA = "Data"
    NETWORK_ACTIVITY = "NetworkActivity"
    INSIGHT = "Insight"
    UNKNOWN = "Unknown"


# Records before event version 1.07 carry no category. AWS: "Logging data events", the first data event types.
_DATA_EVENTS: Final = {
    "s3": frozenset({
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
        "DeleteObjectTagging", "DeleteObjects", "GetObject", "GetObjectAcl", "GetObjectTagging", "GetObjectTorrent",
        "HeadObject", "ListParts", "PutObject", "PutObjectAcl", "PutObjectTagging", "RestoreObject",
        "SelectObjectContent", "UploadPart", "UploadPartCopy",
    }),
    "lambda": frozenset({"Invoke"}),
    "dynamodb": frozenset({
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    }),
}  # fmt: skip


def category(event: Mapping[str, object]) -> Category:
    """The category that the record states, or that follows from the rest of it; unknown when it names no call.

    >>> str(category({"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}))
    'Data'
    """
    stated = text_at(event, "eventCategory")
    if stated in _STATED:
        return Category(stated)
    if text_at(event, "eventType") == "AwsCloudTrailInsight" or "insightDetails" in event:
        return Category.INSIGHT
    if text_at(event, "eventType") == "AwsVpceEvent":
        return Category.NETWORK_ACTIVITY
    name = text_at(event, "eventName")
    if name in _DATA_EVENTS.get(service_label(text_at(event, "eventSource")), frozenset()):
        return Category.DATA
    if event.get("managementEvent") is False:
        return Category.DATA
    return Category.MANAGEMENT if name else Category.UNKNOWN


_STATED: Final = frozenset(str(member) for member in Category) - {"Unknown"}
