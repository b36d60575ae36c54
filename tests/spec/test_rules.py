"""Whole requests, rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec.decide import decide
from spec.keys import is_within
from tests.case_files import read_case_file

ROWS = read_case_file(Path(__file__).parent / "rules.yaml")["rows"]
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
        ({"block_public_access": {"BlockPublicAcls": "true"}}, "`block_public_access.BlockPublicAcls`"),
        ({"block_public_access": {"BlockPublicPolicy": None}}, "`block_public_access.BlockPublicPolicy`"),
        ({"block_public_access": {"IgnorePublicAcls": 1}}, "`block_public_access.IgnorePublicAcls`"),
        ({"block_public_access": {"IgnorePublicAcl": True}}, "`IgnorePublicAcl`"),
        ({"public_access_block": {"IgnorePublicAcls": True}}, "`public_access_block`"),
        ({"request": {"principal": "*", "action": "s3:GetObject", "context": {"a": None}}}, "`a`"),
    ],
)
def test_an_unreadable_line_is_an_error(change, named):
    """What cannot be read is told by name and decides nothing."""
    answer = decide({"id": 1, "request": {"principal": "*", "action": "s3:GetObject"}} | change)
    assert answer.decision is None
    assert named in answer.error


@pytest.mark.parametrize(
    "key",
    [
        "scp",
        "SCPs",
        "spcs",
        "rcp",
        "identity_policy",
        "identityPolicies",
        "permission_boundaries",
        "permissions_boundary",
        "resourcePolicy",
        "session-policies",
        "vpc_endpoint_policy",
        "grant",
        "acls",
        "context",
        "Request",
    ],
)
@pytest.mark.parametrize("place", ["line", "request"])
def test_a_key_that_resembles_a_known_one_is_an_error(key, place):
    """A gate is never left out because its key is not quite spelled as the contract does."""
    answer = decide(_with_key(key, [], place if key != "context" else "line"))
    assert answer.decision is None
    assert f"`{key}`" in answer.error


@pytest.mark.parametrize("value", [{"Statement": []}, [[{"Statement": []}]], '{"Statement": []}'])
@pytest.mark.parametrize("place", ["line", "request"])
def test_an_unknown_key_that_holds_a_policy_is_an_error(value, place):
    """A policy is never left out because the contract does not know its key."""
    assert "`bucket`" in decide(_with_key("bucket", value, place)).error


@pytest.mark.parametrize("key", ["comment", "expect", "name", "account", "tags", "source", "", "x"])
@pytest.mark.parametrize("place", ["line", "request"])
def test_another_unknown_key_is_noted(key, place):
    """A key of the author's own changes no answer, and is told."""
    answer = decide(_with_key(key, ["policies"], place))
    assert (answer.decision, answer.error) == ("implicit_deny", None)
    assert any(f"`{key}`" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("edits", "one", "other", "expected"),
    [
        (0, "scp", "scp", True),
        (0, "scp", "scpx", False),
        (1, "spc", "scp", True),
        (1, "scpx", "scp", True),
        (1, "sc", "scp", True),
        (1, "sxp", "scp", True),
        (1, "xsp", "scp", False),
        (2, "idantitypolcy", "identitypolicy", True),
        (2, "idantetypolcy", "identitypolicy", False),
    ],
)
def test_edits_are_counted(edits, one, other, expected):
    """An edit inserts, deletes or replaces a letter, or swaps two neighbours."""
    assert is_within(edits, one, other) is expected


def _with_key(key, value, place):
    request = {"principal": "*", "action": "s3:GetObject"}
    line = {"id": 1, "request": request}
    (line if place == "line" else request)[key] = value
    return line


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
