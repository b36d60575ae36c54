"""Malformed documents of tests/cases/policy/source-examples.yaml: located errors, then the repaired document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.aws.catalog import current
from clew.engine.batch import evaluate_line
from clew.policy.model import PolicyKind
from clew.policy.parse import from_document
from clew.policy.validate import validate

CASES = Path(__file__).resolve().parents[1] / "cases" / "policy"
ROWS = read_case_file(CASES / "source-examples.yaml")
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
TRUST_ALL = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
}


def _validated(row):
    kind = PolicyKind(row["as_kind"]) if "as_kind" in row else None
    return validate(row["text"], source=f"{row['id']}.json", kind=kind, catalog=current())


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_errors_are_located(row):
    """The first verdict on a malformed document is every error of it, with file, line and path."""
    found = _validated(row)
    assert [str(problem) for problem in found.problems] == row["problems"]
    assert found.kind.value == row["kind"]


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_corrected_document_is_offered(row):
    """The second verdict is the repaired document, its guesses marked, and what only the user can settle."""
    found = _validated(row)
    assert json.loads(found.corrected or "null") == row.get("repaired")
    assert [f"/{'/'.join(map(str, c.path))}" for c in found.changes if c.is_guess] == row.get("guesses", [])
    assert [problem.code for problem in found.left] == row["left"]


DECISIONS = [(row, asked) for row in ROWS for asked in row.get("decide", [])]


@pytest.mark.parametrize(
    ("row", "asked"), DECISIONS, ids=[f"{row['id']}-{n}" for n, (row, _) in enumerate(DECISIONS)]
)
def test_the_repaired_document_decides(row, asked):
    """Once its placeholders are filled in, the repaired document gives the verdict that its author wanted."""
    text = _validated(row).corrected
    for placeholder, value in row.get("fill", {}).items():
        text = text.replace(placeholder, value)
    document = json.loads(text)
    from_document(document)
    identity = [document] if asked["policy"] == "identity" else [EVERYTHING] if asked.get("identity") else []
    line = {
        "id": row["id"],
        "request": {
            key: asked[key] for key in ("principal", "action", "resource", "context") if key in asked
        },
        "identity_policies": identity,
    }
    if asked["policy"] in {"resource", "trust"}:
        line["resource_policy"] = document
    elif asked.get("trusted"):
        line["resource_policy"] = TRUST_ALL
    assert evaluate_line(line)["decision"] == asked["expect"]
