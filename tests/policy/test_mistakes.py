"""Policies as users write them: each mistake is told with its place and no other, and a right policy is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.aws.catalog import current
from clew.policy.files import Document
from clew.policy.model import PolicyKind
from clew.policy.validate import validate
from clew.report.validation_aws import findings

FILE = Path(__file__).resolve().parents[1] / "cases" / "mistakes.yaml"
ROWS = read_case_file(FILE)["rows"]


def _text(row):
    document = {"Version": "2012-10-17", "Statement": row.get("statements")}
    return row["text"] if "text" in row else json.dumps(document, indent=2)


def _validated(row):
    text = _text(row)
    kind = PolicyKind(row.get("kind", "identity"))
    return validate(text, kind=kind, resource_type=row.get("resource_type", ""), catalog=current())


def _told(problem):
    return f"{problem.finding_type.value} {problem.code} /{'/'.join(map(str, problem.path))}"


@pytest.mark.parametrize("half", [0, 1])
def test_what_users_write(half):
    """Each policy has just the findings of its row: the weight, the issue code and the place of each."""
    wrong = {}
    for row in ROWS[half::2]:
        told = {_told(problem) for problem in _validated(row).problems}
        if told != set(row["told"]):
            wrong[row["name"]] = told ^ set(row["told"])
    assert wrong == {}


def test_each_mistake_has_a_line():
    """Every finding of these policies has a line, and says more than its code."""
    for row in ROWS:
        for problem in _validated(row).problems:
            assert problem.position is not None, row["name"]
            assert problem.position.line <= problem.end.line, row["name"]
            assert len(problem.message) > len("`x`"), row["name"]


def test_a_correction_is_right_or_says_what_is_left():
    """A corrected document has no error but those that the validation names as left."""
    for row in ROWS:
        found = _validated(row)
        if found.corrected is None:
            continue
        again = _validated({**row, "text": found.corrected})
        left = {each.code for each in found.left if each.is_error}
        assert {each.code for each in again.problems if each.is_error} == left, row["name"]


def _at(document, path):
    """What stands at the path of a finding in AWS's form; the key itself where it ends with one."""
    for step in path:
        if "key" in step:
            return step["key"]
        document = document[step["index"] if "index" in step else step["value"]]
    return document


def test_the_span_of_a_finding_is_what_its_path_names():
    """In AWS's form the text between start and end of each place is the value, or the key, that the path leads to."""
    for row in ROWS:
        if row["name"] in {"lower case elements", "plural elements"} or "JSON_SYNTAX_ERROR" in str(
            row["told"]
        ):
            continue  # whose paths go through names that were meant, or through no JSON
        text = _text(row).removeprefix("\ufeff")
        for finding in findings(Document((), "", _validated(row))):
            for place in finding["locations"]:
                start, end = (place["span"][side]["offset"] for side in ("start", "end"))
                assert json.loads(text[start:end]) == _at(json.loads(text), place["path"]), (
                    row["name"],
                    place,
                )


def test_a_name_that_stands_twice_is_not_said_to_be_covered():
    """The same action twice, in whichever letters, and one that a pattern covers are told apart."""
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:getobject"], "Resource": "*"}
    (same,) = _validated({"statements": [statement]}).problems
    (covered,) = _validated({"statements": [statement | {"Action": ["s3:GetObject", "s3:Get*"]}]}).problems
    assert same.message == "action `s3:getobject` stands twice; remove it"
    assert covered.message == "action `s3:GetObject` is covered by `s3:Get*`; remove it"
