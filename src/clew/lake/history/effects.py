"""What an API call does to a resource, told from its name: created, changed, deleted, read, permissions changed."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """What a call does when it succeeds."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    PERMISSIONS = "permissions changed"
    READ = "read"
    SIGNED_IN = "signed in"
    CREDENTIALS = "credentials issued"
    USED = "used"


WRITES = frozenset({Effect.CREATED, Effect.CHANGED, Effect.DELETED, Effect.PERMISSIONS})

# Names whose first word would mislead. AWS: "Service Authorization Reference", access levels.
_NAMES: Final = {
    Effect.SIGNED_IN: """
        ConsoleLogin SwitchRole CheckMfa FederatedLogin Federate Authenticate UserAuthentication
        CredentialChallenge CredentialVerification ExternalIdPDirectoryLogin GetSigninToken ExitRole
        RenewRole Logout
    """,
    Effect.CREDENTIALS: """
        AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot GetSessionToken
        GetFederationToken GetCredentialsForIdentity GetRoleCredentials CreateToken
        CreateTokenWithIAM CreateSession
    """,
    Effect.CREATED: """
        PutObject CopyObject CompleteMultipartUpload UploadPart CreateMultipartUpload PostObject
        PutItem
    """,
    Effect.DELETED: """
        ScheduleKeyDeletion LeaveOrganization CloseAccount TerminateInstances TerminateJobFlows
    """,
    Effect.PERMISSIONS: """
        AddUserToGroup RemoveUserFromGroup PutBucketAcl PutObjectAcl PutBucketPublicAccessBlock
        DeleteBucketPublicAccessBlock PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock
        PutPublicAccessBlock DeletePublicAccessBlock PutBucketOwnershipControls
        DeleteBucketOwnershipControls CreateGrant RetireGrant RevokeGrant
        AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress
        RevokeSecurityGroupEgress ModifySecurityGroupRules AuthorizeDBSecurityGroupIngress
        RevokeDBSecurityGroupIngress CreateNetworkAclEntry DeleteNetworkAclEntry
        ReplaceNetworkAclEntry ModifySnapshotAttribute ModifyImageAttribute
        ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute ResetSnapshotAttribute
        ModifyDocumentPermission CreateAccountAssignment DeleteAccountAssignment
        AttachManagedPolicyToPermissionSet DetachManagedPolicyFromPermissionSet
        PutInlinePolicyToPermissionSet DeleteInlinePolicyFromPermissionSet AddPermission
        RemovePermission AddLayerVersionPermission RemoveLayerVersionPermission
        AssociateAccessPolicy DisassociateAccessPolicy CreateAccessEntry DeleteAccessEntry
        AddRoleToInstanceProfile RemoveRoleFromInstanceProfile AssociateIamInstanceProfile
        ReplaceIamInstanceProfileAssociation DisassociateIamInstanceProfile CreateFunctionUrlConfig
        UpdateFunctionUrlConfig SetDefaultPolicyVersion PutUserPermissionsBoundary
        PutRolePermissionsBoundary DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary
        GrantPermissions RevokePermissions
    """,
    Effect.USED: """
        InvokeModel Invoke InvokeFunction Decrypt Encrypt Sign
    """,
}
_EXACT: Final = {name: effect for effect, names in _NAMES.items() for name in names.split()}

# `…Policy` names that decide about something other than access.
_NOT_ACCESS = re.compile(
    r"Lifecycle|Scaling|Retention|Backup|LoadBalancer|PasswordPolic|OriginRequest|Cache|ResponseHeaders|Throttl|Alarm"
    r"|ResourceManagement|Replication|Notification|RoutingPolic|TrafficPolic|Firewall|Ssl|Dkim"
)
_ACCESS_POLICY = re.compile(
    r"(Put|Attach|Detach|Create|Delete|Update|Set|Add|Remove|Enable|Disable|Associate|Disassociate|Replace)"
    r"\w*Polic(y|ies)"
)

_VERBS: Final = {
    Effect.READ: """
        Get List Describe Head Lookup Search Query Scan BatchGet BatchDescribe Select View Check
        Simulate Validate Estimate Preview Discover Count Filter Poll Receive Test Verify Download
        Resolve Retrieve Evaluate Detect Read Decode
    """,
    Effect.CREATED: """
        Create Run Allocate Import Register Provision Copy Clone Restore Request Upload Publish
        Issue Purchase Launch BatchCreate Generate Build Submit
    """,
    Effect.DELETED: """
        Delete Terminate Deregister Release Destroy Purge BatchDelete Expire Empty Cancel Remove
        Abort Deprovision
    """,
    Effect.CHANGED: """
        Put Update Modify Set Attach Detach Associate Disassociate Enable Disable Start Stop Reboot
        Tag Untag Add Change Replace Reset Resize Rotate Activate Deactivate Apply Assign Unassign
        Accept Reject Move Rename Revoke Grant Authorize Upgrade Downgrade Promote Failover Suspend
        Resume Pause BatchUpdate BatchWrite BatchPut Configure Merge Rebuild Swap Switch Transfer
        Undo Unlock Lock Upsert Archive Unarchive Cache Resync Monitor Unmonitor Confirm Subscribe
        Unsubscribe Invite Join Schedule
    """,
}
_VERB_OF: Final = {verb: effect for effect, verbs in _VERBS.items() for verb in verbs.split()}
_FIRST_WORDS = re.compile(r"Batch[A-Z][a-z]+|[A-Z][a-z]+")
# Lambda and CloudFront write the API's date into the name: `AddPermission20150331v2`, `CreateDistribution2020_05_31`.
_VERSIONED = re.compile(r"\d{4}_?\d\d_?\d\d\w*$")


def effect(event_name: str, *, read_only: bool | None = None) -> Effect:
    """What the call does: by the name, then by its first word, then by whether CloudTrail calls it read-only.

    >>> effect("AuthorizeSecurityGroupIngress").value, effect("AddPermission20150331v2").value
    ('permissions changed', 'permissions changed')
    >>> effect("RunInstances").value, effect("StopLogging").value, effect("PutLifecyclePolicy").value
    ('created', 'changed', 'changed')
    """
    name = _VERSIONED.sub("", event_name)
    if name in _EXACT:
        return _EXACT[name]
    if read_only:
        return Effect.READ
    if _ACCESS_POLICY.match(name) and not _NOT_ACCESS.search(name):
        return Effect.PERMISSIONS
    first = _FIRST_WORDS.match(name)
    known = _VERB_OF.get(first.group()) if first else None
    return known or _VERB_OF.get((first.group() if first else "").removeprefix("Batch"), Effect.USED)


def is_read(event_name: str) -> bool:
    """Whether the name alone says that the call changes nothing, for records too old to carry `readOnly`."""
    return effect(event_name) in {Effect.READ, Effect.CREDENTIALS}
