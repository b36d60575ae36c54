"""The batch contracts of `clew check`: curated lines, one a row, and what a line cannot say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file
from tests.symbolic.cases import policy

from clew.engine.batch import evaluate_line
from clew.symbolic.batch import CHECKS, answer
from clew.symbolic.checks import Result, no_new_access
from clew.symbolic.public import SERVICES

DIRECTORY = Path(__file__).parents[1] / "cases" / "symbolic" / "checks"
ROWS = [
    (document, row)
    for path in sorted(DIRECTORY.glob("*.yaml"))
    for document in [read_case_file(path)]
    for row in document["rows"]
]
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _policy(statements: Any, document: dict[str, Any]) -> dict[str, Any]:
    listed = [statements] if isinstance(statements, dict) else statements
    return {"Version": "2012-10-17", "Statement": [{**document["statement"], **each} for each in listed]}


def _line(document: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    written = row.get("policies", {"policy": row["policy"]} if "policy" in row else {})
    policies = {key: _policy(statements, document) for key, statements in written.items()}
    return {"id": row["name"], **policies, **document.get("defaults", {}), **row.get("with", {})}


@pytest.mark.parametrize(("document", "row"), ROWS, ids=lambda each: each.get("name", each.get("check")))
def test_a_line_has_the_answer_of_its_row(document: dict[str, Any], row: dict[str, Any]) -> None:
    """Each line gives the result that AWS's page lets expect, or the error that says what is wrong."""
    found = answer(document["check"], json.dumps(_line(document, row)))
    assert found["id"] == row["name"]
    assert found.get("error") == row.get("error"), found
    assert found["result"] == row.get("expect"), found
    assert (found["witness"] is not None) is (found["result"] == "FAIL")
    assert bool(found["reasons"]) is (found["result"] in {"FAIL", "UNKNOWN"})


@pytest.mark.parametrize("check", sorted(CHECKS))
@pytest.mark.parametrize("line", ["", "x", "[]", "{}", '{"id": {"a": 1}}', "[" * 100_000, b"\xff"])
def test_a_malformed_line_is_an_error_and_nothing_else(check: str, line: str | bytes) -> None:
    """Whatever stands in a line, the answer has the contract's keys and says what is wrong."""
    found = answer(check, line)
    assert found["result"] is None
    assert found["error"]
    assert set(found) == {"id", "result", "witness", "reasons", "error"}


def test_a_policy_may_be_text() -> None:
    """A document may stand in the line as an object or as JSON text."""
    line = {"id": 1, "policy_type": "identity", "new": json.dumps(ALL), "existing": ALL}
    assert answer("no-new-access", line)["result"] == "PASS"


def test_a_witness_can_be_asked_of_the_simulator() -> None:
    """The witness is a request of the simulator's contract, allowed by the new policy and not by the existing."""
    narrow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    found = answer("no-new-access", {"id": 1, "policy_type": "identity", "new": ALL, "existing": narrow})
    asked = {"id": 1, "request": found["witness"]}
    assert evaluate_line({**asked, "identity_policies": [ALL]})["decision"] == "allow"
    assert evaluate_line({**asked, "identity_policies": [narrow]})["decision"] == "implicit_deny"


def test_every_allow_that_grants_new_access_is_a_reason() -> None:
    """Each statement that goes beyond the reference is named, and none that does not."""
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*"}
        for sid, action in (("One", "s3:GetObject"), ("Two", "sqs:SendMessage"), ("Three", "sns:Publish"))
    ]
    new = {"Version": "2012-10-17", "Statement": statements}
    existing = {"Version": "2012-10-17", "Statement": statements[1:2]}
    found = answer("no-new-access", {"id": 1, "policy_type": "identity", "new": new, "existing": existing})
    assert [each["statementId"] for each in found["reasons"]] == ["One", "Three"]
    assert [each["statementIndex"] for each in found["reasons"]] == [0, 2]


def test_more_than_aws_takes_is_refused() -> None:
    """AWS's check of access takes a hundred actions."""
    actions = [f"s3:Get{number}" for number in range(101)]
    line = {"id": 1, "policy": ALL, "policy_type": "identity", "access": [{"actions": actions}]}
    assert answer("access-not-granted", line)["error"] == "access.actions: 101 entries; AWS takes at most 100"


def test_public_access_is_checked_for_aws_s_resource_types() -> None:
    """The resource types are those of AWS's API model."""
    loaders = pytest.importorskip("botocore.loaders")
    model = loaders.Loader().load_service_model("accessanalyzer", "service-2")
    assert set(SERVICES) == set(model["shapes"]["AccessCheckResourceType"]["enum"])


def test_typed_asks_only_for_actions_on_resources_that_they_work_on() -> None:
    """Listing all buckets of one bucket is new to AWS's check, and means nothing when types are asked for."""
    new, existing = (
        policy({"Action": actions, "Resource": "arn:aws:s3:::b"})
        for actions in (["s3:ListBucket", "s3:ListAllMyBuckets"], ["s3:ListBucket"])
    )
    assert no_new_access(new, existing).result is Result.FAIL
    assert no_new_access(new, existing, typed=True).result is Result.PASS
    assert no_new_access(new, policy({"Action": "sqs:*"}), typed=True).result is Result.FAIL
