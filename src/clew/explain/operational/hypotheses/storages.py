"""Storage that fills up: no lifecycle, old versions that stay, logs that are kept for ever.

Amazon S3 user guide: "Managing the lifecycle of objects", "Metrics and dimensions" (BucketSizeBytes, once a day).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.resources import items, text
from clew.explain.operational.scene import Component, Hypothesis, refuted, seen, true, unknown
from clew.explain.operational.series import BUCKET_SIZE, figure, series

if TYPE_CHECKING:
    from clew.explain.links import Facts, Link
    from clew.explain.operational.scene import Scene
    from clew.snapshot.answers import Answer

_LIFECYCLE, _VERSIONING = "s3:GetBucketLifecycleConfiguration", "s3:GetBucketVersioning"
_GROWS = 1.1
_MOVES = ("Expiration", "Transitions", "Transition")


def _said(scene: Scene, call: str) -> Answer | None:
    """The newest answer about the bucket, or of which nobody says what it is about."""
    wanted = {"", scene.about.bucket}
    for answer in scene.each(call):
        given = dict(answer.call.parameters)
        if given.get("Bucket", given.get("of", "")) in wanted and answer.status.is_known:
            return answer
    return None


def _growth(scene: Scene) -> tuple[bool | None, Facts]:
    """Whether the bucket grew by a tenth or more over the values at hand; None where nobody knows."""
    for each in series(scene, BUCKET_SIZE, scene.about.bucket):
        first, last = each.points[0][1], each.last[1]
        if len(each.points) > 1 and first:
            days = (each.last[0] - each.points[0][0]).days
            grown = f"{figure(first)} to {figure(last)} bytes in {days} days"
            return last >= first * _GROWS, (("BucketSizeBytes", grown), ("seen in", each.answer.source))
    return None, ()


def _no_lifecycle(scene: Scene) -> Link:
    bucket = scene.about.bucket or "BUCKET"
    answer = _said(scene, _LIFECYCLE)
    if answer is None:
        return scene.open(_LIFECYCLE, f"aws s3api get-bucket-lifecycle-configuration --bucket {bucket}")
    moving = [
        text(rule, "ID") or "unnamed"
        for rule in items(answer.body, "Rules")
        if text(rule, "Status") == "Enabled" and any(member in rule for member in _MOVES)
    ]
    if moving:
        return refuted(f"the rule `{moving[0]}` archives or deletes objects", seen(answer))
    grows, facts = _growth(scene)
    said = (("lifecycle", answer.error_code or "no enabled rule archives or deletes"), *seen(answer))
    if grows is None:
        settle = (
            "aws cloudwatch get-metric-statistics --namespace AWS/S3 --metric-name BucketSizeBytes --period 86400 "
            f"--statistics Average --dimensions Name=BucketName,Value={bucket} Name=StorageType,Value=StandardStorage"
        )
        return unknown("nothing archives or deletes; whether the bucket grows is not known", settle, said)
    if not grows:
        return refuted("nothing archives or deletes, but the bucket does not grow", (*said, *facts))
    fix = f"aws s3api put-bucket-lifecycle-configuration --bucket {bucket}, on one prefix first"
    return true("the bucket grows, and nothing archives or deletes what is old", (*said, *facts), fix)


def _old_versions(scene: Scene) -> Link:
    bucket = scene.about.bucket or "BUCKET"
    versions, lifecycle = _said(scene, _VERSIONING), _said(scene, _LIFECYCLE)
    if versions is None:
        return scene.open(_VERSIONING, f"aws s3api get-bucket-versioning --bucket {bucket}")
    status = text(versions.body, "Status") or "never enabled"
    if status == "never enabled":
        return refuted("the bucket keeps no versions", (("Status", status), *seen(versions)))
    if lifecycle is None:
        return scene.open(_LIFECYCLE, f"aws s3api get-bucket-lifecycle-configuration --bucket {bucket}")
    ends = any(
        text(rule, "Status") == "Enabled" and "NoncurrentVersionExpiration" in rule
        for rule in items(lifecycle.body, "Rules")
    )
    told = (("versioning", status), *seen(versions), *seen(lifecycle))
    if ends:
        return refuted("a rule deletes versions that are no longer current", told)
    fix = f"a rule with NoncurrentVersionExpiration: aws s3api put-bucket-lifecycle-configuration --bucket {bucket}"
    return true("every version of every object stays for ever", told, fix)


def _logs_kept(scene: Scene) -> Link:
    groups = {
        each.text("logGroupName"): each
        for each in reversed(tuple(scene.listed("logs:DescribeLogGroups", "logGroups")))
    }
    if not groups:
        return scene.open("logs:DescribeLogGroups", "aws logs describe-log-groups")
    kept = [each for each in groups.values() if not each.text("retentionInDays")]
    if not kept:
        return refuted("every log group has a retention", next(iter(groups.values())).seen)
    largest = max(kept, key=lambda each: each.number("storedBytes"))
    told = (
        ("logGroupName", largest.text("logGroupName")),
        ("storedBytes", largest.text("storedBytes") or "not given"),
    )
    return true(
        f"{len(kept)} of {len(groups)} log groups are kept for ever",
        (*told, *largest.seen),
        f"aws logs put-retention-policy --log-group-name {largest.text('logGroupName')} --retention-in-days 90",
    )


NO_LIFECYCLE = Hypothesis(
    "no-lifecycle",
    "nothing archives or deletes what is old in the bucket",
    Component.STORAGE,
    4,
    _no_lifecycle,
    "Amazon S3 user guide, Managing the lifecycle of objects, "
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
)
OLD_VERSIONS = Hypothesis(
    "old-versions",
    "old versions of objects stay",
    Component.STORAGE,
    3,
    _old_versions,
    "Amazon S3 user guide, Lifecycle configuration elements, NoncurrentVersionExpiration, "
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html",
)
LOGS_KEPT = Hypothesis(
    "logs-kept",
    "log groups are kept for ever",
    Component.STORAGE,
    2,
    _logs_kept,
    "CloudWatch Logs user guide, Working with log groups and log streams, retention, "
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
)
