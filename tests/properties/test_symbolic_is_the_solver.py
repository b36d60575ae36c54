"""Sets of requests agree with cvc5 wherever it finishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.symbolic.generated import pair

from clew.policy.model import PolicyKind
from clew.symbolic.questions import Verdict, implies, oracle
from clew.symbolic.solver import is_installed

if TYPE_CHECKING:
    from random import Random

MANY = settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.long
@pytest.mark.skipif(not is_installed(), reason="cvc5 is not installed (extra `solver`)")
@MANY
@given(random=st.randoms(use_true_random=False))
def test_the_answers_are_those_of_cvc5(random: Random) -> None:
    """Where both decide, the search and the solver come to the same verdict."""
    left, right = pair(random, PolicyKind.IDENTITY)
    theirs = oracle(left, right)
    ours = implies(left, right)
    if Verdict.UNKNOWN not in {theirs.verdict, ours.verdict}:
        assert ours.verdict is theirs.verdict
