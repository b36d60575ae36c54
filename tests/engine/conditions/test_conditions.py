"""Conditions over present, absent, empty and unknown keys: qualifiers, negation, variables, three values."""

from __future__ import annotations

from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.engine.conditions import OPERATORS, compile_condition, read
from clew.engine.request import Context
from clew.policy.model import Condition

if TYPE_CHECKING:
    from clew.engine.conditions import Operator
    from clew.engine.request import ContextValue

STRINGS = (
    "a",
    "A",
    "b",
    "",
    "a*",
    "?",
    "10",
    "9.5",
    "x",
    "true",
    "False",
    "2020",
    "192.0.2.1",
    "QQ==",
    "arn:aws:s3:::b",
)
POLICY_VALUES = (
    *STRINGS, "*", "**", "192.0.2.0/24", "1970-01-01T00:00Z", "arn:aws:s3:::*", "${aws:username}", "${k, 'a'}",
    "${aws:username}${k}", "${*}", "a${?}", "arn:aws:s3:::${aws:username}", "${",
)  # fmt: skip
KEYS = ("k", "aws:username")
EVERY_NAME = [
    f"{quantifier}{name}{suffix}"
    for name, operator in OPERATORS.items()
    for quantifier, suffix in product(("", "ForAllValues:", "ForAnyValue:"), ("", "IfExists"))
    if not operator.tests_presence or not (quantifier or suffix)
]

names = st.sampled_from(EVERY_NAME)
listed_values = st.lists(st.sampled_from(POLICY_VALUES), max_size=3).map(tuple)
request_values = st.one_of(
    st.sampled_from(STRINGS), st.lists(st.sampled_from(STRINGS), max_size=3).map(tuple)
)
conditions = st.builds(Condition, names, st.sampled_from(KEYS), listed_values)


def holds(operator: str, values: tuple[str, ...], context: Context, key: str = "k") -> bool | None:
    """What the condition says, under the version that has variables."""
    return compile_condition(Condition(operator, key, values), variables=True)(context)


@given(conditions, st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, request_values)), st.data())
def test_a_determined_answer_holds_in_every_completion(
    condition: Condition, known: dict[str, ContextValue], data: st.DataObject
) -> None:
    """What is said under unknown keys is said however those keys turn out: absent, empty, or with any values."""
    unknown = [key for key in KEYS if key not in known]
    test = compile_condition(condition, variables=True)
    answer = test(Context(known, unknown=unknown))
    for _ in range(3):
        completed = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(unknown, request_values)))
        settled = test(Context({**known, **completed}))
        assert settled is not None
        assert answer is None or answer is settled


def _positive(operator: Operator) -> str:
    """The name of the operator that a negated one negates."""
    return operator.name.replace("NotIpAddress", "IpAddress").replace("Not", "")


@given(
    st.sampled_from([row for row in OPERATORS.values() if row.negated]),
    listed_values,
    st.one_of(st.sampled_from(STRINGS), st.lists(st.sampled_from(STRINGS), max_size=1).map(tuple)),
)
def test_plain_negation_is_the_contrary(
    operator: Operator, values: tuple[str, ...], value: ContextValue
) -> None:
    """A negated operator holds exactly where the positive one does not, for one value or none."""
    for context in (Context({"k": value}), Context({"k": value, "aws:username": "a"}), Context()):
        assert holds(operator.name, values, context) is not holds(_positive(operator), values, context)


@given(
    st.sampled_from([row for row in OPERATORS.values() if not row.tests_presence]),
    st.sampled_from(("", "IfExists")),
    listed_values,
    st.lists(st.sampled_from(STRINGS), min_size=2, max_size=3).map(tuple),
)
def test_several_values_need_a_set_operator(
    operator: Operator, suffix: str, values: tuple[str, ...], several: tuple[str, ...]
) -> None:
    """Without one nothing matches two values, negated operators neither, even under unknown variables."""
    assert (
        holds(f"{operator.name}{suffix}", values, Context({"k": several}, unknown=["aws:username"])) is False
    )


