"""AWS Config records and delivers.

Config developer guide: "Permissions for the Amazon S3 bucket for the AWS Config delivery channel" (the role writes,
else the service; a service-linked role never does; aws:SourceAccount, and aws:SourceArn
`arn:aws:config:REGION:ACCOUNT:*`), "Permissions for the KMS key for the AWS Config delivery channel", "Permissions for
the Amazon SNS topic".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import facts, items, member, partition, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.held_buckets import held
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    channels = list(items(said.body, "DeliveryChannels"))
    names = [text(each, "s3BucketName") for each in channels]
    says = (f"the channel delivers to {', '.join(names)}", "there is no delivery channel")
    yield link(
        "channel",
        holds=bool(names),
        says=says,
        evidence=asked(said),
        fix="aws configservice put-delivery-channel",
    )
    for each in channels:
        yield from _bucket(patient, each)
        yield from _others(patient, each)


def _source(patient: Patient) -> dict[str, str]:
    account, region = patient.state.account, patient.given["region"]
    return {
        "source_account": account,
        "source_arn": f"arn:{partition(patient.state)}:config:{region}:{account}:*",
    }


def _bucket(patient: Patient, channel: Mapping[str, object]) -> Iterator[Link]:
    name, prefix = text(channel, "s3BucketName"), text(channel, "s3KeyPrefix")
    first, bucket = held(patient, "bucket", name)
    yield first
    if bucket is None:
        return
    account = patient.state.account
    folder = "/".join((*([prefix] if prefix else []), "AWSLogs", account, "Config", "x"))
    for link_name, action, place in (
        ("bucket-acl-read", "s3:GetBucketAcl", bucket.arn),
        ("bucket-write", "s3:PutObject", f"{bucket.arn}/{folder}"),
    ):
        yield _either(patient, link_name, action, place, name)


def _either(patient: Patient, name: str, action: str, place: str, bucket: str) -> Link:
    """The link that the recorder's role may, or else the service: AWS tries both in this order."""
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"} if action == "s3:PutObject" else {}
    for role in _roles(patient):
        by_role = patient.permitted(name, role, action, place, **acl)
        if by_role.verdict is Verdict.HOLDS:
            return by_role
    fix = f"let the bucket policy of `{bucket}` allow it to `{_SERVICE}` (or to the recorder's role)"
    return patient.permitted(name, _SERVICE, action, place, fix, **acl, **_source(patient))


def _roles(patient: Patient) -> tuple[str, ...]:
    """The roles of the recorders that may write: a service-linked one has no permission to."""
    account, region = patient.state.account, patient.given["region"]
    said = patient.state.answers.get(account, region, "config", "DescribeConfigurationRecorders")
    found = (text(each, "roleARN") for each in items(said.body, "ConfigurationRecorders"))
    return tuple(role for role in found if role and ":role/aws-service-role/" not in role)


def _others(patient: Patient, channel: Mapping[str, object]) -> Iterator[Link]:
    """The topic and the key of the channel, where it has them."""
    topic, key = text(channel, "snsTopicARN"), text(channel, "s3KmsKeyArn")
    source = _source(patient)
    if topic:
        fix = f"let the policy of `{topic}` allow `sns:Publish` to `{_SERVICE}`"
        yield patient.permitted("topic-policy", _SERVICE, "sns:Publish", topic, fix, **source)
    if key:
        fix = f"let the key policy of `{key}` allow `kms:GenerateDataKey` to `{_SERVICE}`"
        yield patient.permitted("key", _SERVICE, "kms:GenerateDataKey", key, fix, **source)


DOCTOR = Doctor(
    "config-delivery",
    "AWS Config records and delivers",
    _links,
    needs=("region",),
    looks="the recorder, the delivery channel, the bucket for role or service, topic and key",
)
