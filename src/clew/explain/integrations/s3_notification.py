"""A bucket's events reach their destinations. S3 user guide: "Amazon S3 Event Notifications"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket
from clew.audit.resources import items, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.integrations.targets import allowed_to_reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.links import Link

_SERVICE: Final = "s3.amazonaws.com"
_KINDS: Final = (
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
)


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["bucket"]
    first, found = patient.find("bucket", "s3:ListBuckets", "Buckets", name, "Name")
    yield first
    if found is None:
        return
    held = bucket(patient.state, name)
    said = held.said("GetBucketNotificationConfiguration")
    if not said.status.is_known:
        yield unanswered("configuration", said)
        return
    places = [text(each, member) for kind, member in _KINDS for each in items(said.body, kind)]
    yield link(
        "configuration",
        holds=bool(places) or "EventBridgeConfiguration" in (said.body or {}),
        says=(f"the bucket sends its events to {len(places)} places", "the bucket sends no events anywhere"),
        evidence=asked(said),
        fix=f"aws s3api put-bucket-notification-configuration --bucket {name}",
    )
    for place in places:
        yield allowed_to_reach(patient, "destination", _SERVICE, place, held.arn)


DOCTOR = Doctor(
    "s3-notification",
    "A bucket's events reach their destinations",
    _links,
    needs=("bucket",),
    looks="the configuration, and the policy of each function, queue and topic",
)
