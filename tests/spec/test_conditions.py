"""The condition operators and qualifiers of the law, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec.conditions import Condition, condition_holds
from spec.context import Context
from spec.documents import MalformedError, _condition
from spec.operators import OPERATORS
from spec.variables import MULTIVALUED, as_written
from tests.case_files import read_case_file

HERE = Path(__file__).parent
OPERATOR_ROWS = read_case_file(HERE / "operators.yaml")["rows"]
CONDITION_ROWS = read_case_file(HERE / "conditions.yaml")["rows"]


@pytest.mark.parametrize(("operator", "policy", "request_value", "expected"), OPERATOR_ROWS)
def test_one_policy_value_against_one_request_value(operator, policy, request_value, expected):
    """Each operator compares as its section of AWS's page says."""
    assert OPERATORS[operator].matches(as_written(policy), request_value) is expected


@pytest.mark.parametrize(("operator", "values", "given", "expected", "_source"), CONDITION_ROWS)
def test_one_condition_against_a_key(operator, values, given, expected, _source):
    """Absent, unknown, single and listed values are read as documented under each qualifier."""
    assert condition_holds(_condition(operator, "aws:x", values), _context(given), variables=True) is expected


def test_negated_operators_compare_like_their_positive_form():
    """A negated operator is the negation of the positive one, nothing else."""
    pairs = [
        ("StringEquals", "StringNotEquals"),
        ("NumericEquals", "NumericNotEquals"),
        ("IpAddress", "NotIpAddress"),
    ]
    for positive, negated in pairs:
        assert OPERATORS[negated].negated
        assert not OPERATORS[positive].negated
        assert OPERATORS[negated].matches is OPERATORS[positive].matches


def test_variables_with_default_absent_multivalued_and_unknown_keys():
    """A variable stands for the single value, else its default, else nothing; several values are never usable."""
    rows = [
        ("${aws:username}", {"aws:username": "x"}, True),
        ("${AWS:UserName}", {"aws:username": "x"}, True),
        ("${aws:username}", {}, False),
        ("${aws:username, 'x'}", {}, True),
        ("${aws:username, 'y'}", {"aws:username": "x"}, True),
        ("${aws:username}", {"aws:username": ("x",)}, True),
        ("${aws:username, 'y'}", {"aws:username": ("x",)}, True),
        ("${aws:username}", {"aws:username": ("x", "x")}, False),
        ("${aws:username, 'x'}", {"aws:username": ("x", "y")}, False),
        ("${aws:username, 'x'}", {"aws:username": ()}, False),
        ("${aws:username", {"aws:username": "x"}, False),
    ]
    for value, keys, expected in rows:
        context = Context({"aws:key": "x", **keys})
        assert (
            condition_holds(Condition("StringEquals", "aws:key", (value,)), context, variables=True)
            is expected
        )
    unknown = Context({"aws:key": "x"}, unknown=frozenset({"aws:username"}))
    assert (
        condition_holds(Condition("StringEquals", "aws:key", ("${aws:username}",)), unknown, variables=True)
        is None
    )
    assert (
        condition_holds(Condition("StringNotEquals", "aws:key", ("${aws:no}",)), unknown, variables=True)
        is True
    )


@pytest.mark.parametrize("name", sorted(MULTIVALUED))
def test_a_multivalued_key_cannot_stand_in_a_variable(name):
    """Whatever the key carries, nothing or unknown included, the variable has no value, and no default helps."""
    contexts = [Context({"aws:key": "x", name: value}) for value in ("x", ("x",), ("x", "y"), ())]
    contexts += [Context({"aws:key": "x"}), Context({"aws:key": "x"}, unknown=frozenset({name}))]
    for value in (f"${{{name}}}", f"${{{name.upper()}, 'x'}}"):
        for context in contexts:
            for operator, expected in (("StringEquals", False), ("StringNotEquals", True)):
                condition = Condition(operator, "aws:key", (value,))
                assert condition_holds(condition, context, variables=True) is expected


@pytest.mark.parametrize(
    "written",
    [
        "StringEqual",
        "ForAnyValues:StringEquals",
        ":StringEquals",
        "nullIfExists",
        "ForAllValues:null",
        "IfExists",
    ],
)
def test_what_names_no_operator_in_any_case_is_malformed(written):
    """Names are compared without case, but nothing else is guessed."""
    with pytest.raises(MalformedError):
        _condition(written, "aws:x", ["true"])


def test_wildcards_of_a_value_are_literal_and_escapes_too():
    """What a variable brings in is literal text; `${*}` is an asterisk."""
    rows = [
        ("${aws:p}", {"aws:p": "a*"}, "abc", False),
        ("${aws:p}*", {"aws:p": "a*"}, "a*c", True),
        ("a${*}", {}, "abc", False),
        ("a${*}", {}, "a*", True),
        ("a${?}${$}", {}, "a?$", True),
    ]
    for value, keys, given, expected in rows:
        context = Context({"aws:key": given, **keys})
        assert (
            condition_holds(Condition("StringLike", "aws:key", (value,)), context, variables=True) is expected
        )


def test_no_variables_in_an_old_policy():
    """Without Version 2012-10-17 a variable is literal text."""
    context = Context({"aws:key": "x", "aws:username": "x"})
    condition = Condition("StringEquals", "aws:key", ("${aws:username}",))
    assert condition_holds(condition, context, variables=False) is False


def test_which_operators_take_variables():
    """String and ARN operators and Bool do; numbers, dates, bytes, addresses and Null do not."""
    arn = "arn:aws:iam::111122223333:role/r"
    rows = [
        ("StringLike", "x", True),
        ("ArnLike", arn, True),
        ("Bool", "true", True),
        ("NumericEquals", "1", False),
        ("DateEquals", "2020", False),
        ("BinaryEquals", "QQ==", False),
        ("IpAddress", "192.0.2.7", False),
    ]
    for operator, value, expected in rows:
        context = Context({"aws:key": value, "aws:x": value})
        condition = Condition(operator, "aws:key", ("${aws:x}",))
        assert condition_holds(condition, context, variables=True) is expected, operator
    asks = Condition("Null", "aws:key", ("${aws:x}",))
    assert condition_holds(asks, Context({"aws:x": "true"}), variables=True) is False


def test_bool_with_a_variable_that_has_no_value():
    """An unresolvable variable matches nothing, an unknown one leaves the test open, an old policy has no variables."""
    condition = Condition("Bool", "aws:key", ("${aws:x}",))
    given = {"aws:key": "true"}
    assert condition_holds(condition, Context(given), variables=True) is False
    unknown = Context(given, unknown=frozenset({"aws:x"}))
    assert condition_holds(condition, unknown, variables=True) is None
    assert condition_holds(condition, Context({**given, "aws:x": "true"}), variables=False) is False


def _context(given):
    if given == "absent":
        return Context()
    if given == "unknown":
        return Context(unknown=frozenset({"aws:x"}))
    values = {"aws:x": tuple(given) if isinstance(given, list) else given}
    return Context(values, unknown=frozenset({"aws:unknown"}))
