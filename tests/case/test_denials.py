"""A case about a refusal: each kind of policy is a hypothesis, and the engine says which it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file
from tests.engine.cases import policy

from clew.cases import denials, evidence, planning, testing, verifying
from clew.cases.model import Case, Kept, Plan, Verdict

_CASES: dict[str, Any] = read_case_file(
    Path(__file__).resolve().parent.parent / "cases" / "case" / "damaged.yaml"
)["denials"]
ACCOUNT, NOW = "111122223333", datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
_USER = f"arn:aws:iam::{ACCOUNT}:user/ci"
_EVENT = {
    "eventID": "e-1",
    "eventTime": "2026-03-10T09:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "PutObject",
    "awsRegion": "eu-west-1",
    "recipientAccountId": ACCOUNT,
    "sourceIPAddress": "203.0.113.9",
    "userIdentity": {"type": "IAMUser", "arn": _USER, "accountId": ACCOUNT, "userName": "ci"},
    "requestParameters": {"bucketName": "artifacts", "key": "x"},
    "errorCode": "AccessDenied",
    "errorMessage": "Access Denied",
}


def _attached(case: Case, path: Path, row: dict[str, Any], *, after: bool = False) -> Case:
    if "identity" not in row:
        return case
    user = {
        "UserName": "ci",
        "UserId": "AIDA",
        "Arn": _USER,
        "Path": "/",
        "GroupList": [],
        "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": policy(row["identity"])}],
    }
    details = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    root = "arn:aws:organizations::999988887777:root/o-exampleorg1/r-ex01"
    own = f"arn:aws:organizations::999988887777:account/o-exampleorg1/{ACCOUNT}"
    files: dict[str, Any] = {
        "account.json": details,
        "organization.json": {"ManagementAccount": "999988887777", "Accounts": {own: [root]}},
        "scps.json": {
            root: ["FullAWSAccess"],
            own: ["FullAWSAccess", {"Name": "guard", "Content": policy(row.get("scps", "Allow * on *"))}],
        },
    }
    if row.get("bucket", True):
        files["resource-policies.json"] = {"arn:aws:s3:::artifacts": {"Account": ACCOUNT, "Policy": None}}
    for name, content in files.items():
        new = evidence.New(name, json.dumps(content).encode())
        case, _ = evidence.attach(case, path, new, NOW, after=after)
    return case


def _case(row: dict[str, Any], path: Path) -> Case:
    case = Case("c", "deploys fail", NOW)
    event = {**_EVENT, "errorMessage": row.get("message", "Access Denied")}
    case, _ = evidence.attach(case, path, evidence.New("event.json", json.dumps(event).encode()), NOW)
    case = _attached(case, path, row)
    return replace(case, hypotheses=testing.tested(case, evidence.held(case, path), NOW))


@pytest.mark.parametrize("row", _CASES, ids=lambda row: row["name"])
def test_the_engine_says_which_policy_it_was(row: dict[str, Any], tmp_path: Path) -> None:
    """Each kind of policy is true, refuted or undetermined, with the event and the policies as evidence."""
    case = _case(row, tmp_path)
    assert case.hypotheses is not None
    told = {each.id: each.verdict.value for each in case.hypotheses.of}
    assert {name: told.get(name) for name in row["verdicts"]} == row["verdicts"], case.hypotheses.of
    assert all("e1" in each.evidence for each in case.hypotheses.of)
    assert all(each.settle for each in case.of(Verdict.UNDETERMINED))
    assert case.evidence[0].kind is Kept.EVENT


@pytest.mark.parametrize("row", [row for row in _CASES if "after" in row], ids=lambda row: row["name"])
def test_the_same_request_is_decided_again(row: dict[str, Any], tmp_path: Path) -> None:
    """After the fix the refused request is tried on the new policies alone."""
    case = _case(row, tmp_path)
    before = evidence.held(case, tmp_path)
    refusal = denials.explained(case, before)
    assert refusal is not None
    case = replace(case, plan=Plan(NOW, planning.steps(case, case.true, refusal[0])))
    titles = " ".join(f"{step.title} {step.command}" for step in case.plan.steps if case.plan)
    assert all(word in titles for word in row["plan"])
    old = verifying.verified(case, before, evidence.held(case, tmp_path, after=True), NOW)
    assert (verifying.verdict(old), old[0].settle[:12]) == (Verdict.UNDETERMINED, "clew collect")
    case = _attached(case, tmp_path, {**row, **row["after"]}, after=True)
    new = verifying.verified(case, before, evidence.held(case, tmp_path, after=True), NOW)
    assert verifying.verdict(new).value == row["mended"], new


def test_a_text_tells_of_a_refusal_too(tmp_path: Path) -> None:
    """The message that a user pasted is enough to begin with; only what AWS says is known then."""
    asked = f"User: {_USER} is not authorized to perform: s3:PutObject on resource: x"
    text = f"{asked} with an explicit deny in a service control policy"
    case, _ = evidence.attach(Case("c", "t", NOW), tmp_path, evidence.New("error.txt", text.encode()), NOW)
    found = testing.tested(case, evidence.held(case, tmp_path), NOW)
    assert found.of[0].id == "policy-scp"
    assert found.of[0].verdict is Verdict.UNDETERMINED
    assert "AWS says so" in found.of[0].because
