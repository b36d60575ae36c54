"""Derived facts: what a record means beyond its fields, each one function from a decoded event to a value.

A fact never raises, whatever the record holds. A document that should be there and cannot be read gives the value
`unreadable`: never a silent no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.detect.facts import access, actors, documents, sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its function and the event names that it says something about.

    Shape: a name that ends in `*` stands for every name that begins so; no names at all means every event.
    """

    function: Callable[[Mapping[str, object]], object]
    event_names: tuple[str, ...] = ()


TRUST = ("UpdateAssumeRolePolicy", "CreateRole")
IDENTITY = (
    "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion",
    "PutInlinePolicyToPermissionSet",
)  # fmt: skip
RESOURCE = (
    "PutKeyPolicy", "CreateKey", "SetTopicAttributes", "SetQueueAttributes", "PutResourcePolicy", "SetRepositoryPolicy",
    "PutRegistryPolicy", "PutFileSystemPolicy", "PutBackupVaultAccessPolicy", "UpdateDomainConfig",
    "UpdateElasticsearchDomainConfig", "PutRepositoryPermissionsPolicy", "PutDomainPermissionsPolicy", "CreateQueue",
    "CreateTopic", "PutPermission", "PutPolicy", "PutTableBucketPolicy",
)  # fmt: skip
INGRESS = ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")
SHARES = (
    "ModifySnapshotAttribute", "ModifyImageAttribute", "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute",
    "ModifyDocumentPermission", "ModifyFpgaImageAttribute", "AuthorizeSnapshotAccess",
)  # fmt: skip
BLOCKS = (
    "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock", "PutAccountPublicAccessBlock",
    "DeleteAccountPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock",
)  # fmt: skip
ACLS = ("PutBucketAcl", "PutObjectAcl", "CreateBucket", "PutObject", "CopyObject")
PERMISSIONS = ("AddPermission*", "AddLayerVersionPermission*")

FACTS: Mapping[str, Fact] = {
    "bucket_policy_public": Fact(documents.bucket_policy_public, ("PutBucketPolicy",)),
    "resource_policy_public": Fact(documents.resource_policy_public, RESOURCE),
    "resource_policy_external": Fact(documents.resource_policy_external, ("PutBucketPolicy", *RESOURCE)),
    "trust_policy_anyone": Fact(documents.trust_policy_anyone, TRUST),
    "trust_policy_external": Fact(documents.trust_policy_external, TRUST),
    "trust_policy_federated_open": Fact(documents.trust_policy_federated_open, TRUST),
    "policy_grants_admin": Fact(documents.policy_grants_admin, IDENTITY),
    "security_group_world_ports": Fact(access.security_group_world_ports, INGRESS),
    "security_group_world_admin_ports": Fact(access.security_group_world_admin_ports, INGRESS),
    "network_acl_opened": Fact(
        access.network_acl_opened, ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry")
    ),
    "acl_public": Fact(access.acl_public, ACLS),
    "public_access_block_weakened": Fact(access.public_access_block_weakened, BLOCKS),
    "shared_publicly": Fact(access.shared_publicly, SHARES),
    "shared_with_accounts": Fact(access.shared_with_accounts, SHARES),
    "lambda_permission_public": Fact(access.lambda_permission_public, PERMISSIONS),
    "lambda_permission_external": Fact(access.lambda_permission_external, PERMISSIONS),
    "resources_named": Fact(access.resources_named, tuple(access.NAMED)),
    "foreign_accounts": Fact(sharing.foreign_accounts, tuple(sharing.RECEIVERS)),
    "user_acts_on_other_user": Fact(actors.user_acts_on_other_user),
    "attached_admin_policy": Fact(
        actors.attached_admin_policy, ("AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy")
    ),
    "source_network": Fact(actors.source_network),
    "role_account_differs": Fact(actors.role_account_differs),
    "lifecycle_min_days": Fact(
        actors.lifecycle_min_days, ("PutBucketLifecycle", "PutBucketLifecycleConfiguration")
    ),
    "trail_events_dropped": Fact(actors.trail_events_dropped, ("PutEventSelectors",)),
}
