"""Sets of requests agree with the executable law: a witness is allowed on one side and denied on the other, no less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spec.decide import decide
from tests.symbolic.generated import documents, request, searcher

from clew.aws.catalog import is_wildcard_only
from clew.policy.model import PolicyKind
from clew.symbolic import batch
from clew.symbolic.requests import document

if TYPE_CHECKING:
    from random import Random

    from clew.engine.request import Request

Document = dict[str, Any]

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
MANY = settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RANDOM = st.randoms(use_true_random=False)
KINDS = pytest.mark.parametrize("kind", ["identity", "resource"])
_ACCOUNT = 4


def _law(policy: Document, asked: Document, kind: str) -> str | None:
    """What the law decides where nothing but the policy has a say: the caller's own resource, and no trust to show."""
    action = asked["action"]
    line = {"request": asked, "resource_policy" if kind == "resource" else "identity_policies": policy}
    if kind == "identity":
        line["identity_policies"] = [policy]
    return decide(line, wildcard_only=is_wildcard_only(action)).decision


def _stands_alone(asked: Document, kind: str) -> bool:
    """Whether the document alone decides: for a resource's policy, a caller without policies of its own.

    A federated user has no permissions without a session policy.
    """
    principal = asked["principal"]
    if ":federated-user/" in principal:
        return False
    if kind == "identity":
        fields = asked["resource"].split(":")
        return len(fields) <= _ACCOUNT or fields[_ACCOUNT] in {"", principal.split(":")[_ACCOUNT]}
    return principal == "*" or principal.endswith(".amazonaws.com")


def _at_home(asked: Request) -> Document:
    """The request as a line says it, its resource in the caller's account where no account is written."""
    found = document(asked)
    fields = asked.principal.split(":")
    found["resource_account"] = fields[_ACCOUNT] if len(fields) > _ACCOUNT else "111122223333"
    return found


def _agrees(random: Random, kind: str, tries: int) -> str:
    left, right = documents(random, PolicyKind(kind))
    answer = batch.answer("implies", {"id": 1, "left": left, "right": right, "policy_type": kind})
    witness = answer["witness"]
    if isinstance(witness, dict) and _stands_alone(witness, kind):
        if kind == "identity":
            witness = {"resource_account": witness["principal"].split(":")[_ACCOUNT], **witness}
        assert _law(left, witness, kind) == "allow", (left, witness)
        assert _law(right, witness, kind) in {"implicit_deny", "explicit_deny"}, (right, witness)
    if answer["result"] == "PASS":
        own = searcher(random)
        for _ in range(tries):
            asked = _at_home(request(own, PolicyKind(kind)))
            if _stands_alone(asked, kind) and _law(left, asked, kind) == "allow":
                assert _law(right, asked, kind) == "allow", (left, right, asked)
    return str(answer["result"])


@KINDS
@FEW
@given(random=RANDOM)
def test_the_law_allows_no_request_that_an_answer_rules_out(kind: str, random: Random) -> None:
    """A witness is allowed and denied by the law, and what passes allows no request that the law denies beyond it."""
    _agrees(random, kind, 12)


@pytest.mark.long
@KINDS
@MANY
@given(random=RANDOM)
def test_the_law_allows_no_such_request_at_length(kind: str, random: Random) -> None:
    """The same over thousands of pairs, new ones each time."""
    _agrees(random, kind, 60)
