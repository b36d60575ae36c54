"""Statements match by action, resource and conditions, in three values; their unknown parts can be read and asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.engine.leaf import Leaf
from clew.engine.match import compile_statement
from clew.engine.request import Context
from clew.engine.resources import Incomplete
from clew.policy.model import Condition, Effect, Statement

if TYPE_CHECKING:
    from clew.engine.match import CompiledStatement
    from clew.engine.request import ContextValue

VERSION = "2012-10-17"
EMPTY = Context()


def statement(
    action: str | tuple[str, ...] | None = "*",
    resource: str | tuple[str, ...] | None = "*",
    *conditions: Condition,
    not_action: str | None = None,
    not_resource: str | None = None,
    effect: Effect = Effect.ALLOW,
) -> Statement:
    """An Allow statement, with lists of one where a text is given."""
    return Statement(
        effect=effect,
        actions=_listed(action),
        not_actions=_listed(not_action),
        resources=_listed(resource),
        not_resources=_listed(not_resource),
        conditions=conditions,
    )


def _listed(given: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return (given,) if isinstance(given, str) else given


def compiled(made: Statement, version: str | None = VERSION, **words: object) -> CompiledStatement:
    """The statement under the present version of the language."""
    return compile_statement(made, version=version, **words)  # type: ignore[arg-type]  # passed through


@pytest.mark.parametrize(
    ("wanted", "action", "expected"),
    [
        ("s3:GetObject", "s3:getobject", True),
        ("S3:GETOBJECT", "s3:getobject", True),
        ("s3:Get*", "s3:getobjectacl", True),
        ("s3:???Object", "s3:getobject", True),
        ("*", "s3:getobject", True),
        ("*:GetObject", "s3:getobject", True),
        ("s3:GetObject", "s3:getobjectacl", False),
        ("GetObject", "getobject", False),
        ("s3*", "s3:getobject", False),
        ("**", "s3:getobject", False),
    ],
)
def test_actions_match_without_case(wanted: str, action: str, expected: bool) -> None:
    """Service and name are compared without case; only `*` may stand without a colon."""
    assert compiled(statement(wanted)).matches_action(action) is expected
    assert compiled(statement(None, not_action=wanted)).matches_action(action) is not expected


def test_action_and_not_action_exclude_each_other() -> None:
    """A statement with both or neither of two contrary elements matches nothing."""
    for made in (
        statement(not_action="*"),
        statement(None),
        statement(not_resource="x"),
        statement(resource=None),
    ):
        assert compiled(made).evaluate("s3:getobject", "*", EMPTY) is False


def test_a_missing_resource_is_the_resource_itself_where_that_is_allowed() -> None:
    """A resource policy may leave its Resource out."""
    made = compiled(statement(resource=None), resource_optional=True)
    assert made.evaluate("sts:assumerole", "arn:aws:iam::111122223333:role/r", EMPTY) is True
    assert made.evaluate("sts:assumerole", "*", EMPTY, wildcard_only=True) is True


@pytest.mark.parametrize(
    ("wanted", "resource", "expected"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::B/*", "arn:aws:s3:::b/k", False),
        ("arn:aws:sqs:*:1:q", "arn:aws:sqs:us-east-1:1:q", True),
        ("arn:aws:s3*", "arn:aws:s3:::b/k", True),
        ("arn:aws:s3:::b/k", "arn:aws:s3:::b/*", False),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/*", True),
    ],
)
def test_resources_match_with_case_over_the_whole_text(wanted: str, resource: str, expected: bool) -> None:
    """Wildcards of the policy cross `/` and `:`; those of the request are plain characters."""
    assert compiled(statement(resource=wanted)).applies(resource, EMPTY) is expected
    assert compiled(statement(resource=None, not_resource=wanted)).applies(resource, EMPTY) is not expected


def test_an_action_without_resource_types_needs_the_star() -> None:
    """For such an action only the pattern `*` is about its resource, in Resource and NotResource."""
    for wanted, expected in (("*", True), ("arn:aws:s3:::*", False), ("**", False)):
        assert compiled(statement(resource=wanted)).applies("*", EMPTY, wildcard_only=True) is expected
        made = compiled(statement(resource=None, not_resource=wanted))
        assert made.applies("*", EMPTY, wildcard_only=True) is not expected


@pytest.mark.parametrize(
    ("wanted", "completed", "as_written", "if_open", "nothing"),
    [
        ("arn:aws:sqs", True, False, False, False),
        ("arn:aws:sqs:*", True, True, True, False),
        ("arn:aws:sqs:us-*:1", True, False, False, False),
        ("arn:aws:*:q", False, True, False, False),
        ("arn:aws:sqs:us-east-1:1:q", True, True, True, True),
        ("*", True, True, True, True),
        ("*:q", True, True, True, True),
    ],
)
def test_incomplete_arns_are_read_by_the_kind_of_policy(
    wanted: str, completed: bool, as_written: bool, if_open: bool, nothing: bool
) -> None:
    """Identity policies complete them, others compare them as they stand, some only with a last `*`, some never."""
    readings = {
        Incomplete.COMPLETED: completed,
        Incomplete.AS_WRITTEN: as_written,
        Incomplete.IF_OPEN: if_open,
        Incomplete.NOTHING: nothing,
    }
    for incomplete, expected in readings.items():
        made = compiled(statement(resource=wanted), incomplete=incomplete)
        assert made.applies("arn:aws:sqs:us-east-1:1:q", EMPTY) is expected
        contrary = compiled(statement(resource=None, not_resource=wanted), incomplete=incomplete)
        assert contrary.applies("arn:aws:sqs:us-east-1:1:q", EMPTY) is not expected


HOME = "arn:aws:s3:::home/${aws:username}/*"


def test_variables_in_resources_take_one_value_literally() -> None:
    """A user's name fills its place, wildcards in it are plain, and without a usable value nothing matches."""
    made, contrary = compiled(statement(resource=HOME)), compiled(statement(resource=None, not_resource=HOME))
    values: tuple[tuple[ContextValue | None, bool], ...] = (
        ("carlos", True),
        (("carlos",), True),
        ("c*", False),
        (("carlos", "carlos"), False),
        ((), False),
        (None, False),
    )
    for value, expected in values:
        context = Context({} if value is None else {"aws:username": value})
        assert made.applies("arn:aws:s3:::home/carlos/x", context) is expected
        assert contrary.applies("arn:aws:s3:::home/carlos/x", context) is not expected
    assert made.applies("arn:aws:s3:::home/carlos/x", Context(unknown=None)) is None
    assert compiled(statement(resource=(HOME, "*"))).applies("arn:aws:s3:::x", Context(unknown=None)) is True


