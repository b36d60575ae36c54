"""Whole stacks of policies as sets of requests: they agree with the engine, and obey the laws of its gates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.symbolic.generated import HOME, OTHER, document, request, searcher

from clew.engine import Policies, Request
from clew.policy.model import PolicyKind
from clew.policy.parse import from_document
from clew.symbolic.questions import Verdict, find, implies
from clew.symbolic.search import AllOf, contrary
from clew.symbolic.stacks import Stack

if TYPE_CHECKING:
    from random import Random

    from clew.policy.model import Policy

FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
MANY = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RANDOM = st.randoms(use_true_random=False)
PRINCIPALS = (
    f"arn:aws:iam::{HOME}:user/ana",
    f"arn:aws:iam::{HOME}:role/x",
    f"arn:aws:sts::{HOME}:assumed-role/x/s",
    f"arn:aws:iam::{HOME}:root",
)
RESOURCES = (
    *(f"arn:aws:s3:::{name}" for name in ("a", "a/b", "b/b", "ana/b")),
    f"arn:aws:sqs:us-east-1:{HOME}:q",
    f"arn:aws:iam::{OTHER}:role/x",
    f"arn:aws:iam::{HOME}:role/x",
    "*",
)


def _policy(random: Random, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    return from_document(document(random, kind))


def _policies(random: Random) -> Policies:
    def maybe() -> tuple[Policy, ...]:
        return tuple(_policy(random) for _ in range(random.choice((0, 0, 1))))

    return Policies(
        identity=(_policy(random),),
        resource=_policy(random, PolicyKind.RESOURCE) if random.random() < 0.5 else None,
        boundaries=maybe(),
        session=maybe(),
        scps=tuple((_policy(random),) for _ in range(random.choice((0, 0, 1, 2)))),
    )


def _changed(random: Random, policies: Policies) -> Policies:
    match random.randrange(4):
        case 0:
            return replace(policies, boundaries=(_policy(random),))
        case 1:
            return replace(policies, identity=(*policies.identity, _policy(random)))
        case 2:
            return replace(policies, scps=())
        case _:
            return replace(policies, resource=_policy(random, PolicyKind.RESOURCE))


def _asked(random: Random, principal: str) -> Request:
    made = request(random, PolicyKind.IDENTITY)
    while (
        made.principal != principal and ":assumed-role/" not in principal and not principal.endswith("root")
    ):
        made = request(random, PolicyKind.IDENTITY)
    context = made.context
    if made.principal != principal:
        given = {
            k: v for k, v in context.values.items() if not k.startswith(("aws:principal", "aws:username"))
        }
        known = {"aws:principalaccount": HOME, "aws:principalisawsservice": "false"}
        is_root = principal.endswith("root")
        known["aws:principaltype"] = "Account" if is_root else "AssumedRole"
        known["aws:principalarn"] = principal if is_root else f"arn:aws:iam::{HOME}:role/x"
        context = type(context)({**given, **known})
    account = random.choice((None, None, OTHER))
    resource = random.choice(RESOURCES)
    return Request(principal, made.action, resource, None if HOME in resource else account, context)


def _withstands(random: Random, tries: int) -> None:
    principal = random.choice(PRINCIPALS)
    one = _policies(random)
    two = _changed(random, one)
    left, right = (Stack(each, principal) for each in ((one, two) if random.random() < 0.5 else (two, one)))
    answer = implies(left, right)
    if answer.verdict is Verdict.NONE:
        own = searcher(random)
        for asked in (_asked(own, principal) for _ in range(tries)):
            assert not (left.allows(asked) and right.allows(asked) is False), asked
    elif answer.request is not None:
        assert left.allows(answer.request) is True
        assert right.allows(answer.request) is False


@FEW
@given(random=RANDOM)
def test_every_none_of_two_stacks_withstands_a_search(random: Random) -> None:
    """No request that the engine decides contradicts an answer about two stacks."""
    _withstands(random, 150)


@pytest.mark.long
@MANY
@given(random=RANDOM)
def test_every_none_of_two_stacks_withstands_a_long_search(random: Random) -> None:
    """The same over hundreds of stacks."""
    _withstands(random, 400)


def _compares(random: Random) -> None:
    principal = random.choice(PRINCIPALS)
    one = _policies(random)
    left, right = (Stack(each, principal) for each in (one, _changed(random, one)))
    whole = find(
        (left, right),
        lambda space: AllOf((left.formula(space), contrary(right.formula(space)))),
        lambda request: left.allows(request) is True and right.allows(request) is False,
    )
    answer = implies(left, right)
    if Verdict.UNKNOWN not in {answer.verdict, whole.verdict}:
        assert answer.verdict is whole.verdict


@FEW
@given(random=RANDOM)
def test_what_two_stacks_share_does_not_matter(random: Random) -> None:
    """Asking only about requests that a changed statement matches gives the answer of asking about all requests."""
    _compares(random)


@pytest.mark.long
@MANY
@given(random=RANDOM)
def test_what_hundreds_of_stacks_share_does_not_matter(random: Random) -> None:
    """The same over hundreds of stacks."""
    _compares(random)


@FEW
@given(random=RANDOM)
def test_a_boundary_or_an_scp_only_narrows(random: Random) -> None:
    """A stack with another limit allows nothing that it did not allow before."""
    policies = replace(_policies(random), boundaries=())
    limit = _policy(random)
    for narrower in (
        replace(policies, boundaries=(limit,)),
        replace(policies, scps=(*policies.scps, (limit,))),
    ):
        answer = implies(Stack(narrower, PRINCIPALS[0]), Stack(policies, PRINCIPALS[0]))
        assert answer.verdict is not Verdict.WITNESS


def test_a_key_that_a_variable_names_is_a_key_whatever_its_value() -> None:
    """Without a key policy no identity policy opens a key, so one more value beside its own account opens nothing."""

    def stack(accounts: list[str]) -> Stack:
        statement = {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/KmsKeyId}",
            "Condition": {"StringEquals": {"aws:ResourceAccount": accounts}},
        }
        policy = from_document({"Version": "2012-10-17", "Statement": [statement]})
        return Stack(Policies((policy,)), PRINCIPALS[2])

    own = "${aws:PrincipalAccount}"
    assert implies(stack([own, "other.amazonaws.com"]), stack([own])).is_none
