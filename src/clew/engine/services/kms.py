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

RETIRE: Final = "kms:retiregrant"
"""Retiring a grant: the grant says who may, and no key policy is looked at (AWS: "Retiring and revoking grants")."""

_ON_ALIAS: Final = frozenset({"kms:createalias", "kms:updatealias", "kms:deletealias"})
CONTEXT: Final = "kms:EncryptionContext:"
"""What the keys of a request's encryption context begin with."""


def is_apart(action: str) -> bool:
    """Whether the action (in lower case) follows a law of its own among those of KMS."""
    return action == RETIRE or action in _ON_ALIAS


def _with_grants(common: Law) -> Law:
    """The law where a grant may also allow.

    AWS: a grant needs no identity policy; across accounts, or made to a role, boundary and session policies limit it.
    """
    routes = ((GRANT,), *common.routes[:1], (GRANT_TO_ROLE, BOUNDARY, SESSION), *common.routes[1:])
    return replace(common, routes=routes)


_ARN_FIELDS: Final = 6
_KEY: Final = _with_grants(RESOURCE_MUST_ALLOW)
_ACCOUNT: Final = _with_grants(SAME_ACCOUNT)
_ALONE: Final = _with_grants(RESOURCE_ALONE)
_ACROSS: Final = replace(
    CROSS_ACCOUNT,
    routes=((GRANT, BOUNDARY, SESSION), (GRANT_TO_ROLE, BOUNDARY, SESSION), *CROSS_ACCOUNT.routes),
)


def law(subject: Subject) -> Law | None:
    """Within one account a key's policy must allow or delegate; account-level actions follow the common law."""
    resource = _name(subject.resource)
    if resource.startswith("alias/") and subject.action in _ON_ALIAS:
        return _law_of_alias(subject)
    if not subject.caller.is_person_of_account:
        return _ALONE
    if not subject.same_account:
        return _ACROSS
    must_allow = resource.startswith(("key/", "alias/")) and subject.action != RETIRE
    return _KEY if must_allow else _ACCOUNT


def _name(resource: str) -> str:
    """What the ARN of something of KMS ends with, `key/…` or `alias/…`; empty for any other resource."""
    fields = resource.split(":", _ARN_FIELDS - 1)
    is_kms = len(fields) == _ARN_FIELDS and fields[0] == "arn" and fields[2] == "kms"
    return fields[-1] if is_kms else ""


def _law_of_alias(subject: Subject) -> Law:
    """The alias itself has no policy: its permission comes from an IAM policy; other actions mean the alias's key."""
    if not subject.caller.is_person_of_account:
        return NOBODY
    return IDENTITY_ALONE if subject.same_account else IDENTITY_CANNOT


def place_grants(grants: Sequence[Mapping[str, object]]) -> Iterator[Placed]:
    """The grants, in the shape of ListGrants, as statements that allow, each at its place in the list."""
    for index, grant in enumerate(grants):
        for statement, names in _statements(grant, index):
            limit = None if names is None else ExactContext(names)
            yield Placed(statement, _NO_VARIABLES, Gate.RESOURCE, "grants", source=GRANT_GATE, limit=limit)


def _statements(grant: Mapping[str, object], index: int) -> Iterator[tuple[Statement, frozenset[str] | None]]:
    """The grant's statements, each with the only names that the request's encryption context may have, if so limited.

    A grant with constraints becomes two statements, since an encryption context limits only the operations that have
    one; retiring it is a third, with principals of its own.
    """
    operations = [f"kms:{name}" for name in _texts(grant.get("Operations"))]
    constraints = _mapping(grant.get("Constraints"))
    exact = constraints.get("EncryptionContextEquals")
    pairs = {**_pairs(constraints.get("EncryptionContextSubset")), **_pairs(exact)}
    names = frozenset(name.lower() for name in _pairs(exact)) if isinstance(exact, Mapping) else None
    limited = bool(pairs) or names is not None
    common = Statement(
        Effect.ALLOW, sid=_text(grant.get("Name")), resources=_resources(grant.get("KeyId")), index=index
    )
    grantees = _principals(grant, "GranteePrincipal", "GranteeServicePrincipal")
    source = _text(constraints.get("SourceArn"))
    from_source = () if source is None else (Condition("StringEquals", "aws:SourceArn", (source,)),)
    of_context = tuple(
        Condition("StringEquals", f"{CONTEXT}{name}", (value,)) for name, value in pairs.items()
    )
    bound = tuple(name for name in operations if limited and _has_context(name))
    free = tuple(name for name in operations if name not in bound and name.lower() != RETIRE)
    if free:
        yield common._replace(principals=grantees, actions=free, conditions=from_source), None
    if bound:
        conditions = (*from_source, *of_context)
        yield common._replace(principals=grantees, actions=bound, conditions=conditions), names
    retirees = _retirees(grant, grantees if RETIRE in map(str.lower, operations) else ())
    if retirees:
        yield common._replace(principals=retirees, actions=(RETIRE,)), None


def _retirees(grant: Mapping[str, object], grantees: tuple[Principal, ...]) -> tuple[Principal, ...]:
    """Who can retire the grant: the principals that it names for that, and the account that issued it."""
    issuer = _text(grant.get("IssuingAccount"))
    issuers = () if issuer is None else (Principal("AWS", issuer),)
    return (*_principals(grant, "RetiringPrincipal", "RetiringServicePrincipal"), *grantees, *issuers)


def _principals(grant: Mapping[str, object], name: str, service: str) -> tuple[Principal, ...]:
    named, service_named = _text(grant.get(name)), _text(grant.get(service))
    found: list[Principal] = []
    if named is not None:
        found.append(Principal("AWS" if ":" in named or named.isdigit() else "Service", named))
    if service_named is not None:
        found.append(Principal("Service", service_named))
    return tuple(found)


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
    return {str(name): str(text) for name, text in _mapping(value).items()}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
