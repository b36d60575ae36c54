"""The nodes of a predicate over one event: what every pattern language is lowered into.

The tree is two-valued. A leaf over a missing field, or over a value of another type than it asks for, is false, and
`Not` inverts that. `events.predicate` turns a tree into a closure, `lake.predicate_sql` into SQL; they agree.

Paths are the keys of the decoded JSON, outermost first: `("userIdentity", "sessionContext", "attributes")`. A path of
an event that begins with `clew` names a derived fact: `("clew", "policy_public")`.

Arrays: with the quantifier `any` every array on the way and at the end is unfolded, one level each: some element must
do. An array inside an array stays a value of the type `array`. `one` unfolds nothing. `deep` tests every scalar at or
below the path. `Element` binds several conditions to the same element.

Letters: without `case_sensitive`, A–Z and a–z are the same and nothing else is: the names that AWS gives are ASCII, and
the engines disagree on the rest (`ſ`, `İ`, the Kelvin sign).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Value = str | int | float | bool | None
"""A scalar of JSON."""

Path = tuple[str, ...]
"""Keys from the outside in; `()` is the whole event, or the element inside an `Element`."""

Op = Literal[
    "equals", "contains", "startswith", "endswith", "glob", "regex", "cidr",
    "lt", "lte", "gt", "gte", "eq", "ne", "exists", "has_value", "is_null", "type_is",
]  # fmt: skip
"""What a leaf asks of a value; see `Leaf`."""

Quantifier = Literal["any", "one", "deep"]
"""Which values a path reaches; see the module's text on arrays."""

Relation = Literal["equals", "contains", "startswith", "endswith"]
"""How two values of one event relate; see `SameValue`."""

FACT = "clew"
"""The first key of a path that names a derived fact."""


@dataclass(frozen=True, slots=True)
class Leaf:
    r"""One question about the values at a path; several `values` are alternatives.

    - `equals`: same JSON type and same value (numbers by size: 1 and 1.0 are equal).
    - `contains`, `startswith`, `endswith`, `glob` (`*`, `?`, `\` escapes), `regex` (`events.predicate_regex`): strings.
    - `cidr`: a string that is an IP address of the network.
    - `lt` `lte` `gt` `gte` `eq` `ne`: numbers, compared as IEEE doubles.
    - `exists`: the key is there, whatever it holds, `null` and `[]` included. `is_null`: it holds `null`.
    - `has_value`: the key is there and holds anything but `null`.
    - `type_is`: `string`, `number`, `boolean`, `null`, `object` or `array`.

    `loose` lets text stand for numbers and truth values in `equals` and the number comparisons: 22 and "22" are equal,
    true and "true" too; `"022"` and `"22.0"` are not the text of 22.
    """

    path: Path
    op: Op
    values: tuple[Value, ...] = ()
    case_sensitive: bool = False
    quantifier: Quantifier = "any"
    loose: bool = False


@dataclass(frozen=True, slots=True)
class SameValue:
    """Some value at `path` relates to some value at `other`: equal scalars, or `op` between two strings."""

    path: Path
    other: Path
    op: Relation = "equals"
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """Some element of the array at `path` (or its only value) makes `child` true; the child's paths begin there.

    With an `index` only the element at that place counts, from 0, and a value that is no array has none.
    """

    path: Path
    child: Node
    index: int | None = None


@dataclass(frozen=True, slots=True)
class And:
    """All children are true; with no children, true."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Some child is true; with no children, false."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The child is false, a missing field included."""

    child: Node


Node = And | Or | Not | Leaf | Element | SameValue
"""Any node of a predicate tree."""

WHOLE = frozenset({"exists", "has_value"})
"""Questions about a key's value in one piece: an array at the end of the path is not unfolded."""

TRUE = And(())
FALSE = Or(())


def leaves(node: Node) -> tuple[Leaf | SameValue, ...]:
    """Every leaf of the tree in order; those inside an `Element` have relative paths."""
    match node:
        case And(children) | Or(children):
            return tuple(leaf for child in children for leaf in leaves(child))
        case Not(child) | Element(_, child):
            return leaves(child)
        case Leaf() | SameValue():
            return (node,)
