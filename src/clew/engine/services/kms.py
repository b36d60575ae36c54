"""KMS: the key policy must allow or delegate; grants are a further source of permission.

AWS KMS Developer Guide: "Key policies in AWS KMS", "Grants in AWS KMS", "Allowing users in other accounts to use a
KMS key". The condition keys `kms:ViaService`, `kms:EncryptionContext:*` and so on are ordinary context keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from clew.engine.law import RESOURCE_MUST_ALLOW
from clew.policy.model import Condition, Effect, Policy, Principal, Statement

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject

# AWS: "Controlling access to aliases": the permission on the alias itself comes from an IAM policy.
_ON_ALIAS: Final = frozenset({"kms:createalias", "kms:updatealias", "kms:deletealias"})
_CONTEXT: Final = "kms:EncryptionContext:"
_CONTEXT_KEYS: Final = "kms:EncryptionContextKeys"
# AWS: "Grant operations"; these act on no ciphertext, so an encryption context constraint does not touch them.
_WITHOUT_CONTEXT: Final = frozenset(
    {
        "CreateGrant",
        "DescribeKey",
        "GetPublicKey",
        "RetireGrant",
        "Sign",
        "Verify",
        "GenerateMac",
        "VerifyMac",
    }
)


def law(subject: Subject) -> Law | None:
    """Within one account a key's policy must allow or delegate; account-level actions follow the common law."""
    if not subject.same_account:
        return None
    resource = subject.resource.rpartition(":")[2]
    on_alias = resource.startswith("alias/")
    if not (on_alias or resource.startswith("key/")):
        return None
    return None if on_alias and subject.action in _ON_ALIAS else RESOURCE_MUST_ALLOW


def grant_policy(grant: Mapping[str, object]) -> Policy:
    """The grant, in the shape of ListGrants, as a policy that allows; without statements when it cannot be read.

    What the grant constrains becomes the statements' conditions.
    """
    return Policy(tuple(_statements(grant)))


def _statements(grant: Mapping[str, object]) -> list[Statement]:
    grantee, key = grant.get("GranteePrincipal"), grant.get("KeyId")
    operations = _texts(grant.get("Operations"))
    if not isinstance(grantee, str) or not operations:
        return []
    conditions = _conditions(grant.get("Constraints"))
    free = [name for name in operations if name in _WITHOUT_CONTEXT or not conditions]
    bound = [name for name in operations if name not in free]
    principal = Principal("AWS" if ":" in grantee else "Service", grantee)
    resources = (key,) if isinstance(key, str) and key.startswith("arn:") else None
    return [
        Statement(
            Effect.ALLOW,
            sid=_optional_text(grant.get("Name")),
            principals=(principal,),
            actions=tuple(f"kms:{name}" for name in names),
            resources=resources,
            conditions=limits,
        )
        for names, limits in ((free, ()), (bound, conditions))
        if names
    ]


def _conditions(constraints: object) -> tuple[Condition, ...]:
    """Subset: the request carries at least these pairs; equals: exactly these."""
    if not isinstance(constraints, Mapping):
        return ()
    subset, exact = constraints.get("EncryptionContextSubset"), constraints.get("EncryptionContextEquals")
    pairs = {**_pairs(subset), **_pairs(exact)}
    found = [Condition("StringEquals", f"{_CONTEXT}{name}", (value,)) for name, value in pairs.items()]
    if isinstance(exact, Mapping):
        found.append(Condition("ForAllValues:StringEquals", _CONTEXT_KEYS, tuple(_pairs(exact))))
    return tuple(found)


def _pairs(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []


def _optional_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
