"""What single services add: facts, limits and meanings that the case tables do not show."""

from __future__ import annotations

from itertools import product

import pytest
from spec.documents import read_document
from spec.public import is_public as is_public_by_law

from clew.engine import Context, Effect, Gate, Policies, Request, Verdict, authorize, prepare
from clew.engine.services.s3_public import is_public
from clew.policy.parse import from_document

HOME, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{HOME}:user/ana"
KEY = f"arn:aws:kms:us-east-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
ALL_USERS = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}


def policy(**elements: object):
    """A policy of one statement that allows everything to everybody but for what is given."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **elements}
    return from_document({"Version": "2012-10-17", "Statement": [statement]})


EVERYBODY = policy()
IDENTITY = from_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


@pytest.mark.parametrize(
    ("elements", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Federated": "accounts.google.com"}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Principal": {"AWS": OTHER}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/"}}}, True),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-1*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:Referer": "x"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/7"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "240.0.0.0/4"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": []}}}, True),
        ({"Condition": {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{HOME}:*"}}}, True),
        ({"Condition": {"StringEquals": {"s3:DataAccessPointAccount": HOME}}}, False),
        (
            {"Condition": {"StringLike": {"s3:DataAccessPointArn": f"arn:aws:s3:*:{HOME}:accesspoint/*"}}},
            False,
        ),
        ({"Condition": {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/*"}}}, True),
    ],
)
def test_a_bucket_policy_is_public_in_the_meaning_of_s3(elements: dict[str, object], public: bool) -> None:
    """An Allow for everybody is public unless a condition fixes callers, networks or access points."""
    assert is_public(policy(**elements)) is public


_KEYS = (
    "aws:SourceIp", "aws:SourceArn", "aws:SourceVpc", "aws:userid", "aws:PrincipalOrgPaths", "aws:SourceAccount",
    "s3:DataAccessPointArn", "s3:x-amz-server-side-encryption-aws-kms-key-id", "aws:Referer",
)  # fmt: skip
_VALUES = (
    [], "x", "*", "vpc-?", "${aws:userid}", "192.0.2.0/24", "10.0.0.0/7", "240.0.0.0/4", "10.0.0.0/255.0.0.0",
    "2001:db8::/31", "2001:db8::/32", ["192.0.2.0/24", "0.0.0.0/0"], f"arn:aws:s3:us-west-2:{HOME}:accesspoint/*",
    "arn:aws:s3:us-west-2:*:accesspoint/a", f"arn:aws:s3:*:{HOME}:accesspoint/a",
)  # fmt: skip
_OPERATORS = ("StringEquals", "StringLike", "ArnLike", "IpAddress", "NotIpAddress", "StringNotEquals", "Bool")


@pytest.mark.parametrize("key", _KEYS)
def test_law_and_engine_call_the_same_bucket_policies_public(key: str) -> None:
    """What S3 calls public is the same to the law and to the engine, whatever operator and value say of the key."""
    for name, value in product(_OPERATORS, _VALUES):
        for operator in (name, f"{name}IfExists", f"ForAnyValue:{name}", f"ForAllValues:{name}"):
            statement = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "*",
                "Resource": "*",
                "Condition": {operator: {key: value}},
            }
            document = {"Version": "2012-10-17", "Statement": [statement]}
            law = is_public_by_law(read_document(document, "resource_policy", "resource"))
            assert is_public(from_document(document)) is law, (operator, value)


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ("*", Effect.IMPLICIT_DENY),
        (f"arn:aws:iam::{OTHER}:user/eve", Effect.IMPLICIT_DENY),
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", Effect.IMPLICIT_DENY),
        ("logging.s3.amazonaws.com", Effect.ALLOW),
        (USER, Effect.ALLOW),
    ],
)
def test_a_public_bucket_that_is_restricted_serves_its_account_and_services(
    principal: str, effect: Effect
) -> None:
    """RestrictPublicBuckets stops everybody but services and the owner's account, and is named."""
    policies = Policies(
        identity=(IDENTITY,), resource=EVERYBODY, block_public_access={"RestrictPublicBuckets": True}
    )
    decision = authorize(Request(principal, "s3:GetObject", "arn:aws:s3:::b/k", HOME), policies)
    assert decision.effect is effect
    stopped = effect is Effect.IMPLICIT_DENY
    assert decision.blocked_by == ((Gate.BLOCK_PUBLIC_ACCESS,) if stopped else ())
    assert decision.gates[Gate.BLOCK_PUBLIC_ACCESS] is (Verdict.IMPLICIT_DENY if stopped else Verdict.ALLOW)