@given(conditions, st.sampled_from(STRINGS), st.sampled_from(STRINGS))
def test_a_list_of_one_is_its_value(condition: Condition, value: str, name: str) -> None:
    """A list of one value is that value, for every operator and in variables."""
    alone = Context({"k": value, "aws:username": name})
    listed = Context({"k": (value,), "aws:username": (name,)})
    test = compile_condition(condition, variables=True)
    assert test(listed) is test(alone)


@given(
    st.sampled_from([row for row in OPERATORS.values() if not row.tests_presence]),
    st.lists(st.sampled_from([value for value in POLICY_VALUES if "${k" not in value]), max_size=3).map(
        tuple
    ),
    st.lists(st.sampled_from(STRINGS), min_size=1, max_size=3).map(tuple),
)
def test_set_operators_ask_each_value(
    operator: Operator, values: tuple[str, ...], request: tuple[str, ...]
) -> None:
    """ForAllValues holds when the plain operator does for each request value, ForAnyValue when for some."""
    name = operator.name
    each = [holds(name, values, Context({"k": value, "aws:username": "a"})) for value in request]
    context = Context({"k": request, "aws:username": "a"})
    if any(request):
        assert holds(f"ForAllValues:{name}", values, context) is all(each)
        assert holds(f"ForAnyValue:{name}", values, context) is any(each)


@pytest.mark.parametrize("name", sorted(name for name, row in OPERATORS.items() if not row.tests_presence))
def test_an_absent_key_fails_positive_operators_only(name: str) -> None:
    """A missing key matches nothing: positive operators are false, negated ones true, IfExists true."""
    absent = Context()
    assert holds(name, ("1",), absent) is OPERATORS[name].negated
    assert holds(f"{name}IfExists", ("1",), absent) is True
    assert holds(f"ForAllValues:{name}", ("1",), absent) is True
    assert holds(f"ForAnyValue:{name}", ("1",), absent) is False
    assert holds(f"ForAnyValue:{name}IfExists", ("1",), absent) is True


@pytest.mark.parametrize("empty", [(), "", ("",), ("", "")])
def test_set_operators_and_null_see_no_value_in_empty_text(empty: ContextValue) -> None:
    """ForAllValues holds and ForAnyValue does not over an empty value, with IfExists too; Null says absent."""
    context = Context({"k": empty})
    assert holds("ForAllValues:StringEquals", ("a",), context) is True
    assert holds("ForAnyValue:StringNotEquals", ("a",), context) is False
    assert holds("ForAnyValue:StringEqualsIfExists", ("a",), context) is False
    assert holds("Null", ("true",), context) is True
    assert holds("Null", ("false",), context) is False


def test_an_empty_list_is_present_for_plain_operators() -> None:
    """A plain operator finds no match in an empty list, and IfExists does not excuse it."""
    context = Context({"k": ()})
    assert holds("StringEquals", ("a",), context) is False
    assert holds("StringEqualsIfExists", ("a",), context) is False
    assert holds("StringNotEquals", ("a",), context) is True


def test_null_tests_presence() -> None:
    """`true` asks for an absent key, `false` for a present one, in any case of letters."""
    assert holds("Null", ("true",), Context()) is True
    assert holds("Null", ("TRUE",), Context({"k": "x"})) is False
    assert holds("Null", ("false",), Context({"k": "x"})) is True
    assert holds("Null", ("yes",), Context({"k": "x"})) is False


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("StringEquals", ("a",), None),
        ("StringNotEquals", ("a",), None),
        ("StringEqualsIfExists", ("a",), None),
        ("ForAllValues:StringEquals", ("a",), None),
        ("Null", ("true",), None),
        ("Null", ("true", "false"), True),
        ("Null", ("x",), False),
        ("StringEquals", (), False),
        ("StringNotEquals", (), None),
        ("StringNotEqualsIfExists", (), None),
        ("NumericNotEquals", ("ten",), None),
        ("StringEqualsIfExists", (), None),
        ("NumericLessThan", ("ten",), False),
        ("ForAnyValue:Bool", ("yes",), False),
        ("ForAllValues:NumericNotEquals", ("ten",), True),
        ("ForAllValues:StringLike", ("*",), True),
        ("ForAllValues:StringLikeIfExists", ("a", "**"), True),
        ("ForAnyValue:StringNotLike", ("*",), False),
        ("ForAnyValue:StringNotLikeIfExists", ("*",), None),
        ("StringLike", ("*",), None),
        ("StringLikeIfExists", ("*",), None),
        ("ArnLike", ("*",), False),
        ("StringEquals", ("${aws:username}",), False),
        ("StringEquals", ("${k}",), None),
        ("StringEquals", ("${aws:TagKeys}",), False),
        ("StringNotEquals", ("${aws:TagKeys}",), None),
    ],
)
def test_an_unknown_key_is_unknown_unless_all_completions_agree(
    operator: str, values: tuple[str, ...], expected: bool | None
) -> None:
    """Only a condition that no value of the key can change is determined without it."""
    assert holds(operator, values, Context(unknown=["k"])) is expected


