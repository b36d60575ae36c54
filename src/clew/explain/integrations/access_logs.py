"""A bucket's server access logs arrive.

S3 user guide: "Enabling Amazon S3 server access logging" (same account and region, no Object Lock and no default
retention, no SSE-KMS as default, no Requester Pays in the target), "Logging requests with server access logging" (best
effort, mostly within hours).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket, region_of
from clew.audit.log_delivery import delivers
from clew.audit.resources import member, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.held_buckets import encryption
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
        yield _same_account(patient, place)
        yield from _target(source, target)
        yield _delivery(source, target, prefix)
        yield Link(
            "delay",
            Verdict.HOLDS,
            "delivery is best effort, mostly within hours: an hour of silence proves nothing",
        )


def _same_account(patient: Patient, place: str) -> Link:
    there, _ = patient.find("target", "s3:ListBuckets", "Buckets", place, "Name")
    if there.verdict is not Verdict.BROKEN:
        return there
    says = f"`{place}` is no bucket of the account, and S3 delivers these logs only within one account"
    return replace(there, says=says, fix="log to a bucket of the same account and region")


def _target(source: Bucket, target: Bucket) -> Iterator[Link]:
    """Not the bucket itself (S3 delivers there, which AWS advises against), in the same region, without Object Lock."""
    yield link(
        "no-loop",
        holds=source.name != target.name,
        says=("source and target differ", "the bucket logs to itself: each delivery is logged in turn"),
        fix="log to another bucket",
    )
    ours, theirs = source.said("GetBucketLocation"), target.said("GetBucketLocation")
    if ours.status.is_known and theirs.status.is_known:
        regions = [region_of(each) for each in (ours, theirs)]
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
    yield _lock(target)
    yield _encryption(target)


def _lock(target: Bucket) -> Link:
    """AWS: buckets with Object Lock cannot be targets, nor those with a default retention."""
    lock = target.said("GetObjectLockConfiguration")
    if not lock.status.is_known:
        return unanswered("no-retention", lock)
    retains = member(lock.body, _RETENTION) is not None
    locked = text(lock.body, "ObjectLockConfiguration.ObjectLockEnabled") == "Enabled"
    what = "a default retention of Object Lock" if retains else "Object Lock"
    return link(
        "no-retention",
        holds=not retains and not locked,
        says=("the target has no Object Lock", f"the target has {what}, and S3 cannot deliver there"),
        evidence=asked(lock),
        fix="log to another bucket, without Object Lock",
    )


def _encryption(target: Bucket) -> Link:
    """AWS: as default encryption of the target only keys of S3 (SSE-S3) will do."""
    found = encryption(target)
    if not found.said.status.is_known:
        return unanswered("encryption", found.said)
    return link(
        "encryption",
        holds=not found.is_kms,
        says=(
            "the target encrypts with keys of S3",
            f"the target encrypts with {found.algorithm}: no log is delivered",
        ),
        evidence=asked(found.said),
        fix=f"aws s3api put-bucket-encryption --bucket {target.name}, with AES256",
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
    looks="the configuration, account, loop, region, Object Lock, encryption, the policy for the logging service",
)
