"""Two predicates compared by what they mean: which of them catches events that the other misses.

First in normal form; else exhaustively: the literals of both cut the values of each field into regions in which no
leaf of either changes its answer, and one event for each combination of regions is asked. Past a bound the answer is
unknown.

What is exhaustive: texts, numbers, truth values, null, objects and absence for every field; lists are an empty one and
one with a fresh element. Where a question is asked about elements of lists, networks, or the record's raw text, trees
that differ in their normal form are not compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

from clew.events.patterns.languages import combinations, of_leaf
from clew.events.predicate import compile_predicate
from clew.events.predicate_tree import FACT, TRUE, And, Element, Leaf, Node, Not, Or, SameValue
from clew.events.predicate_values import COMPARISONS, bounds, double

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.events.predicate_tree import Path

MOST_EVENTS: Final = 50_000
"""How many events are asked before the answer is left open: half a second."""


class Relation(StrEnum):
    """How what one predicate catches lies to what the other catches."""

    EQUAL = "equal"
    WIDER = "wider"
    NARROWER = "narrower"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The relation, an event that only the other catches, one that only this one catches, and why it is unknown."""

    relation: Relation
    missed: Mapping[str, object] | None = None
    extra: Mapping[str, object] | None = None
    why: str = ""

    @property
    def covers(self) -> bool | None:
        """Whether everything that the other catches is caught; None while unknown."""
        if self.relation is Relation.UNKNOWN:
            return None
        return self.relation in {Relation.EQUAL, Relation.WIDER}


class _Absent:
    """The value of a field that is not there."""


_ABSENT: Final = _Absent()
_ELSEWHERE: Final[Path] = ("clewElsewhere",)
_FRESH: Final = "~"


def compare(this: Node, other: Node, given: Node = TRUE) -> Comparison:
    """How `this` lies to `other` among the events for which `given` is true.

    >>> stop = Leaf(("eventName",), "equals", ("StopLogging",))
    >>> compare(Leaf(("eventName",), "glob", ("*Logging",)), stop).relation.value
    'wider'
    """
    if normal(this) == normal(other):
        return Comparison(Relation.EQUAL)
    trees = (normal(this), normal(other), normal(given))
    free = {node for tree in trees for node in _free(tree)}
    fields = _fields(trees)
    regions = {path: _regions(leaves) for path, leaves in fields.items()}
    if any(each is None for each in regions.values()):
        return Comparison(Relation.UNKNOWN, why="its texts have too many combinations")
    known = {path: each for path, each in regions.items() if each is not None}
    count = 1
    for each in known.values():
        count *= len(each)
    if count > MOST_EVENTS:
        return Comparison(Relation.UNKNOWN, why=f"{count:,} combinations of values, more than are looked at")
    return _asked(trees, known, has_free=bool(free))


def _asked(
    trees: tuple[Node, ...], regions: Mapping[Path, tuple[object, ...]], *, has_free: bool
) -> Comparison:
    this, other, given = (compile_predicate(_without_free(tree)) for tree in trees)
    missed: Mapping[str, object] | None = None
    extra: Mapping[str, object] | None = None
    for event in _events(regions):
        if given(event):
            caught, wanted = this(event), other(event)
            missed = event if wanted and not caught and missed is None else missed
            extra = event if caught and not wanted and extra is None else extra
    if has_free:
        return Comparison(
            Relation.UNKNOWN, missed, extra, "it asks about elements of lists, or about networks"
        )
    match missed, extra:
        case None, None:
            return Comparison(Relation.EQUAL)
        case None, _:
            return Comparison(Relation.WIDER, None, extra)
        case _, None:
            return Comparison(Relation.NARROWER, missed)
        case _:
            return Comparison(Relation.DIFFERENT, missed, extra)


def normal(tree: Node) -> Node:
    """The tree with `not` at the leaves, nested `and` and `or` joined, doubles dropped, in one order."""
    return _normal(tree, negated=False)


def _normal(tree: Node, *, negated: bool) -> Node:
    match tree:
        case Not(child):
            return _normal(child, negated=not negated)
        case And(children) | Or(children):
            is_and = isinstance(tree, And) is not negated
            return _joined([_normal(child, negated=negated) for child in children], is_and=is_and)
        case Leaf(values=values):
            leaf = _sorted(tree) if len(values) > 1 else tree
            return Not(leaf) if negated else leaf
        case Element(path, child, index):
            element = Element(path, normal(child), index)
            return Not(element) if negated else element
        case SameValue():
            return Not(tree) if negated else tree


def _sorted(leaf: Leaf) -> Leaf:
    values = tuple(sorted(set(leaf.values), key=lambda value: (type(value).__name__, str(value))))
    return replace(leaf, values=values)


def _joined(children: list[Node], *, is_and: bool) -> Node:
    kind = And if is_and else Or
    flat: list[Node] = []
    for child in children:
        flat += child.children if isinstance(child, kind) else (child,)
    flat = _together(flat, negated=is_and)
    if any(child == (Or(()) if is_and else TRUE) for child in flat):
        return Or(()) if is_and else TRUE
    unique = sorted(dict.fromkeys(flat), key=repr)
    return unique[0] if len(unique) == 1 else kind(tuple(unique))


