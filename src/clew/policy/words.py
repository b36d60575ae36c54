"""The strings of a statement with their places: actions, resources, principals and condition keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clew.policy.grammar import statement_elements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.json_positions import Node, Path


class Word(NamedTuple):
    """One string of a document: where it stands, and the node that says it; `is_key` for a name within an object."""

    text: str
    path: Path
    node: Node
    is_key: bool = False


class StatementWords:
    """A statement's elements, whether the statement is well-formed or not."""

    def __init__(self, node: Node, index: int) -> None:
        """Look at the statement of the node; misspelled elements count as what they were meant to be."""
        self.node = node
        self.path: Path = ("Statement", index)
        self.elements = statement_elements(node)
        self._words: dict[str, list[Word]] = {}

    def words(self, element: str) -> list[Word]:
        """The strings of an element: one, or those of its list."""
        found = self._words.get(element)
        if found is None:
            node = self.elements.get(element)
            found = [] if node is None else list(_strings(node, (*self.path, element)))
            self._words[element] = found
        return found

    def is_open(self, element: str) -> bool:
        """Whether a template leaves open what the element says, or a part of it."""
        node = self.elements.get(element)
        return node is not None and any(item.is_opaque for item in node.items)

    def principals(self, element: str) -> Iterator[tuple[str, Word]]:
        """Each principal of the element with its kind, `*` for the bare one."""
        node = self.elements.get(element)
        path = (*self.path, element)
        if node is None:
            return
        if node.kind == "string":
            yield "*", Word(node.text, path, node)
        for kind, value in node.members:
            for word in _strings(value, (*path, kind.text)):
                yield kind.text, word

    def condition_keys(self) -> Iterator[tuple[str, Word, list[Word]]]:
        """Each condition: its operator, its key, and its values that are strings."""
        block = self.elements.get("Condition")
        for operator, keys in block.members if block is not None else ():
            path = (*self.path, "Condition", operator.text)
            for key, values in keys.members:
                yield operator.text, Word(key.text, path, key), list(_strings(values, (*path, key.text)))


def _strings(node: Node, path: Path) -> Iterator[Word]:
    for place, item in enumerate(node.items):
        if item.kind == "string":
            yield Word(item.text, (*path, place) if node.kind == "array" else path, item)
