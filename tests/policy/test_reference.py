"""The examples of AWS's page about its policy checks: each has its finding, and corrected as the page says, has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.case_files import read_case_file
from tests.lint_documents import codes, validated

from clew.policy.lint.catalogue import ENTRIES

CASES = Path(__file__).resolve().parents[1] / "cases" / "aws_reference"
FILES = {path.stem: read_case_file(path)["checks"] for path in sorted(CASES.glob("*.yaml"))}
CHECKS = {code: check for checks in FILES.values() for code, check in checks.items()}
SHOWN = {"policy", "fragment", "value", "words", "nothing"}
ROWS = [
    pytest.param(code, row, id=f"{code}: {row['name']}")
    for code, check in CHECKS.items()
    for row in check["rows"]
]


def _document(row, side):
    common = {name: row[name] for name in ("kind", "resource_type") if name in row}
    return {**common, **row[side]}


@pytest.mark.parametrize(("code", "row"), ROWS)
def test_an_example_of_the_page_has_its_finding(code, row):
    """What the page shows or describes under a check has that finding, and no other than the row names."""
    found = validated(_document(row, "example"))
    assert codes(found) == {code, *row["example"].get("also", ())}, [str(each) for each in found.problems]


@pytest.mark.parametrize(("code", "row"), ROWS)
def test_the_corrected_example_has_it_not(code, row):
    """The document that follows the page's advice has no longer the finding, and no error at all."""
    found = validated(_document(row, "corrected"))
    assert codes(found) == set(row["corrected"].get("also", ())), [str(each) for each in found.problems]
    assert not any(each.is_error for each in found.problems), code


def test_each_check_of_the_page_has_an_example():
    """Each of the 153 checks has a row, in the file of its weight, which says what of it the page shows."""
    assert set(CHECKS) == set(ENTRIES)
    for name, checks in FILES.items():
        for code, check in checks.items():
            assert ENTRIES[code].finding_type.value == name.upper(), code
            assert check["rows"], code
            assert check["shows"] in SHOWN, code


def test_what_the_page_does_not_show():
    """Of these checks the page gives a title and a sentence only: what their rows hold is ours."""
    nothing = {code for code, check in CHECKS.items() if check["shows"] == "nothing"}
    assert nothing == {
        "INVALID_ARN_RESOURCE",
        "INVALID_CONDITION_OPERATOR",
        "INVALID_GLOBAL_CONDITION_KEY",
        "INVALID_POLICY_ELEMENT",
        "INVALID_SERVICE_CONDITION_KEY",
        "INVALID_SERVICE_IN_ACTION",
    }
