"""KMS: the key policy must allow or delegate; grants are a further source of permission.

AWS KMS Developer Guide: "Key policies in AWS KMS", "Grants in AWS KMS", "Controlling access to aliases"; API
reference: GrantConstraints. The condition keys `kms:ViaService`, `kms:EncryptionContext:NAME` and so on are ordinary
context keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from clew.engine.gates import GRANT as GRANT_GATE
from clew.engine.gates import Placed
from clew.engine.law import (
    BOUNDARY,
    CROSS_ACCOUNT,
    GRANT,
    GRANT_TO_ROLE,
    IDENTITY_ALONE,
    IDENTITY_CANNOT,
    NOBODY,
    RESOURCE_ALONE,
    RESOURCE_MUST_ALLOW,
    SAME_ACCOUNT,
    SESSION,
)
from clew.engine.verdicts import Gate
from clew.policy.model import Condition, Effect, Policy, Principal, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.engine.law import Law
    from clew.engine.request import Context
    from clew.engine.services.model import Subject

_NO_VARIABLES: Final = Policy(())

_ON_ALIAS: Final = frozenset({"kms:createalias", "kms:updatealias", "kms:deletealias"})
CONTEXT: Final = "kms:EncryptionContext:"
"""What the keys of a request's encryption context begin with."""


def _with_grants(common: Law) -> Law:
    """The law where a grant may also allow.

    AWS: a grant needs no identity policy; across accounts, or made to a role, boundary and session policies limit it.
    """
    routes = ((GRANT,), *common.routes[:1], (GRANT_TO_ROLE, BOUNDARY, SESSION), *common.routes[1:])
    return replace(common, routes=routes)


_KEY: Final = _with_grants(RESOURCE_MUST_ALLOW)
_ACCOUNT: Final = _with_grants(SAME_ACCOUNT)
_ALONE: Final = _with_grants(RESOURCE_ALONE)
_ACROSS: Final = replace(
    CROSS_ACCOUNT,
    routes=((GRANT, BOUNDARY, SESSION), (GRANT_TO_ROLE, BOUNDARY, SESSION), *CROSS_ACCOUNT.routes),
)


def law(subject: Subject) -> Law | None:
    """Within one account a key's policy must allow or delegate; account-level actions follow the common law."""
    resource = subject.resource.rpartition(":")[2]
    if resource.startswith("alias/") and subject.action in _ON_ALIAS:
        return _law_of_alias(subject)
    if not subject.caller.is_person_of_account:
        return _ALONE
    if not subject.same_account:
        return _ACROSS
    return _KEY if resource.startswith(("key/", "alias/")) else _ACCOUNT


def _law_of_alias(subject: Subject) -> Law:
    """The alias itself has no policy: its permission comes from an IAM policy; other actions mean the alias's key."""
    if not subject.caller.is_person_of_account:
        return NOBODY
    return IDENTITY_ALONE if subject.same_account else IDENTITY_CANNOT


def place_grants(grants: Sequence[Mapping[str, object]]) -> Iterator[Placed]:
    """The grants, in the shape of ListGrants, as statements that allow, each at its place in the list."""
    for index, grant in enumerate(grants):
        for statement, names in _statements(grant, index):
            yield Placed(
                statement,
                _NO_VARIABLES,
                Gate.RESOURCE,
                "grants",
                source=GRANT_GATE,
                limit=None if names is None else ExactContext(names),
            )


def _statements(grant: Mapping[str, object], index: int) -> Iterator[tuple[Statement, frozenset[str] | None]]:
    """The grant's statements, each with the only names that the request's encryption context may have, if so limited.

    A grant with constraints becomes two statements: constraints reach only operations with an encryption context.
    """
    grantee = grant.get("GranteePrincipal")
    operations = [f"kms:{name}" for name in _texts(grant.get("Operations"))]
    if not isinstance(grantee, str):
        return
    written = grant.get("Constraints")
    constraints = written if isinstance(written, Mapping) else {}
    subset, exact = constraints.get("EncryptionContextSubset"), constraints.get("EncryptionContextEquals")
    pairs = {**_pairs(subset), **_pairs(exact)}
    names = frozenset(name.lower() for name in _pairs(exact)) if isinstance(exact, Mapping) else None
    bound = [name for name in operations if _has_context(name)] if pairs or names is not None else []
    common = Statement(
        Effect.ALLOW,
        sid=_optional_text(grant.get("Name")),
        principals=(Principal("AWS" if ":" in grantee or grantee.isdigit() else "Service", grantee),),
        resources=_resources(grant.get("KeyId")),
        index=index,
    )
    free = tuple(name for name in operations if name not in bound)
    if free:
        yield common._replace(actions=free), None
    if bound:
        conditions = tuple(
            Condition("StringEquals", f"{CONTEXT}{name}", (value,)) for name, value in pairs.items()
        )
        yield common._replace(actions=tuple(bound), conditions=conditions), names


@dataclass(frozen=True, slots=True)
class ExactContext:
    """The part of a grant that says: the encryption context has no other names than these (in lower case).

    It stands in residuals as a leaf does.
    """

    names: frozenset[str]

    operator: ClassVar[str] = "EncryptionContextEquals"
    key: ClassVar[str] = CONTEXT

    @property
    def values(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(sorted(self.names))

    @property
    def text(self) -> str:
        """The limit as a clause that completes "allowed if …"."""
        return f"the encryption context has no other key than {' or '.join(self.values) or 'none'}"

    def document(self) -> dict[str, object]:
        """The limit for JSON."""
        return {"operator": self.operator, "key": self.key, "values": list(self.values)}

    def holds(self, context: Context) -> bool | None:
        """Whether the context has no other key of an encryption context; None while that is unknown."""
        return context.has_no_other(CONTEXT.lower(), self.names)


def _has_context(operation: str) -> bool:
    """Whether the grant operation takes an encryption context (AWS: GrantConstraints)."""
    name = operation.lower().removeprefix("kms:")
    return name in {"encrypt", "decrypt", "reencryptfrom", "reencryptto"} or name.startswith(
        "generatedatakey"
    )


def _resources(key: object) -> tuple[str, ...]:
    """Patterns of what the grant is for: its key, any key where it names none; an alias stands for its key."""
    alias = "arn:*:kms:*:*:alias/*"
    if not isinstance(key, str) or not key:
        return ("arn:*:kms:*:*:key/*", alias)
    return (key if key.startswith("arn:") else f"arn:*:kms:*:*:key/{key}", alias)


def _pairs(value: object) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []


def _optional_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
