"""Checks of role trust policies: who may assume the role, and by which action."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.policy.globs import covers
from clew.policy.lint import curated
from clew.policy.lint.registry import TRUST, Told, of_clause, of_line
from clew.policy.model import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_DOMAIN: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s*?]*)?", re.IGNORECASE)
_PROVIDER: Final = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(?P<sort>saml|oidc)-provider/.+")
_SESSION: Final = re.compile(
    r"arn:(?P<partition>[^:]+):(?:sts|iam)::(?P<account>[0-9]{12}):assumed-role/(?P<role>[^/]+)/.+"
)
_ROLE: Final = re.compile(
    r"arn:(?P<partition>[^:]+):iam::(?P<account>[0-9]{12}):role/(?:.*/)?(?P<role>[^/]+)"
)
_ANYWHERE: Final = "rolesanywhere.amazonaws.com"
_OF_ANYWHERE: Final = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
# For each way of assuming a role, the sorts of principals that it is for.
_WAYS: Final = {
    "sts:assumerole": frozenset({"AWS", "Service"}),
    "sts:assumerolewithsaml": frozenset({"saml"}),
    "sts:assumerolewithwebidentity": frozenset({"oidc"}),
}


def provider_sort(text: str) -> str:
    """What sort of identity provider a federated principal is: `saml`, `oidc`, or empty when it is written wrongly.

    >>> provider_sort("arn:aws:iam::111122223333:saml-provider/Okta"), provider_sort("accounts.google.com")
    ('saml', 'oidc')
    """
    found = _PROVIDER.fullmatch(text)
    if found is not None:
        return found["sort"]
    return "oidc" if _DOMAIN.fullmatch(text) else ""


@of_clause("ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", TRUST)
def anybody(clause: Clause, _: Subject) -> Iterator[Told]:
    """A bare `*` as the principal."""
    for kind, word in clause.principals:
        if kind == "*" and word.text == "*":
            yield Told('`"Principal": "*"` trusts everybody; name accounts, roles or providers', (word,))


@of_clause("ROLE_TRUSTS_EVERYBODY", TRUST)
def anybody_of_aws(clause: Clause, _: Subject) -> Iterator[Told]:
    """Every account of AWS trusted, whatever the request is like.

    AWS: "AWS JSON policy elements: Principal", all principals: `{"AWS": "*"}` means `*`.
    """
    for kind, word in clause.principals if clause.allows and not clause.lines else ():
        if kind == "AWS" and word.text == "*" and not clause.are_keys_open:
            message = '`{"AWS": "*"}` without a condition lets anybody assume the role'
            yield Told(f"{message}; name accounts, or add `aws:PrincipalOrgID`", (word,))


@of_clause("INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", TRUST)
def federated(clause: Clause, _: Subject) -> Iterator[Told]:
    """A federated principal that is no provider."""
    for kind, word in clause.principals:
        if kind == "Federated" and "*" not in word.text and not provider_sort(word.text):
            message = (
                f"`{shown(word.text)}` is no identity provider; expected a domain name or a provider's ARN"
            )
            yield Told(message, (word,))


def _sort(kind: str, word: Word) -> str:
    return provider_sort(word.text) if kind == "Federated" else kind


@of_clause("MISMATCHED_ACTION_FOR_PRINCIPAL", TRUST)
def mismatched(clause: Clause, _: Subject) -> Iterator[Told]:
    """A way of assuming the role that is not for the principals beside it."""
    sorts = [(word, _sort(kind, word)) for kind, word in clause.principals]
    known = {sort for _, sort in sorts if sort}
    # Everybody is also whoever a provider vouches for.
    is_anybody = any(word.text == "*" for word, _ in sorts)
    for action in clause.actions:
        wanted = _WAYS.get(action.text.lower())
        # An action that suits one of the principals has its use, whatever the others are.
        if wanted is None or not known or known & wanted or is_anybody:
            continue
        wrong = tuple(word for word, sort in sorts if sort)
        named = ", ".join(f"`{shown(word.text)}`" for word in wrong)
        message = f"`{action.text}` is not for {named}"
        advice = "SAML providers take sts:AssumeRoleWithSAML, OIDC providers sts:AssumeRoleWithWebIdentity"
        yield Told(f"{message}; {advice}, others sts:AssumeRole", (action, *wrong))


@of_clause("MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", TRUST)
def anywhere(clause: Clause, subject: Subject) -> Iterator[Told]:
    """IAM Roles Anywhere without all of its actions, in whichever statement."""
    place = next(
        (word for kind, word in clause.principals if kind == "Service" and word.text == _ANYWHERE), None
    )
    if place is None or not clause.allows or clause.words.is_open("Action"):
        return
    allowed = [
        word.text.lower()
        for each in subject.clauses
        if each.allows and any(word.text == _ANYWHERE for _, word in each.principals)
        for word in each.actions
    ]
    missing = [name for name in _OF_ANYWHERE if not any(covers(each, name.lower()) for each in allowed)]
    if missing:
        named = ", ".join(f"`{name}`" for name in missing)
        yield Told(f"`{_ANYWHERE}` also needs {named}", (clause.element("Action") or clause.place, place))


@of_line("MISSING_ACTION_FOR_CONDITION_KEY", TRUST)
def not_settable(line: Line, clause: Clause, _: Subject) -> Iterator[Told]:
    """A key that nobody can set, since the action that sets it is missing."""
    for action, keys in curated.SET_BY.items():
        is_listed = clause.may_list(action)
        if line.base in keys and clause.actions and not is_listed and line.operator.name != "Null":
            place = clause.element("Action") or line.name
            yield Told(
                f"`{line.written}` can only be set where `{action}` is listed; add it", (place, line.name)
            )


@of_clause("REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", TRUST)
def session_beside_role(clause: Clause, _: Subject) -> Iterator[Told]:
    """A session of a role beside the role itself."""
    roles = {
        found.groups(): word
        for kind, word in clause.principals
        if kind == "AWS" and (found := _ROLE.fullmatch(word.text))
    }
    for kind, word in clause.principals:
        found = _SESSION.fullmatch(word.text) if kind == "AWS" else None
        if found is not None and found.groups() in roles:
            role = roles[found.groups()]
            yield Told(
                f"`{shown(word.text)}` is a session of `{shown(role.text)}`, which is trusted already",
                (word,),
            )
