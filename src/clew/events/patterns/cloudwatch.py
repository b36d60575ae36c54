"""CloudWatch Logs filter patterns, of metric and subscription filters, as predicates over one log event.

Amazon CloudWatch Logs user guide: "Filter pattern syntax for metric filters, subscription filters, filter log events,
and Live Tail". Letters matter. A JSON pattern asks a decoded JSON event, terms ask every text in it, and a
space-delimited pattern asks the fields that `SpaceDelimited.event` cuts a line into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import RuleError
from clew.events.patterns.cloudwatch_json import read_json, regular
from clew.events.patterns.cloudwatch_space import SpaceDelimited, read_space
from clew.events.predicate_tree import TRUE, And, Leaf, Node, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterator

_TERM = re.compile(
    r"""\s*(?P<sign>[-?]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)+)%|(?P<word>[^\s"]+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class FilterPattern:
    """A filter pattern that was read: its text, its predicate, and for a space-delimited one how a line is cut."""

    text: str
    tree: Node
    space: SpaceDelimited | None = None


def read(text: str) -> FilterPattern:
    """The pattern as a predicate.

    Errors: RuleError, with the character at which it cannot be read.

    >>> read('{ $.eventName = "StopLogging" }').tree
    Leaf(path=('eventName',), op='equals', values=('StopLogging',), case_sensitive=True, quantifier='one', loose=False)
    >>> read("").tree
    And(children=())
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return FilterPattern(text, read_json(text))
    if stripped.startswith("["):
        space = read_space(text)
        return FilterPattern(text, space.tree, space)
    return FilterPattern(text, _terms(text))


def _terms(text: str) -> Node:
    """Plain terms must all be there, `-` ones must not; `?` ones count only where there are no plain ones.

    AWS: "If you combine ? with other terms, ? is ignored".
    """
    found = tuple(_each_term(text))
    plain = tuple(term for sign, term in found if not sign)
    excluded = tuple(Not(term) for sign, term in found if sign == "-")
    optional = tuple(term for sign, term in found if sign == "?")
    parts: tuple[Node, ...] = (*plain, *excluded)
    if optional and not parts:
        return Or(optional)
    return And(parts) if len(parts) != 1 else parts[0]


def _each_term(text: str) -> Iterator[tuple[str, Node]]:
    at = 0
    while text[at:].strip():
        found = _TERM.match(text, at)
        if found is None:
            raise RuleError(
                f"filter pattern, character {at + 1}: expected a term, found `{text[at : at + 40]}`"
            )
        at = found.end()
        yield found["sign"], _term(found)


def _term(found: re.Match[str]) -> Node:
    if found["regex"] is not None:
        return Leaf(
            (), "regex", (regular(found["regex"], found.start()),), case_sensitive=True, quantifier="deep"
        )
    phrase = found["phrase"]
    word = found["word"] if phrase is None else re.sub(r"\\(.)", r"\1", phrase)
    return Leaf((), "contains", (word,), case_sensitive=True, quantifier="deep") if word else TRUE
