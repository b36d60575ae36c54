"""A trail's files, notes and events arrive.

CloudTrail user guide: "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS key policies for CloudTrail",
"Amazon SNS topic policy for CloudTrail", "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, region_of
from clew.audit.resources import facts, member, text
from clew.audit.trails import trails
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.held_buckets import held, ownership
from clew.explain.links import Link, Verdict
from clew.explain.log_groups import trail_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.buckets import Bucket
    from clew.audit.trails import Trail

_SERVICE: Final = "cloudtrail.amazonaws.com"


def _links(patient: Patient) -> Iterator[Link]:
    wanted = patient.given["trail"]
    first, found = patient.find("trail", "cloudtrail:DescribeTrails", "trailList", wanted, "Name", "TrailARN")
    yield first
    if found is None:
        return
    trail = next(each for each in trails(patient.state) if each.arn == found.text("TrailARN"))
    yield _logging(trail)
    yield from _bucket(patient, trail)
    topic, group = text(trail.data, "SnsTopicARN"), text(trail.data, "CloudWatchLogsLogGroupArn")
    if topic:
        fix = f"let the policy of `{topic}` allow `sns:Publish` to `{_SERVICE}`"
        yield patient.permitted(
            "topic-policy", _SERVICE, "sns:Publish", topic, fix, **_source(patient, trail)
        )
    if group:
        yield from trail_role(patient, trail.data)


def _source(patient: Patient, trail: Trail) -> dict[str, str]:
    return {"source_arn": trail.arn, "source_account": patient.state.account}


def _logging(trail: Trail) -> Link:
    status = trail.status
    if not status.status.is_known:
        return unanswered("logging", status)
    return link(
        "logging",
        holds=member(status.body, "IsLogging") is True,
        says=("the trail is logging", "the trail is stopped"),
        evidence=(*asked(status), *facts(status.body, "IsLogging", "LatestDeliveryError")),
        fix=f"aws cloudtrail start-logging --name {trail.arn}",
    )


def _bucket(patient: Patient, trail: Trail) -> Iterator[Link]:
    first, bucket = held(patient, "bucket", trail.bucket)
    yield first
    if bucket is None:
        return
    source = _source(patient, trail)
    prefix = text(trail.data, "S3KeyPrefix")
    place = "/".join((bucket.arn, *((prefix,) if prefix else ()), "AWSLogs", _folder(patient, trail), "x"))
    fix = f"let the bucket policy of `{trail.bucket}` allow it to `{_SERVICE}` for `{trail.arn}`"
    yield patient.permitted("bucket-acl-read", _SERVICE, "s3:GetBucketAcl", bucket.arn, fix, **source)
    with_acl = {"s3:x-amz-acl": "bucket-owner-full-control", **source}
    yield patient.permitted("bucket-write", _SERVICE, "s3:PutObject", place, fix, **with_acl)
    yield _ownership(bucket)
    yield from _key(patient, trail, bucket)


def _folder(patient: Patient, trail: Trail) -> str:
    """AWS: "Amazon S3 bucket policy for CloudTrail": for organization trails its id stands before the account."""
    organization = patient.state.snapshot.organization.id
    if member(trail.data, "IsOrganizationTrail") is True and organization:
        return f"{organization}/{patient.state.account}"
    return patient.state.account


def _ownership(bucket: Bucket) -> Link:
    """CloudTrail gives the bucket's owner full control of each file, whoever owns it."""
    said, owner = ownership(bucket)
    if not said.status.is_known:
        return unanswered("ownership", said)
    is_owner = owner in {"BucketOwnerEnforced", "BucketOwnerPreferred"}
    says = (
        "the bucket owns the files"
        if is_owner
        else "the files are CloudTrail's, with full control for the bucket's owner"
    )
    return Link("ownership", Verdict.HOLDS, f"{owner}: {says}", asked(said))


def _key(patient: Patient, trail: Trail, bucket: Bucket) -> Iterator[Link]:
    """AWS: the key must be in the region of the bucket, and let CloudTrail make data keys for the trail."""
    key = text(trail.data, "KmsKeyId")
    if not key:
        return
    where = bucket.said("GetBucketLocation")
    if where.status.is_known and key.startswith("arn:"):
        region = region_of(where)
        yield link(
            "key-region",
            holds=key.split(":")[3] == region,
            says=(
                f"key and bucket are in {region}",
                f"the key is in {key.split(':')[3]}, the bucket in {region}",
            ),
            evidence=asked(where),
            fix="use a key of the bucket's region",
        )
    context = {"kms:EncryptionContext:aws:cloudtrail:arn": trail.arn, **_source(patient, trail)}
    for name, action in (("key-data", "kms:GenerateDataKey"), ("key-describe", "kms:DescribeKey")):
        fix = f"let the key policy of `{key}` allow `{action}` to `{_SERVICE}`"
        yield patient.permitted(name, _SERVICE, action, key, fix, **context)


DOCTOR = Doctor(
    "cloudtrail-delivery",
    "A trail delivers what it records",
    _links,
    needs=("trail",),
    looks="logging, bucket and its policy, the key's region and policy, topic policy, the role for the log group",
)
