"""Every check of AWS's catalogue against its case file: where it fires, where it is silent, and that no other fires."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.case_files import read_case_file
from tests.lint_documents import codes, validated

from clew.policy.lint import run
from clew.policy.lint.catalogue import ENTRIES, OWN
from clew.policy.lint.registry import CLAUSE_CHECKS, DOCUMENT_CHECKS, FAMILIES, LINE_CHECKS, TOLD_ELSEWHERE
from clew.policy.model import FindingType

CASES = Path(__file__).resolve().parents[1] / "cases" / "lint"
FILES = {path.stem: read_case_file(path) for path in sorted(CASES.glob("*.yaml"))}
ROWS = [
    pytest.param(code, side, row, id=f"{code} {side}: {row['name']}")
    for code, file in FILES.items()
    for side in ("fires", "silent")
    for row in file[side]
]


@pytest.mark.parametrize(("code", "side", "row"), ROWS)
def test_a_check_fires_and_stays_silent(code, side, row):
    """A document has just the findings that its row names, and each has a place within the text."""
    found = validated(row)
    expected = {*row.get("also", ()), *([code] if side == "fires" else ())}
    assert codes(found) == expected, [str(problem) for problem in found.problems]
    for problem in found.problems:
        if problem.position is not None:
            assert problem.position.offset <= problem.end.offset
        if problem.code in ENTRIES:
            weight = row.get("weight", ENTRIES[problem.code].finding_type)
            assert problem.finding_type == weight


def test_the_catalogue_is_whole():
    """All 153 checks of AWS's page are there, by their weights."""
    weights = [entry.finding_type for entry in ENTRIES.values()]
    assert [weights.count(weight) for weight in FindingType] == [79, 19, 26, 29]


def test_each_check_has_an_implementation():
    """Every issue code is registered, or told while the document is read."""
    registered = {check.code for check in (*CLAUSE_CHECKS, *LINE_CHECKS, *DOCUMENT_CHECKS)}
    registered.update(code for family in FAMILIES for code in family.codes)
    elsewhere = {code for codes in TOLD_ELSEWHERE.values() for code in codes.split()}
    assert run is not None
    assert registered | elsewhere == {*ENTRIES, *OWN}


def test_each_check_has_cases_on_both_sides():
    """Every issue code has a case file with rows that fire and rows that stay silent, and no file is without a code."""
    assert set(FILES) == {*ENTRIES, *OWN}
    for code, file in FILES.items():
        assert file["fires"], code
        assert file["silent"], code
        assert file["source"], code
