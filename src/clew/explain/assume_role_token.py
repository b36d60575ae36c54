"""The hypotheses about federated callers: the identity provider in IAM, and what the token or assertion must hold.

AWS: STS API reference, "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"; IAM user guide, "Configure SAML assertions
for the authentication response", "Create a role for OpenID Connect federation", "Available keys for AWS OIDC
federation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.explain.assume_role_question import SAML, fitting_call
from clew.explain.cause import named, said
from clew.explain.links import Link, Verdict
from clew.explain.near import Part

if TYPE_CHECKING:
    from clew.explain.assume_role_question import Case
    from clew.explain.near import Miss, NearMiss

_SIGN_IN: Final = "https://signin.aws.amazon.com/saml"


def is_federated(caller: str) -> bool:
    """Whether the caller proves itself with a token or an assertion, not with a key of AWS."""
    return fitting_call(caller) != "sts:AssumeRole"


def provider(case: Case) -> Link | None:
    """A provider of one's own is an entity of IAM in the role's account; those that AWS knows have no entity."""
    caller = case.asked.caller
    if not is_federated(caller) or not caller.startswith("arn:"):
        return None
    kind = "saml" if ":saml-provider/" in caller else "open-id-connect"
    known = case.asked.providers
    if known is None:
        says = f"whether IAM has the provider `{caller}` is not collected"
        return Link("provider", Verdict.UNKNOWN, says, settle=f"aws iam list-{kind}-providers")
    if caller in known:
        return Link("provider", Verdict.HOLDS, f"IAM has the provider `{caller}`")
    says = f"the account has no provider `{caller}`: nobody can sign in by it"
    return Link("provider", Verdict.BROKEN, says, fix=f"aws iam create-{kind}-provider, or correct its name")


def token(case: Case) -> Link | None:
    """What the trust policy asks of the token: its audience, its subject, attributes; and what STS asks anyway."""
    caller = case.asked.caller
    if not is_federated(caller):
        return None
    naming = [each for each in case.statements if not _parts(each) & {Part.PRINCIPAL, Part.ACTION}]
    if not naming:
        return None
    prefix = "saml:" if fitting_call(caller) == SAML else f"{issuer(caller)}:"
    nearest = min(naming, key=lambda each: len(_missing(each, prefix)))
    missing = _missing(nearest, prefix)
    must = (*_anyway(caller, case.asked.role), *_asked(case, nearest, prefix))
    if not missing:
        return Link("token", Verdict.HOLDS, "the trust policy asks nothing of the token that is not so", must)
    who = named(nearest.statement, case.prediction.applied)
    certain = [miss for miss in missing if miss.certain]
    if certain:
        says = f"{who} names the provider, but {'; '.join(map(said, certain))}"
        fix = f"let the provider give a token with `{certain[0].key}` as the policy asks, or change that condition"
        return Link("token", Verdict.BROKEN, says, must, fix)
    keys = ", ".join(f"`--context {miss.key}=…`" for miss in missing)
    says = f"{who} asks for {', '.join(f'`{miss.key}`' for miss in missing)}, which nobody told"
    return Link("token", Verdict.UNKNOWN, says, must, settle=f"decode the token, and give {keys}")


def issuer(caller: str) -> str:
    """The name before the colon in the condition keys of a provider: its URL without `https://`.

    >>> issuer("arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com")
    'token.actions.githubusercontent.com'
    """
    return caller.partition(":oidc-provider/")[2] or caller


def _parts(near: NearMiss) -> set[Part]:
    return {miss.part for miss in near.misses}


def _missing(near: NearMiss, prefix: str) -> list[Miss]:
    """What the statement asks of the token and does not find."""
    return [miss for miss in near.misses if miss.key.lower().startswith(prefix.lower())]


def _anyway(caller: str, role: str) -> tuple[tuple[str, str], ...]:
    """What STS asks of every token or assertion, whatever the trust policy says."""
    if fitting_call(caller) == SAML:
        return (
            ("the assertion holds", f"attribute Role with {role},{caller}; attribute RoleSessionName"),
            ("audience", f"{_SIGN_IN} for the console; it is used within five minutes"),
        )
    return (
        (
            "the token holds",
            f"iss {issuer(caller)}; aud among the provider's client ids; a time that is not over",
        ),
    )


def _asked(case: Case, near: NearMiss, prefix: str) -> tuple[tuple[str, str], ...]:
    """The conditions of the statement that are about the token."""
    policy = case.prediction.policies.resource
    statements = policy.statements if policy is not None else ()
    written = next((each for each in statements if each.index == near.statement.statement), None)
    return tuple(
        (each.key, f"{each.operator} {', '.join(each.values)}")
        for each in (written.conditions if written is not None else ())
        if each.key.lower().startswith(prefix.lower())
    )
