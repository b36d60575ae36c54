"""Leaving statements out changes no answer: what the left side allows beyond the right stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.symbolic.generated import pair, request, searcher

from clew.policy.model import PolicyKind
from clew.policy.parse import from_document
from clew.symbolic.contrast import contrasted
from clew.symbolic.sides import Documents

if TYPE_CHECKING:
    from random import Random

KINDS = pytest.mark.parametrize("kind", [PolicyKind.IDENTITY, PolicyKind.RESOURCE])
RANDOM = st.randoms(use_true_random=False)
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
ALLOW: dict[str, object] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
DENY: dict[str, object] = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
OTHER: dict[str, object] = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}


@KINDS
@FEW
@given(random=RANDOM)
def test_what_one_side_allows_beyond_the_other_stays_the_same(kind: PolicyKind, random: Random) -> None:
    """No request is won or lost when statements are left out."""
    left, right = (Documents((policy,), kind) for policy in pair(random, kind))
    one, two = contrasted(left, right)
    own = searcher(random)
    for asked in (request(own, kind) for _ in range(60)):
        before = left.allows(asked) is True and right.allows(asked) is False
        assert (one.allows(asked) is True and two.allows(asked) is False) is before


def test_a_copy_is_left_out_and_what_speaks_of_other_services_too() -> None:
    """Only the statement that was added is left, held against what speaks of its service."""
    left, right = contrasted(_side(ALLOW, OTHER), _side(ALLOW))
    assert [[each.actions for each in side.all_policies[0].statements] for side in (left, right)] == [
        [("sqs:*",)],
        [],
    ]


def test_a_copy_stays_where_the_other_side_denies_it() -> None:
    """A Deny of the other side alone makes a copied Allow matter."""
    left, right = contrasted(_side(ALLOW), _side(ALLOW, DENY))
    assert [len(side.all_policies[0].statements) for side in (left, right)] == [1, 2]


def test_the_order_of_a_list_does_not_make_a_new_statement() -> None:
    """A copy that lists the same in another order is a copy."""
    one, two = ({**ALLOW, "Action": actions} for actions in (["s3:Get*", "s3:Put*"], ["s3:Put*", "s3:Get*"]))
    assert [side.all_policies[0].statements for side in contrasted(_side(one), _side(two))] == [(), ()]


def _side(*statements: dict[str, object]) -> Documents:
    return Documents((from_document({"Version": "2012-10-17", "Statement": [*statements]}),))
