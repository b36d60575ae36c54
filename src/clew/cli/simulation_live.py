"""What it takes to ask the same question of live AWS, as the policy to attach to the person who asks.

AWS: "Permissions for using the policy simulator"; "Using the policy simulator API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.cli.simulation_inputs import Asked

_CONSOLE = {
    "user": (
        "iam:GetGroupPolicy",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetUser",
        "iam:GetUserPolicy",
        "iam:ListAttachedGroupPolicies",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupPolicies",
        "iam:ListGroupsForUser",
        "iam:ListUserPolicies",
        "iam:ListUsers",
    ),
    "group": (
        "iam:GetGroup",
        "iam:GetGroupPolicy",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:ListAttachedGroupPolicies",
        "iam:ListGroupPolicies",
        "iam:ListGroups",
    ),
    "role": (
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:ListRoles",
    ),
}
_ORGANIZATION = (
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListParents",
    "organizations:ListPoliciesForTarget",
)
# How each service gives the policy of a resource, and what else decides beside it.
_RESOURCE_READS = {
    "s3": (
        "s3:GetBucketPolicy",
        "s3:GetBucketAcl",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetAccountPublicAccessBlock",
    ),
    "kms": ("kms:GetKeyPolicy", "kms:ListGrants"),
    "sqs": ("sqs:GetQueueAttributes",),
    "sns": ("sns:GetTopicAttributes",),
    "lambda": ("lambda:GetPolicy",),
    "secretsmanager": ("secretsmanager:GetResourcePolicy",),
    "iam": ("iam:GetRole",),
    "dynamodb": ("dynamodb:GetResourcePolicy",),
    "ecr": ("ecr:GetRepositoryPolicy",),
}


def live_policy(asked: Asked) -> dict[str, object]:
    """The identity policy for whoever asks live: the simulation API, what the account files take, the console."""
    kind = _kind(asked.principal)
    statements = [
        _statement("SimulateWithTheApi", _api(asked), _targets(asked)),
        _statement("CollectTheAccountFile", ("iam:GetAccountAuthorizationDetails",), "*"),
        _statement("CollectTheOrganization", _ORGANIZATION, "*"),
    ]
    reads = sorted({action for resource in asked.resource for action in _reads(resource)})
    if reads:
        statements.append(_statement("CollectTheResourcePolicies", reads, "*"))
    if kind is not None:
        statements.append(_statement("SimulateInTheConsole", _CONSOLE[kind], "*"))
    return {"Version": "2012-10-17", "Statement": statements}


def _api(asked: Asked) -> tuple[str, ...]:
    if _kind(asked.principal) is None:
        return ("iam:GetContextKeysForCustomPolicy", "iam:SimulateCustomPolicy")
    return ("iam:GetContextKeysForPrincipalPolicy", "iam:SimulatePrincipalPolicy")


def _targets(asked: Asked) -> str:
    """The principal, whose simulation alone is allowed; `*` where own policies are simulated."""
    if _kind(asked.principal) is None or asked.principal is None:
        return "*"
    fields = asked.principal.split(":", 5)
    if fields[2] == "sts":
        # The simulation is of the role; a session's ARN leaves the role's path out.
        return f"arn:{fields[1]}:iam::{fields[4]}:role/*{fields[5].split('/')[1]}"
    return asked.principal


def _kind(principal: str | None) -> str | None:
    """`user`, `group` or `role`: whose attached policies IAM can simulate; None for anybody else."""
    fields = (principal or "").split(":", 5)
    word = fields[-1].partition("/")[0] if len(fields) > 1 else ""
    kind = {"assumed-role": "role"}.get(word, word)
    return kind if kind in _CONSOLE else None


def _reads(resource: str) -> Iterable[str]:
    fields = resource.split(":", 5)
    return _RESOURCE_READS.get(fields[2], ()) if len(fields) > 2 else ()  # noqa: PLR2004  # `arn:partition:service`


def _statement(sid: str, actions: Iterable[str], resource: str) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
