"""Buckets as doctors need them: in whichever account of the snapshot, with their ownership and default encryption."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.audit.buckets import bucket
from clew.audit.resources import items, text
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from clew.audit.buckets import Bucket
    from clew.explain.doctor import Patient
    from clew.snapshot.answers import Answer

_DEFAULT = "ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault"


def held(patient: Patient, link_id: str, name: str) -> tuple[Link, Bucket | None]:
    """The bucket of that name in the account, else in another of the snapshot, and the link that it exists.

    A bucket of which no account of the snapshot knows may be somebody else's: then the link is open.
    """
    first, found = patient.find(link_id, "s3:ListBuckets", "Buckets", name, "Name")
    if found is not None:
        return first, bucket(patient.state, name)
    for account in patient.state.answers.accounts:
        other = replace(patient, state=replace(patient.state, account=account))
        there, found = other.find(link_id, "s3:ListBuckets", "Buckets", name, "Name")
        if found is not None:
            says = f"`{name}` is a bucket of account {account}"
            return Link(link_id, Verdict.HOLDS, says, there.evidence), bucket(other.state, name)
    if first.verdict is Verdict.UNKNOWN:
        return first, None
    says = f"the account has no bucket `{name}`; it may be another account's"
    settle = f"aws s3api get-bucket-policy --bucket {name}, in the account that owns it; or collect there too"
    return Link(link_id, Verdict.UNKNOWN, says, first.evidence, settle=settle), None


@dataclass(frozen=True, slots=True)
class Encryption:
    """The default encryption of a bucket, with the answer that says so; `key` is empty for one of S3's or AWS's own."""

    said: Answer
    algorithm: str
    key: str

    @property
    def is_kms(self) -> bool:
        """Whether new objects are under a key of KMS."""
        return self.algorithm.startswith("aws:kms")

    @property
    def is_managed_by_aws(self) -> bool:
        """Whether that key is `aws/s3`, which only its own account can use and whose policy nobody can change."""
        return self.is_kms and (not self.key or self.key.endswith("alias/aws/s3"))


def encryption(of: Bucket) -> Encryption:
    """What S3 said of the bucket's default encryption."""
    said = of.said("GetBucketEncryption")
    default = next(items(said.body, _DEFAULT), {})
    return Encryption(said, text(default, "SSEAlgorithm"), text(default, "KMSMasterKeyID"))


def ownership(of: Bucket) -> tuple[Answer, str]:
    """What S3 said of Object Ownership, and the setting: where there is none, writers own.

    AWS: "Controlling ownership of objects and disabling ACLs for your bucket".
    """
    said = of.said("GetBucketOwnershipControls")
    rules = [text(each, "ObjectOwnership") for each in items(said.body, "OwnershipControls.Rules")]
    return said, rules[0] if rules else "ObjectWriter"
