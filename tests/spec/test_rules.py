"""Whole requests, rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from spec.decide import decide

ROWS = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8"))["rows"]
NOT_IN_LINE = {"rule", "expect", "wildcard_only", "unknown_context"}
LISTS = {"identity_policies", "permissions_boundaries", "session_policies", "vpc_endpoint_policies"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"rule-{row['rule']}")
def test_the_law_answers_as_its_page_says(row):
    """Each row holds one fact of the documentation or of the page of questions."""
    flags = {name: row[name] for name in ("wildcard_only", "unknown_context") if name in row}
    answer = decide(_line(row), **flags)
    assert answer.error is None
    for name, expected in row["expect"].items():
        assert _told(answer, name) == expected, answer


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"request": None}, "`request`"),
        ({"request": {"principal": "bob", "action": "s3:GetObject"}}, "`bob`"),
        ({"request": {"principal": "*", "action": "GetObject"}}, "`GetObject`"),
        ({"identity_policies": ["{"]}, "identity_policies/0"),
        ({"resource_policy": {"Version": "2012-10-17"}}, "resource_policy"),
        ({"scps": [{}]}, "`scps`"),
        ({"request": {"principal": "*", "action": "s3:GetObject", "context": {"a": None}}}, "`a`"),
    ],
)
def test_an_unreadable_line_is_an_error(change, named):
    """What cannot be read is told by name and decides nothing."""
    answer = decide({"id": 1, "request": {"principal": "*", "action": "s3:GetObject"}} | change)
    assert answer.decision is None
    assert named in answer.error


def _told(answer, name):
    if name == "determined_by":
        return [
            [entry[key] for key in ("gate", "policy", "statement", "sid", "effect")]
            for entry in answer.determined_by
        ]
    return len(answer.notes) if name == "notes" else getattr(answer, name)


def _line(row):
    line = {name: value for name, value in row.items() if name not in NOT_IN_LINE}
    line["request"] = {"action": "sqs:SendMessage", **row["request"]}
    for name in LISTS & line.keys():
        line[name] = [_document(policy) for policy in line[name]]
    for name in {"scps", "rcps"} & line.keys():
        line[name] = [[_document(policy) for policy in level] for level in line[name]]
    if "resource_policy" in line:
        line["resource_policy"] = _document(line["resource_policy"])
    return line


def _document(policy):
    return policy if isinstance(policy, dict) else {"Version": "2012-10-17", "Statement": policy}
