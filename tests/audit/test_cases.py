"""Every check, on the facts of `tests/cases/audit/`."""

from __future__ import annotations

import pytest
from tests.audit.cases import AS_OF, CASES, Case, cases

from clew.audit.checks import CHECKS
from clew.audit.model import Verdict

_BOTH_SIDES = {Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN}
EXAMPLES = {
    "CR1",
    "CR2",
    "FI1",
    "FI2",
    "FN4",
    "FN5",
}  # CR3 is about permissions: tests/cases/source/credential-report.yaml


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.check}: {case.name}")
def test_check_says_what_the_case_says(case: Case) -> None:
    """A check gives the verdict, the resources and the missing calls that its case names.

    Nobody is told that something is unknown without hearing which call would tell.
    """
    state = case.state
    assert state.as_of == AS_OF
    judgements = CHECKS[case.check].judge(state, **case.parameters)
    for judgement in judgements:
        assert bool(judgement.missing) is (judgement.verdict is Verdict.UNKNOWN)
        assert judgement.message
        assert judgement.resource
    assert Verdict.of_all(j.verdict for j in judgements) is case.expect, [j.message for j in judgements]
    chosen = [j for j in judgements if j.verdict is case.expect]
    assert case.says in " ".join(j.message for j in chosen)
    if case.fails is not None:
        failed = [j.resource.rpartition(":")[2].rpartition("/")[2] for j in chosen]
        assert failed == list(case.fails)
    if case.severity:
        assert {str(j.severity or CHECKS[case.check].severity) for j in chosen} == {case.severity}
    if case.missing is not None:
        assert {call for j in chosen for call in j.missing} == set(case.missing)


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_cases_on_every_side(check: str) -> None:
    """No check goes without cases in which it passes, fails, and cannot know."""
    assert {case.expect for case in cases() if case.check == check} >= _BOTH_SIDES


def test_every_case_file_is_about_a_check_and_names_its_page() -> None:
    """A case file bears the name of its check, and each case says where AWS documents it."""
    assert {file.stem for file in CASES.glob("*.yaml")} == set(CHECKS)
    assert all(case.page for case in cases())


def test_examples_of_the_sources_are_cases() -> None:
    """The credential report examples of the source documents are all there."""
    assert {case.example for case in cases()} >= EXAMPLES


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.check}: {case.name}")
def test_denied_call_never_turns_pass_and_fail(case: Case) -> None:
    """When any single answer is refused, a verdict stays what it was or becomes unknown."""
    before = _verdict(case)
    for operation in case.said:
        denied = {**case.said, operation: {"denied": "AccessDenied"}}
        after = _verdict(Case(**{**case.__dict__, "answers": denied, "details": None}))
        if case.report and case.root is not None and before is not after:
            # The account summary is newer than the report, which decides without it.
            assert operation == "GetAccountSummary" or after is Verdict.UNKNOWN
        else:
            assert after in {before, Verdict.UNKNOWN}


def _verdict(case: Case) -> Verdict:
    return Verdict.of_all(j.verdict for j in CHECKS[case.check].judge(case.state, **case.parameters))
