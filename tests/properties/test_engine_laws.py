"""Laws of evaluation that hold for every policy and request; each is named as AWS's pages would put it."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.lines import FULL_ACCESS, KEYS, Example, examples

from clew.engine import authorize, batch
from clew.engine.batch import evaluate_line

if TYPE_CHECKING:
    from collections.abc import Mapping

Line = dict[str, object]

DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
DENY_EVERYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}],
}
NEVER_DENIED = ("sts:getcalleridentity", "iam:passrole", "sts:assumerole")
"""Actions that a policy cannot deny, or that AWS refuses whatever the policies say."""

WITHOUT_A_POLICY = ("es:updatedomainconfig", "kms:updatealias", "kms:retiregrant", "s3:putbucketpolicy")
"""Actions on which no resource policy is looked at, or not for everybody."""

LIMITS = ("permissions_boundaries", "session_policies", "scps", "rcps", "vpc_endpoint_policies")


def _decision(line: Mapping[str, object], *, unknown: bool = False) -> str:
    decision = evaluate_line(line, unknown_context=unknown)["decision"]
    assert isinstance(decision, str)
    return decision


def _documents(line: Line) -> list[dict[str, object]]:
    """Every document of the line, wherever it stands."""
    found: list[object] = []
    for name in ("identity_policies", *LIMITS, "resource_policy"):
        held = line.get(name, [])
        found += held if isinstance(held, list) else [held]
    flat = [each for held in found for each in (held if isinstance(held, list) else [held])]
    return [each for each in flat if isinstance(each, dict)]


def _is_ordinary(line: Line) -> bool:
    request = line["request"]
    assert isinstance(request, dict)
    principal = str(request["principal"])
    return str(request["action"]).lower() not in NEVER_DENIED and principal.startswith("arn:aws:iam::")


@given(example=examples())
def test_an_explicit_deny_wins(example: Example) -> None:
    """A Deny of everything in any identity policy denies, whatever else allows."""
    for line in example.lines:
        if _is_ordinary(line) and not str(line["request"]["principal"]).endswith(":root"):  # type: ignore[index]
            denied = {**line, "identity_policies": [*line["identity_policies"], DENY_ALL]}  # type: ignore[misc]
            assert _decision(denied) == "explicit_deny"


@given(example=examples())
def test_a_resource_policy_can_deny_everybody(example: Example) -> None:
    """A Deny of everything to everybody in the resource policy denies root and services too."""
    for line in example.lines:
        if str(line["request"]["action"]).lower() not in NEVER_DENIED + WITHOUT_A_POLICY:  # type: ignore[index]
            assert _decision({**line, "resource_policy": DENY_EVERYBODY}) == "explicit_deny"


@given(example=examples())
def test_access_is_denied_by_default(example: Example) -> None:
    """Where nothing grants, a user's request is implicitly denied."""
    for line in example.lines:
        if _is_ordinary(line) and not str(line["request"]["principal"]).endswith(":root"):  # type: ignore[index]
            bare = {"request": line["request"]}
            assert _decision(bare) == "implicit_deny"


@given(example=examples(), seed=st.integers(0, 2**16))
def test_the_order_of_statements_does_not_matter(example: Example, seed: int) -> None:
    """Shuffling the statements of every document changes no decision."""
    shuffle = random.Random(seed).shuffle  # noqa: S311  # an order, not a secret
    for line in example.lines:
        mixed = copy.deepcopy(line)
        for document in _documents(mixed):
            if isinstance(document.get("Statement"), list):
                shuffle(document["Statement"])  # type: ignore[arg-type]
        assert _decision(mixed) == _decision(line)


@given(example=examples())
def test_an_allow_never_takes_access_away(example: Example) -> None:
    """Adding an identity policy that allows everything leaves every allowed request allowed."""
    for line in example.lines:
        if _decision(line) == "allow":
            more = {**line, "identity_policies": [*line["identity_policies"], FULL_ACCESS]}  # type: ignore[misc]
            assert _decision(more) == "allow"


@pytest.mark.parametrize("gate", LIMITS)
@given(example=examples())
def test_a_limiting_policy_never_grants(gate: str, example: Example) -> None:
    """What is denied without a boundary, session policy, SCP, RCP or endpoint policy is denied with it."""
    for line in example.lines:
        without = {name: value for name, value in line.items() if name != gate}
        if "federated-user" in str(line["request"]) and gate == "session_policies":
            continue  # a federated user has no permissions without a session policy
        if _decision(without) != "allow":
            assert _decision(line) != "allow"


@settings(max_examples=100)
@given(example=examples(), data=st.data())
def test_a_determined_answer_holds_for_every_completion(example: Example, data: st.DataObject) -> None:
    """What is decided while keys are unknown is decided likewise whatever the keys turn out to be."""
    for line in example.lines:
        answer = _decision(line, unknown=True)
        if answer != "undetermined":
            assert _decision(_completed(line, data)) == answer


def _completed(line: Line, data: st.DataObject) -> Line:
    request = line["request"]
    assert isinstance(request, dict)
    keys = data.draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=8, unique=True))
    added = {key: data.draw(st.sampled_from(KEYS[key])) for key in keys}
    return {**line, "request": {**request, "context": {**added, **request["context"]}}}


@settings(max_examples=70)
@given(example=examples(most=12), data=st.data())
def test_the_residual_says_what_completions_answer(example: Example, data: st.DataObject) -> None:
    """The residual of an undetermined decision, asked about a completion, gives what the engine gives for it."""
    undetermined = [line for line in example.lines if _decision(line, unknown=True) == "undetermined"]
    for line in undetermined:
        policies = batch.read_policies(line)
        residual = authorize(batch.read_request(line["request"], unknown_context=True), policies).residual
        assert residual is not None
        completed = batch.read_request(_completed(line, data)["request"], unknown_context=False)
        assert residual.holds(completed.context) == authorize(completed, policies).effect