def test_a_multivalued_key_fills_no_resource() -> None:
    """A resource that names one of AWS's multivalued keys in a variable matches nothing, known or unknown."""
    wanted = "arn:aws:s3:::${aws:TagKeys, 'b'}/*"
    for context in (
        Context({"aws:TagKeys": ("b",)}),
        Context({"aws:TagKeys": "b"}),
        EMPTY,
        Context(unknown=None),
    ):
        assert compiled(statement(resource=wanted)).applies("arn:aws:s3:::b/x", context) is False
        assert (
            compiled(statement(resource=None, not_resource=wanted)).applies("arn:aws:s3:::b/x", context)
            is True
        )


def test_variables_before_the_last_field_are_text() -> None:
    """A variable cannot stand for a partition, service, region or account."""
    context = Context({"aws:username": "1"})
    assert (
        compiled(statement(resource="arn:aws:sqs:*:${aws:username}:q")).applies("arn:aws:sqs:x:1:q", context)
        is False
    )
    assert compiled(statement(resource="${aws:username}")).applies("1", context) is False
    assert (
        compiled(statement(resource="arn:aws:sqs:*:1:${aws:username}")).applies("arn:aws:sqs:x:1:1", context)
        is True
    )


def test_variables_need_the_version() -> None:
    """Without version 2012-10-17 a variable is text, for which nobody's name stands."""
    for version in (None, "2008-10-17"):
        made = compiled(statement(resource=HOME), version)
        assert made.applies("arn:aws:s3:::home/carlos/x", Context({"aws:username": "carlos"})) is False
        assert made.missing_keys(EMPTY) == ()


TEAM = Condition("StringEquals", "aws:PrincipalTag/team", ("a", "b"))
NETWORK = Condition("IpAddress", "aws:SourceIp", ("192.0.2.0/24",))
MFA = Condition("BoolIfExists", "aws:MultiFactorAuthPresent", ("true",))


def test_false_wins_over_unknown() -> None:
    """A statement is false as soon as one part is, whatever is unknown before or after it."""
    made = compiled(statement("s3:*", "*", TEAM, NETWORK))
    for known, expected in (({"aws:SourceIp": "198.51.100.1"}, False), ({"aws:SourceIp": "192.0.2.1"}, None)):
        assert made.evaluate("s3:getobject", "*", Context(known, unknown=None)) is expected
    assert made.evaluate("ec2:runinstances", "*", Context(unknown=None)) is False


