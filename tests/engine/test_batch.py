"""Batch lines: the public contract of what goes in and what comes out, and hostile lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.engine.batch import evaluate_line

USER = "arn:aws:iam::111122223333:user/ana"
READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::logs/*",
            "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
        }
    ],
}
REQUEST = {"principal": USER, "action": "s3:GetObject", "resource": "arn:aws:s3:::logs/a"}
LINE = {"id": "1", "request": REQUEST, "identity_policies": [READ]}
INSIDE = {**LINE, "request": {**REQUEST, "context": {"aws:SourceIp": "192.0.2.7"}}}


def test_an_answer_has_every_key_of_the_contract() -> None:
    """An answer repeats the id and names decision, gates, statements, missing keys, residual, notes, assumptions."""
    answer = evaluate_line(INSIDE)
    assert answer == {
        "id": "1",
        "decision": "allow",
        "blocked_by": [],
        "determined_by": [
            {
                "gate": "identity",
                "policy": "identity_policies/0",
                "statement": 0,
                "sid": "Read",
                "effect": "Allow",
            }
        ],
        "missing_context": [],
        "residual": None,
        "notes": answer["notes"],
        "assumed": ["resource_account"],
    }


def test_text_bytes_and_decoded_lines_are_answered_alike() -> None:
    """A line may come as text, as bytes or decoded."""
    text = json.dumps(INSIDE)
    assert evaluate_line(text) == evaluate_line(text.encode()) == evaluate_line(INSIDE)


def test_documents_may_be_texts() -> None:
    """A policy that is a JSON text inside the line is read like an object, and its statements have positions."""
    answer = evaluate_line({**INSIDE, "identity_policies": [json.dumps(READ, indent=1)]})
    assert answer["decision"] == "allow"
    assert answer["determined_by"][0]["line"] == 4


def test_a_missing_key_is_absent_by_default_and_named() -> None:
    """Without the key the answer is given for its absence, and the key is named."""
    answer = evaluate_line(LINE)
    assert (answer["decision"], answer["missing_context"]) == ("implicit_deny", ["aws:SourceIp"])


def test_a_missing_key_may_be_unknown() -> None:
    """With unknown context the answer is what it depends on."""
    answer = evaluate_line(LINE, unknown_context=True)
    assert answer["decision"] == "undetermined"
    assert answer["missing_context"] == ["aws:SourceIp"]
    assert answer["residual"]["text"] == "allowed if aws:SourceIp is in 192.0.2.0/24; implicit_deny otherwise"
    assert answer["residual"]["explicit_deny"] is False


def test_nothing_is_missing_where_nothing_depends_on_it() -> None:
    """An answer that no unknown key can change names none."""
    line = {
        **LINE,
        "identity_policies": [READ, {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}],
    }
    answer = evaluate_line(line, unknown_context=True)
    assert (answer["decision"], answer["missing_context"], answer["residual"]) == ("explicit_deny", [], None)


def test_keys_are_derived_only_when_asked() -> None:
    """`aws:username` follows from a user's ARN, and is used only with `derive_context`."""
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "ana"}},
    }
    line = {**LINE, "identity_policies": [{"Statement": statement}]}
    assert evaluate_line(line)["decision"] == "implicit_deny"
    assert evaluate_line(line, derive_context=True)["decision"] == "allow"
    given_key = {**line, "request": {**REQUEST, "context": {"aws:UserName": "eve"}}}
    assert evaluate_line(given_key, derive_context=True)["decision"] == "implicit_deny"


def test_a_malformed_statement_matches_nothing_and_is_noted() -> None:
    """One bad statement does not fail the line."""
    bad = {"Effect": "allow", "Action": "*", "Resource": "*"}
    answer = evaluate_line({**INSIDE, "identity_policies": [{"Statement": [bad]}, READ]})
    assert answer["decision"] == "allow"
    assert any("identity_policies/0" in note and "Effect" in note for note in answer["notes"])


