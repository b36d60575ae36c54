"""Predicates over one event: the tree, its closures, and what a predicate needs of an event's name.

The nodes and their meaning stand in `events.predicate_tree`; they are offered here too, for those who build trees.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from clew.errors import RuleError
from clew.events.predicate_needs import fact_names, required_values
from clew.events.predicate_paths import element_at, reach, values_at
from clew.events.predicate_tree import (
    FACT,
    FALSE,
    TRUE,
    WHOLE,
    And,
    Element,
    Leaf,
    Node,
    Not,
    Op,
    Or,
    Path,
    Quantifier,
    SameValue,
    Value,
    leaves,
)
from clew.events.predicate_values import double, fold, value_test

__all__ = [
    "FACT",
    "FALSE",
    "TRUE",
    "And",
    "Element",
    "Fact",
    "Leaf",
    "Node",
    "Not",
    "Op",
    "Or",
    "Path",
    "Quantifier",
    "SameValue",
    "Value",
    "compile_all",
    "compile_predicate",
    "fact_names",
    "fold",
    "leaves",
    "required_values",
    "values_at",
]  # fmt: skip

EVENT_NAME: Path = ("eventName",)

Fact = Callable[[Mapping[str, object]], object]
"""A derived fact: a function of one decoded event."""

_Test = Callable[[object], bool]
_Key = TypeVar("_Key")


def compile_predicate(
    tree: Node, facts: Mapping[str, Fact] | None = None
) -> Callable[[Mapping[str, object]], bool]:
    """The tree as a function of one decoded event (what `json.loads` returns).

    Facts are called only when a leaf on them is reached. Errors: RuleError when the tree names a fact that is not
    given, or when a leaf's values do not fit its question.

    >>> used_root = compile_predicate(Leaf(("userIdentity", "type"), "equals", ("root",)))
    >>> used_root({"userIdentity": {"type": "Root"}}), used_root({"userIdentity": None})
    (True, False)
    """
    return _compiled(tree, facts or {})


def compile_all(
    trees: Sequence[tuple[_Key, Node]],
    facts: Mapping[str, Fact] | None = None,
) -> Callable[[Mapping[str, object]], list[_Key]]:
    """A function that lists the keys of the trees that are true of an event, in the order given.

    Trees that need certain event names are looked up by name, so that most of them cost nothing for most events.
    Each fact is computed at most once per event.
    """
    remembered = {name: _remember_last(fact) for name, fact in (facts or {}).items()}
    compiled = [(key, compile_predicate(tree, remembered)) for key, tree in trees]
    names = [required_values(tree, EVENT_NAME) for _, tree in trees]
    by_name = {
        name: [rule for rule, wanted in zip(compiled, names, strict=True) if wanted is None or name in wanted]
        for name in frozenset().union(*(wanted for wanted in names if wanted is not None))
    }
    of_any_name = [rule for rule, wanted in zip(compiled, names, strict=True) if wanted is None]

    def matching(event: Mapping[str, object]) -> list[_Key]:
        name = event.get("eventName")
        # A name that is no string (a list of names, say) is beyond the table: every rule is asked.
        rules = by_name.get(fold(name), of_any_name) if isinstance(name, str) else compiled
        return [key for key, test in rules if test(event)]

    return matching


def _remember_last(fact: Fact) -> Fact:
    """The fact, computed once for an event that is asked about many times in a row."""
    last: tuple[Mapping[str, object], object] | None = None

    def remembered(event: Mapping[str, object]) -> object:
        nonlocal last
        if last is None or last[0] is not event:
            last = (event, fact(event))
        return last[1]

    return remembered


def _compiled(tree: Node, facts: Mapping[str, Fact] | None) -> _Test:
    """The tree as a test of one value: the event where facts are given, an element where they are None."""
    match tree:
        case And(children):
            return _every([_compiled(child, facts) for child in children])
        case Or(children):
            return _some([_compiled(child, facts) for child in children])
        case Not(child):
            return _inverted(_compiled(child, facts))
        case Element(path, child, index):
            inner = _compiled(child, None)
            if index is None:
                return _from_root(path, inner, facts)
            return _from_root(path, element_at(index, inner), facts, "one", whole=True)
        case SameValue():
            return _same_value(tree, facts)
        case Leaf():
            return _leaf(tree, facts)


def _leaf(leaf: Leaf, facts: Mapping[str, Fact] | None) -> _Test:
    return _from_root(leaf.path, value_test(leaf), facts, leaf.quantifier, whole=leaf.op in WHOLE)


def _from_root(
    path: Path,
    test: _Test,
    facts: Mapping[str, Fact] | None,
    quantifier: Quantifier = "any",
    *,
    whole: bool = False,
) -> _Test:
    """The test on what the path reaches, from the event, from a derived fact, or within an element."""
    if facts is None or path[:1] != (FACT,):
        return reach(path, test, quantifier, whole=whole)
    fact = _fact(path, facts)
    # A fact's own value is unfolded like the value of any key: the path goes on from a wrapper that holds it.
    test = reach(("value", *path[2:]), test, quantifier, whole=whole)
    return lambda event: test({"value": fact(event)})


def _same_value(node: SameValue, facts: Mapping[str, Fact] | None) -> _Test:
    """A test that collects the values of the other field and compares each with each."""
    compare = _TEXT_RELATIONS[node.op]

    def related(value: object, other: object) -> bool:
        if isinstance(value, str) and isinstance(other, str):
            return compare(value, other) if node.case_sensitive else compare(fold(value), fold(other))
        return node.op == "equals" and _same_scalar(value, other)

    left, right = _values(node.path, facts), _values(node.other, facts)

    def test(event: object) -> bool:
        others = right(event)
        return any(related(value, other) for value in left(event) for other in others)

    return test


def _values(path: Path, facts: Mapping[str, Fact] | None) -> Callable[[object], list[object]]:
    """All values that a path reaches, from the event, from a derived fact, or within an element."""
    if facts is None or path[:1] != (FACT,):
        return lambda event: values_at(event, path)
    fact = _fact(path, facts)
    return lambda event: values_at({"value": fact(event)}, ("value", *path[2:]))


def _fact(path: Path, facts: Mapping[str, Fact]) -> Callable[[object], object]:
    if len(path) == 1 or path[1] not in facts:
        raise RuleError(f"unknown derived fact `{'.'.join(path)}`")
    fact = facts[path[1]]
    return lambda event: fact(cast("Mapping[str, object]", event))


_TEXT_RELATIONS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": operator.eq,
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def _same_scalar(value: object, other: object) -> bool:
    """Whether two values that are not both strings are equal numbers or equal truth values; nulls equal nothing."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return (
        isinstance(value, int | float) and isinstance(other, int | float) and double(value) == double(other)
    )


def _every(tests: list[_Test]) -> _Test:
    if len(tests) == 1:
        return tests[0]

    def every(value: object) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs twice as much here
            if not test(value):
                return False
        return True

    return every


def _some(tests: list[_Test]) -> _Test:
    if len(tests) == 1:
        return tests[0]

    def some(value: object) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs twice as much here
            if test(value):
                return True
        return False

    return some


def _inverted(test: _Test) -> _Test:
    return lambda value: not test(value)
