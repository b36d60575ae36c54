"""What AWS STS and IAM add to the common law: calls that no policy decides, and calls that nothing can grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from spec.principals import Kind

if TYPE_CHECKING:
    from spec.request import Request

Settled = Literal["allow", "implicit_deny"]


def settled(request: Request) -> Settled | None:
    """Rules 43 and 49: GetCallerIdentity and GetSessionToken are answered whatever the policies say.

    AWS STS API reference, "GetCallerIdentity" (no permissions are required, even when denied explicitly);
    IAM user guide, "Permissions for GetSessionToken". 0007 Q34.
    """
    action = request.action.lower()
    if action == "sts:getcalleridentity":
        return "implicit_deny" if request.caller.kind is Kind.ANONYMOUS else "allow"
    if action == "sts:getsessiontoken":
        return "allow" if request.caller.kind in {Kind.USER, Kind.ROOT} else "implicit_deny"
    return None


def nothing_can_grant(request: Request) -> str | None:
    """Rules 11, 45 and 50: why no policy can grant this request, if that is so."""
    reasons = (crosses_partitions(request), root_assumes_role(request), role_passed_across_accounts(request))
    return next((reason for reason in reasons if reason), None)


def crosses_partitions(request: Request) -> str | None:
    """Rule 11: access is granted only within a partition.

    IAM user guide, "Cross account resource access in IAM", section on partitions. 0007 Q10.
    """
    own, other = request.caller.partition, request.arn["partition"] if request.arn else None
    if own is None or not other or own == other:
        return None
    return f"principal and resource are in different partitions, `{own}` and `{other}`"


def root_assumes_role(request: Request) -> str | None:
    """Rules 45 and 54: the root user cannot assume a role, nor another account's root user.

    AWS STS API reference, "AssumeRole", "AssumeRoot". 0007 Q34, Q50.
    """
    if request.caller.kind is not Kind.ROOT:
        return None
    match request.action.lower():
        case "sts:assumerole":
            return "roles may not be assumed by root accounts"
        case "sts:assumeroot":
            return "AssumeRoot cannot be called with credentials of a root user"
    return None


def is_assume_root(request: Request) -> bool:
    """Rule 54: a privileged session of a member account's root user is granted by the caller's own policies.

    AWS STS API reference, "AssumeRoot": "You must use credentials from an AWS Organizations management account or a
    delegated administrator account for IAM"; the member account has no policy that could allow it. 0007 Q50.
    """
    return request.action.lower() == "sts:assumeroot"


def role_passed_across_accounts(request: Request) -> str | None:
    """Rule 50: a role is passed only to a service of its own account.

    IAM user guide, "Grant a user permissions to pass a role to an AWS service". 0007 Q37.
    """
    caller = request.caller
    crosses = caller.has_account and caller.account != request.resource_account
    return (
        "a role cannot be passed across accounts"
        if crosses and request.action.lower() == "iam:passrole"
        else None
    )
