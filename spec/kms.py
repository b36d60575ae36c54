"""What AWS KMS adds to the common law: required key policies and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spec.context import Missing, UnreadableError
from spec.grants import Source
from spec.kleene import Truth, all_of
from spec.principals import ACCOUNT, Manner, manners

if TYPE_CHECKING:
    from spec.request import Request

ALIAS_ACTIONS = frozenset({"createalias", "updatealias", "deletealias"})
WITH_ENCRYPTION_CONTEXT = frozenset(
    {
        "encrypt",
        "decrypt",
        "reencryptfrom",
        "reencryptto",
        "generatedatakey",
        "generatedatakeywithoutplaintext",
        "generatedatakeypair",
        "generatedatakeypairwithoutplaintext",
    }
)
CONTEXT_KEY = "kms:encryptioncontext:"


def needs_key_policy(request: Request) -> bool:
    """Rules 7 and 8: a key is used only as its key policy allows; an alias stands for its key.

    AWS KMS developer guide, "Key policies in AWS KMS". 0007 Q35.
    """
    if retires_grant(request):
        return False
    return _is_kms(request, "key/") or (_is_kms(request, "alias/") and not manages_alias(request))


def manages_alias(request: Request) -> bool:
    """Rule 9: an alias is a resource of its own, without a policy: only IAM policies rule who manages it.

    AWS KMS developer guide, "Controlling access to aliases". 0007 Q35.
    """
    return _is_kms(request, "alias/") and request.operation in ALIAS_ACTIONS


def retires_grant(request: Request) -> bool:
    """Rule 9: the grant says who retires it; key policies and RCPs do not rule this action.

    AWS KMS developer guide, "Retiring and revoking grants", section "RetireGrant". 0007 Q44.
    """
    return request.service == "kms" and request.operation == "retiregrant"


def _is_kms(request: Request, resource_type: str) -> bool:
    arn = request.arn
    if request.service != "kms" or arn is None or arn["service"] != "kms":
        return False
    return arn["name"].startswith(resource_type)


def grants(request: Request) -> tuple[Source, ...]:
    """Rule 9: grants are a further source of allow, next to key policy and IAM policies.

    AWS KMS developer guide, "Grants in AWS KMS"; "Troubleshooting AWS KMS permissions". 0007 Q36.
    """
    if request.service != "kms":
        return ()
    return tuple(_source(grant, place, request) for place, grant in enumerate(request.grants))


def _source(grant: dict[str, Any], place: int, request: Request) -> Source:
    named = _named(grant, "Grantee", request) if _operation_fits(grant, request) else frozenset()
    if retires_grant(request):
        named |= _named(grant, "Retiring", request) | _issuer(grant, request)
    fits = bool(named) and _key_fits(grant, request)
    applies = constraints_hold(grant, request) if fits else False
    return Source("grant", "grants", place, None, applies, named)


def _named(grant: dict[str, Any], part: str, request: Request) -> frozenset[Manner]:
    """In which manners the grant names the caller as its grantee, or as the one to retire it (0007 Q36, Q44, Q45)."""
    principal, service = grant.get(f"{part}Principal"), grant.get(f"{part}ServicePrincipal")
    entries = [("AWS", str(principal)), ("Service", str(principal)), ("Service", str(service))]
    return manners([entry for entry in entries if entry[1] != "*"], request.caller)


def _issuer(grant: dict[str, Any], request: Request) -> frozenset[Manner]:
    """Rule 9: the account in which a grant was created may retire it, and delegate that (0007 Q44)."""
    issuer = str(grant.get("IssuingAccount"))
    is_account = bool(ACCOUNT.fullmatch(issuer)) or issuer.endswith(":root")
    named = is_account and manners([("AWS", issuer)], request.caller)
    return frozenset({Manner.ACCOUNT}) if named else frozenset()


def _operation_fits(grant: dict[str, Any], request: Request) -> bool:
    operations = grant.get("Operations")
    if not isinstance(operations, list):
        raise UnreadableError("`Operations` of a grant must be a list")
    return request.operation in {str(operation).lower() for operation in operations}


def _key_fits(grant: dict[str, Any], request: Request) -> bool:
    arn, key = request.arn, grant.get("KeyId")
    if arn is None or arn["service"] != "kms":
        return False
    is_key = arn["name"].startswith("key/")
    return key is None or not is_key or key in {request.resource, arn["name"].removeprefix("key/")}


def constraints_hold(grant: dict[str, Any], request: Request) -> Truth:
    """Rule 9: constraints ask for a source, and for pairs of the encryption context where the operation takes one.

    AWS KMS API reference, "GrantConstraints": names of pairs without case, values with case. 0007 Q36, Q45.
    """
    constraints = grant.get("Constraints") or {}
    source = constraints.get("SourceArn")
    from_source = True if source is None or retires_grant(request) else _has_source(source, request)
    return all_of([from_source, _encryption_context_fits(constraints, request)])


def _has_source(source: str, request: Request) -> Truth:
    found = request.context.lookup("aws:SourceArn")
    return None if found is Missing.UNKNOWN else found in {source, (source,)}


def _encryption_context_fits(constraints: dict[str, Any], request: Request) -> Truth:
    if request.operation not in WITH_ENCRYPTION_CONTEXT:
        return True
    subset = constraints.get("EncryptionContextSubset")
    equals = constraints.get("EncryptionContextEquals")
    return all_of(
        [
            True if subset is None else _pairs_given(subset, request),
            True if equals is None else all_of([_pairs_given(equals, request), _no_others(equals, request)]),
        ]
    )


def _pairs_given(pairs: dict[str, str], request: Request) -> Truth:
    return all_of(_pair_given(name, value, request) for name, value in pairs.items())


def _pair_given(name: str, value: str, request: Request) -> Truth:
    found = request.context.lookup(CONTEXT_KEY + name)
    return None if found is Missing.UNKNOWN else found in {value, (value,)}


def _no_others(pairs: dict[str, str], request: Request) -> Truth:
    """Whether the request's encryption context has no pairs but these."""
    expected = {(CONTEXT_KEY + name).lower() for name in pairs}
    context = request.context
    if any(key.startswith(CONTEXT_KEY) and key not in expected for key in context.values):
        return False
    unknown = context.unknown - context.values.keys() - expected
    return None if context.others_unknown or any(key.startswith(CONTEXT_KEY) for key in unknown) else True
