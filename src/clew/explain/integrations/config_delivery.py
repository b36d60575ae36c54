"""AWS Config records and delivers.

Config developer guide: "Permissions for the Amazon S3 bucket for the AWS Config delivery channel", "Managing the
configuration recorder".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket
from clew.audit.resources import facts, items, member, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE: Final = "config.amazonaws.com"


def _links(patient: Patient) -> Iterator[Link]:
    account, region = patient.state.account, patient.given["region"]
    status = patient.state.answers.get(account, region, "config", "DescribeConfigurationRecorderStatus")
    if status.status.is_known:
        recorders = list(items(status.body, "ConfigurationRecordersStatus"))
        yield link(
            "recording",
            holds=any(member(each, "recording") is True for each in recorders),
            says=("a recorder records", "no recorder records"),
            evidence=(
                *asked(status),
                *(fact for each in recorders for fact in facts(each, "name", "recording")),
            ),
            fix="aws configservice start-configuration-recorder",
        )
    else:
        yield unanswered("recording", status)
    said = patient.state.answers.get(account, region, "config", "DescribeDeliveryChannels")
    if not said.status.is_known:
        yield unanswered("channel", said)
        return
    names = [text(each, "s3BucketName") for each in items(said.body, "DeliveryChannels")]
    says = (f"the channel delivers to {', '.join(names)}", "there is no delivery channel")
    yield link(
        "channel",
        holds=bool(names),
        says=says,
        evidence=asked(said),
        fix="aws configservice put-delivery-channel",
    )
    for name in names:
        yield from _bucket(patient, name)


def _bucket(patient: Patient, name: str) -> Iterator[Link]:
    first, found = patient.find("bucket", "s3:ListBuckets", "Buckets", name, "Name")
    if found is None:
        says = f"`{name}` is not among the account's buckets; it may be another account's"
        settle = f"aws s3api get-bucket-policy --bucket {name}, in the account that owns it"
        yield Link("bucket", Verdict.UNKNOWN, says, first.evidence, settle=settle)
        return
    yield first
    held, account = bucket(patient.state, name), patient.state.account
    fix = f"let the bucket policy of `{name}` allow it to `{_SERVICE}` (or to the recorder's role)"
    source = {"aws:SourceAccount": account}
    yield patient.permitted("bucket-acl-read", _SERVICE, "s3:GetBucketAcl", held.arn, fix, **source)
    place = f"{held.arn}/AWSLogs/{account}/Config/x"
    with_acl = {"s3:x-amz-acl": "bucket-owner-full-control", **source}
    yield patient.permitted("bucket-write", _SERVICE, "s3:PutObject", place, fix, **with_acl)


DOCTOR = Doctor(
    "config-delivery",
    "AWS Config records and delivers",
    _links,
    needs=("region",),
    looks="the recorder, the delivery channel, the bucket's policy",
)
