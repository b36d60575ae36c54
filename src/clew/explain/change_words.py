"""Whether the name of a call says that it sets the part of a resource that changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.snapshot.items import Status

if TYPE_CHECKING:
    from clew.snapshot.history import Step

_VERSION = re.compile(r"\d{4}_?\d\d_?\d\d\w*$")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+")
# Names of calls that share no word with what they set. AWS: the API reference of each service.
_SETS = {
    "AccessControlList": "PutBucketAcl",
    "IpPermissions": (
        "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress ModifySecurityGroupRules "
        "UpdateSecurityGroupRuleDescriptionsIngress"
    ),
    "IpPermissionsEgress": (
        "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress ModifySecurityGroupRules "
        "UpdateSecurityGroupRuleDescriptionsEgress"
    ),
    "IsLogging": "StartLogging StopLogging",
    "AttachedManagedPolicies": (
        "AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy AttachRolePolicy DetachRolePolicy"
    ),
    "UserPolicyList": "PutUserPolicy DeleteUserPolicy",
    "GroupPolicyList": "PutGroupPolicy DeleteGroupPolicy",
    "RolePolicyList": "PutRolePolicy DeleteRolePolicy",
    "GroupList": "AddUserToGroup RemoveUserFromGroup",
    "InstanceProfileList": "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile",
    "PolicyVersionList": "CreatePolicyVersion DeletePolicyVersion SetDefaultPolicyVersion",
    "KeyMetadata": (
        "EnableKey DisableKey ScheduleKeyDeletion CancelKeyDeletion UpdateKeyDescription ImportKeyMaterial"
    ),
    "Policy": "AddPermission RemovePermission SetQueueAttributes SetTopicAttributes",
    "Attributes": "SetQueueAttributes SetTopicAttributes AddPermission RemovePermission TagQueue",
    "PublicAccessBlockConfiguration": "PutPublicAccessBlock DeletePublicAccessBlock",
    "PasswordPolicy": "UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy",
    "Grants": "CreateGrant RetireGrant RevokeGrant",
    "tags": "CreateTags DeleteTags",
}
_CALLS = {part.lower(): frozenset(calls.split()) for part, calls in _SETS.items()}


def fits(event_name: str, step: Step) -> bool:
    """Whether the call sets what changed in this step; creating and deleting the resource set everything.

    The rest of a name behind its verb, with or without the kind of resource, is looked for in the places that changed:
    `PutBucketVersioning` sets `BucketVersioningConfiguration`.
    """
    name = _VERSION.sub("", event_name)
    kind = step.item.key.type.rpartition("::")[2]
    words = _WORD.findall(name)
    if len(words) < 2:  # noqa: PLR2004  # a verb and what it is about
        return False
    noun = "".join(words[1:])
    if step.previous is None or step.item.status is not Status.CHANGED:
        return noun.rstrip("s").lower() == kind.lower()
    members = {part.lower() for change in step.changes for part in change.path if isinstance(part, str)}
    if words[0] in {"Tag", "Untag"}:
        return "tags" in members
    if any(name in _CALLS[member] for member in members & _CALLS.keys()):
        return True
    nouns = {noun, noun.removeprefix(kind)} - {""}
    return any(each.lower() in part for each in nouns for part in _parts(step))


def _parts(step: Step) -> set[str]:
    """The settings that changed, in lower case: supplements, members of the configuration."""
    steps = (
        change.path[1:] if change.path[:1] == ("configuration",) else change.path for change in step.changes
    )
    return {path[0].lower() for path in steps if path and isinstance(path[0], str)}
