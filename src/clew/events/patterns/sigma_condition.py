"""The condition line of a Sigma rule: `selection and not 1 of filter_*`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.aws import glob
from clew.errors import RuleError
from clew.events.predicate_tree import And, Node, Not, Or

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\s*([()|]|[^\s()|]+)")
_WORDS = frozenset({"and", "or", "not", "of"})
MAX_DEPTH = 100


def parse_condition(text: str, selections: Mapping[str, Node]) -> Node:
    """The tree of a condition over named selections; `not` binds tighter than `and`, `and` tighter than `or`.

    Errors: RuleError (without a place) for what cannot be read, names no selection, or is not supported.
    """
    words = _TOKEN.findall(text)
    if "|" in words:
        raise RuleError(
            "the aggregation after `|` in the condition is not supported; write a correlation rule"
        )
    if "near" in [word.lower() for word in words]:
        raise RuleError("`near` in the condition is not supported; write a `temporal` correlation rule")
    parser = _Parser(words, selections)
    tree = parser.alternatives(0)
    if parser.position < len(words):
        raise RuleError(f"unexpected `{words[parser.position]}` in the condition")
    return tree


@dataclass(slots=True)
class _Parser:
    """A recursive descent over the words of one condition."""

    words: list[str]
    selections: Mapping[str, Node]
    position: int = 0

    def peek(self) -> str:
        return self.words[self.position] if self.position < len(self.words) else ""

    def take(self, word: str) -> bool:
        """Whether the next word is this one, which is then read."""
        found = self.peek().lower() == word
        self.position += found
        return found

    def alternatives(self, depth: int) -> Node:
        found = [self.conjunction(depth)]
        while self.take("or"):
            found.append(self.conjunction(depth))
        return found[0] if len(found) == 1 else Or(tuple(found))

    def conjunction(self, depth: int) -> Node:
        found = [self.negation(depth)]
        while self.take("and"):
            found.append(self.negation(depth))
        return found[0] if len(found) == 1 else And(tuple(found))

    def negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise RuleError("the condition is nested too deeply")
        if self.take("not"):
            return Not(self.negation(depth + 1))
        if self.take("("):
            inner = self.alternatives(depth + 1)
            if not self.take(")"):
                raise RuleError("a `)` is missing in the condition")
            return inner
        return self.selection()

    def selection(self) -> Node:
        word = self.peek()
        if not word or word == ")" or word.lower() in _WORDS:
            raise RuleError(f"expected a selection in the condition, found `{word or 'its end'}`")
        self.position += 1
        if self.take("of"):
            return self.several(word)
        if word not in self.selections:
            raise RuleError(f"the condition names `{word}`, which is no selection")
        return self.selections[word]

    def several(self, quantity: str) -> Node:
        pattern = self.peek()
        self.position += 1
        if pattern.lower() == "them":
            found = [node for name, node in self.selections.items() if not name.startswith("_")]
        else:
            fits = glob.matcher(pattern, single="")
            found = [node for name, node in self.selections.items() if fits(name)]
        if not found:
            raise RuleError(f"no selection is called `{pattern}`")
        match quantity.lower():
            case "1" | "any":
                return Or(tuple(found))
            case "all":
                return And(tuple(found))
            case _:
                raise RuleError(f"`{quantity} of` is not supported; `1 of`, `any of` and `all of` are")