def test_an_ignored_list_is_named_where_it_would_have_made_the_difference() -> None:
    """IgnorePublicAcls voids a public list as a whole; it blocks only what nothing else grants."""
    acl = {"Grants": [{**ALL_USERS, "Permission": "READ"}]}
    request = Request("*", "s3:GetObject", "arn:aws:s3:::b/k", HOME)
    ignoring = Policies(acl=acl, block_public_access={"IgnorePublicAcls": True})
    stopped = authorize(request, ignoring)
    assert (stopped.effect, stopped.blocked_by) == (Effect.IMPLICIT_DENY, (Gate.BLOCK_PUBLIC_ACCESS,))
    assert any(note.startswith("IgnorePublicAcls") for note in stopped.notes)
    allowed = authorize(request, Policies(acl=acl))
    assert [each.gate for each in allowed.determined_by] == ["acl"]


@pytest.mark.parametrize(
    ("action", "resource", "settings", "word"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/k", {"object_ownership": "BucketOwnerEnforced"}, "Object Ownership"),
        ("s3:GetObject", "arn:aws:s3:::b/k", {"object_owner": OTHER}, "the object belongs to account"),
        (
            "s3:PutBucketPolicy",
            "arn:aws:s3:::b",
            {"block_public_access": {"BlockPublicPolicy": True}},
            "BlockPublicPolicy",
        ),
        ("s3:GetObject", f"arn:aws:s3:us-east-1:{HOME}:accesspoint/ap/object/k", {}, "access point"),
    ],
)
def test_settings_of_s3_are_facts(action: str, resource: str, settings: dict[str, object], word: str) -> None:
    """What a setting changes, or cannot decide, is told with the decision."""
    acl = {"Grants": [{**ALL_USERS, "Permission": "READ"}]}
    decision = authorize(Request(USER, action, resource, HOME), Policies(acl=acl, **settings))
    assert any(note.startswith(word) for note in decision.notes)


def test_a_canonical_id_is_matched_by_itself() -> None:
    """A caller known by its canonical id is named by that id, in a policy and in a list."""
    acl = {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": CANONICAL}, "Permission": "READ"}]}
    request = Request(CANONICAL, "s3:GetObject", "arn:aws:s3:::b/k", HOME)
    assert authorize(request, Policies(acl=acl)).effect is Effect.ALLOW
    named = policy(Principal={"CanonicalUser": CANONICAL})
    assert authorize(request, Policies(resource=named)).effect is Effect.ALLOW
    as_account = policy(Principal={"AWS": CANONICAL})
    assert authorize(request, Policies(resource=as_account)).effect is Effect.IMPLICIT_DENY


def test_an_exact_encryption_context_allows_no_other_key() -> None:
    """A grant with EncryptionContextEquals holds for exactly its pairs, and says so while they are unknown."""
    grant = {
        "GranteePrincipal": USER,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"Team": "x"}},
    }
    prepared = prepare(Policies(grants=(grant,)))

    def effect(**pairs: str) -> Effect:
        context = Context({f"kms:EncryptionContext:{name}": value for name, value in pairs.items()})
        return prepared.effect(Request(USER, "kms:Decrypt", KEY, context=context))

    assert effect(team="x") is Effect.ALLOW
    assert effect(team="x", other="y") is Effect.IMPLICIT_DENY
    assert effect(team="X") is Effect.IMPLICIT_DENY
    assert effect() is Effect.IMPLICIT_DENY
    open_request = Request(USER, "kms:Decrypt", KEY, context=Context(unknown=None))
    residual = prepared.authorize(open_request).residual
    assert residual is not None
    assert "the encryption context has no other key than team" in residual.text
    assert residual.holds({"kms:EncryptionContext:Team": "x"}) is Effect.ALLOW
    assert residual.tree["allow"]["all"][-1]["operator"] == "EncryptionContextEquals"


