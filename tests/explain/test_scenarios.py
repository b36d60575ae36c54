"""Refusals with the account behind them: the true cause is found, and the fix lets the request through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.case_files import read_case_file
from tests.engine.cases import policy

from clew.explain.cause import Agreement, CauseId
from clew.explain.explanation import Explanation, of_event, of_text
from clew.reach.predict import Predictor
from clew.report import explanation_text
from clew.snapshot import details, side
from clew.snapshot.model import Organization, Snapshot, Source

_FILE = Path(__file__).resolve().parent.parent / "cases" / "explain" / "scenarios.yaml"
_CASES: dict[str, Any] = read_case_file(_FILE)
ACCOUNT, OTHER = "111122223333", "444455556666"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ci"
_PRINCIPALS = {
    "user": f"arn:aws:iam::{ACCOUNT}:user/ana",
    "role": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build",
    "stranger": f"arn:aws:iam::{OTHER}:user/eve",
}
_PREFIX = "arn:aws:organizations::999988887777"
_ROOT = f"{_PREFIX}:root/o-exampleorg1/r-ex01"


def _inline(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"PolicyName": f"p{n}", "PolicyDocument": policy(each)}
        for n, each in enumerate([row["identity"]] if "identity" in row else [])
    ]


def _snapshot(row: dict[str, Any]) -> Snapshot:
    kind = row.get("principal", "user")
    arn = _PRINCIPALS["user" if kind == "role" else kind]
    user = {
        "UserName": arn.rpartition("/")[2],
        "UserId": "AIDA",
        "Arn": arn,
        "Path": "/",
        "GroupList": [],
        "UserPolicyList": [] if kind == "role" else _inline(row),
        "AttachedManagedPolicies": [],
        "Tags": [],
    }
    role = {
        "RoleName": "ci",
        "RoleId": "AROA",
        "Arn": _ROLE,
        "Path": "/",
        "AssumeRolePolicyDocument": policy(row.get("trust", "Allow sts:AssumeRole to ec2.amazonaws.com")),
        "InstanceProfileList": [],
        "RolePolicyList": _inline(row) if kind == "role" else [],
        "AttachedManagedPolicies": [],
        "Tags": [],
    }
    managed = []
    if "boundary" in row:
        edge = f"arn:aws:iam::{ACCOUNT}:policy/Edge"
        user["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": edge}
        managed = [
            {
                "PolicyName": "Edge",
                "Arn": edge,
                "DefaultVersionId": "v1",
                "PolicyVersionList": [
                    {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy(row["boundary"])}
                ],
            }
        ]
    collected = details.Collected()
    accounts = {
        ACCOUNT: {
            "UserDetailList": [user] if kind != "stranger" else [],
            "GroupDetailList": [],
            "RoleDetailList": [role],
            "Policies": managed,
        }
    }
    if kind == "stranger":
        accounts[OTHER] = {
            "UserDetailList": [user],
            "GroupDetailList": [],
            "RoleDetailList": [],
            "Policies": [],
        }
    for name, content in accounts.items():
        assert collected.add(Source(f"{name}.json", json.dumps(content)))
    return Snapshot(collected.accounts(), _resources(row), _organization(row))


def _resources(row: dict[str, Any]) -> dict[str, Any]:
    held = {
        "arn:aws:s3:::logs": {
            "Account": ACCOUNT,
            "Policy": policy(row["bucket"]) if "bucket" in row else None,
        }
    }
    for service in ("lambda:eu-west-1:111122223333:function:resize", "sqs:eu-west-1:111122223333:jobs"):
        held[f"arn:aws:{service}"] = {"Account": ACCOUNT, "Policy": None}
    for name in ("key", "policy"):
        if name in row:
            held[row["resource"]] = {"Account": ACCOUNT, "Policy": policy(row[name])}
    held["arn:aws:s3:::logs"] |= row.get("settings", {})
    return side.resources(Source("resources.json", json.dumps(held)))


def _organization(row: dict[str, Any]) -> Organization:
    account = f"{_PREFIX}:account/o-exampleorg1/{ACCOUNT}"
    tree = {"ManagementAccount": "999988887777", "Accounts": {account: [_ROOT]}}
    organization = side.with_tree(Organization(), Source("organization.json", json.dumps(tree)))
    own = [{"Name": f"s{n}", "Content": policy(level)} for n, level in enumerate(row.get("scps", []))] or [
        "FullAWSAccess"
    ]
    if "rcps" in row:
        levels = [{"Name": f"r{n}", "Content": policy(level)} for n, level in enumerate(row["rcps"])]
        full = {"Name": "full", "Content": policy("Allow * on * to *")}
        rcps = Source("rcps.json", json.dumps({_ROOT: [full], account: [full, *levels]}))
        organization = side.with_rcps(organization, rcps)
    return side.with_scps(
        organization, Source("scps.json", json.dumps({_ROOT: ["FullAWSAccess"], account: own}))
    )


def _text(row: dict[str, Any]) -> str:
    who = _PRINCIPALS[row.get("principal", "user")]
    asked = f'perform: {row["action"]} on resource: "{row["resource"]}"'
    return f"User: {who} is not authorized to {asked} {row['message']}".strip()


def _event(row: dict[str, Any]) -> dict[str, Any]:
    bucket, _, key = row["resource"].rpartition(":")[2].partition("/")
    return {
        "eventID": "e-1",
        "eventTime": "2026-03-11T02:24:10Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": {
            "type": "IAMUser",
            "arn": _PRINCIPALS["user"],
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "ana",
        },
        "requestParameters": {"bucketName": bucket, "key": key},
        "errorCode": "AccessDenied",
        "errorMessage": _text(row),
        **row["event"],
    }


def _explained(given: dict[str, Any]) -> tuple[dict[str, Any], Explanation]:
    row = {**_CASES["defaults"], **given}
    predictor = Predictor(_snapshot(row))
    if "event" in row:
        return row, of_event(_event(row), predictor)
    (found,) = of_text(row.get("text") or _text(row), predictor)
    return row, found


@pytest.mark.parametrize("given", _CASES["rows"], ids=lambda row: row["name"])
def test_the_true_cause_of_a_refusal_is_found(given: dict[str, Any]) -> None:
    """Cause, gate, sentence and fix are those of the case; a fix that was tried lets the request through."""
    row, found = _explained(given)
    assert found.cause.id == row["cause"], found.cause.sentence
    assert row.get("says", "") in found.cause.sentence
    if "gate" in row:
        assert found.cause.gate == row["gate"]
    if "agreement" in row:
        assert found.agreement == row["agreement"]
    titles = [fix.title for fix in found.fixes]
    assert any(row["fix"] in title for title in titles) if "fix" in row else not titles
    if "fix" in row and found.fixes[0].statement and not row.get("open"):
        assert found.fixes[0].proven


@pytest.mark.parametrize("given", _CASES["rows"], ids=lambda row: row["name"])
def test_an_explanation_is_told_in_every_form(given: dict[str, Any]) -> None:
    """Text and JSON tell the cause; what is open is said to be open."""
    _, found = _explained(given)
    words = " ".join(explanation_text.render([found]).split())
    assert found.cause.sentence.split("`")[0].strip() in words
    json.dumps(explanation_text.document(found))
    if found.agreement is Agreement.DISAGREE:
        assert "do not say the same" in words


def test_every_cause_has_a_scenario() -> None:
    """No cause goes without a scenario in which it is the true one."""
    shown = {row["cause"] for row in _CASES["rows"]}
    assert set(CauseId) - shown <= {CauseId.BLOCK_PUBLIC_ACCESS, CauseId.NEVER_ALLOWED, CauseId.UNKNOWN}
