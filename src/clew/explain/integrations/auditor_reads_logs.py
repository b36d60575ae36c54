"""An auditor reads a trail's files: the trail, the objects, and the key that encrypts them.

CloudTrail user guide: "Identity and Access Management for AWS CloudTrail", "Granting decrypt permissions"; the managed
policy `AWSCloudTrail_ReadOnlyAccess` grants the first of the three only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import partition
from clew.explain.doctor import Doctor, Patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link


def _links(patient: Patient) -> Iterator[Link]:
    who, wanted = patient.given["principal"], patient.given["trail"]
    first, found = patient.find("trail", "cloudtrail:DescribeTrails", "trailList", wanted, "Name", "TrailARN")
    yield first
    if found is None:
        return
    arn, key = found.text("TrailARN"), found.text("KmsKeyId")
    yield patient.permitted("read-trail", who, "cloudtrail:DescribeTrails", "*")
    # AWS: CloudTrail user guide, "Resource-based policy examples": event data stores and channels have one, not trails.
    of_trail = patient.knowing(arn, None)
    yield of_trail.permitted("read-status", who, "cloudtrail:GetTrailStatus", arn)
    held = f"arn:{partition(patient.state)}:s3:::{found.text('S3BucketName')}"
    yield patient.permitted("list-files", who, "s3:ListBucket", held)
    folder = "/".join((held, *filter(None, (found.text("S3KeyPrefix"),)), "AWSLogs", patient.state.account))
    yield patient.permitted("read-files", who, "s3:GetObject", f"{folder}/CloudTrail/x.json.gz")
    if key:
        context = {"kms:EncryptionContext:aws:cloudtrail:arn": arn}
        yield patient.permitted("decrypt", who, "kms:Decrypt", key, **context)


DOCTOR = Doctor(
    "auditor-reads-logs",
    "An auditor reads what a trail recorded",
    _links,
    needs=("principal", "trail"),
    looks="reading the trail, listing and reading its files, decrypting them",
)