def _together(children: list[Node], *, negated: bool) -> list[Node]:
    """Leaves that differ in their values alone become one: alternatives of an `or`, exclusions of an `and`."""
    values: dict[Leaf, list[Leaf]] = {}
    rest: list[Node] = []
    for child in children:
        leaf = child.child if negated and isinstance(child, Not) else None if negated else child
        if isinstance(leaf, Leaf) and leaf.values:
            values.setdefault(replace(leaf, values=()), []).append(leaf)
        else:
            rest.append(child)
    for bare, leaves in values.items():
        every = tuple(value for leaf in leaves for value in leaf.values)
        joined = _sorted(replace(bare, values=every))
        rest.append(Not(joined) if negated else joined)
    return rest


def _free(tree: Node) -> Iterator[Node]:
    """The questions that regions do not answer: about elements, other fields, derived facts and networks."""
    match tree:
        case And(children) | Or(children):
            for child in children:
                yield from _free(child)
        case Not(child):
            yield from _free(child)
        case Element() | SameValue():
            yield tree
        case Leaf(path, op, values):
            raw = any(isinstance(value, str) and set(value) & {'"', "\\"} for value in values)
            if path[:1] == (FACT,) or op == "cidr" or (not path and raw):
                yield tree


def _without_free(tree: Node) -> Node:
    """The tree with those questions answered by no, so that it can be asked."""
    match tree:
        case And(children):
            return And(tuple(map(_without_free, children)))
        case Or(children):
            return Or(tuple(map(_without_free, children)))
        case Not(child):
            return Not(_without_free(child))
        case _:
            return Or(()) if list(_free(tree)) else tree


def _fields(trees: tuple[Node, ...]) -> dict[Path, tuple[Leaf, ...]]:
    """The leaves by field; a question about the whole record is one about each field, and about the rest of it."""
    found: dict[Path, dict[Leaf, None]] = {}
    anywhere: dict[Leaf, None] = {}
    for tree in trees:
        for leaf in _asked_leaves(tree):
            if leaf.path:
                found.setdefault(leaf.path, {})[leaf] = None
            else:
                anywhere[leaf] = None
    if anywhere:
        found.setdefault(_ELSEWHERE, {})
    return {path: (*leaves, *anywhere) for path, leaves in found.items()}


def _asked_leaves(tree: Node) -> Iterator[Leaf]:
    match tree:
        case And(children) | Or(children):
            for child in children:
                yield from _asked_leaves(child)
        case Not(child):
            yield from _asked_leaves(child)
        case Leaf():
            if not list(_free(tree)):
                yield tree
        case _:
            return


def _regions(leaves: tuple[Leaf, ...]) -> tuple[object, ...] | None:
    """One value of each region of the field; None past the bound."""
    languages = [language for leaf in leaves if (language := of_leaf(leaf)) is not None]
    spelled = combinations(languages)
    if spelled is None:
        return None
    # A fresh text first, so that a witness does not hold odd values without need.
    candidates: list[object] = [_ABSENT, _FRESH, *spelled.values(), *_numbers(leaves)]
    candidates += [True, False, None, {}, [], [_FRESH]]
    tests = [compile_predicate(replace(leaf, path=("x",) if leaf.path else ())) for leaf in leaves]
    regions: dict[tuple[object, ...], object] = {}
    for value in candidates:
        event = {} if value is _ABSENT else {"x": value}
        # Whether the field is there and may hold others decides what stands below it.
        kind = isinstance(value, dict), value is _ABSENT
        regions.setdefault((*kind, *(test(event) for test in tests)), value)
    return tuple(regions.values())


def _numbers(leaves: tuple[Leaf, ...]) -> Iterator[object]:
    """Each number that is compared with, one between each two, one beyond each end; also as texts."""
    found = sorted({number for leaf in leaves for number in _compared(leaf)})
    if not found:
        yield 0
        return
    between = [(low + high) / 2 for low, high in pairwise(found)]
    for number in sorted({*found, *between, found[0] - 1, found[-1] + 1}):
        whole = int(number) if number.is_integer() else number
        yield whole
        yield str(whole)


def _compared(leaf: Leaf) -> Iterator[float]:
    if leaf.op in COMPARISONS:
        yield from bounds(leaf)
    elif leaf.op == "equals":
        for value in leaf.values:
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield double(value)


def _events(regions: Mapping[Path, tuple[object, ...]]) -> Iterator[dict[str, object]]:
    paths = sorted(regions, key=len)
    for values in product(*(regions[path] for path in paths)):
        event = _built(paths, values)
        if event is not None:
            yield event


def _built(paths: list[Path], values: tuple[object, ...]) -> dict[str, object] | None:
    """The event with these values; None where one field's value leaves no room for another's."""
    event: dict[str, object] = {}
    closed: set[Path] = set()
    for path, value in zip(paths, values, strict=True):
        if any(path[:length] in closed for length in range(1, len(path))):
            if value is not _ABSENT:
                return None
            continue
        if value is _ABSENT or not isinstance(value, dict):
            closed.add(path)
        if value is not _ABSENT:
            _put(event, path, dict(value) if isinstance(value, dict) else value)
    return event


def _put(event: dict[str, object], path: Path, value: object) -> None:
    inside = event
    for key in path[:-1]:
        below = inside.setdefault(key, {})
        if not isinstance(below, dict):
            return
        inside = below
    inside[path[-1]] = value
