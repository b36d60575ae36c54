"""Sets of requests agree with the engine: witnesses replay, and where there is none no request is found either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.symbolic.generated import document, is_possible, pair, request, searcher

from clew.policy.model import PolicyKind
from clew.policy.parse import from_document
from clew.symbolic.questions import Verdict, disjoint, equivalent, implies
from clew.symbolic.sides import Documents

if TYPE_CHECKING:
    from random import Random

    from clew.policy.model import Policy

KINDS = pytest.mark.parametrize(
    "kind", [PolicyKind.IDENTITY, PolicyKind.RESOURCE], ids=["identity", "resource"]
)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
MANY = settings(max_examples=4_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RANDOM = st.randoms(use_true_random=False)


def _search(left: Policy, right: Policy, kind: PolicyKind, random: Random, tries: int) -> object:
    """A request that the engine allows on the left and not on the right."""
    one, two = Documents((left,), kind), Documents((right,), kind)
    own = searcher(random)
    requests = (asked for _ in range(tries) if is_possible(asked := request(own, kind), left, right))
    return next((each for each in requests if one.allows(each) and two.allows(each) is False), None)


def _withstands(kind: PolicyKind, random: Random, tries: int) -> None:
    left, right = pair(random, kind)
    answer = implies(left, right, kind)
    if answer.verdict is Verdict.NONE:
        assert _search(left, right, kind, random, tries) is None
    elif answer.request is not None:
        assert Documents((left,), kind).allows(answer.request) is True
        assert Documents((right,), kind).allows(answer.request) is False


@KINDS
@FEW
@given(random=RANDOM)
def test_every_none_withstands_a_search_and_every_witness_replays(kind: PolicyKind, random: Random) -> None:
    """No request that the engine knows contradicts an answer."""
    _withstands(kind, random, 100)


@pytest.mark.long
@KINDS
@MANY
@given(random=RANDOM)
def test_every_none_withstands_a_long_search(kind: PolicyKind, random: Random) -> None:
    """No request that the engine knows contradicts an answer, over thousands of pairs."""
    _withstands(kind, random, 400)


@KINDS
@FEW
@given(random=RANDOM)
def test_a_policy_implies_itself(kind: PolicyKind, random: Random) -> None:
    """Nothing is new between a policy and itself."""
    policy = from_document(document(random, kind))
    assert implies(policy, policy, kind).is_none
    assert equivalent(policy, policy, kind).is_none


@FEW
@given(random=RANDOM)
def test_implication_is_transitive(random: Random) -> None:
    """What follows from what follows, follows."""
    kind = PolicyKind.IDENTITY
    one, two = pair(random, kind)
    three = from_document(document(random, kind))
    if implies(one, two, kind).is_none and implies(two, three, kind).is_none:
        assert implies(one, three, kind).verdict is not Verdict.WITNESS


@KINDS
@FEW
@given(random=RANDOM)
def test_another_statement_only_widens_or_narrows(kind: PolicyKind, random: Random) -> None:
    """An Allow more takes nothing away; a Deny more gives nothing."""
    policy, other = (from_document(document(random, kind)) for _ in range(2))
    allows = tuple(each for each in other.statements if each.allows)
    denies = tuple(each for each in other.statements if not each.allows)
    wider = policy._replace(statements=policy.statements + allows)
    narrower = policy._replace(statements=policy.statements + denies)
    assert implies(policy, wider, kind).verdict is not Verdict.WITNESS
    assert implies(narrower, policy, kind).verdict is not Verdict.WITNESS


@KINDS
@FEW
@given(random=RANDOM)
def test_disjoint_is_symmetric(kind: PolicyKind, random: Random) -> None:
    """Whether two policies share a request does not depend on their order."""
    left, right = pair(random, kind)
    there, back = disjoint(left, right, kind), disjoint(right, left, kind)
    if Verdict.UNKNOWN not in {there.verdict, back.verdict}:
        assert there.verdict is back.verdict
