"""Somebody of another account reads, writes or copies an object: both ends, for the bucket and for its key.

S3 user guide: "Troubleshoot access denied (403 Forbidden) errors", Amazon S3 encryption settings; KMS developer guide:
"Allowing users in other accounts to use a KMS key"; KMS API reference: "ReEncrypt" (ReEncryptFrom and ReEncryptTo; the
call itself describes nothing); EC2 user guide: "Share an Amazon EBS snapshot" (what copies under another key for the
caller needs kms:DescribeKey beside kms:ReEncrypt*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Patient, link, unanswered
from clew.explain.ends import both
from clew.explain.held_buckets import encryption, held, ownership
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.buckets import Bucket

_TASKS: Final = {
    "read": (("s3:GetObject",), ("kms:Decrypt",)),
    "write": (("s3:PutObject",), ("kms:GenerateDataKey",)),
    "re-encrypt": ((), ("kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey")),
}
"""For each task the actions on the object, and those on its key."""


def _links(patient: Patient) -> Iterator[Link]:
    task = patient.given.get("task", "read")
    if task not in _TASKS:
        raise UsageError(f"`--task {task[:40]}`: expected {', '.join(_TASKS)}")
    who, place = patient.given["principal"], _arn(patient.given["object"])
    first, bucket = held(patient, "bucket", place.split(":", 5)[5].partition("/")[0])
    yield first
    if bucket is None:
        return
    of_object, of_key = _TASKS[task]
    for action in of_object:
        yield from both(patient, "object", who, action, place)
    yield _owner(bucket)
    yield from _key(patient, bucket, who, place, of_key)


def _arn(said: str) -> str:
    """The object's ARN; an `s3://` address is one. Errors: `UsageError`."""
    found = f"arn:aws:s3:::{said.removeprefix('s3://')}" if said.startswith("s3://") else said
    if ":s3:::" not in found or "/" not in found:
        raise UsageError(
            f"`--object {said[:200]}` is no object; expected `arn:aws:s3:::BUCKET/KEY` or `s3://BUCKET/KEY`"
        )
    return found


def _owner(bucket: Bucket) -> Link:
    """AWS: "Controlling ownership of objects": where writers own, the bucket policy does not reach their objects."""
    said, owner = ownership(bucket)
    if not said.status.is_known:
        return unanswered("object-owner", said)
    if owner == "BucketOwnerEnforced":
        return Link("object-owner", Verdict.HOLDS, "the bucket owns every object", asked(said))
    says = f"{owner}: an object that another account put there may be that account's, out of reach of the bucket policy"
    settle = f"aws s3api get-object-acl --bucket {bucket.name} --key …, for its owner"
    return Link("object-owner", Verdict.UNKNOWN, says, asked(said), settle=settle)


def _key(patient: Patient, bucket: Bucket, who: str, place: str, actions: tuple[str, ...]) -> Iterator[Link]:
    """The key that is told, else that of the bucket's default encryption; none where S3's own keys encrypt."""
    key = patient.given.get("key", "")
    if not key:
        default = encryption(bucket)
        if not default.said.status.is_known:
            yield unanswered("key", default.said)
            return
        if not default.is_kms:
            says = "the bucket encrypts with keys of S3, which need no permission; an object may have another"
            yield Link("key", Verdict.HOLDS, says, asked(default.said))
            return
        key = default.key
    if not key or key.endswith("alias/aws/s3"):
        says = "the objects are under the AWS managed key aws/s3, which only its own account can use"
        fix = "encrypt them with a customer managed key, whose policy can name the other account"
        across = _account(who) != bucket.state.account
        yield link("key", holds=not across, says=("the objects are under aws/s3", says), fix=fix)
        return
    if not key.startswith("arn:"):
        says = f"the key `{key}` is no ARN here, and by an id or alias everybody means a key of their own account"
        yield Link("key", Verdict.UNKNOWN, says, settle="give `--key`, the key's ARN")
        return
    context = {
        "kms:EncryptionContext:aws:s3:arn": place,
        "kms:ViaService": f"s3.{key.split(':')[3]}.amazonaws.com",
    }
    for action in actions:
        name = f"key-{action.partition(':')[2].lower()}"
        where = patient.given.get("to-key", key) if action.endswith("To") else key
        yield from both(patient, name, who, action, where, **context)


def _account(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""  # noqa: PLR2004  # an ARN has six parts


DOCTOR = Doctor(
    "cross-account-s3-kms",
    "Somebody of another account uses an object and its key",
    _links,
    needs=("principal", "object"),
    may=("task", "key", "to-key"),
    looks="the caller's and the bucket's side, the object's owner, the key: both sides of each use, and DescribeKey",
)
