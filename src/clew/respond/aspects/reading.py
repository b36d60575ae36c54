"""The reads of aspects: those that collecting makes, under the same errors and permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.collect.table import TABLE

if TYPE_CHECKING:
    from clew.collect.reads import Read

GONE = frozenset(
    {
        "InvalidGroup.NotFound",
        "InvalidGroupId.NotFound",
        "InvalidSecurityGroupId.NotFound",
        "InvalidVpcID.NotFound",
        "NoSuchBucket",
        "NotFoundException",
        "TrailNotFoundException",
    }
)
"""Codes by which AWS says that the resource itself is not there, as opposed to a setting of it."""

_BY_NAME = {read.name: read for read in TABLE}


def collected(name: str) -> Read:
    """The read of that name, such as `s3:GetBucketPolicy`, as collecting makes it."""
    return _BY_NAME[name]