def test_an_unknown_variable_may_or_may_not_match() -> None:
    """A value with an unknown variable is settled by nothing but another value that matches."""
    context = Context({"k": "a"}, unknown=["aws:username"])
    assert holds("StringEquals", ("x-${aws:username}",), context) is None
    assert holds("StringNotEquals", ("x-${aws:username}",), context) is None
    assert holds("StringEquals", ("x-${aws:username}", "a"), context) is True
    assert holds("StringNotEquals", ("x-${aws:username}", "a"), context) is False


def test_variables_take_the_value_literally() -> None:
    """Wildcards and variables that come out of a variable are plain characters."""
    star = {"aws:username": "*"}
    assert holds("StringLike", ("team-${aws:username}",), Context({"k": "team-x", **star})) is False
    assert holds("StringLike", ("team-${aws:username}",), Context({"k": "team-*", **star})) is True
    assert holds("StringLike", ("${aws:username}",), Context({"k": "${k}", "aws:username": "${k}"})) is True


@pytest.mark.parametrize("known", [{}, {"aws:username": ("a", "a")}, {"aws:username": ()}])
def test_variables_without_a_value_match_nothing(known: dict[str, ContextValue]) -> None:
    """An absent key or a list of none or several resolves no variable: positive false, negated true."""
    context = Context({"k": "a", **known})
    assert holds("StringEquals", ("${aws:username}",), context) is False
    assert holds("StringNotEquals", ("${aws:username}",), context) is True


def test_a_default_stands_in_for_an_absent_key_only() -> None:
    """The default is used when the key is absent, not when it has a value or several."""
    rows: tuple[tuple[dict[str, ContextValue], bool], ...] = (
        ({}, True),
        ({"aws:username": "b"}, False),
        ({"aws:username": ("a", "b")}, False),
        ({"aws:username": ()}, False),
    )
    for known, expected in rows:
        assert holds("StringEquals", ("${aws:username, 'a'}",), Context({"k": "a", **known})) is expected


@pytest.mark.parametrize(
    "key",
    ["aws:TagKeys", "AWS:calledvia", "aws:PrincipalOrgPaths", "aws:ResourceOrgPaths", "aws:SourceOrgPaths",
     "aws:VpceOrgPaths", "aws:PrincipalServiceNamesList"],
)  # fmt: skip
def test_a_multivalued_global_key_is_no_variable(key: str) -> None:
    """AWS's multivalued keys resolve no variable: with a text, a list of one, absent, unknown, nor by a default."""
    for known in ({key: "a"}, {key: ("a",)}, {}):
        for unknown in ((), (key,)):
            context = Context({"k": "a", **known}, unknown=unknown)
            assert holds("StringEquals", (f"${{{key}, 'a'}}",), context) is False
            assert holds("StringNotEquals", (f"${{{key}, 'a'}}",), context) is True


def test_special_characters_are_literal() -> None:
    """`${*}`, `${?}` and `${$}` match the character only."""
    assert holds("StringLike", ("a${*}",), Context({"k": "a*"})) is True
    assert holds("StringLike", ("a${*}",), Context({"k": "ab"})) is False
    assert holds("StringEquals", ("${$}{x}${?}",), Context({"k": "${x}?"})) is True


