"""Filter patterns of CloudWatch Logs and event patterns of EventBridge, on the facts of `tests/cases/patterns/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.errors import RuleError
from clew.events.patterns import cloudwatch, eventbridge
from clew.events.patterns.languages import combinations, of_leaf
from clew.events.patterns.meaning import Relation, compare, normal
from clew.events.predicate import And, Element, Leaf, Node, Not, Or, compile_predicate
from clew.events.predicate_values import value_test

CASES = Path(__file__).resolve().parent.parent / "cases" / "patterns"


def _rows(file: str, part: str = "rows") -> list[dict[str, Any]]:
    document = read_case_file(CASES / f"{file}.yaml")
    return [{"page": document["page"], **row} for row in document[part]]


def _named(row: dict[str, Any]) -> str:
    return str(row.get("name", row.get("pattern")))


def _catches(pattern: cloudwatch.FilterPattern, asked: object) -> bool:
    if pattern.space is not None:
        event = pattern.space.event(str(asked))
        return event is not None and compile_predicate(pattern.tree)(event)
    return compile_predicate(pattern.tree)(asked if isinstance(asked, dict) else {"message": asked})


@pytest.mark.parametrize("row", _rows("cloudwatch"), ids=_named)
def test_filter_patterns_catch_what_the_case_says(row: dict[str, Any]) -> None:
    """A metric filter's pattern is true of the events that its case names, and of no other of them."""
    pattern = cloudwatch.read(row["pattern"])
    assert row["page"]
    assert [_catches(pattern, each) for each in row["catches"]] == [True] * len(row["catches"])
    assert [_catches(pattern, each) for each in row.get("leaves", [])] == [False] * len(row.get("leaves", []))


@pytest.mark.parametrize("row", _rows("eventbridge"), ids=_named)
def test_event_patterns_catch_what_the_case_says(row: dict[str, Any]) -> None:
    """A rule's event pattern is true of the events that its case names, and of no other of them."""
    catches = compile_predicate(eventbridge.read(json.dumps(row["pattern"])))
    assert [catches(each) for each in row["catches"]] == [True] * len(row["catches"])
    assert [catches(each) for each in row["leaves"]] == [False] * len(row["leaves"])


@pytest.mark.parametrize("row", _rows("cloudwatch", "refused"), ids=_named)
def test_malformed_filter_patterns_are_refused_where_they_break(row: dict[str, Any]) -> None:
    """What CloudWatch would refuse is refused in one line that says where."""
    with pytest.raises(RuleError) as error:
        cloudwatch.read(row["pattern"])
    assert row["says"] in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("row", _rows("eventbridge", "refused"), ids=_named)
def test_malformed_event_patterns_are_refused_where_they_break(row: dict[str, Any]) -> None:
    """What EventBridge would refuse is refused in one line that says where."""
    with pytest.raises(RuleError) as error:
        eventbridge.read(json.dumps(row["pattern"]))
    assert row["says"] in str(error.value)


@pytest.mark.parametrize("row", _rows("meaning"), ids=_named)
def test_patterns_are_compared_by_what_they_mean(row: dict[str, Any]) -> None:
    """Equal, wider, narrower or different, with an event that proves it; unknown with the reason."""
    this, other = (cloudwatch.read(row[name]).tree for name in ("this", "other"))
    found = compare(this, other, cloudwatch.read(row.get("given", "")).tree)
    assert found.relation.value == row["expect"]
    assert bool(found.why) is (found.relation is Relation.UNKNOWN)
    if found.missed is not None and not found.why:
        assert compile_predicate(other)(found.missed)
        assert not compile_predicate(this)(found.missed)


def test_envelope_becomes_the_record() -> None:
    """What EventBridge writes around a CloudTrail record is asked of the fields that it is made from."""
    tree = eventbridge.on_record(
        eventbridge.read(
            json.dumps(
                {
                    "source": ["aws.cloudtrail", "aws.cloudwatch"],
                    "detail-type": ["AWS API Call via CloudTrail"],
                    "account": ["111122223333"],
                    "detail": {"eventName": ["StopLogging"]},
                }
            )
        )
    )
    record = {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "eventName": "StopLogging",
    }
    assert compile_predicate(tree)(record)
    assert not compile_predicate(tree)({**record, "eventType": "AwsConsoleSignIn"})
    assert not compile_predicate(tree)({**record, "eventSource": "s3.amazonaws.com"})


# Few fields, few values: so that generated patterns meet.
_WORDS = st.sampled_from(["A", "AB", "B", "a", "ABA"])
_GLOBS = st.sampled_from(["A*", "*B", "*A*", "A?", "*"])
_LEAVES: st.SearchStrategy[Node] = (
    st.builds(
        lambda path, op, value: Leaf(path, op, (value,), case_sensitive=True, quantifier="one"),
        st.sampled_from([("x",), ("y",), ("x", "z")]),
        st.sampled_from(["equals", "startswith", "endswith", "contains"]),
        _WORDS,
    )
    | st.builds(
        lambda path, value: Leaf(path, "glob", (value,), case_sensitive=True, quantifier="one"),
        st.sampled_from([("x",), ("y",)]),
        _GLOBS,
    )
    | st.builds(
        lambda path, op: Leaf(path, op, (2,) if op in {"lt", "eq"} else (), quantifier="one"),
        st.sampled_from([("x",), ("y",)]),
        st.sampled_from(["exists", "is_null", "lt", "eq"]),
    )
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=6,
)
_VALUES = st.sampled_from(
    ["A", "AB", "B", "a", "ABA", "AA", "", "C", 1, 2, 3, None, True, {}, {"z": "AB"}, {"z": 2}]
)
_EVENTS = st.dictionaries(st.sampled_from(["x", "y"]), _VALUES)


@given(_TREES, _TREES, _EVENTS)
def test_no_event_contradicts_a_comparison(this: Node, other: Node, event: dict[str, object]) -> None:
    """What is said to cover misses no event, and the events that it names are missed indeed."""
    found = compare(this, other)
    caught, wanted = compile_predicate(this), compile_predicate(other)
    if found.covers:
        assert caught(event) or not wanted(event)
    elif found.covers is False and found.missed is not None:
        assert wanted(found.missed)
        assert not caught(found.missed)


@given(_TREES, _EVENTS)
def test_normal_form_means_the_same(tree: Node, event: dict[str, object]) -> None:
    """Putting a predicate in normal form changes no answer."""
    assert compile_predicate(normal(tree))(event) is compile_predicate(tree)(event)
    assert normal(normal(tree)) == normal(tree)


@given(st.lists(_LEAVES.filter(lambda leaf: of_leaf(leaf) is not None), min_size=1, max_size=3), _WORDS)
def test_automata_accept_what_the_leaf_accepts(leaves: list[Leaf], text: str) -> None:
    """Every combination of answers that a text gives is found, and each witness gives its combination."""
    languages = [language for leaf in leaves if (language := of_leaf(leaf)) is not None]
    found = combinations(languages)
    assert found is not None
    assert tuple(value_test(leaf)(text) for leaf in leaves) in found
    assert all(tuple(value_test(leaf)(each) for leaf in leaves) == key for key, each in found.items())


def test_place_of_a_list_is_left_to_the_closure() -> None:
    """An element at one place is found in lists only, also in nested ones."""
    tree = Element(("a",), Leaf((), "equals", ("x",)), index=1)
    assert compile_predicate(tree)({"a": ["y", "x"]})
    assert not compile_predicate(tree)({"a": ["x", "y"]})
    assert not compile_predicate(tree)({"a": "x"})