def test_a_grant_needs_no_identity_policy_but_its_key() -> None:
    """A grant allows alone, also where the key policy is silent, and only on the key that it names."""
    grant = {"GranteePrincipal": USER, "Operations": ["Decrypt"], "KeyId": KEY}
    policies = Policies(grants=(grant, {"GranteePrincipal": 7}, {"Operations": []}))
    decision = authorize(Request(USER, "kms:Decrypt", KEY), policies)
    assert [(each.gate, each.policy, each.statement) for each in decision.determined_by] == [
        ("grant", "grants", 0)
    ]
    assert authorize(Request(USER, "kms:Encrypt", KEY), policies).effect is Effect.IMPLICIT_DENY
    other = KEY.replace("1234567890ab", "ffffffffffff")
    assert authorize(Request(USER, "kms:Decrypt", other), policies).effect is Effect.IMPLICIT_DENY


def test_nothing_grants_across_partitions_and_denials_stay() -> None:
    """A caller of another partition is allowed nothing by any policy, and denied by every Deny."""
    request = Request(
        f"arn:aws-cn:iam::{HOME}:user/ana", "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{HOME}:q"
    )
    allowed = authorize(request, Policies(identity=(IDENTITY,), resource=EVERYBODY))
    assert (allowed.effect, allowed.blocked_by) == (Effect.IMPLICIT_DENY, ())
    denied = authorize(request, Policies(identity=(IDENTITY,), resource=policy(Effect="Deny")))
    assert denied.effect is Effect.EXPLICIT_DENY


def test_resource_control_policies_reach_only_their_services_where_asked() -> None:
    """With `rcp_services_only` an RCP leaves a service alone that the catalogue does not list, and it is told."""
    deny = policy(Effect="Deny")
    request = Request(USER, "ec2:StopInstances", f"arn:aws:ec2:us-east-1:{HOME}:instance/i-1")
    given = Policies(identity=(IDENTITY,), rcps=((deny,),))
    assert authorize(request, given).effect is Effect.EXPLICIT_DENY
    only = Policies(identity=(IDENTITY,), rcps=((deny,),), rcp_services_only=True)
    decision = authorize(request, only)
    assert decision.effect is Effect.ALLOW
    assert any("do not reach this service" in note for note in decision.notes)
    stored = Request(USER, "s3:GetObject", "arn:aws:s3:::b/k")
    assert authorize(stored, only).effect is Effect.EXPLICIT_DENY


def test_some_actions_need_no_permission_or_take_none() -> None:
    """GetCallerIdentity cannot be denied, a user's GetSessionToken neither, a role's is refused."""
    deny = Policies(
        identity=(from_document({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}),)
    )
    assert authorize(Request(USER, "sts:GetCallerIdentity", "*"), deny).effect is Effect.ALLOW
    assert authorize(Request(USER, "sts:GetSessionToken", "*"), deny).effect is Effect.ALLOW
    role = f"arn:aws:sts::{HOME}:assumed-role/R/s"
    refused = authorize(Request(role, "sts:GetSessionToken", "*"), Policies(identity=(IDENTITY,)))
    assert refused.effect is Effect.IMPLICIT_DENY
    assert any("before it looks at any policy" in note for note in refused.notes)


def test_plans_are_kept_within_bounds() -> None:
    """Many different actions do not let prepared policies grow without end."""
    prepared = prepare(Policies(identity=(IDENTITY,)))
    for number in range(5000):
        assert prepared.effect(Request(USER, f"x:{number}", "*")) is Effect.ALLOW
    assert len(prepared._plans) <= 4096
