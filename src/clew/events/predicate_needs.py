"""What a predicate needs before it can be true: certain values at a path, certain derived facts."""

from __future__ import annotations

from clew.events.predicate_tree import FACT, And, Element, Leaf, Node, Not, Or, Path, SameValue, Value
from clew.events.predicate_values import fold, number_of


def required_values(tree: Node, path: Path) -> frozenset[str] | None:
    """The strings, A–Z as a–z, of which one must stand at `path` for the tree to be true; None = no such limit.

    The empty set says that the tree is never true. When the value at the path is not a string nothing is said: a list
    may hold one of the names.

    >>> sorted(required_values(Leaf(("eventName",), "equals", ("StopLogging", "DeleteTrail")), ("eventName",)))
    ['deletetrail', 'stoplogging']
    """
    match tree:
        case And(children):
            limits = [limit for child in children if (limit := required_values(child, path)) is not None]
            return frozenset.intersection(*limits) if limits else None
        case Or(children):
            found = [required_values(child, path) for child in children]
            limits = [limit for limit in found if limit is not None]
            return frozenset().union(*limits) if len(limits) == len(found) else None
        case Leaf(at, "equals", values) if at == path and tree.quantifier != "deep":
            return _strings_only(values, loose=tree.loose)
        case _:
            return None


def fact_names(tree: Node) -> frozenset[str]:
    """The derived facts that the tree asks for.

    >>> fact_names(Not(Leaf(("clew", "policy_public"), "equals", (True,))))
    frozenset({'policy_public'})
    """
    paths = [path for path in _absolute_paths(tree) if path[:1] == (FACT,)]
    return frozenset(path[1] for path in paths if len(path) > 1)


def _absolute_paths(tree: Node) -> list[Path]:
    """The paths that begin at the event; those inside an `Element` do not."""
    match tree:
        case And(children) | Or(children):
            return [path for child in children for path in _absolute_paths(child)]
        case Not(child):
            return _absolute_paths(child)
        case SameValue(path, other):
            return [path, other]
        case Leaf(path) | Element(path):
            return [path]


def _strings_only(values: tuple[Value, ...], *, loose: bool) -> frozenset[str] | None:
    """The folded values when they can equal nothing but strings, else None."""
    folded = [fold(value) for value in values if isinstance(value, str)]
    if len(folded) < len(values):
        return None
    if loose and any(text in {"true", "false"} or number_of(text) is not None for text in folded):
        return None
    return frozenset(folded)