def test_unknown_parts_are_named_in_words_and_for_machines() -> None:
    """What is unknown reads as a clause, prints as JSON, and nothing else is listed."""
    made = compiled(statement("s3:*", HOME, TEAM, NETWORK, MFA))
    leaves = made.unknown_parts(
        "arn:aws:s3:::home/c/x", Context({"aws:PrincipalTag/team": "a"}, unknown=None)
    )
    assert [leaf.text for leaf in leaves] == [
        "resource arn:aws:s3:::home/c/x matches arn:aws:s3:::home/${aws:username}/*",
        "aws:SourceIp is in 192.0.2.0/24",
        "aws:MultiFactorAuthPresent is absent or true",
    ]
    assert leaves[1].document() == {
        "operator": "IpAddress",
        "key": "aws:SourceIp",
        "values": ["192.0.2.0/24"],
    }
    settled = Context({"aws:username": "c", "aws:SourceIp": "192.0.2.1"})
    assert [leaf.holds(settled) for leaf in leaves] == [True, True, True]
    assert made.unknown_parts("arn:aws:s3:::home/c/x", settled) == ()


def test_a_leaf_spells_its_operator_as_aws_does() -> None:
    """The operator of a leaf has AWS's spelling, whatever the policy's."""
    made = compiled(statement("*", "*", Condition("foranyvalue:stringlikeIFEXISTS", "k", ("a*",))))
    (leaf,) = made.unknown_parts("*", Context(unknown=None))
    assert leaf.document() == {"operator": "ForAnyValue:StringLikeIfExists", "key": "k", "values": ["a*"]}
    assert leaf.text == 'k is absent or some value is like "a*"'


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("StringEquals", ("a", "b"), 'k equals "a" or "b"'),
        ("StringNotEquals", ("a", "b"), 'k does not equal "a" or "b"'),
        ("StringNotLikeIfExists", ("a*",), 'k is absent or not like "a*"'),
        ("NotIpAddress", ("192.0.2.0/24",), "k is not in 192.0.2.0/24"),
        ("NumericLessThanEquals", ("10",), "k is at most 10"),
        ("DateGreaterThan", ("2020",), "k is after 2020"),
        ("Null", ("true",), "k is absent"),
        ("Null", ("false",), "k is present"),
        ("ForAllValues:StringLike", ("a*",), 'every value of k is like "a*"'),
        ("ForAnyValue:StringEqualsIfExists", ("a",), 'k is absent or some value equals "a"'),
        ("StringEquals", (), "k equals nothing"),
        (
            "NumericEquals",
            tuple("123456789abcdef"),
            "k is 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 or a or b or c or 3 more",
        ),
    ],
)
def test_conditions_read_as_clauses(operator: str, values: tuple[str, ...], expected: str) -> None:
    """Each operator has its words, with qualifiers and long lists."""
    made = compiled(
        statement("*", "*", Condition(operator, "k", values), Condition("StringEquals", "other", ("x",)))
    )
    leaf = made.unknown_parts("*", Context({"other": "x"}, unknown=None))
    shown = [each.text for each in leaf] or [_decided(operator, values)]
    assert shown == [expected]


def _decided(operator: str, values: tuple[str, ...]) -> str:
    """The clause of a condition that is never unknown."""
    return Leaf(operator, "k", values, lambda _: None).text


def test_missing_keys_are_those_named_without_a_value() -> None:
    """Keys of conditions, of variables in their values and in resources, each once, as written, unless present."""
    variable = Condition(
        "StringEquals", "aws:PrincipalTag/team", ("${aws:RequestTag/Team}", "${aws:requesttag/team}")
    )
    made = compiled(statement("*", HOME, variable, NETWORK))
    assert made.missing_keys(Context({"aws:sourceip": "x"})) == (
        "aws:PrincipalTag/team",
        "aws:RequestTag/Team",
        "aws:username",
    )
    assert made.missing_keys(Context({"aws:username": "x"}, unknown=None))[-1] == "aws:SourceIp"
    useless = Condition("NumericEquals", "s3:max-keys", ("${aws:userid}",))
    wanted = ("arn:aws:s3:::${aws:TagKeys}/*", "arn:aws:s3:::b")
    assert compiled(statement("*", wanted, useless)).missing_keys(EMPTY) == ("s3:max-keys",)


def test_denies_are_told_apart() -> None:
    """A compiled statement says whether it denies."""
    assert compiled(statement(effect=Effect.DENY)).denies
    assert not compiled(statement()).denies


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ArnLike"])
def test_a_variable_named_a_thousand_times_costs_little(operator: str) -> None:
    """Resources and values that repeat a variable are settled without writing the value out each time."""
    context = Context({"k": "a" * 100_000})
    made = statement("*", "arn:aws:s3:::" + "${k}" * 2_000, Condition(operator, "k", ("${k}" * 2_000,)))
    assert compiled(made).evaluate("s3:getobject", "arn:aws:s3:::" + "a" * 100_000, context) is False
    assert (
        compiled(made).evaluate("s3:getobject", "arn:aws:s3:::" + "a" * 2_000, Context({"k": "a"})) is False
    )
    assert compiled(statement("*", made.resources)).evaluate(
        "s3:getobject", "arn:aws:s3:::" + "a" * 2_000, Context({"k": "a"})
    )
