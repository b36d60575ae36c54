"""What each kind of policy must and must not contain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from clew.policy.model import PolicyKind

VERSIONS: Final = ("2012-10-17", "2008-10-17")
"""The versions of the policy language, the present one first (AWS: "IAM JSON policy elements: Version")."""


class Presence(Enum):
    """Whether an element has to be there."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one kind of policy.

    `principal` and `resource` each speak of the element and its `Not` form together; `plain_sids` asks for letters
    and digits only; `unique_sids` for no Sid twice; `size` is the quota in characters, white space not counted where
    `without_space`; `versions` are the ones that AWS takes; `service` is the only service whose actions may stand.
    """

    principal: Presence
    resource: Presence
    principal_code: str = "UNSUPPORTED_PRINCIPAL"
    resource_code: str = "UNSUPPORTED_ELEMENT_COMBINATION"
    not_principal_code: str = ""
    not_action_code: str = ""
    plain_sids: bool = False
    unique_sids: bool = False
    size: int = 20_480
    size_code: str = "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA"
    without_space: bool = False
    versions: tuple[str, ...] = VERSIONS
    version_required: bool = False
    service: str = ""


# AWS: "IAM JSON policy elements: Principal": never in an identity-based policy; "... Sid"; "IAM and AWS STS quotas".
_IDENTITY: Final = Rules(
    principal=Presence.FORBIDDEN,
    resource=Presence.REQUIRED,
    plain_sids=True,
    unique_sids=True,
    size=6_144,
    size_code="POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
    without_space=True,
)

RULES: Final = {
    PolicyKind.IDENTITY: _IDENTITY,
    PolicyKind.BOUNDARY: _IDENTITY,
    # AWS STS API reference, AssumeRole, parameter Policy: at most 2,048 characters.
    PolicyKind.SESSION: Rules(
        principal=Presence.FORBIDDEN,
        resource=Presence.REQUIRED,
        plain_sids=True,
        unique_sids=True,
        size=2_048,
        size_code="POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
    ),
    PolicyKind.RESOURCE: Rules(principal=Presence.REQUIRED, resource=Presence.OPTIONAL),
    # AWS: "IAM policy validation check reference", the ROLE_TRUST_POLICY checks; quota: "IAM and AWS STS quotas".
    PolicyKind.TRUST: Rules(
        principal=Presence.REQUIRED,
        resource=Presence.FORBIDDEN,
        resource_code="ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
        not_principal_code="ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL",
        plain_sids=True,
        unique_sids=True,
        size=2_048,
        size_code="POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
        without_space=True,
    ),
    # AWS: "SCP syntax" and "Quotas and service limits for AWS Organizations": 10,240 characters since 2026-05.
    PolicyKind.SCP: Rules(
        principal=Presence.FORBIDDEN,
        resource=Presence.REQUIRED,
        principal_code="SCP_SYNTAX_ERROR_PRINCIPAL",
        plain_sids=True,
        size=10_240,
        size_code="POLICY_SIZE_EXCEEDS_SCP_QUOTA",
        versions=VERSIONS[:1],
        version_required=True,
    ),
    # AWS: "RCP syntax".
    PolicyKind.RCP: Rules(
        principal=Presence.REQUIRED,
        resource=Presence.REQUIRED,
        principal_code="RCP_SYNTAX_ERROR_PRINCIPAL",
        not_principal_code="RCP_SYNTAX_ERROR_PRINCIPAL",
        not_action_code="RCP_SYNTAX_ERROR_NOTACTION",
        size=5_120,
        size_code="POLICY_SIZE_EXCEEDS_RCP_QUOTA",
        versions=VERSIONS[:1],
        version_required=True,
    ),
    # AWS PrivateLink guide: "Control access to VPC endpoints using endpoint policies": a Principal must be there.
    PolicyKind.ENDPOINT: Rules(principal=Presence.REQUIRED, resource=Presence.REQUIRED),
    # AWS KMS developer guide: "Key policies in AWS KMS": 32 KB.
    PolicyKind.KMS_KEY: Rules(
        principal=Presence.REQUIRED, resource=Presence.OPTIONAL, size=32_768, service="kms"
    ),
    # Amazon S3 Glacier developer guide: "Vault Access Policies" and "Vault Lock Policies": 20 KB.
    PolicyKind.VAULT_ACCESS: Rules(
        principal=Presence.REQUIRED, resource=Presence.REQUIRED, service="glacier"
    ),
    PolicyKind.VAULT_LOCK: Rules(principal=Presence.REQUIRED, resource=Presence.REQUIRED, service="glacier"),
}
"""The rules of every kind."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes a statement of a kind malformed, so that it matches nothing; other breaches are only reported."""

    principal_forbidden: bool = False
    not_principal_forbidden: bool = False
    principal_required: bool = False
    resource_required: bool = False


_WITHOUT_PRINCIPAL: Final = Shape(
    principal_forbidden=True, not_principal_forbidden=True, resource_required=True
)
ANY: Final = Shape()
SHAPES: Final = {
    PolicyKind.IDENTITY: _WITHOUT_PRINCIPAL,
    PolicyKind.BOUNDARY: _WITHOUT_PRINCIPAL,
    PolicyKind.SESSION: _WITHOUT_PRINCIPAL,
    PolicyKind.SCP: _WITHOUT_PRINCIPAL,
    PolicyKind.RCP: Shape(not_principal_forbidden=True, principal_required=True, resource_required=True),
    PolicyKind.ENDPOINT: Shape(resource_required=True),
    PolicyKind.TRUST: Shape(not_principal_forbidden=True),
    PolicyKind.VAULT_ACCESS: Shape(resource_required=True),
    PolicyKind.VAULT_LOCK: Shape(resource_required=True),
}
"""The shape of each kind that has one; `ANY` for the rest, and where the kind is not known."""

WORDS: Final = {
    PolicyKind.IDENTITY: "an identity-based policy",
    PolicyKind.RESOURCE: "a resource-based policy",
    PolicyKind.TRUST: "a role trust policy",
    PolicyKind.BOUNDARY: "a permissions boundary",
    PolicyKind.SESSION: "a session policy",
    PolicyKind.SCP: "a service control policy",
    PolicyKind.RCP: "a resource control policy",
    PolicyKind.ENDPOINT: "a VPC endpoint policy",
    PolicyKind.KMS_KEY: "a KMS key policy",
    PolicyKind.VAULT_ACCESS: "a vault access policy",
    PolicyKind.VAULT_LOCK: "a vault lock policy",
}
"""Each kind in AWS's words."""
