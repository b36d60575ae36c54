"""AWS partitions and regions, recognised by their spelling so that a new region needs no release of ours."""

from __future__ import annotations

import re
from typing import Final

PARTITIONS: Final = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
"""Every partition with its DNS suffix (AWS: "Amazon Resource Names", partition; endpoints of botocore)."""

_REGION: Final = re.compile(
    r"(?:[a-z]{2}|us-gov|us-iso[bef]?|eu-isoe|eusc-[a-z]{2})-"
    r"(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d{1,2}"
)
# The longest prefix that fits decides.
_BY_REGION: Final = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


def is_region(text: str) -> bool:
    """Whether the text is spelled like an AWS region.

    >>> is_region("eu-central-2"), is_region("us-gov-west-1"), is_region("global")
    (True, True, False)
    """
    return _REGION.fullmatch(text) is not None


def partition_of(region: str) -> str | None:
    """The partition that a region belongs to; None when the text is no region.

    >>> partition_of("cn-north-1"), partition_of("us-isob-east-1"), partition_of("ap-south-1"), partition_of("moon")
    ('aws-cn', 'aws-iso-b', 'aws', None)
    """
    if not is_region(region):
        return None
    return next((partition for prefix, partition in _BY_REGION.items() if region.startswith(prefix)), "aws")


def region_of_bucket(constraint: object) -> str:
    """The region that an answer of `GetBucketLocation` tells by its `LocationConstraint`.

    AWS: Amazon S3 API reference, "GetBucketLocation": null stands for us-east-1, EU for eu-west-1.

    >>> region_of_bucket(None), region_of_bucket("EU"), region_of_bucket("eu-north-1")
    ('us-east-1', 'eu-west-1', 'eu-north-1')
    """
    place = str(constraint or "us-east-1")
    return "eu-west-1" if place == "EU" else place
