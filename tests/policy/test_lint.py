"""Every check of AWS's catalogue against its case file: where it fires, where it is silent, and that no other fires."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.aws.catalog import current
from clew.policy.lint import run
from clew.policy.lint.catalogue import ENTRIES, OWN
from clew.policy.lint.registry import CLAUSE_CHECKS, DOCUMENT_CHECKS, FAMILIES, LINE_CHECKS, TOLD_ELSEWHERE
from clew.policy.model import FindingType, PolicyKind
from clew.policy.validate import validate
from clew.report.validation_aws import AS_AWS

CASES = Path(__file__).resolve().parents[1] / "cases" / "lint"
FILES = {path.stem: read_case_file(path) for path in sorted(CASES.glob("*.yaml"))}
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
ACCOUNT = {"AWS": "111122223333"}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
STATEMENTS = {
    "identity": READ,
    "resource": {"Principal": ACCOUNT, **READ},
    "kms_key": {"Effect": "Allow", "Principal": ACCOUNT, "Action": "kms:Decrypt", "Resource": "*"},
    "trust": {"Effect": "Allow", "Principal": ACCOUNT, "Action": "sts:AssumeRole"},
    "scp": {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
    "rcp": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"},
}
ROWS = [
    pytest.param(code, side, row, id=f"{code} {side}: {row['name']}")
    for code, file in FILES.items()
    for side in ("fires", "silent")
    for row in file[side]
]


def _statement(row, changes):
    start = STATEMENTS[row.get("kind", "identity")]
    changed = {**start, **changes}
    if "filler" in row:
        changed["Resource"] = [f"{BUCKET}/{n}/{'x' * 900}" for n in range(row["filler"] // 900)]
    if "values" in row:
        values = [f"external-id-{n}" for n in range(row["values"])]
        changed["Condition"] = {"StringEquals": {"sts:ExternalId": values}}
    return {key: value for key, value in changed.items() if key not in row.get("without", ())}


def _text(row):
    if "text" in row:
        return row["text"]
    changes = row.get("statements") or [row.get("with", {})]
    statements = [_statement(row, each) for each in changes]
    document = {"Version": row.get("version", "2012-10-17"), "Statement": statements}
    return json.dumps({key: value for key, value in document.items() if value is not None}, indent=2)


def _validated(row):
    return validate(
        _text(row),
        kind=PolicyKind(row.get("kind", "identity")),
        resource_type=row.get("resource_type", ""),
        catalog=current(),
    )


@pytest.mark.parametrize(("code", "side", "row"), ROWS)
def test_a_check_fires_and_stays_silent(code, side, row):
    """A document has just the findings that its row names, and each has a place within the text."""
    found = _validated(row)
    expected = {*row.get("also", ()), *([code] if side == "fires" else ())}
    told = [AS_AWS.get(problem.code, problem.code) for problem in found.problems]
    assert set(told) == expected, [str(problem) for problem in found.problems]
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
