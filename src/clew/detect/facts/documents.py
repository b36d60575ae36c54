"""Facts about policy documents that a call carries: who may now do what.

Every fact here has a third value beside true and false: `unreadable`, when the record should carry a document and
it is absent, cut or malformed.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clew.detect.facts.fields import account, request, text_at, value_at
from clew.errors import PolicyError
from clew.policy.parse import from_document, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.policy.model import Policy, Statement

UNREADABLE = "unreadable"

# Keys that hold a request to known places when they are compared with fixed values.
# AWS: "Blocking public access to your Amazon S3 storage", The meaning of "public"; the organisation keys and
# kms:CallerAccount name the caller's account in the same way.
RESTRICTING_KEYS = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
        "aws:sourcearn", "aws:sourceip", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc",
        "aws:sourcevpce", "aws:userid", "kms:calleraccount", "lambda:eventsourcetoken", "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn", "elasticfilesystem:accesspointarn", "aws:vpcsourceip",
    }
)  # fmt: skip
RESTRICTING_OPERATORS = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
)
WIDEST_PREFIX = 8
ARN_ACCOUNT = 4

# The part of a web identity that tells one user of a provider from another; the audience alone does so for
# Cognito and the social providers, whose applications are registered one by one.
CLAIMS = frozenset({"sub", "aud", "amr", "email", "oaud", "app_id", "user_id", "id", "repository", "actor"})

# The calls that carry a document, the fields that may hold it, the first one present wins.
TRUST_FIELDS = (("policyDocument",), ("assumeRolePolicyDocument",))
IDENTITY_FIELDS = (("policyDocument",), ("inlinePolicy",))
BUCKET_FIELDS = (("bucketPolicy",), ("policy",))
RESOURCE_FIELDS = (
    ("policy",), ("policyText",), ("resourcePolicy",), ("attributes", "Policy"), ("attributes", "policy"),
    ("accessPolicies",), ("policyDocument",), ("policyInJson",),
)  # fmt: skip

# Actions whose grant on every resource lets the holder give itself the rest.
# AWS: "Service Authorization Reference", actions of IAM with access level Permissions management.
ADMIN_ACTIONS = frozenset({"*", "*:*", "iam:*"})


def bucket_policy_public(event: Mapping[str, object]) -> bool | str:
    """Whether the bucket policy that was put lets anyone in, or `unreadable`.

    **Finds** an Allow statement for every principal without a condition that holds requests to known places.
    **Why it matters** anyone on the internet can then do what the statement allows.
    **False positives** a Deny statement elsewhere in the same policy may take the access back.
    **Fix** name the principals, or add a condition such as `aws:PrincipalOrgID` or `aws:SourceVpce`.
    **References** AWS: "Blocking public access to your Amazon S3 storage", The meaning of "public".
    """
    return _ask(event, BUCKET_FIELDS, _is_public)


def resource_policy_public(event: Mapping[str, object]) -> bool | str:
    """Whether the policy put on a key, queue, topic, secret, repository or file system lets anyone in, or `unreadable`.

    **Finds** an Allow statement for every principal without a condition that holds requests to known places.
    **Why it matters** the resource answers callers of every AWS account.
    **False positives** a Deny statement elsewhere in the same policy may take the access back.
    **Fix** name the principals or add a condition such as `aws:PrincipalOrgID`.
    **References** AWS: "IAM JSON policy elements: Principal".
    """
    if text_at(event, "requestParameters", "attributeName") not in {"", "Policy"}:
        return False
    if text_at(event, "requestParameters", "attributeName") == "Policy":
        return _ask(event, (("attributeValue",),), _is_public)
    parameters = request(event)
    attributes = parameters.get("attributes")
    if attributes is not None and not any(key in {"Policy", "policy"} for key in _keys(attributes)):
        return False
    return _ask(event, RESOURCE_FIELDS, _is_public)


def resource_policy_external(event: Mapping[str, object]) -> bool | str:
    """Whether the policy put on a key or another resource admits a principal of a different account, or `unreadable`.

    **Finds** an Allow statement whose principal belongs to an account other than the record's own.
    **Why it matters** the other account can keep using the resource after every local credential is revoked.
    **False positives** sharing with accounts of the same organisation.
    **Fix** remove the foreign account from the policy.
    **References** AWS: "Cross-account resource access in IAM".
    """
    own = account(event)
    return _ask(event, (*BUCKET_FIELDS, *RESOURCE_FIELDS), lambda policy: _admits_stranger(policy, own))


def trust_policy_anyone(event: Mapping[str, object]) -> bool | str:
    """Whether the role's trust policy lets every AWS account assume it, or `unreadable`.

    **Finds** an Allow statement for every principal without a condition that holds requests to known places.
    **Why it matters** anyone who learns the role's name becomes the role.
    **False positives** none known: a condition on the organisation already counts as restricting.
    **Fix** replace the trust policy by one that names the accounts.
    **References** AWS: "How to use trust policies with IAM roles".
    """
    return _ask(event, TRUST_FIELDS, _is_public)


def trust_policy_external(event: Mapping[str, object]) -> bool | str:
    """Whether the role's trust policy admits a principal of a different account, or `unreadable`.

    **Finds** an Allow statement whose principal belongs to an account other than the record's own.
    **Why it matters** a role trusted from outside is a door that stays open when keys and users are removed.
    **False positives** vendors and accounts of the same organisation, usually held by `sts:ExternalId`.
    **Fix** remove the foreign account, or add `aws:PrincipalOrgID` or `sts:ExternalId`.
    **References** AWS: "How to use an external ID when granting access to your AWS resources to a third party".
    """
    own = account(event)
    return _ask(event, TRUST_FIELDS, lambda policy: _admits_stranger(policy, own))


def trust_policy_federated_open(event: Mapping[str, object]) -> bool | str:
    """Whether a web identity provider may hand the role to any of its users, or `unreadable`.

    **Finds** a federated Allow statement that has no condition on the provider's subject, audience or like claims.
    **Why it matters** every customer of a shared provider, such as a public CI service, can become the role.
    **False positives** SAML providers that belong to the company alone carry the check in the provider itself.
    **Fix** add a condition on `<provider>:sub` and `<provider>:aud`.
    **References** AWS: "Create a role for OpenID Connect federation".
    """
    return _ask(event, TRUST_FIELDS, _has_open_federation)


def policy_grants_admin(event: Mapping[str, object]) -> bool | str:
    """Whether the identity policy grants everything, or everything of IAM, on every resource, or `unreadable`.

    **Finds** an Allow statement without conditions on `*`, `*:*` or `iam:*` (or with NotAction) over resource `*`.
    **Why it matters** the holder owns the account.
    **False positives** administrator roles that are meant to be ones.
    **Fix** replace the statement by the actions that are needed.
    **References** AWS: "Security best practices in IAM", Apply least-privilege permissions.
    """
    return _ask(event, IDENTITY_FIELDS, lambda policy: any(map(_grants_admin, policy.statements)))


def document(event: Mapping[str, object], fields: tuple[tuple[str, ...], ...]) -> Policy | None:
    """The policy document that stands in the first filled one of the request's fields, or None when it is unreadable.

    Shape: the field holds an object, JSON text, or JSON text in URL encoding, as the service logs it.
    """
    parameters = request(event)
    written = next(
        (found for path in fields if (found := value_at(parameters, *path)) not in (None, "", {})), None
    )
    try:
        return parse(_decoded(written)) if isinstance(written, str) else from_document(written)
    except PolicyError:
        return None


def _decoded(text: str) -> str:
    return unquote(text) if text.lstrip()[:1] == "%" else text


def _ask(
    event: Mapping[str, object], fields: tuple[tuple[str, ...], ...], question: Callable[[Policy], bool]
) -> bool | str:
    policy = document(event, fields)
    return UNREADABLE if policy is None else question(policy)


def _keys(attributes: object) -> list[str]:
    if isinstance(attributes, dict):
        return list(attributes)
    members = attributes if isinstance(attributes, list) else []
    return [str(member.get("name", member.get("key", ""))) for member in members if isinstance(member, dict)]


def _is_public(policy: Policy) -> bool:
    return any(
        statement.allows and _names_anyone(statement) and not _is_held(statement)
        for statement in policy.statements
    )


def _names_anyone(statement: Statement) -> bool:
    if statement.not_principals is not None:
        return True
    return any(principal.is_anyone for principal in statement.principals or ())


def _is_held(statement: Statement) -> bool:
    return any(
        condition.key.lower() in RESTRICTING_KEYS
        and condition.operator.lower().removeprefix("foranyvalue:") in RESTRICTING_OPERATORS
        and bool(condition.values)
        and all(_is_narrow(condition.key.lower(), value) for value in condition.values)
        for condition in statement.conditions
    )


def _is_narrow(key: str, value: str) -> bool:
    if key in {"aws:sourceip", "aws:vpcsourceip"}:
        try:
            return ip_network(value, strict=False).prefixlen >= WIDEST_PREFIX
        except ValueError:
            return False
    if key in {"aws:sourcearn", "aws:principalarn", "s3:dataaccesspointarn"}:
        # A wildcard is harmless behind a fixed account.
        parts = value.split(":", 5)
        return len(parts) > ARN_ACCOUNT and bool(parts[ARN_ACCOUNT]) and not _is_wild(parts[ARN_ACCOUNT])
    return bool(value) and not _is_wild(value.partition("/")[0])


def _is_wild(value: str) -> bool:
    return any(sign in value for sign in ("*", "?", "${"))


def _admits_stranger(policy: Policy, own: str) -> bool:
    return any(
        statement.allows and principal.account not in {None, own}
        for statement in policy.statements
        for principal in statement.principals or ()
    )


def _has_open_federation(policy: Policy) -> bool:
    return any(
        statement.allows and not _has_claim(statement)
        for statement in policy.statements
        for principal in statement.principals or ()
        if principal.kind == "Federated" and ":saml-provider/" not in principal.value
    )


def _has_claim(statement: Statement) -> bool:
    return any(
        condition.key.lower().rsplit(":", 1)[-1] in CLAIMS
        and any(value.strip("*?") for value in condition.values)
        and "not" not in condition.operator.lower()
        for condition in statement.conditions
    )


def _grants_admin(statement: Statement) -> bool:
    if not statement.allows or statement.conditions:
        return False
    everywhere = statement.resources is not None and "*" in statement.resources
    everything = statement.not_actions is not None or any(
        action.lower() in ADMIN_ACTIONS for action in statement.actions or ()
    )
    return everywhere and everything
