"""Declared buckets and their policies as S3's answers.

AWS: CloudFormation template reference, AWS::S3::Bucket and AWS::S3::BucketPolicy; Amazon S3 user guide, "Default
settings for new S3 buckets FAQ" (Block Public Access on, ACLs disabled), "Setting default server-side encryption
behavior for Amazon S3 buckets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.offline import told as telling
from clew.snapshot.offline.declared import Unresolved, flag, open_part, says, without_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.answers import Call
    from clew.snapshot.offline.declared import Resource, Stack, Teller
    from clew.snapshot.offline.told import Told

_GROUPS = "http://acs.amazonaws.com/groups/"
_OWNER = {"Type": "CanonicalUser", "ID": "owner"}
_EVERYBODY = f"{_GROUPS}global/AllUsers"
_ANY_ACCOUNT = f"{_GROUPS}global/AuthenticatedUsers"
_LOG_DELIVERY = f"{_GROUPS}s3/LogDelivery"
# AWS: "Access control list (ACL) overview", Canned ACL.
_CANNED = {
    "Private": (),
    "BucketOwnerFullControl": (),
    "BucketOwnerRead": (),
    "PublicRead": ((_EVERYBODY, "READ"),),
    "PublicReadWrite": ((_EVERYBODY, "READ"), (_EVERYBODY, "WRITE")),
    "AuthenticatedRead": ((_ANY_ACCOUNT, "READ"),),
    "LogDeliveryWrite": ((_LOG_DELIVERY, "WRITE"), (_LOG_DELIVERY, "READ_ACP")),
}
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def bucket(told: Told, stack: Stack, resource: Resource) -> None:
    """A bucket: that it is there, and what S3 would say of each of its settings."""
    call = _call(stack, "ListBuckets")
    told.lists(call, "Buckets", {"Name": resource.name}, resource.source)
    region = stack.place.region
    said: Mapping[str, tuple[object, str]] = {
        "GetBucketLocation": ({"LocationConstraint": None if region == "us-east-1" else region}, ""),
        "GetBucketAcl": (_acl(resource), ""),
        "GetPublicAccessBlock": ({"PublicAccessBlockConfiguration": _blocks(resource)}, ""),
        "GetBucketOwnershipControls": ({"OwnershipControls": _ownership(resource)}, ""),
        "GetBucketVersioning": (_versioning(resource), ""),
        "GetBucketLogging": (_logging(resource), ""),
        "GetBucketEncryption": ({"ServerSideEncryptionConfiguration": {"Rules": _encryption(resource)}}, ""),
        "GetBucketReplication": (
            _if_given(resource, "ReplicationConfiguration"),
            "ReplicationConfigurationNotFoundError",
        ),
        "GetObjectLockConfiguration": (
            _if_given(resource, "ObjectLockConfiguration"),
            "ObjectLockConfigurationNotFoundError",
        ),
        "GetBucketLifecycleConfiguration": (
            _if_given(resource, "LifecycleConfiguration"),
            "NoSuchLifecycleConfiguration",
        ),
    }
    for operation, (body, code) in said.items():
        shown = body if isinstance(body, dict) or body is None else {"": body}
        says(told, _call(stack, operation, resource.name), shown, resource, code)
    _policy_of(told, stack, resource)


def _call(stack: Stack, operation: str, name: str = "") -> Call:
    given = {"Bucket": name} if name else {}
    return telling.whole(stack.place.account, "s3", operation, **given)


def _if_given(resource: Resource, path: str) -> object:
    """Nothing where the template has none; open where it has one, for CloudFormation's words are not S3's here."""
    value = resource.get(path)
    if value is None or isinstance(value, Unresolved):
        return value
    return Unresolved(f"`{path}` is declared, and not read")


def _acl(resource: Resource) -> dict[str, object]:
    canned = resource.get("AccessControl") or "Private"
    grants: object = [{"Grantee": _OWNER, "Permission": "FULL_CONTROL"}]
    if isinstance(canned, Unresolved):
        grants = canned
    elif str(canned) not in _CANNED:
        grants = Unresolved(f"the canned ACL `{canned}` is not read")
    elif isinstance(grants, list):
        grants += [
            {"Grantee": {"Type": "Group", "URI": group}, "Permission": right}
            for group, right in _CANNED[str(canned)]
        ]
    return {"Owner": {"ID": "owner"}, "Grants": grants}


def _blocks(resource: Resource) -> dict[str, object]:
    given = resource.get("PublicAccessBlockConfiguration")
    if isinstance(given, Unresolved):
        return {"": given}
    return {
        name: True if given is None else flag(resource.get(f"PublicAccessBlockConfiguration.{name}"))
        for name in _BLOCKS
    }


def _ownership(resource: Resource) -> dict[str, object]:
    rules = [
        rule.get("ObjectOwnership") if isinstance(rule, dict) else rule
        for rule in resource.items("OwnershipControls.Rules")
    ]
    return {"Rules": [{"ObjectOwnership": rule} for rule in rules or ["BucketOwnerEnforced"]]}


def _versioning(resource: Resource) -> dict[str, object]:
    return without_none(
        {
            "Status": resource.get("VersioningConfiguration.Status"),
            "MFADelete": resource.get("VersioningConfiguration.MfaDelete"),
        }
    )


def _logging(resource: Resource) -> dict[str, object]:
    given = resource.get("LoggingConfiguration")
    if given is None or isinstance(given, Unresolved):
        return {} if given is None else {"LoggingEnabled": given}
    target = resource.get("LoggingConfiguration.DestinationBucketName") or resource.name
    prefix = resource.get("LoggingConfiguration.LogFilePrefix") or ""
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix}}


def _encryption(resource: Resource) -> list[object]:
    given = resource.items("BucketEncryption.ServerSideEncryptionConfiguration")
    if not given:
        return [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    return [
        {
            "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault"),
            "BucketKeyEnabled": flag(rule.get("BucketKeyEnabled")),
        }
        if isinstance(rule, dict)
        else rule
        for rule in given
    ]


def _policy_of(told: Told, stack: Stack, resource: Resource) -> None:
    """The bucket's policy; open where a policy may be another's, and where there are several."""
    call = _call(stack, "GetBucketPolicy", resource.name)
    found = stack.attached("AWS::S3::BucketPolicy", "Bucket", resource.name)
    if not found:
        says(told, call, None, resource, "NoSuchBucketPolicy")
    elif len(found) > 1:
        told.leaves_open(
            call, f"{len(found)} bucket policies may be those of `{resource.id}`", found[0].source
        )
    elif isinstance(found[0].get("Bucket"), Unresolved):
        told.leaves_open(
            call, f"`{found[0].id}` may be its policy: {found[0].get('Bucket')}", found[0].source
        )
    elif resource.doubt:
        told.leaves_open(call, f"`{resource.id}`: {resource.doubt}", resource.source)
    else:
        policy(told, call, found[0])


def policy(told: Told, call: Call, resource: Resource, member: str = "Policy") -> None:
    """The answer with a policy document as text."""
    given = resource.get("PolicyDocument")
    shown = given if open_part(given) else telling.document(given)
    says(told, call, {member: shown}, resource)


def bucket_policy(told: Told, stack: Stack, resource: Resource) -> None:
    """The policy of a bucket that no file declares: of the bucket nothing else is known."""
    name = resource.get("Bucket")
    declared = {each.name for each in stack.of("AWS::S3::Bucket")}
    if isinstance(name, str) and name not in declared:
        told.lists(_call(stack, "ListBuckets"), "Buckets", {"Name": name}, resource.source)
        policy(told, _call(stack, "GetBucketPolicy", name), resource)


TELLERS: Mapping[str, Teller] = {
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
}
