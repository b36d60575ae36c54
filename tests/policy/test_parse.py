from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import PolicyError
from clew.policy.model import Condition, Effect, Policy, Principal, Statement
from clew.policy.parse import from_document, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def test_whole_document():
    """Every element of a statement arrives in the model as it was written."""
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "log-access",
            "Statement": [
                {
                    "Sid": "Read",
                    "Effect": "Deny",
                    "Principal": {"AWS": ["111122223333", "*"], "Service": "ec2.amazonaws.com"},
                    "NotAction": ["s3:*"],
                    "NotResource": "arn:aws:s3:::b/*",
                    "Condition": {
                        "Bool": {"aws:SecureTransport": False},
                        "NumericLessThan": {"s3:max-keys": [10, "20"]},
                    },
                }
            ],
        }
    )
    assert parse(text).without_places() == Policy(
        version="2012-10-17",
        id="log-access",
        statements=(
            Statement(
                effect=Effect.DENY,
                sid="Read",
                principals=(
                    Principal("AWS", "111122223333"),
                    Principal("AWS", "*"),
                    Principal("Service", "ec2.amazonaws.com"),
                ),
                not_actions=("s3:*",),
                not_resources=("arn:aws:s3:::b/*",),
                conditions=(
                    Condition("Bool", "aws:SecureTransport", ("false",)),
                    Condition("NumericLessThan", "s3:max-keys", ("10", "20")),
                ),
            ),
        ),
    )


def test_one_statement_without_a_list():
    """A single statement may stand without a list, as AWS allows."""
    assert from_document({"Statement": STATEMENT}) == from_document({"Statement": [STATEMENT]})


def test_absent_and_empty_differ():
    """An element that was not written is None; one that is written and empty is empty."""
    (statement,) = from_document({"Statement": [{"Effect": "Allow", "Action": []}]}).statements
    assert statement.actions == ()
    assert statement.resources is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "/: `Statement` is missing"),
        ([], "/: expected an object, found a list"),
        ({"Statement": "x"}, "/Statement: expected an object or a list of objects, found a text"),
        ({"Statement": STATEMENT, "Owner": "x"}, "/: unknown element `Owner`"),
        (
            {"Statement": [STATEMENT, {**STATEMENT, "Effect": "DENY"}]},
            "/Statement/1/Effect: unknown effect `DENY`; expected `Allow` or `Deny`; did you mean `Deny`?",
        ),
        ({"Statement": {**STATEMENT, "Action": 5}}, "/Statement/0/Action: expected a text, found a number"),
        (
            {"Statement": {**STATEMENT, "Principal": "anyone"}},
            '/Statement/0/Principal: expected `*` or an object such as {"AWS": "111122223333"}, found `anyone`',
        ),
        (
            {"Statement": {**STATEMENT, "Principal": {"Aws": "*"}}},
            "/Statement/0/Principal: unknown kind of principal `Aws`; did you mean `AWS`?",
        ),
        (
            {"Statement": {**STATEMENT, "Condition": {"Bool": "x"}}},
            "/Statement/0/Condition/Bool: expected an object of condition keys, found a text",
        ),
        (
            {"Statement": {**STATEMENT, "Condition": {"Bool": {"k": None}}}},
            "/Statement/0/Condition/Bool/k: expected a text, a number or a boolean, found null",
        ),
        (
            {"Statement": [{**STATEMENT, "Condition": {"StringEqual": {"aws:username": "x"}}}]},
            "/Statement/0/Condition: unknown operator `StringEqual`; did you mean `StringEquals`?",
        ),
    ],
)
def test_mistakes_are_located(document, message):
    """A malformed document names the place and what was expected there."""
    with pytest.raises(PolicyError) as caught:
        from_document(document)
    assert str(caught.value) == message


def test_text_that_is_no_json():
    """Text that is no JSON is reported with line and column."""
    with pytest.raises(PolicyError, match=r"^line 2:1: expected a name, found `]`"):
        parse("{\n]")


def test_repeated_key():
    """A key that stands twice is refused: two readers could take different ones."""
    with pytest.raises(PolicyError, match="the element `Effect` stands twice"):
        parse('{"Statement": {"Effect": "Deny", "Effect": "Allow", "Action": "*"}}')


def test_all_mistakes_at_once():
    """Every mistake of a document is told, each with file and line, faults of JSON and of the language alike."""
    text = """{
      "Version": "2012-10-18",
      "Statement": [
        {"Effect": "allow", "Actions": "s3:*" "Resource": "*"},
        // nobody
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqual": {"a:b": "c"}}}
      ]
    }"""
    with pytest.raises(PolicyError) as caught:
        parse(text, "policy.json")
    assert [str(problem) for problem in caught.value.problems] == [
        "policy.json:2 /Version: unknown version `2012-10-18`; expected `2012-10-17` or `2008-10-17`",
        "policy.json:4 /Statement/0/Effect: unknown effect `allow`; expected `Allow` or `Deny`; did you mean `Allow`?",
        "policy.json:4 /Statement/0: unknown element `Actions`; did you mean `Action`?",
        'policy.json:4:47 /Statement/0: expected `,` before `"Resource"`',
        "policy.json:5:9 /Statement: comments are no JSON; remove it",
        "policy.json:6 /Statement/1/Condition: unknown operator `StringEqual`; did you mean `StringEquals`?",
    ]


def test_endless_nesting():
    """A document nested a hundred thousand levels deep is an error, not a crash."""
    with pytest.raises(PolicyError):
        parse("[" * 100_000)


@given(JSON)
def test_any_json_is_a_policy_or_a_policy_error(document):
    """Whatever JSON is given, the answer is a policy or a `PolicyError`."""
    for outcome in (_outcome(from_document, document), _outcome(parse, json.dumps(document))):
        assert isinstance(outcome, Policy) or "\n" not in outcome


def _outcome(read, given_value):
    try:
        return read(given_value)
    except PolicyError as error:
        return str(error)


def test_mistakes_stay_on_one_line():
    """A line break within a key does not break the message."""
    with pytest.raises(PolicyError) as caught:
        from_document({"a\nb": 1, "Statement": []})
    assert str(caught.value) == "/: unknown element `a\\nb`"


@pytest.mark.parametrize(
    ("principal", "account"),
    [
        (Principal("AWS", "111122223333"), "111122223333"),
        (Principal("AWS", "arn:aws-cn:iam::111122223333:user/a"), "111122223333"),
        (Principal("AWS", "*"), None),
        (Principal("AWS", "AIDAEXAMPLE"), None),
        (Principal("Service", "ec2.amazonaws.com"), None),
    ],
)
def test_account_of_a_principal(principal, account):
    """The account of a principal is what its text says, and unknown where it says nothing."""
    assert principal.account == account
