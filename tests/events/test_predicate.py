"""Predicates as closures: facts, names that a rule needs, and what the tree can hold beyond Sigma."""

from __future__ import annotations

import pytest

from clew.errors import RuleError
from clew.events.predicate import (
    FALSE,
    TRUE,
    And,
    Element,
    Leaf,
    Not,
    Or,
    SameValue,
    compile_all,
    compile_predicate,
    fact_names,
    required_values,
    values_at,
)

NAME = ("eventName",)
STOP = Leaf(NAME, "equals", ("StopLogging", "DeleteTrail"))
PUBLIC = Leaf(("clew", "policy_public"), "equals", (True,))


def test_a_fact_is_computed_when_it_is_asked_for():
    """A derived fact costs nothing for events that other conditions rule out, and once for many rules."""
    asked = []

    def policy_public(event):
        asked.append(event)
        return True

    rules = compile_all(
        [("a", And((STOP, PUBLIC))), ("b", And((STOP, Not(PUBLIC))))], {"policy_public": policy_public}
    )
    assert rules({"eventName": "Other"}) == []
    assert asked == []
    assert rules({"eventName": "StopLogging"}) == ["a"]
    assert len(asked) == 1


def test_a_fact_has_parts_and_elements():
    """A fact's value is reached into like the record itself."""
    facts = {"grants": lambda _: ({"to": "a", "all": True}, {"to": "b"})}
    both = Element(("clew", "grants"), And((Leaf(("to",), "equals", ("b",)), Leaf(("all",), "exists"))))
    assert compile_predicate(Leaf(("clew", "grants", "to"), "equals", ("b",)), facts)({})
    assert not compile_predicate(both, facts)({})


def test_an_unknown_fact_is_an_error():
    """A rule on a fact that does not exist is refused before any event is looked at."""
    with pytest.raises(RuleError, match=r"unknown derived fact `clew\.policy_public`"):
        compile_predicate(PUBLIC)


def test_facts_of_a_tree():
    """The facts that a tree needs are known without running it; a field of an element is none."""
    inside = Element(("resources",), Leaf(("clew", "x"), "exists"))
    assert fact_names(Or((PUBLIC, SameValue(("clew", "owner"), NAME), inside))) == {"policy_public", "owner"}


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (STOP, {"stoplogging", "deletetrail"}),
        (And((STOP, Leaf(("errorCode",), "exists"))), {"stoplogging", "deletetrail"}),
        (And((STOP, Leaf(NAME, "equals", ("deletetrail", "x")))), {"deletetrail"}),
        (Or((STOP, Leaf(NAME, "equals", ("x",)))), {"stoplogging", "deletetrail", "x"}),
        (Or((STOP, PUBLIC)), None),
        (Not(STOP), None),
        (FALSE, set()),
        (TRUE, None),
        (Leaf(NAME, "startswith", ("Stop",)), None),
        (Leaf(NAME, "equals", (22,)), None),
        (Leaf(NAME, "equals", ("22",), loose=True), None),
        (Leaf(NAME, "equals", ("22",)), {"22"}),
    ],
)
def test_the_names_that_a_tree_needs(tree, names):
    """A tree is true only of events with one of its names; None says that any name may do."""
    assert required_values(tree, NAME) == names


def test_a_name_that_is_no_string_asks_every_rule():
    """A list of names is beyond the look-up by name, and is still judged rightly."""
    assert compile_all([("stop", STOP)])({"eventName": ["x", "stoplogging"]}) == ["stop"]


def test_eventbridge_negation_is_about_elements():
    """EventBridge's anything-but, true when some element is a scalar outside the list, fits the tree."""
    scalar = Leaf((), "type_is", ("string", "number"))
    anything_but = compile_predicate(
        Element(("a",), And((scalar, Not(Leaf((), "equals", ("x",), case_sensitive=True)))))
    )
    assert anything_but({"a": ["x", "y"]})
    assert not anything_but({"a": ["x"]})
    assert not anything_but({})


def test_cloudwatch_inequality_is_about_the_whole_value():
    """CloudWatch's !=, true of an absent field and false of a list, fits the tree."""
    leaf = Leaf(("a",), "equals", ("x",), case_sensitive=True, quantifier="one")
    container = Leaf(("a",), "type_is", ("object", "array"), quantifier="one")
    differs = compile_predicate(And((Not(leaf), Not(container))))
    assert [differs(event) for event in ({}, {"a": "X"}, {"a": "x"}, {"a": ["y"]})] == [
        True,
        True,
        False,
        False,
    ]


def test_values_at_a_path():
    """Every value that a path reaches is found, lists unfolded."""
    event = {"items": [{"port": 22}, {"port": [80, [443]]}, "x"]}
    assert values_at(event, ("items", "port")) == [22, 80, [443]]


@pytest.mark.parametrize(
    "leaf",
    [
        *(Leaf(("a",), "contains", (1,)), Leaf(("a",), "gt", ("x",)), Leaf(("a",), "type_is", ("text",))),
        *(Leaf(("a",), "cidr", ("x",)), Leaf(("a",), "regex", (1,)), Leaf(("a",), "regex", ("(",))),
    ],
)
def test_a_leaf_whose_values_do_not_fit_is_an_error(leaf):
    """A question that cannot be asked is refused when it is compiled."""
    with pytest.raises(RuleError):
        compile_predicate(leaf)
