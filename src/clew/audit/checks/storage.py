"""Checks of what lies on disks: volumes, snapshots and images of EC2, snapshots of databases, streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.kms_keys import another_key
from clew.audit.model import Judgement, Verdict, check, one_of
from clew.audit.resources import (
    arn,
    each_name,
    each_resource,
    facts,
    items,
    listing,
    member,
    text,
    texts,
    together,
    unanswered,
)
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_SNAPSHOTS = "ec2:DescribeSnapshots"
_BLOCKED = "block-all-sharing"
_NO_SNAPSHOTS = "there are no manual snapshots of databases"


@check("ec2-snapshot-public", "EBS snapshots are not public", "An EBS snapshot is public", Severity.CRITICAL)
def ec2_snapshot_public(state: State) -> Iterator[Judgement]:
    """Own EBS snapshots that everybody may make volumes of.

    Finds. A snapshot that is shared with all AWS accounts, where the region does not block all public sharing. The
    evidence names other accounts with which it is shared.
    Why it matters. Everybody with an AWS account can read the disk, and there are people who copy every public one.
    False positives. A snapshot that is published on purpose.
    Fix. `aws ec2 modify-snapshot-attribute --operation-type remove --group-names all`, then block public access.
    References. Amazon EBS user guide, Share an Amazon EBS snapshot with other AWS accounts · Amazon EBS user guide,
    Block public access for Amazon EBS snapshots · AWS Trusted Advisor check reference, Amazon EBS Public Snapshots
    """

    def judge(snapshot: Mapping[str, object], answer: Answer) -> Judgement | None:
        name = arn(state, answer, f"snapshot/{text(snapshot, 'SnapshotId')}").replace(
            f":{state.account}:", "::"
        )
        shared = state.about(
            answer,
            "DescribeSnapshotAttribute",
            Attribute="createVolumePermission",
            SnapshotId=text(snapshot, "SnapshotId"),
        )
        if shared.status is Status.ABSENT:
            return None
        if not shared.status.is_known:
            return unanswered(name, shared)
        return _shared(name, shared, state.about(answer, "GetSnapshotBlockPublicAccessState"))

    yield from each_resource(state, _SNAPSHOTS, "Snapshots", judge, none="there are no EBS snapshots")


def _shared(name: str, shared: Answer, block: Answer) -> Judgement:
    accounts = [
        text(each, "UserId") for each in items(shared.body, "CreateVolumePermissions") if text(each, "UserId")
    ]
    seen = (("shared with", ", ".join(accounts) or "nobody by name"), *facts(block.body, "State"))
    if all(text(each, "Group") != "all" for each in items(shared.body, "CreateVolumePermissions")):
        told = f"shared with {listing(accounts)}" if accounts else "shared with nobody"
        return Judgement(Verdict.PASS, name, told, seen)
    if text(block.body, "State") == _BLOCKED:
        return Judgement(Verdict.PASS, name, "marked public, and the region blocks all public sharing", seen)
    if not block.status.is_known:
        return unanswered(name, block, evidence=seen)
    return Judgement(Verdict.FAIL, name, "everybody may make a volume of it", seen)


@check("ec2-volume-encrypted", "EBS volumes are encrypted", "An EBS volume is not encrypted", Severity.MEDIUM)
def volume_encrypted(state: State, *, scope: str = "all", key: str = "") -> Iterator[Judgement]:
    """EBS volumes that are not encrypted.

    Finds. A volume that is not encrypted, or, with `key` (a KMS key), with another one; one that is attached to nothing
    weighs less, and `scope` = `attached` leaves it out.
    Why it matters. Its snapshots are not encrypted either, and can be shared with anybody.
    False positives. A volume with nothing but public data.
    Fix. Copy a snapshot with encryption and make a volume of it; encrypt new volumes by default.
    References. Amazon EBS user guide, Amazon EBS encryption · AWS Config developer guide, encrypted-volumes
    """
    is_narrow = one_of("scope", scope, "all", "attached") == "attached"

    def judge(volume: Mapping[str, object], answer: Answer) -> Judgement | None:
        name = arn(state, answer, f"volume/{text(volume, 'VolumeId')}")
        attached = [text(each, "InstanceId") for each in items(volume, "Attachments")]
        seen = (*facts(volume, "Encrypted", "KmsKeyId"), ("attached to", ", ".join(attached) or "nothing"))
        if is_narrow and not attached:
            return None
        if member(volume, "Encrypted") is True:
            other = another_key(state, name, text(volume, "KmsKeyId"), [key], seen) if key else None
            return other or Judgement(Verdict.PASS, name, "is encrypted", seen)
        severity = None if attached else Severity.LOW
        return Judgement(Verdict.FAIL, name, "is not encrypted", seen, severity=severity)

    yield from each_resource(state, "ec2:DescribeVolumes", "Volumes", judge, none="there are no EBS volumes")


@check("ec2-image-public", "Images are not public", "An image is public", Severity.HIGH)
def image_public(state: State) -> Iterator[Judgement]:
    """Own machine images that everybody may start.

    Finds. An image of the account with public launch permission.
    Why it matters. Images hold keys, history and source code that nobody meant to publish.
    False positives. An image that is published on purpose.
    Fix. `aws ec2 modify-image-attribute --launch-permission "Remove=[{Group=all}]"`, then block public access for
    images.
    References. Amazon EC2 user guide, Understand shared AMI usage in Amazon EC2
    """

    def judge(image: Mapping[str, object], answer: Answer) -> Judgement:
        name = arn(state, answer, f"image/{text(image, 'ImageId')}").replace(f":{state.account}:", "::")
        seen = facts(image, "Name", "Public", "CreationDate")
        if member(image, "Public") is True:
            return Judgement(Verdict.FAIL, name, "everybody may start it", seen)
        return Judgement(Verdict.PASS, name, "is not public", seen)

    yield from each_resource(state, "ec2:DescribeImages", "Images", judge, none="there are no own images")


@check(
    "rds-snapshot-public",
    "Database snapshots are not public",
    "A database snapshot is public",
    Severity.CRITICAL,
)
def rds_snapshot_public(state: State) -> Iterator[Judgement]:
    """Manual snapshots of databases and clusters that everybody may restore.

    Finds. A manual DB snapshot, or DB cluster snapshot, that is shared with all AWS accounts.
    Why it matters. Everybody with an AWS account can restore the database and read it.
    False positives. A database that is published on purpose.
    Fix. `aws rds modify-db-snapshot-attribute --attribute-name restore --values-to-remove all`
    References. Amazon RDS user guide, Sharing a DB snapshot for Amazon RDS · AWS Trusted Advisor check reference,
    Amazon RDS Public Snapshots
    """
    parts = (_snapshots(state, kind) for kind in ("DBSnapshot", "DBClusterSnapshot"))
    yield from together(state, *parts, none=_NO_SNAPSHOTS)


def _snapshots(state: State, kind: str) -> Iterator[Judgement]:
    def judge(snapshot: Mapping[str, object], answer: Answer) -> Judgement | None:
        name, identity = text(snapshot, f"{kind}Arn"), text(snapshot, f"{kind}Identifier")
        told = state.about(answer, f"Describe{kind}Attributes", **{f"{kind}Identifier": identity})
        if told.status is Status.ABSENT:
            return None
        if not told.status.is_known:
            return unanswered(name, told)
        path = f"{kind}AttributesResult.{kind}Attributes"
        values = [
            value
            for each in items(told.body, path)
            if text(each, "AttributeName") == "restore"
            for value in texts(each, "AttributeValues")
        ]
        seen = (("shared with", ", ".join(values) or "nobody"), *facts(snapshot, "Encrypted"))
        if "all" in values:
            return Judgement(Verdict.FAIL, name, "everybody may restore it", seen)
        return Judgement(Verdict.PASS, name, f"shared with {listing(values) or 'nobody'}", seen)

    yield from each_resource(state, f"rds:Describe{kind}s", f"{kind}s", judge, none=_NO_SNAPSHOTS)


@check("kinesis-encrypted", "Streams are encrypted", "A stream is not encrypted", Severity.MEDIUM)
def kinesis_encrypted(state: State) -> Iterator[Judgement]:
    """Kinesis data streams that are not encrypted at rest.

    Finds. A stream whose encryption type is NONE.
    Why it matters. Records lie on disks for up to a year without a key that could be taken away.
    False positives. A stream of public data.
    Fix. `aws kinesis start-stream-encryption --encryption-type KMS`
    References. Amazon Kinesis Data Streams developer guide, Data protection in Amazon Kinesis Data Streams · AWS Config
    developer guide, kinesis-stream-encrypted
    """

    def judge(stream: str, answer: Answer) -> Judgement | None:
        return _stream(state, stream, answer)

    yield from each_name(state, "kinesis:ListStreams", "StreamNames", judge, none="there are no streams")


def _stream(state: State, stream: str, answer: Answer) -> Judgement | None:
    name = arn(state, answer, f"stream/{stream}")
    told = state.about(answer, "DescribeStreamSummary", StreamName=stream)
    if told.status is Status.ABSENT:
        return None
    if not told.status.is_known:
        return unanswered(name, told)
    seen = facts(member(told.body, "StreamDescriptionSummary"), "EncryptionType", "KeyId")
    if dict(seen)["EncryptionType"] == "KMS":
        return Judgement(Verdict.PASS, name, "is encrypted", seen)
    return Judgement(Verdict.FAIL, name, "is not encrypted", seen)
