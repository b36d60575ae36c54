"""Curated pairs of policies, one a row, with what AWS's pages say of them."""

from __future__ import annotations

import pytest
from spec.operators import OPERATORS as LAW
from tests.symbolic.cases import Case, cases

from clew.engine.conditions import OPERATORS as ENGINE
from clew.symbolic.operators import OPERATORS as SYMBOLIC
from clew.symbolic.questions import implies

AT_LEAST = 100


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file}: {case.name}")
def test_a_pair_of_policies_has_the_answer_of_its_row(case: Case) -> None:
    """The right side allows all of the left one, or the witness shows what it does not."""
    answer = implies(case.left, case.right, case.kind)
    assert answer.verdict.value == case.expect, answer
    for part, wanted in case.witness.items():
        assert answer.request is not None
        found = answer.request.context.values if part == "context" else getattr(answer.request, part)
        assert found == wanted


def test_there_are_cases_enough() -> None:
    """The table keeps its size."""
    assert len(cases()) >= AT_LEAST


def test_every_operator_has_a_row_in_law_engine_and_sets() -> None:
    """No operator is known to one table and missing from another."""
    assert LAW.keys() == ENGINE.keys() == SYMBOLIC.keys()


def test_every_operator_has_a_case_of_sets() -> None:
    """Each operator stands in at least one pair."""
    used = {
        condition.operator.rpartition(":")[2].removesuffix("IfExists")
        for case in cases()
        for policy in (case.left, case.right)
        for statement in policy.statements
        for condition in statement.conditions
    }
    assert used >= SYMBOLIC.keys()
