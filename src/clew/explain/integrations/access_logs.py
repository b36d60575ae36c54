"""A bucket's server access logs arrive. S3 user guide: "Enabling Amazon S3 server access logging"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket
from clew.audit.log_delivery import delivers
from clew.audit.resources import member, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.buckets import Bucket

_RETENTION: Final = "ObjectLockConfiguration.Rule.DefaultRetention"


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["bucket"]
    first, found = patient.find("bucket", "s3:ListBuckets", "Buckets", name, "Name")
    yield first
    if found is None:
        return
    source = bucket(patient.state, name)
    said = source.said("GetBucketLogging")
    if not said.status.is_known:
        yield unanswered("configuration", said)
        return
    place, prefix = (
        text(said.body, "LoggingEnabled.TargetBucket"),
        text(said.body, "LoggingEnabled.TargetPrefix"),
    )
    yield link(
        "configuration",
        holds=bool(place),
        says=(f"the bucket logs to {place}", "the bucket logs nowhere"),
        evidence=asked(said),
        fix=f"aws s3api put-bucket-logging --bucket {name}",
    )
    if place:
        target = bucket(patient.state, place)
        yield from _target(source, target)
        yield _delivery(source, target, prefix)
        yield Link(
            "delay",
            Verdict.HOLDS,
            "delivery is best effort, mostly within hours: an hour of silence proves nothing",
        )


def _target(source: Bucket, target: Bucket) -> Iterator[Link]:
    """Not the bucket itself (a loop), in the same region, without a default retention."""
    yield link(
        "no-loop",
        holds=source.name != target.name,
        says=("source and target differ", "the bucket logs to itself: each log makes another"),
        fix="log to another bucket",
    )
    ours, theirs = source.said("GetBucketLocation"), target.said("GetBucketLocation")
    if ours.status.is_known and theirs.status.is_known:
        regions = [text(each.body, "LocationConstraint") or "us-east-1" for each in (ours, theirs)]
        says = (
            f"both buckets are in {regions[0]}",
            f"the bucket is in {regions[0]}, the target in {regions[1]}",
        )
        fix = "log to a bucket of the same region"
        yield link(
            "same-region", holds=regions[0] == regions[1], says=says, evidence=asked(ours, theirs), fix=fix
        )
    else:
        yield unanswered("same-region", ours if not ours.status.is_known else theirs)
    lock = target.said("GetObjectLockConfiguration")
    if not lock.status.is_known:
        yield unanswered("no-retention", lock)
        return
    yield link(
        "no-retention",
        holds=member(lock.body, _RETENTION) is None,
        says=("the target has no default retention", "the target has a default retention of Object Lock"),
        evidence=asked(lock),
        fix="take the default retention off the target, or log to another bucket",
    )


def _delivery(source: Bucket, target: Bucket, prefix: str) -> Link:
    found = delivers(source, target, prefix, ())
    verdict = {"pass": Verdict.HOLDS, "fail": Verdict.BROKEN}.get(found.verdict.value, Verdict.UNKNOWN)
    fix = (
        ""
        if verdict is Verdict.HOLDS
        else f"let the bucket policy of `{target.name}` allow `s3:PutObject` to `logging.s3.amazonaws.com`"
    )
    settle = f"clew collect: {', '.join(found.missing)}" if verdict is Verdict.UNKNOWN else ""
    return Link("target-policy", verdict, found.message, found.evidence, fix, settle)


DOCTOR = Doctor(
    "access-logs",
    "A bucket's access logs arrive",
    _links,
    needs=("bucket",),
    looks="the configuration, loop, region, Object Lock, encryption, the target's policy for the logging service",
)
