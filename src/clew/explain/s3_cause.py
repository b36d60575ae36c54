"""Why S3 refused what a grant seems to allow: settings and owners that make a grant count for nothing.

Each is asked of the engine: the one setting or owner is taken away, and what is then allowed was refused for it alone.
AWS: S3 user guide, "Troubleshoot access denied (403 Forbidden) errors", "Blocking public access to your Amazon S3
storage", "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.engine import Effect, prepare
from clew.engine.services.s3 import ENFORCED
from clew.engine.verdicts import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Policies
    from clew.reach.predict import Prediction


class Stopped(StrEnum):
    """What S3 has besides policies that refuses a request."""

    BLOCKED = "block_public_access"
    ANOTHER_OWNER = "object_owner"
    LISTS_OFF = "acl_disabled"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stopped the request, in a sentence, and what would let it through without a new grant to anybody."""

    by: Stopped
    sentence: str
    fix: str


def refusal(prediction: Prediction) -> Refusal | None:
    """The one setting or owner without which the request is allowed; None where no single one decides."""
    if not prediction.request.action.lower().startswith("s3:"):
        return None
    return next((found for changed, found in _without(prediction) if _allows(changed, prediction)), None)


def _allows(policies: Policies, prediction: Prediction) -> bool:
    return prepare(policies).effect(prediction.request) is Effect.ALLOW


def _without(prediction: Prediction) -> Iterator[tuple[Policies, Refusal]]:
    """The policies without each of the things that may stop a request of S3, and what is to be said of it."""
    policies, request = prediction.policies, prediction.request
    bucket = request.resource.partition("/")[0].rpartition(":")[2]
    settings = policies.block_public_access or {}
    for name in _suspected(prediction):
        sentence, fix = _BLOCKED[name]
        yield (
            replace(policies, block_public_access={**settings, name: False}),
            Refusal(Stopped.BLOCKED, sentence.format(name=name), fix),
        )
    owner = policies.object_owner
    if owner is not None and owner != request.resource_account:
        says = (
            f"`{request.resource}` belongs to account {owner}, which put it there, not to the owner of the bucket: "
            "grants of the bucket policy and of the bucket's account do not reach it."
        )
        fix = (
            f"Let the bucket own every object: `aws s3api put-bucket-ownership-controls --bucket {bucket} "
            f"--ownership-controls 'Rules=[{{ObjectOwnership={ENFORCED}}}]'`; access control lists then count no more"
        )
        yield replace(policies, object_owner=None), Refusal(Stopped.ANOTHER_OWNER, says, fix)
    if policies.acl is not None and policies.object_ownership == ENFORCED:
        says = (
            f"Only an access control list would allow it, and `{bucket}` has those switched off "
            f"(Object Ownership {ENFORCED})."
        )
        fix = "Write into the bucket policy what the access control list allows"
        yield replace(policies, object_ownership=None), Refusal(Stopped.LISTS_OFF, says, fix)


def _suspected(prediction: Prediction) -> Iterator[str]:
    """The settings of Block Public Access that may have had a part; trying one compiles the policies again."""
    settings = prediction.policies.block_public_access or {}
    if Gate.BLOCK_PUBLIC_ACCESS in prediction.decision.blocked_by:
        yield from (name for name in ("BlockPublicAcls", "RestrictPublicBuckets") if settings.get(name))
    if prediction.policies.acl is not None and settings.get("IgnorePublicAcls"):
        yield "IgnorePublicAcls"


_BLOCKED = {
    "BlockPublicAcls": (
        "The request sets an access control list for everybody; S3 Block Public Access ({name}) refuses such lists.",
        "Send the request without the public list, and grant what is meant in the bucket policy",
    ),
    "IgnorePublicAcls": (
        "Only a list for everybody allows it; S3 Block Public Access ({name}) takes such lists for none.",
        "Name those who need it in the bucket policy, instead of everybody in the list",
    ),
    "RestrictPublicBuckets": (
        "The bucket policy is public; S3 Block Public Access ({name}) then lets in only services and the own account.",
        "Name in the bucket policy those who need it, in the place of everybody",
    ),
}
"""What each setting refuses, in words, and the fix. BlockPublicPolicy looks at a new policy, which no request shows."""

_NEW_POLICIES = frozenset({"s3:putbucketpolicy", "s3:putaccesspointpolicy"})


def advice(prediction: Prediction) -> str:
    """What to do about a refusal of S3 besides its policies; empty where nothing is known."""
    found = refusal(prediction)
    if found is not None:
        return found.fix
    if prediction.request.action.lower() in _NEW_POLICIES:
        return "Name in the new policy those who need it, so that S3 does not call it public"
    return ""


_NOT_SHOWN = (
    ("s3:getobject", "the KMS key under which the object is, if any, with `kms:Decrypt`"),
    ("s3:putobject", "the KMS key of the bucket, if any, with `kms:GenerateDataKey`"),
    ("s3:deleteobject", "a retention or a legal hold of the object"),
)


def elsewhere(prediction: Prediction) -> str:
    """What refuses a request of S3 that its policies allow, as far as no snapshot shows it: a sentence."""
    policies, request = prediction.policies, prediction.request
    action = request.action.lower()
    found = [says for begins, says in _NOT_SHOWN if action.startswith(begins)]
    if action.startswith("s3:getobject"):
        if policies.object_owner is None and policies.object_ownership != ENFORCED:
            found.append("an owner of the object other than the bucket's")
        listing = replace(request, action="s3:ListBucket", resource=request.resource.partition("/")[0])
        if prepare(policies).effect(listing) is not Effect.ALLOW:
            # AWS: "GetObject", Permissions: without s3:ListBucket a missing key is 403, with it 404.
            found.append("that the object is not there, which is refused to whoever may not list the bucket")
    if ":assumed-role/" in request.principal:
        found.append("a session policy")
    return f"What may have: {'; '.join(found)}." if found else ""
