"""Bulk answers are the engine's own, action by action."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from tests.engine.bulk_lines import Writer
from tests.properties.lines import ACTIONS, HOME, OTHER, PRINCIPALS, examples

from clew.engine import Context, Effect, Policies, Prepared, Request
from clew.engine.batch import read_policies, read_request
from clew.engine.bulk import Access, Asker, Bulk, Masks, access, who_can
from clew.engine.bulk_laws import BY_ACTION, _key, _probe, callers
from clew.engine.principal import PrincipalError
from clew.policy.parse import from_document

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, object]

ANA = "arn:aws:iam::111122223333:user/ana"
BEN = "arn:aws:iam::111122223333:role/ben"
OBJECT = "arn:aws:s3:::logs/a"
DRAWN = 60
TOLD = 6
SEEDS = 60
FEW_SEEDS = 6
LONG_SEEDS = 10_000


@cache
def masks() -> Masks:
    """The catalogue's sets of actions, shared by all questions here."""
    return Masks()


@cache
def sample() -> tuple[str, ...]:
    """The actions of the generated policies, those with laws of their own and their neighbours, and some others."""
    names = masks().index.spelled
    special = [name for name in names if name.partition(":")[0] in {*BY_ACTION} - {"iam", "s3"}]
    drawn = random.Random(5).sample(names, DRAWN)  # noqa: S311  # nothing secret
    of_s3 = [name for name in names if name.lower().startswith(("s3:getobject", "s3:put", "s3:getbucketp"))]
    known = [action for action, _ in ACTIONS if masks().index.bit(action) is not None]
    return tuple(dict.fromkeys([*known, *special, *drawn, *of_s3, "iam:CreateUser", "ec2:StopInstances"]))


def agrees(line: dict[str, object], *, unknown_context: bool, rcp_services_only: bool = False) -> None:
    """The engine gives every sampled action the same effect, and some undetermined ones the same residual."""
    policies = replace(read_policies(line), rcp_services_only=rcp_services_only)
    request = read_request(line["request"], unknown_context=unknown_context)
    bulk = Bulk(policies, request.resource, resource_account=request.resource_account, masks=masks())
    own = (policies.identity, policies.boundaries, policies.session)
    found = bulk.access(Asker(request.principal, *own, request.context))
    residuals, told = found.residuals(), 0
    assert sum(actions.mask for _, actions in residuals) == found.undetermined  # disjoint, so no carry
    prepared = Prepared(policies)
    for action in sample():
        decision = prepared.authorize(replace(request, action=action))
        assert found.effect(action) is decision.effect, (action, decision.effect)
        if decision.residual is not None and told < TOLD:
            told += 1
            texts = [residual.text for residual, actions in residuals if action in actions]
            assert texts == [decision.residual.text], action


@pytest.mark.parametrize("unknown_context", [False, True], ids=["given-context", "unknown-context"])
@settings(max_examples=25)
@given(example=examples(most=2))
def test_bulk_agrees_with_the_engine(example, unknown_context):
    """Whoever asks with whatever policies, each action has the effect and the residual of a single decision."""
    for line in example.lines:
        agrees(line, unknown_context=unknown_context)


def compare(seeds: Iterable[int]) -> None:
    """Bulk and engine on the line of each seed: two in three with unknown context, some as account files read RCPs."""
    for seed in seeds:
        line = Writer(seed).line()
        try:
            agrees(line, unknown_context=bool(seed % 3), rcp_services_only=not seed % 5)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_bulk_agrees_where_many_gates_take_part():
    """With boundary, session, SCPs, RCPs, endpoint, grants and ACLs at once, bulk and engine still agree."""
    compare(range(SEEDS))


@pytest.mark.long
def test_bulk_agrees_where_many_gates_take_part_at_length():
    """On thousands of lines, new ones each time, bulk and engine agree."""
    first = random.SystemRandom().randrange(2**32)
    compare(range(first, first + LONG_SEEDS))


def test_no_principal_hears_anything_of_another():
    """Principals that ask one after another, in this context or that, get the answers they would get alone."""
    for seed in range(FEW_SEEDS):
        line = Writer(seed).line()
        policies, request = read_policies(line), read_request(line["request"], unknown_context=True)
        own = (policies.identity, policies.boundaries, policies.session)
        askers = [
            Asker(principal, *own, context)
            for principal in (*PRINCIPALS[::2], f"arn:aws:iam::{OTHER}:user/eve")
            for context in (request.context, Context({"aws:username": "alice"}))
        ]
        asked = {"resource_account": (HOME, OTHER, "777788889999")[seed % 3], "masks": masks()}
        bulk = Bulk(policies, request.resource, **asked)
        for asker in askers:
            alone = Bulk(policies, request.resource, **asked).access(asker)
            assert effects(bulk.access(asker)) == effects(alone), f"seed {seed}"


