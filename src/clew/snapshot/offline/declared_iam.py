"""Declared users, groups, roles and policies as IAM's authorization details.

AWS: CloudFormation template reference, AWS::IAM types; IAM API reference, GetAccountAuthorizationDetails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.model import LEFT_OUT
from clew.snapshot.offline import told as telling
from clew.snapshot.offline.declared import Unresolved, open_part, tags, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.answers import Call
    from clew.snapshot.offline.declared import Resource, Stack, Teller
    from clew.snapshot.offline.told import Told

_LISTS = {
    "AWS::IAM::User": "UserDetailList",
    "AWS::IAM::Group": "GroupDetailList",
    "AWS::IAM::Role": "RoleDetailList",
    "AWS::IAM::ManagedPolicy": "Policies",
}


def arn(stack: Stack, type_: str, resource: Resource) -> str:
    """The ARN of a declared user, group, role or managed policy."""
    kind = {"ManagedPolicy": "policy"}.get(type_, type_.lower())
    path = text(resource.get("Path"), "/")
    return stack.arn("iam", f"{kind}{path}{resource.name}", region=False)


def _details(stack: Stack) -> Call:
    return telling.whole(stack.place.account, "iam", "GetAccountAuthorizationDetails")


def _document(value: object, doubt: str = "") -> object:
    """The policy document; text that nobody can read where it is open, so that what it allows is unknown."""
    left = doubt or open_part(value)
    return f"{LEFT_OUT}{left}" if left else value


def _add(told: Told, stack: Stack, resource: Resource, details: Mapping[str, object]) -> None:
    told.lists(_details(stack), _LISTS[resource.type], details, resource.source)
    if resource.doubt:
        told.notes.append(f"{resource.source}: `{resource.id}` is taken to be there: {resource.doubt}")


def _attached(stack: Stack, resource: Resource, kind: str) -> list[dict[str, str]]:
    """The managed policies of a user, group or role: those that it names, and those that name it."""
    names = [text(each) for each in resource.items("ManagedPolicyArns")]
    naming = stack.attached("AWS::IAM::ManagedPolicy", f"{kind}s", resource.name)
    names += [arn(stack, "ManagedPolicy", policy) for policy in naming]
    return [{"PolicyName": name.rpartition("/")[2], "PolicyArn": name} for name in dict.fromkeys(names)]


def _inline(stack: Stack, resource: Resource, kind: str) -> list[dict[str, object]]:
    """The inline policies of a user, group or role: its own, and resources that put one on it."""
    own = [
        {
            "PolicyName": text(each.get("PolicyName"), "policy"),
            "PolicyDocument": _document(each.get("PolicyDocument"), resource.doubt),
        }
        for each in resource.items("Policies")
        if isinstance(each, dict)
    ]
    open_ones = [each for each in resource.items("Policies") if isinstance(each, Unresolved)]
    own += [{"PolicyName": "unresolved", "PolicyDocument": _document(each)} for each in open_ones]
    for policy in _put_on(stack, resource, kind):
        own.append(
            {
                "PolicyName": text(policy.get("PolicyName"), policy.id),
                "PolicyDocument": _document(policy.get("PolicyDocument"), resource.doubt or policy.doubt),
            }
        )
    return own


def _put_on(stack: Stack, resource: Resource, kind: str) -> Iterator[Resource]:
    yield from stack.attached("AWS::IAM::Policy", f"{kind}s", resource.name)
    yield from stack.attached(f"AWS::IAM::{kind}Policy", f"{kind}Name", resource.name)


def _boundary(resource: Resource) -> dict[str, object]:
    given = resource.get("PermissionsBoundary")
    if given is None:
        return {}
    return {
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": text(given),
        }
    }


def user(told: Told, stack: Stack, resource: Resource) -> None:
    """An IAM user with its policies and groups."""
    groups = [text(each) for each in resource.items("Groups")]
    additions = stack.of("AWS::IAM::UserToGroupAddition")
    groups += [text(each.get("GroupName")) for each in additions if resource.name in each.items("Users")]
    details: dict[str, object] = {
        "UserName": resource.name,
        "Arn": arn(stack, "User", resource),
        "Path": text(resource.get("Path"), "/"),
        "GroupList": groups,
        "UserPolicyList": _inline(stack, resource, "User"),
        "AttachedManagedPolicies": _attached(stack, resource, "User"),
        "Tags": tags(resource),
    }
    _add(told, stack, resource, details | _boundary(resource))


def group(told: Told, stack: Stack, resource: Resource) -> None:
    """A group with its policies."""
    details: dict[str, object] = {
        "GroupName": resource.name,
        "Arn": arn(stack, "Group", resource),
        "Path": text(resource.get("Path"), "/"),
        "GroupPolicyList": _inline(stack, resource, "Group"),
        "AttachedManagedPolicies": _attached(stack, resource, "Group"),
    }
    _add(told, stack, resource, details)


def role(told: Told, stack: Stack, resource: Resource) -> None:
    """A role with its trust policy and its policies."""
    details: dict[str, object] = {
        "RoleName": resource.name,
        "Arn": arn(stack, "Role", resource),
        "Path": text(resource.get("Path"), "/"),
        "AssumeRolePolicyDocument": _document(resource.get("AssumeRolePolicyDocument"), resource.doubt),
        "RolePolicyList": _inline(stack, resource, "Role"),
        "AttachedManagedPolicies": _attached(stack, resource, "Role"),
        "InstanceProfileList": [],
        "Tags": tags(resource),
    }
    _add(told, stack, resource, details | _boundary(resource))


def managed_policy(told: Told, stack: Stack, resource: Resource) -> None:
    """A customer managed policy in its only version."""
    version = {
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "Document": _document(resource.get("PolicyDocument"), resource.doubt),
    }
    bearers = sum(len(resource.items(kind)) for kind in ("Users", "Groups", "Roles"))
    details: dict[str, object] = {
        "PolicyName": resource.name,
        "Arn": arn(stack, "ManagedPolicy", resource),
        "Path": text(resource.get("Path"), "/"),
        "DefaultVersionId": "v1",
        "AttachmentCount": bearers,
        "PolicyVersionList": [version],
    }
    _add(told, stack, resource, details)


TELLERS: Mapping[str, Teller] = {
    "AWS::IAM::User": user,
    "AWS::IAM::Group": group,
    "AWS::IAM::Role": role,
    "AWS::IAM::ManagedPolicy": managed_policy,
}
PARTS = frozenset(
    {
        "AWS::IAM::Policy",
        "AWS::IAM::UserPolicy",
        "AWS::IAM::GroupPolicy",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::UserToGroupAddition",
    }
)
"""Types that are told with the user, group or role that they are about."""