def test_a_resource_policy_statement_without_principal_matches_nobody_and_is_noted() -> None:
    """Whom such a statement is about is not said."""
    policy = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    answer = evaluate_line({**INSIDE, "resource_policy": policy})
    assert answer["decision"] == "allow"
    assert any("resource_policy" in note and "Principal" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "not JSON"),
        ("[1]", "expected an object"),
        ("{", "not JSON"),
        (b"\xff\xfe\x00", "line"),
        (b'{"id": "\xff"}', "no text in UTF-8"),
        ('{"request": {"context": {"k": NaN}}}', "`NaN` is no number"),
        ("[" * 100_000, "nested too deeply"),
        ({"id": 7}, "request: expected an object"),
        ({**LINE, "request": {**REQUEST, "action": "GetObject"}}, "request.action"),
        ({**LINE, "request": {**REQUEST, "action": "s3:Get*"}}, "request.action"),
        ({**LINE, "request": {**REQUEST, "action": "s3:Get:Object"}}, "request.action"),
        ({**LINE, "request": {**REQUEST, "resource_account": 111122223333}}, "request.resource_account"),
        ({**LINE, "request": {**REQUEST, "principal": "ana"}}, "principal `ana`"),
        ({**LINE, "request": {**REQUEST, "principal": 7}}, "request.principal"),
        (
            {**LINE, "request": {**REQUEST, "principal": "arn:aws:sts::111122223333:assumed-role/Dev"}},
            "no user, role, session",
        ),
        ({**LINE, "request": {**REQUEST, "resource": ""}}, "request.resource"),
        ({**LINE, "request": {**REQUEST, "context": []}}, "request.context"),
        ({**LINE, "request": {**REQUEST, "context": {"k": None}}}, "`k`"),
        ({**LINE, "request": {**REQUEST, "context": {"k": {"a": 1}}}}, "`k`"),
        ({**LINE, "request": {**REQUEST, "context": {"k": [["a"]]}}}, "`k`"),
        ({**LINE, "request": {**REQUEST, "contexts": 1}}, "did you mean `context`?"),
        ({**LINE, "scp": []}, "line: unknown key `scp`; did you mean `scps`?"),
        ({**LINE, "session_policy": []}, "did you mean `session_policies`?"),
        ({**LINE, "permission_boundaries": []}, "did you mean `permissions_boundaries`?"),
        ({**LINE, "identity_policies": READ}, "identity_policies: expected a list"),
        ({**LINE, "identity_policies": [7]}, "identity_policies/0"),
        ({**LINE, "identity_policies": [{"Version": "2012-10-17"}]}, "identity_policies/0"),
        ({**LINE, "identity_policies": ["{"]}, "identity_policies/0"),
        ({**LINE, "identity_policies": ["[" * 100_000]}, "identity_policies/0"),
        ({**LINE, "identity_policies": [{"statement": READ["Statement"]}]}, "did you mean `Statement`?"),
        ({**LINE, "identity_policies": [{"Statements": READ["Statement"]}]}, "did you mean `Statement`?"),
        ({**LINE, "scps": [READ]}, "scps/0"),
        ({**LINE, "rcps": [[], None]}, "rcps/1: expected a list"),
        ({**LINE, "grants": {}}, "grants: expected a list"),
        ({**LINE, "block_public_access": {"BlockPublicAcls": "yes"}}, "block_public_access.BlockPublicAcls"),
        ({**LINE, "object_ownership": "Nobody"}, "object_ownership"),
        ({**LINE, "management_account": "no"}, "management_account"),
        ({**LINE, "context": {}}, "line: unknown key `context`; did you mean `request.context`?"),
        ({**LINE, "PublicAccessBlock": {}}, "did you mean `block_public_access`?"),
        ({**LINE, "trust": READ}, "unknown key `trust` holds a policy"),
        ({**LINE, "more": [[json.dumps(READ)]]}, "unknown key `more` holds a policy"),
        ({**LINE, "block_public_access": {"BlockPublicAcl": True}}, "did you mean `BlockPublicAcls`?"),
        ({**LINE, "block_public_access": {"IgnorePublicAcls": None}}, "block_public_access.IgnorePublicAcls"),
    ],
)
def test_a_line_that_cannot_be_evaluated_says_why(line: object, error: str) -> None:
    """A malformed line gives its error, keeps its id where it can be read, and has no decision."""
    answer = evaluate_line(line)
    assert error in answer["error"]
    assert "\n" not in answer["error"]
    assert answer["decision"] is None
    assert answer["id"] == (line.get("id") if isinstance(line, dict) else None)