def test_variables_need_the_version_and_an_operator_that_takes_them() -> None:
    """Under another version, and for numbers, times, bytes, addresses and Null, `${…}` is plain text."""
    condition = Condition("StringEquals", "k", ("${aws:username}",))
    context = Context({"k": "${aws:username}", "aws:username": "true"})
    assert compile_condition(condition, variables=False)(context) is True
    for operator, value in (
        ("NumericEquals", "1"),
        ("DateEquals", "2020"),
        ("BinaryEquals", "QQ=="),
        ("IpAddress", "192.0.2.1"),
    ):
        assert holds(operator, ("${aws:username}",), Context({"k": value, "aws:username": value})) is False
    assert holds("Null", ("${aws:username}",), Context({"aws:username": "true"})) is False


def test_bool_takes_variables() -> None:
    """A truth value may come out of a variable; without a usable value nothing matches."""
    for value, expected in (("TRUE", True), ("false", False), ("yes", False), (("true",), True), ((), False)):
        assert holds("Bool", ("${aws:username}",), Context({"k": "true", "aws:username": value})) is expected
    assert holds("Bool", ("${aws:username, 'true'}",), Context({"k": "true"})) is True
    assert holds("Bool", ("${aws:username}",), Context({"k": "true"}, unknown=["aws:username"])) is None
    condition = Condition("Bool", "k", ("${aws:username}",))
    assert (
        compile_condition(condition, variables=False)(Context({"k": "true", "aws:username": "true"})) is False
    )


def test_an_arn_may_come_out_of_a_variable() -> None:
    """The parts of an ARN are told apart after variables are filled in."""
    arn = "arn:aws:iam::111122223333:role/deploy"
    assert holds("ArnEquals", ("${aws:username}",), Context({"k": arn, "aws:username": arn})) is True
    context = Context({"k": arn, "aws:username": "111122223333"})
    assert holds("ArnLike", ("arn:aws:iam::${aws:username}:role/*",), context) is True


class Team(StrEnum):
    """A value that is text, but not of the plain class."""

    A = "alpha"


def test_a_kind_of_text_is_one_value() -> None:
    """A value of a subclass of text is compared as a whole, never letter by letter."""
    context = Context({"k": Team.A})
    assert holds("StringEquals", ("alpha",), context) is True
    assert holds("StringEquals", ("a",), context) is False


def test_keys_are_compared_without_case() -> None:
    """The case of a key does not matter, also in the name of a tag and in a variable."""
    context = Context({"aws:principaltag/TEAM": "a"})
    assert holds("StringEquals", ("a",), context, key="AWS:PrincipalTag/team") is True
    assert holds("StringEquals", ("${aws:PRINCIPALTAG/team}",), context, key="aws:PrincipalTag/Team") is True


@pytest.mark.parametrize(
    "name",
    ["string_equals", "StringEqual", "NullIfExists", "nullifexists", "ForAllValues:Null", "forallvalues:null",
     "ForAllValue:StringLike", "IfExists", "", "ForAnyValue: StringLike", "StringLikeIfExistsIfExists",
     "stringequals "],
)  # fmt: skip
def test_an_unknown_operator_never_holds(name: str) -> None:
    """With an operator or a qualifier that cannot be read a statement never matches."""
    assert read(name) is None
    assert holds(name, ("a",), Context({"k": "a"})) is False


@pytest.mark.parametrize("name", EVERY_NAME)
def test_every_qualified_name_is_read_as_it_is_written(name: str) -> None:
    """Each operator goes with each qualifier, Null with none."""
    found = read(name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", EVERY_NAME)
def test_operators_are_read_without_case(name: str) -> None:
    """The case of an operator, its qualifier and `IfExists` does not matter."""
    assert read(name.lower()) is read(name.upper()) is read(name.swapcase()) is read(name)


def test_a_hundred_thousand_values_are_looked_up_not_scanned() -> None:
    """Exact values, numbers and networks in huge lists cost one look-up for a request."""
    many = tuple(str(number) for number in range(100_000))
    networks = tuple(f"10.{number >> 8 & 255}.{number & 255}.0/24" for number in range(20_000))
    texts = compile_condition(Condition("StringEquals", "k", many), variables=True)
    numbers = compile_condition(Condition("NumericEquals", "k", many), variables=True)
    ranges = compile_condition(Condition("IpAddress", "k", networks), variables=True)
    for _ in range(1_000):
        assert texts(Context({"k": "99999"})) is True
        assert numbers(Context({"k": "99999.5"})) is False
        assert ranges(Context({"k": "10.78.31.1"})) is True
