"""Objects are copied to another bucket.

S3 user guide: "What does Amazon S3 replicate?", "Setting up permissions for live replication", "Requirements and
considerations for replication".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket
from clew.audit.resources import facts, items, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.buckets import Bucket

_SERVICE: Final = "s3.amazonaws.com"
_NEVER: Final = (
    "objects from before the rule (Batch Replication copies them), replicas of another rule, objects in Glacier "
    "classes, deletions by lifecycle, and deletions of one version"
)
_READS: Final = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")


def _links(patient: Patient) -> Iterator[Link]:
    name = patient.given["bucket"]
    first, found = patient.find("bucket", "s3:ListBuckets", "Buckets", name, "Name")
    yield first
    if found is None:
        return
    source = bucket(patient.state, name)
    yield _versioning("source-versioning", source)
    said = source.said("GetBucketReplication")
    if not said.status.is_known:
        yield unanswered("configuration", said)
        return
    rules = [
        each
        for each in items(said.body, "ReplicationConfiguration.Rules")
        if text(each, "Status") == "Enabled"
    ]
    yield link(
        "configuration",
        holds=bool(rules),
        says=(f"{len(rules)} rules are enabled", "no rule of replication is enabled"),
        evidence=asked(said),
        fix=f"aws s3api put-bucket-replication --bucket {name}",
    )
    role = text(said.body, "ReplicationConfiguration.Role")
    for rule in rules:
        yield from _rule(patient, source, role, rule)
    yield Link("never", Verdict.HOLDS, f"these are never copied: {_NEVER}")


def _versioning(name: str, held: Bucket) -> Link:
    said = held.said("GetBucketVersioning")
    if not said.status.is_known:
        return unanswered(name, said)
    return link(
        name,
        holds=text(said.body, "Status") == "Enabled",
        says=(f"{held.name} keeps versions", f"{held.name} keeps no versions, which replication needs"),
        evidence=(*asked(said), *facts(said.body, "Status")),
        fix=f"aws s3api put-bucket-versioning --bucket {held.name} --versioning-configuration Status=Enabled",
    )


def _rule(patient: Patient, source: Bucket, role: str, rule: Mapping[str, object]) -> Iterator[Link]:
    yield patient.trusted("role-trust", role, _SERVICE)
    yield patient.permitted("read-configuration", role, "s3:GetReplicationConfiguration", source.arn)
    for action in _READS:
        yield patient.permitted("read-versions", role, action, f"{source.arn}/x")
    target = text(rule, "Destination.Bucket")
    owner = text(rule, "Destination.Account")
    yield from _destination(patient, target)
    yield patient.permitted("write-replicas", role, "s3:ReplicateObject", f"{target}/x")
    if text(rule, "Destination.AccessControlTranslation.Owner"):
        yield patient.permitted("owner-override", role, "s3:ObjectOwnerOverrideToBucketOwner", f"{target}/x")
    elif owner and owner != patient.state.account:
        says = "the replicas belong to the source's account unless the target's bucket owner is enforced"
        yield Link(
            "owner", Verdict.UNKNOWN, says, settle="aws s3api get-bucket-ownership-controls, in that account"
        )
    key = text(rule, "Destination.EncryptionConfiguration.ReplicaKmsKeyID")
    if key:
        yield patient.permitted("encrypt-replicas", role, "kms:Encrypt", key)


def _destination(patient: Patient, arn: str) -> Iterator[Link]:
    name = arn.rpartition(":")[2]
    there, found = patient.find("target", "s3:ListBuckets", "Buckets", name, "Name")
    if found is not None:
        yield there
        yield _versioning("target-versioning", bucket(patient.state, name))
        return
    says = (
        f"the bucket `{name}` is not among the account's: whether it is there and keeps versions is not known"
    )
    settle = f"aws s3api get-bucket-versioning --bucket {name}, in the account that owns it"
    yield Link("target", Verdict.UNKNOWN, says, there.evidence, settle=settle)


DOCTOR = Doctor(
    "replication",
    "Objects are copied to another bucket",
    _links,
    needs=("bucket",),
    looks="versions on both sides, rules, the role, owner override, keys of both sides; what is never copied",
)
