"""The resource's side of a request: its policy, its account, and what else decides about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.reach.attached import Attachment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Resource, Role, Snapshot

_ASSUMING = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
    }
)
# The policy that decides about a part (an object, an alias, an index) is attached to what contains it.
_CONTAINED_BY = {
    "s3": "/",
    "s3-object-lambda": "/",
    "dynamodb": "/",
    "lambda": ":",
    "sns": ":",
    "es": "/",
    "execute-api": "/",
    "mediastore": "/",
    "s3-outposts": "/",
    "s3tables": "/",
}
# AWS: IAM user guide, "AWS services that work with IAM": no resource of another service has a policy.
WITH_RESOURCE_POLICIES = frozenset({
    "acm-pca", "aoss", "apigateway", "backup", "cloudtrail", "codeartifact", "codebuild", "dynamodb", "ecr",
    "ecr-public", "elasticfilesystem", "es", "events", "execute-api", "glacier", "glue", "iam", "kafka", "kinesis",
    "kms", "lambda", "lex", "logs", "mediastore", "network-firewall", "redshift-serverless", "rekognition", "s3",
    "s3-object-lambda", "s3-outposts", "s3express", "s3tables", "schemas", "secretsmanager", "ses", "signer", "sns",
    "sqs", "ssm-contacts", "ssm-incidents", "vpc-lattice", "vpce",
})  # fmt: skip
_ARN_PARTS = 6


# AWS: S3 user guide, "Access control list (ACL) overview", Mapping of ACL permissions and access policy permissions: a
# bucket's list says of its objects only who may write new ones; all else is in the list of each object.
_BY_BUCKET_LIST = frozenset({"s3:putobject"})
_BY_OBJECT_LIST = frozenset(
    {
        "s3:getobject",
        "s3:getobjectversion",
        "s3:getobjectacl",
        "s3:getobjectversionacl",
        "s3:putobjectacl",
        "s3:putobjectversionacl",
    }
)


@dataclass(frozen=True, slots=True)
class ResourceSide:
    """The attachment of the resource's policy (None: there is none), the resource, and what was assumed.

    `object_owner` is the account that owns an object of a bucket, where the files say so.
    """

    attachment: Attachment | None = None
    resource: Resource | None = None
    assumed: tuple[str, ...] = ()
    object_owner: str | None = None


def resource_side(snapshot: Snapshot, action: str, arn: str) -> ResourceSide:
    """What the files know of the resource: for `sts:AssumeRole*` the role's trust policy is its policy."""
    if _is_role(arn):
        return _role_side(snapshot, arn) if action.lower() in _ASSUMING else ResourceSide()
    if _is_object(arn):
        return _object_side(snapshot, action.lower(), arn)
    found = next((snapshot.resources[name] for name in _holders(arn) if name in snapshot.resources), None)
    if found is not None:
        found = _with_account_settings(snapshot, found)
        return ResourceSide(_attachment(found), found)
    if _has_key_policy(arn):
        # AWS: "Key policies in AWS KMS": every key has exactly one, and without it nothing is allowed.
        label = f"the key policy of {arn}"
        why = f"{label}: every key has one; give it with `--resource-policies FILE`"
        return ResourceSide(Attachment(None, arn, "resource", label, why=why))
    if arn == "*" or not arn.startswith("arn:"):
        return ResourceSide()
    return ResourceSide(assumed=(f"no resource policy of {_holder(arn)} is given: taken as none",))


def has_resource_policies(arn: str) -> bool:
    """Whether resources of the ARN's service can have policies."""
    return arn.count(":") > 1 and arn.split(":")[2] in WITH_RESOURCE_POLICIES


def _is_object(arn: str) -> bool:
    return arn.startswith("arn:") and arn.split(":")[2:5] == ["s3", "", ""] and "/" in arn