@pytest.mark.parametrize("name", [None, True, 0, 1.5, "", "a\nb", [1, "x"], {"a": [None]}])
def test_an_id_of_any_json_type_is_repeated(name: object) -> None:
    """The id is the caller's own: it comes back as it was, whether or not the line can be evaluated."""
    for line in ({**LINE, "id": name}, {"id": name}):
        assert evaluate_line(json.dumps(line))["id"] == name


def test_an_answer_has_the_same_keys_with_and_without_an_error() -> None:
    """A reader of answers finds notes and assumptions in each, and only the error tells them apart."""
    assert {*evaluate_line(LINE), "error"} == {*evaluate_line({"id": 1})}


def test_a_request_without_resource_is_about_the_star_and_says_so() -> None:
    """Only id and request are required; what is assumed instead is told."""
    request = {"principal": USER, "action": "ec2:DescribeInstances"}
    answer = evaluate_line({"id": 1, "request": request})
    assert answer["decision"] == "implicit_deny"
    assert "resource" in answer["assumed"]


def test_policies_that_come_again_are_answered_and_noted_again() -> None:
    """What is kept of a line's policies changes no answer, also when the caller changes its own line."""
    policy = {"Statement": [{**READ["Statement"][0]}, {"Effect": "allow", "Action": "*", "Resource": "*"}]}
    line = {**INSIDE, "identity_policies": [policy]}
    first = evaluate_line(line)
    assert [evaluate_line(line), evaluate_line(json.dumps(line))] == [first, first]
    assert len(first["notes"]) == len(set(first["notes"]))
    policy["Statement"][0]["Effect"] = "Deny"
    assert evaluate_line(line)["decision"] == "explicit_deny"


def test_a_key_that_means_nothing_is_noted() -> None:
    """What a line carries for its own purposes, such as an expected answer, does not fail it."""
    answer = evaluate_line({**INSIDE, "expected": "allow"})
    assert answer["decision"] == "allow"
    assert "line: the key `expected` means nothing here" in answer["notes"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def hostile_lines(draw: st.DrawFn) -> dict[str, object]:
    """A good line in which one value, at any depth, was replaced by any JSON."""
    line: object = json.loads(
        json.dumps(
            {
                **INSIDE,
                "resource_policy": {"Statement": [{**READ["Statement"][0], "Principal": {"AWS": "*"}}]},
                "scps": [[READ]],
                "grants": [
                    {
                        "GranteePrincipal": USER,
                        "Operations": ["Decrypt"],
                        "Constraints": {"EncryptionContextEquals": {"a": "b"}},
                    }
                ],
                "acl": {
                    "Owner": {"ID": "a"},
                    "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "a"}, "Permission": "READ"}],
                },
            }
        )
    )
    place = line
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.integers(0, 3)) == 0:
            place[key] = draw(JSON)
            return line
        place = place[key]


@given(hostile_lines(), st.booleans())
def test_no_line_raises(line: dict[str, object], unknown_context: bool) -> None:
    """Whatever stands in a line, there is an answer: a decision or an error, and JSON can write it."""
    answer = evaluate_line(line, unknown_context=unknown_context, derive_context=True)
    assert ("error" in answer) is (answer["decision"] is None)
    json.dumps(answer, allow_nan=False)


def test_a_huge_line_is_answered_in_time_that_grows_with_it() -> None:
    """Thousands of statements and pathological patterns are evaluated, not refused and not forever."""
    statement = {
        "Effect": "Allow",
        "Action": "s3:*a*a*a*a*a*a*b",
        "Resource": "arn:aws:s3:::" + "*a" * 200 + "b",
    }
    line = {
        **LINE,
        "request": {**REQUEST, "action": "s3:" + "a" * 5000, "resource": "arn:aws:s3:::" + "a" * 5000},
        "identity_policies": [{"Statement": [statement] * 2000}],
    }
    assert evaluate_line(line)["decision"] == "implicit_deny"
