"""Facts about other accounts that a call lets in, or sends data to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.detect.facts.fields import account, items, request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCOUNT_DIGITS = 12
ARN_ACCOUNT = 4

# Where a request names who is let in, or where data goes: account numbers or ARNs.
RECEIVERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "CreateGrant": (("granteePrincipal",),),
    "CopyObject": (("x-amz-server-side-encryption-aws-kms-key-id",),),
    "PutBucketReplication": (
        ("ReplicationConfiguration", "Rule", "Destination", "Account"),
        ("ReplicationConfiguration", "Rules", "Destination", "Account"),
    ),
    "PutReplicationConfiguration": (("replicationConfiguration", "rules", "destinations", "registryId"),),
    "StartCopyJob": (("destinationBackupVaultArn",),),
    "CreateBackupPlan": (("backupPlan", "rules", "copyActions", "destinationBackupVaultArn"),),
    "UpdateBackupPlan": (("backupPlan", "rules", "copyActions", "destinationBackupVaultArn"),),
    "ExportTableToPointInTime": (("s3BucketOwner",),),
    "CreateResourceShare": (("principals",),),
    "AssociateResourceShare": (("principals",),),
    "AuthorizeDataShare": (("consumerIdentifier",),),
    "ModifyVpcEndpointServicePermissions": (
        ("ModifyVpcEndpointServicePermissionsRequest", "AddAllowedPrincipals", "content"),
        ("ModifyVpcEndpointServicePermissionsRequest", "AddAllowedPrincipals"),
        ("addAllowedPrincipals",),
    ),
    "PutSubscriptionFilter": (("destinationArn",),),
    "PutTargets": (("targets", "arn"),),
}


def foreign_accounts(event: Mapping[str, object]) -> list[str]:
    """The other accounts that the call lets in or sends data to, `*` for all of them; empty when none.

    **Finds** account numbers, and the accounts of ARNs, where the request names a receiver. The record's
    own account is left out, as are names without an account, such as an organisation's or a bucket's.
    **Why it matters** what another account holds, no policy and no log of this one reaches.
    **False positives** accounts of the same company: central logging, backups, shared services.
    **Fix** take the grant back, or remove the destination.
    **References** AWS: "Cross-account resource access in IAM"; the API reference of each call.
    """
    own = account(event)
    paths = RECEIVERS.get(str(event.get("eventName")), ())
    named = {_account(text) for path in paths for text in _texts(request(event), path)}
    return sorted(named - {"", own})


def _texts(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        yield from (each for each in items(value) if isinstance(each, str))
        return
    for each in items(value):
        if isinstance(each, dict):
            yield from _texts(each.get(path[0]), path[1:])


def _account(text: str) -> str:
    if text == "*":
        return text
    parts = text.split(":")
    found = parts[ARN_ACCOUNT] if text.startswith("arn:") and len(parts) > ARN_ACCOUNT else text
    return found if len(found) == ACCOUNT_DIGITS and found.isdecimal() else ""
