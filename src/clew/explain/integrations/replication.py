"""Objects are copied to another bucket.

S3 user guide: "What does Amazon S3 replicate?", "Setting up permissions for live replication", "Replicating encrypted
objects (SSE-S3, SSE-KMS, DSSE-KMS, SSE-C)", "Changing the replica owner", "Replicating delete markers between
buckets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked, bucket, region_of
from clew.audit.resources import facts, items, text
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.held_buckets import encryption, held, ownership
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.buckets import Bucket

_SERVICE: Final = "s3.amazonaws.com"
# AWS: "What does Amazon S3 replicate?", What isn't replicated.
_NEVER: Final = (
    "objects from before the rule, and those copied to another target before (Batch Replication copies both); replicas "
    "that another rule made; objects in S3 Glacier Flexible Retrieval and Deep Archive; those that the bucket's owner "
    "may not read; what lifecycle rules do; the deletion of one version; settings of the bucket"
)
# AWS: "Setting up permissions": without GetObjectVersionTagging the objects are copied without their tags, and
# ReplicateObject copies tags too.
_READS: Final = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl")
_TAGS: Final = "s3:GetObjectVersionTagging"


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
        yield from _role(patient, source, role)
        yield from _rule(patient, role, rule)
        yield from _keys(patient, source, role, rule)
    yield Link("never", Verdict.HOLDS, f"these are never copied: {_NEVER}")


def _versioning(name: str, of: Bucket) -> Link:
    said = of.said("GetBucketVersioning")
    if not said.status.is_known:
        return unanswered(name, said)
    return link(
        name,
        holds=text(said.body, "Status") == "Enabled",
        says=(f"{of.name} keeps versions", f"{of.name} keeps no versions, which replication needs"),
        evidence=(*asked(said), *facts(said.body, "Status")),
        fix=f"aws s3api put-bucket-versioning --bucket {of.name} --versioning-configuration Status=Enabled",
    )


def _role(patient: Patient, source: Bucket, role: str) -> Iterator[Link]:
    """The trust of the role, and what it reads of the source."""
    yield patient.trusted("role-trust", role, _SERVICE)
    yield patient.permitted("read-configuration", role, "s3:GetReplicationConfiguration", source.arn)
    yield patient.permitted("list-source", role, "s3:ListBucket", source.arn)
    for action in _READS:
        yield patient.permitted("read-versions", role, action, f"{source.arn}/x")
    tags = patient.permitted("read-tags", role, _TAGS, f"{source.arn}/x")
    if tags.verdict is Verdict.BROKEN:
        says = f"`{_TAGS}` is not allowed: objects are copied without their tags"
        yield Link("read-tags", Verdict.HOLDS, says, tags.evidence)
    else:
        yield tags


def _rule(patient: Patient, role: str, rule: Mapping[str, object]) -> Iterator[Link]:
    """What the role writes into the target of one rule."""
    target, owner = text(rule, "Destination.Bucket"), text(rule, "Destination.Account")
    override = text(rule, "Destination.AccessControlTranslation.Owner")
    yield from _destination(patient, target, "" if override else owner)
    yield patient.permitted("write-replicas", role, "s3:ReplicateObject", f"{target}/x")
    if text(rule, "DeleteMarkerReplication.Status") == "Enabled":
        yield patient.permitted("write-delete-markers", role, "s3:ReplicateDelete", f"{target}/x")
    if override:
        yield patient.permitted("owner-override", role, "s3:ObjectOwnerOverrideToBucketOwner", f"{target}/x")


def _destination(patient: Patient, arn: str, owner: str) -> Iterator[Link]:
    """The target, there and with versions; in an audit account the owner of the bucket should own the replicas."""
    there, target = held(patient, "target", arn.rpartition(":")[2])
    yield there
    if target is None:
        return
    yield _versioning("target-versioning", target)
    said, who = ownership(target)
    if owner and owner != patient.state.account and said.status.is_known:
        is_own = who == "BucketOwnerEnforced"
        says = (
            "the bucket's owner owns the replicas"
            if is_own
            else "the source's account owns the replicas there"
        )
        yield Link("owner", Verdict.HOLDS, f"{who}: {says}", asked(said))


def _keys(patient: Patient, source: Bucket, role: str, rule: Mapping[str, object]) -> Iterator[Link]:
    """Objects under KMS keys are copied only where the rule says so, by a role that may use both keys."""
    chosen = text(rule, "SourceSelectionCriteria.SseKmsEncryptedObjects.Status") == "Enabled"
    default = encryption(source)
    if default.is_kms:
        says = (
            "the rule copies objects under KMS keys",
            "new objects are under a KMS key, and the rule leaves such out",
        )
        fix = "aws s3api put-bucket-replication, with SseKmsEncryptedObjects Enabled and a ReplicaKmsKeyID"
        yield link("encrypted-objects", holds=chosen, says=says, evidence=asked(default.said), fix=fix)
        if chosen and default.key.startswith("arn:"):
            yield patient.permitted("decrypt-source", role, "kms:Decrypt", default.key)
    replica = text(rule, "Destination.EncryptionConfiguration.ReplicaKmsKeyID")
    if replica:
        yield from _replica_key(patient, role, replica, text(rule, "Destination.Bucket").rpartition(":")[2])


def _replica_key(patient: Patient, role: str, key: str, target: str) -> Iterator[Link]:
    """AWS: the key of the replicas is of the region of their bucket."""
    where = bucket(patient.state, target).said("GetBucketLocation")
    if where.status.is_known and key.startswith("arn:"):
        region, own = region_of(where), key.split(":")[3]
        says = (f"replicas and their key are in {region}", f"the key is in {own}, the replicas in {region}")
        fix = "name a key of the target's region (or the replica there of a multi-region key)"
        yield link("replica-key-region", holds=own == region, says=says, evidence=asked(where), fix=fix)
    yield patient.permitted("encrypt-replicas", role, "kms:Encrypt", key)


DOCTOR = Doctor(
    "replication",
    "Objects are copied to another bucket",
    _links,
    needs=("bucket",),
    looks="versions on both sides, rules, the role, owner override, keys of both sides; what is never copied",
)
