"""Bulk answers are the engine's own, action by action."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.lines import (
    ACTIONS,
    FOCUSES,
    FULL_ACCESS,
    HOME,
    OTHER,
    documents,
    examples,
    grants,
    requests,
)

from clew.engine import Prepared
from clew.engine.batch import _policies, _request
from clew.engine.bulk import Asker, Bulk, Masks
from clew.engine.services import LAWS

ANA = "arn:aws:iam::111122223333:user/ana"
BEN = "arn:aws:iam::111122223333:role/ben"
OBJECT = "arn:aws:s3:::logs/a"
DRAWN = 60
TOLD = 6


@cache
def masks() -> Masks:
    """The catalogue's sets of actions, shared by all questions here."""
    return Masks()


@cache
def sample() -> tuple[str, ...]:
    """The actions of the generated policies, those with laws of their own and their neighbours, and some others."""
    names = masks().index.spelled
    special = [name for name in names if name.partition(":")[0] in {*LAWS} - {"iam"}]
    drawn = random.Random(5).sample(names, DRAWN)  # noqa: S311  # nothing secret
    of_s3 = [name for name in names if name.lower().startswith(("s3:getobject", "s3:put"))]
    known = [action for action, _ in ACTIONS if masks().index.bit(action) is not None]
    return tuple(dict.fromkeys([*known, *special, *drawn, *of_s3, "iam:CreateUser", "ec2:StopInstances"]))


ACL = {
    "Owner": {"ID": OTHER},
    "Grants": [
        {"Grantee": {"ID": OTHER}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"},
    ],
}


@st.composite
def busy_lines(draw: st.DrawFn) -> dict[str, object]:
    """A line in which most gates take part, with much that policies allow and much that depends on the context."""
    focus = draw(st.sampled_from(FOCUSES))
    plain, about_principals = documents(focus), documents(focus, principal=True)

    def several(element: st.SearchStrategy[dict[str, object]]) -> list[object]:
        return draw(st.lists(st.one_of(element, st.just(FULL_ACCESS)), min_size=1, max_size=3))

    line: dict[str, object] = {
        "request": draw(requests(focus)),
        "identity_policies": several(plain),
        "resource_policy": draw(documents(focus, principal=True, resource="optional")),
    }
    optional = {
        "permissions_boundaries": lambda: several(plain),
        "session_policies": lambda: several(plain),
        "scps": lambda: [several(plain) for _ in range(draw(st.integers(1, 2)))],
        "rcps": lambda: [several(about_principals)],
        "vpc_endpoint_policies": lambda: several(about_principals),
        "grants": lambda: draw(grants()),
        "acl": lambda: ACL,
        "object_owner": lambda: draw(st.sampled_from((HOME, OTHER))),
        "block_public_access": lambda: {
            draw(st.sampled_from(("BlockPublicAcls", "IgnorePublicAcls", "RestrictPublicBuckets"))): True
        },
    }
    for name, made in optional.items():
        if draw(st.booleans()):
            line[name] = made()
    return line


def agrees(line: dict[str, object], *, unknown_context: bool, rcp_services_only: bool = False) -> None:
    """The engine gives every sampled action the same effect, and some undetermined ones the same residual."""
    policies = replace(_policies(line, []), rcp_services_only=rcp_services_only)
    request = _request(line["request"], unknown_context=unknown_context)
    bulk = Bulk(policies, request.resource, resource_account=request.resource_account, masks=masks())
    own = (policies.identity, policies.boundaries, policies.session)
    found = bulk.access(Asker(request.principal, *own, request.context))
    residuals, told = found.residuals(), 0
    prepared = Prepared(policies)
    for action in sample():
        decision = prepared.authorize(replace(request, action=action))
        assert found.effect(action) is decision.effect, (action, decision.effect)
        if decision.residual is not None and told < TOLD:
            told += 1
            texts = [residual.text for residual, actions in residuals if action in actions]
            assert texts == [decision.residual.text], action


@pytest.mark.parametrize("unknown_context", [False, True], ids=["given-context", "unknown-context"])
@given(example=examples(most=2))
def test_bulk_agrees_with_the_engine(example, unknown_context):
    """Whoever asks with whatever policies, each action has the effect and the residual of a single decision."""
    for line in example.lines:
        agrees(line, unknown_context=unknown_context)


@pytest.mark.parametrize("unknown_context", [False, True], ids=["given-context", "unknown-context"])
@given(line=busy_lines(), rcp_services_only=st.booleans())
def test_bulk_agrees_where_many_gates_take_part(line, rcp_services_only, unknown_context):
    """With boundary, session, SCPs, RCPs, endpoint, grants and ACLs at once, bulk and engine still agree."""
    agrees(line, unknown_context=unknown_context, rcp_services_only=rcp_services_only)