def _object_side(snapshot: Snapshot, action: str, arn: str) -> ResourceSide:
    """The bucket's policy and settings, and the object's own list and owner, which no snapshot holds by itself."""
    own = snapshot.resources.get(arn)
    held = snapshot.resources.get(_holder(arn)) or own
    if held is None:
        return ResourceSide(assumed=(f"no resource policy of {_holder(arn)} is given: taken as none",))
    bucket = _with_account_settings(snapshot, held)
    listed = bucket.acl if action in _BY_BUCKET_LIST else own.acl if own else None
    assumed: tuple[str, ...] = ()
    if (
        own is None
        and action in _BY_OBJECT_LIST
        and bucket.object_ownership not in {None, "BucketOwnerEnforced"}
    ):
        assumed = (f"{arn} is taken as the bucket owner's, with an access control list for its owner only",)
    found = replace(bucket, acl=listed)
    return ResourceSide(_attachment(found), found, assumed, own.account if own else None)


def _attachment(resource: Resource) -> Attachment | None:
    label = f"the policy of {resource.arn}"
    return None if resource.policy is None else Attachment(resource.policy, resource.arn, "resource", label)


def _is_role(arn: str) -> bool:
    return ":iam::" in arn and ":role/" in arn


def _has_key_policy(arn: str) -> bool:
    return arn.startswith("arn:") and arn.split(":", _ARN_PARTS - 1)[2] == "kms" and ":key/" in arn


def _role_side(snapshot: Snapshot, arn: str) -> ResourceSide:
    role = _role(snapshot, arn)
    label = f"the trust policy of {arn}"
    if role is None and not snapshot.accounts:
        return ResourceSide()
    why = f"{label}: the role is not in the files given"
    return ResourceSide(Attachment(role.trust if role else None, arn, "resource", label, why=why))


def _role(snapshot: Snapshot, arn: str) -> Role | None:
    account = snapshot.accounts.get(arn.split(":")[4])
    return account.roles.get(arn) if account else None


def _holders(arn: str) -> Iterator[str]:
    """The ARN itself, and then each that contains it, innermost first."""
    yield arn
    parts = arn.split(":", _ARN_PARTS - 1)
    separator = _CONTAINED_BY.get(parts[2]) if len(parts) == _ARN_PARTS else None
    while separator and separator in parts[-1]:
        parts[-1] = parts[-1].rpartition(separator)[0]
        yield ":".join(parts)
    yield from _named_otherwise(parts)


def _named_otherwise(parts: list[str]) -> Iterator[str]:
    """The holder whose ARN is not the beginning of the part's; `parts` are those of the outermost name so far."""
    service, name = (parts[2], parts[-1]) if len(parts) == _ARN_PARTS else ("", "")
    if service == "execute-api":
        # AWS: "How Amazon API Gateway works with IAM": an API is managed under a name of the service `apigateway`.
        yield f"arn:{parts[1]}:apigateway:{parts[3]}::/restapis/{name}"
    elif service == "events" and name.startswith("rule/"):
        # AWS: EventBridge User Guide, "Permissions for event buses": a bus's policy is about its rules, too.
        bus = name.split("/")[1] if name.count("/") > 1 else "default"
        yield ":".join([*parts[:-1], f"event-bus/{bus}"])
    elif service == "codeartifact" and name.startswith("package/"):
        # AWS: CodeArtifact User Guide, "Repository policies".
        yield ":".join([*parts[:-1], "/".join(["repository", *name.split("/")[1:3]])])


def _holder(arn: str) -> str:
    """The ARN under which a user would give the policy: an object's bucket, otherwise the resource's own."""
    return arn.partition("/")[0] if arn.split(":")[2:5] == ["s3", "", ""] else arn


def _with_account_settings(snapshot: Snapshot, resource: Resource) -> Resource:
    """The resource with the Block Public Access settings of its account, of which each counts where either is on."""
    if resource.account is None or ":s3:" not in resource.arn:
        return resource
    partition = resource.arn.split(":")[1]
    owner = snapshot.resources.get(f"arn:{partition}:iam::{resource.account}:root")
    if owner is None or owner.block_public_access is None:
        return resource
    either = _either(resource.block_public_access or {}, owner.block_public_access)
    return replace(resource, block_public_access=either)


def _either(bucket: Mapping[str, bool], account: Mapping[str, bool]) -> Mapping[str, bool]:
    return {name: bucket.get(name, False) or account.get(name, False) for name in {**bucket, **account}}