@pytest.mark.parametrize(
    "principal", [f"arn:aws:iam::{OTHER}:user/eve", "arn:aws:iam::111122223333:root", "*"]
)
def test_services_taken_for_uniform_are(principal):
    """The engine follows one law for all actions of every service whose actions bulk does not look at one by one."""
    trust = {"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "*"}
    policies = Policies(resource=policy(trust)[0], rcps=(policy(allow("*")),), object_owner=OTHER)
    probe, named, lowered = Prepared(_probe(policies)), callers(principal), masks().index.lowered
    plain = [action for action in lowered if action.partition(":")[0] not in BY_ACTION]
    resource, owner = "arn:aws:service:eu-west-1:111122223333:thing", "111122223333"
    assert len({_key(probe, action, named, resource, owner) for action in plain}) == 1


def effects(found: Access) -> list[int]:
    """The four sets of actions."""
    return [found.of(effect).mask for effect in Effect]


def policy(*statements: Json) -> tuple:
    """A policy of these statements, as the only one of its gate."""
    return (from_document({"Version": "2012-10-17", "Statement": list(statements)}),)


def allow(action: object, **more: object) -> Json:
    """A statement that allows the action."""
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def test_the_four_effects_cut_all_actions_into_disjoint_sets():
    """Every action of the catalogue has exactly one effect, and it is named as AWS spells it."""
    deny = {**allow("s3:Get*Acl", Condition={"Bool": {"aws:SecureTransport": "false"}}), "Effect": "Deny"}
    policies = Policies(
        identity=policy(allow("s3:get*"), deny, {**allow("s3:GetObjectTagging"), "Effect": "Deny"})
    )
    found = access(policies, ANA, OBJECT, context=Context(unknown=None))
    assert sum(effects(found)) == found.actions == masks().everything
    assert found.names(Effect.EXPLICIT_DENY) == ("s3:GetObjectTagging",)
    assert found.names(Effect.UNDETERMINED) == (
        "s3:GetBucketAcl",
        "s3:GetObjectAcl",
        "s3:GetObjectVersionAcl",
    )
    assert "S3:GETOBJECT" in found.of(Effect.ALLOW)
    assert found.effect("s3:PutObject") is Effect.IMPLICIT_DENY


def test_actions_under_one_condition_are_told_together():
    """A condition that several actions depend on is one residual, with the set of these actions."""
    office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    policies = Policies(
        identity=policy(allow("sqs:SendMessage", Condition=office), allow("sns:Pub*", Condition=office))
    )
    found = access(policies, ANA, "*", context=Context(unknown=None))
    ((residual, actions),) = found.residuals()
    assert residual.text == "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise"
    assert list(actions) == ["sns:Publish", "sqs:SendMessage"]
    assert residual.holds({"aws:SourceIp": "192.0.2.7"}) is Effect.ALLOW


def test_an_action_that_was_not_asked_about_is_decided_alone():
    """A question about some actions answers for these; any other one is left to the engine, known or not."""
    policies = Policies(identity=policy(allow("s3:*")))
    whole = access(policies, ANA, OBJECT)
    some = access(policies, ANA, OBJECT, actions=masks().catalog.actions_matching("s3:Get*"))
    assert some.allow == whole.allow & masks().index.mask("s3:Get*")
    assert some.implicit_deny == 0
    assert [some.effect(action) for action in ("s3:PutObject", "s3:BrandNew", "ec2:BrandNew")] == [
        Effect.ALLOW,
        Effect.ALLOW,
        Effect.IMPLICIT_DENY,
    ]


def test_one_action_can_be_looked_at_whole():
    """Behind every bit stands the engine's decision with its statements."""
    found = access(Policies(identity=policy(allow("s3:Get*", Sid="Read"))), ANA, OBJECT)
    (statement,) = found.decision("s3:GetObject").determined_by
    assert (statement.gate, statement.sid) == ("identity", "Read")


def test_who_can_answers_in_the_order_of_the_askers():
    """Many principals are answered one by one, with their own control policies where they bring them."""
    deny = policy({**allow("s3:Put*"), "Effect": "Deny"}, allow("*"))
    full = policy(allow("*"))
    askers = [
        Asker(ANA, full),
        Asker(ANA, full, scps=(full, deny)),
        Asker(ANA, full, scps=(full, deny), management_account=True),
        Asker(BEN),
    ]
    found = list(who_can(askers, Policies(scps=(full,)), OBJECT, resource_account="111122223333"))
    assert [one.effect("s3:PutObject").value for one in found] == [
        "allow",
        "explicit_deny",
        "allow",
        "implicit_deny",
    ]
    assert [one.asker for one in found] == askers


@pytest.mark.parametrize("action", ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", "sts:GetObject"])
def test_a_bare_name_is_a_provider_for_one_action_only(action):
    """A name with a dot is an identity provider for AssumeRoleWithWebIdentity, and a service for all else."""
    trust = policy({"Effect": "Allow", "Principal": {"Federated": "www.example.com"}, "Action": "sts:*"})[0]
    role = "arn:aws:iam::111122223333:role/ben"
    found = access(Policies(resource=trust), "www.example.com", role)
    expected = Effect.ALLOW if action.endswith("WebIdentity") else Effect.IMPLICIT_DENY
    assert found.effect(action) is expected
    assert Prepared(Policies(resource=trust)).effect(Request("www.example.com", action, role)) is expected


def test_a_principal_that_is_none_is_refused():
    """A text that names no principal is an error, as for a single decision."""
    with pytest.raises(PrincipalError, match="neither an ARN"):
        access(Policies(), "nobody", "*")
