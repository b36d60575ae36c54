"""Beyond the budget cvc5 is asked, and where it is missing the answer is unknown, never none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from clew.policy.parse import parse
from clew.symbolic import questions, solver
from clew.symbolic.budget import Budget
from clew.symbolic.questions import Verdict, implies

if TYPE_CHECKING:
    from clew.policy.model import Policy

_PAIRS = {
    "narrower": ("arn:aws:s3:::logs/*a*", "arn:aws:s3:::logs/*", Verdict.NONE),
    "wider": ("arn:aws:s3:::logs/*", "arn:aws:s3:::logs/*a*b", Verdict.WITNESS),
    "tangled": ("arn:aws:s3:::*x*y*z?a", "arn:aws:s3:::*?y*x*", Verdict.WITNESS),
    "crossing": ("arn:aws:s3:::*x*y*", "arn:aws:s3:::*y*x*", Verdict.WITNESS),
}


def _policy(resource: str) -> Policy:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
    return parse(json.dumps({"Version": "2012-10-17", "Statement": statement}))


@pytest.fixture
def _spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that suffices for nothing."""
    monkeypatch.setattr(questions, "Budget", lambda: Budget(states=0, branches=0))


@pytest.mark.skipif(not solver.is_installed(), reason="cvc5 is not installed (extra `solver`)")
@pytest.mark.usefixtures("_spent")
@pytest.mark.parametrize("name", _PAIRS)
def test_the_solver_decides_what_the_budget_does_not(name: str) -> None:
    """With the budget spent the solver's answer is the search's, and its request is one that the engine confirms."""
    left, right, expected = _PAIRS[name]
    answer = implies(_policy(left), _policy(right))
    assert answer.verdict is expected
    assert (answer.request is not None) is (expected is Verdict.WITNESS)


@pytest.mark.usefixtures("_spent")
def test_without_a_solver_the_answer_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing beyond the budget is taken for no difference."""
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    left, right, _ = _PAIRS["tangled"]
    answer = implies(_policy(left), _policy(right))
    assert answer.verdict is Verdict.UNKNOWN
    assert "budget" in answer.reason
