"""Who calls, and in which manner a Principal element names the caller."""

from __future__ import annotations

import pytest

from clew.engine.principal import Kind, Manner, Named, PrincipalError, parse_principal
from clew.policy.model import Principal

HOME = "111122223333"
USER = f"arn:aws:iam::{HOME}:user/team/ana"
ROLE = f"arn:aws:iam::{HOME}:role/ops/Deploy"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/Deploy/ana"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/ana"
ROOT = f"arn:aws:iam::{HOME}:root"
OIDC = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.example.com"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (USER, Kind.USER),
        (ROLE, Kind.ROLE),
        (SESSION, Kind.SESSION),
        (FEDERATED, Kind.FEDERATED_USER),
        (ROOT, Kind.ROOT),
        (HOME, Kind.ROOT),
        ("lambda.amazonaws.com", Kind.SERVICE),
        ("ec2.amazonaws.com.cn", Kind.SERVICE),
        (f"arn:aws:iam::{HOME}:saml-provider/Corp", Kind.PROVIDER),
        (OIDC, Kind.PROVIDER),
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", Kind.SERVICE),
        ("79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be", Kind.CANONICAL),
        ("*", Kind.ANONYMOUS),
        ("arn:aws-us-gov:iam::111122223333:user/x", Kind.USER),
        ("arn:aws-cn:sts::111122223333:assumed-role/R/s", Kind.SESSION),
    ],
)
def test_every_kind_of_caller_is_recognised(text: str, kind: Kind) -> None:
    """A principal's text tells its kind, in every partition."""
    assert parse_principal(text).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "AIDAEXAMPLEEXAMPLEEXA",
        "a.b/c.d",
        "AROAEXAMPLEEXAMPLEEXA:ana",
        f"arn:aws:iam::{HOME}:group/admins",
        f"arn:aws:iam::{HOME}:user/",
        f"arn:aws:iam::{HOME}:rooty",
        "arn:aws:iam::12:user/x",
        "arn:moon:iam::111122223333:user/x",
        "arn:aws:s3:::bucket",
        "arn:aws:iam",
    ],
)
def test_what_cannot_make_a_request_is_refused(text: str) -> None:
    """Groups, unique ids, buckets and misspelt ARNs are no callers."""
    with pytest.raises(PrincipalError):
        parse_principal(text)


def test_a_service_linked_role_is_known_by_its_path_or_its_name() -> None:
    """The role's path tells it; a session's ARN has no path, so its name does."""
    path = f"arn:aws:iam::{HOME}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    assert parse_principal(path).service_linked
    assert parse_principal(f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForECS/ecs").service_linked
    assert not parse_principal(SESSION).service_linked


@pytest.mark.parametrize(
    ("principal", "caller", "manner"),
    [
        (("AWS", USER), USER, Manner.DIRECT),
        (("AWS", USER), f"arn:aws:iam::{HOME}:user/ana", Manner.NONE),
        (("AWS", ROOT), USER, Manner.ACCOUNT),
        (("AWS", HOME), SESSION, Manner.ACCOUNT),
        (("AWS", HOME), ROOT, Manner.DIRECT),
        (("AWS", ROOT), HOME, Manner.DIRECT),
        (("AWS", ROLE), SESSION, Manner.ROLE),
        (("AWS", ROLE), ROLE, Manner.ROLE),
        (("AWS", ROLE), f"arn:aws:iam::{HOME}:role/Deploy", Manner.NONE),
        (("AWS", SESSION), SESSION, Manner.DIRECT),
        (("AWS", SESSION), ROLE, Manner.NONE),
        (("AWS", FEDERATED), FEDERATED, Manner.DIRECT),
        (("AWS", "*"), "*", Manner.DIRECT),
        (("*", "*"), "lambda.amazonaws.com", Manner.DIRECT),
        (("AWS", ROOT), "*", Manner.NONE),
        (("Service", "lambda.amazonaws.com"), "lambda.amazonaws.com", Manner.DIRECT),
        (("Service", "ec2.amazonaws.com"), "lambda.amazonaws.com", Manner.NONE),
        (("Federated", OIDC), OIDC, Manner.DIRECT),
        (("AWS", "arn:aws-cn:iam::111122223333:root"), USER, Manner.NONE),
        (("AWS", "AIDAEXAMPLEEXAMPLEEXA"), USER, Manner.NONE),
        (("AWS", f"arn:aws:iam::{HOME}:user/*"), USER, Manner.NONE),
    ],
)
def test_a_principal_names_a_caller_in_one_manner(
    principal: tuple[str, str], caller: str, manner: Manner
) -> None:
    """The manner of naming tells which implicit denials a grant escapes."""
    assert Named([Principal(*principal)]).manner(parse_principal(caller)) is manner


def test_the_strongest_manner_counts() -> None:
    """Where a list names the account, the role and the session, the session's naming counts."""
    listed = [Principal("AWS", text) for text in (HOME, ROLE, SESSION)]
    assert Named(listed).manner(parse_principal(SESSION)) is Manner.DIRECT


def test_a_bare_name_is_a_provider_only_for_web_identities() -> None:
    """`accounts.google.com` is an identity provider when a role is assumed with a web identity, else a service."""
    name = "accounts.google.com"
    named = Named([Principal("Federated", name)])
    assert parse_principal(name).kind is Kind.SERVICE
    assert named.manner(parse_principal(name)) is Manner.NONE
    assert named.manner(parse_principal(name, web_identity=True)) is Manner.DIRECT


@pytest.mark.parametrize(
    ("listed", "caller", "spared"),
    [
        ((USER, ROOT), USER, True),
        ((USER,), USER, False),
        ((ROOT,), USER, False),
        ((SESSION, ROLE, HOME), SESSION, True),
        ((SESSION, HOME), SESSION, False),
        ((SESSION, ROLE), SESSION, False),
        ((ROLE, HOME), ROLE, True),
        ((FEDERATED, HOME), FEDERATED, True),
        ((HOME,), ROOT, True),
        (("*",), SESSION, True),
    ],
)
def test_not_principal_spares_a_caller_only_with_all_its_levels(
    listed: tuple[str, ...], caller: str, spared: bool
) -> None:
    """With Deny, NotPrincipal must list the account, the role and the session of whom it spares."""
    named = Named([Principal("AWS", text) for text in listed])
    assert named.excepts(parse_principal(caller)) is spared
