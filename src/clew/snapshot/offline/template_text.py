"""A CloudFormation template's text, YAML or JSON, with the short forms of functions, and the line of each value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.policy import yaml_positions
from clew.policy.json_tokens import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.policy.json_positions import Node

Step = str | int


@dataclass(slots=True)
class Template:
    """A decoded template. Shape: `lines` holds the line, from 1, of the value at each path of names and indices."""

    content: dict[str, object]
    lines: dict[tuple[Step, ...], int] = field(default_factory=dict)

    def line(self, *path: Step) -> int:
        """The line of the value at the path, or of the nearest one around it that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str, file: str) -> Template:
    r"""The template. Errors: `InputError`, located, when the text is no YAML or JSON, or no object.

    >>> parse("A: !GetAtt B.Arn", "f").content
    {'A': {'Fn::GetAtt': ['B', 'Arn']}}
    """
    try:
        root = yaml_positions.read(text)
    except yaml_positions.YamlError as error:
        raise InputError(f"{file}:{error.line}: not YAML or JSON: {error}") from error
    template = Template({})
    content = _Reader(file, Lines(text), template.lines).value(root, ()) if root else None
    if not isinstance(content, dict):
        raise InputError(f"{file}: expected a template: an object with `Resources`")
    template.content = content
    return template


class _Reader:
    """Turns nodes into values and remembers their lines."""

    def __init__(self, file: str, places: Lines, lines: dict[tuple[Step, ...], int]) -> None:
        self._file, self._places, self._lines = file, places, lines

    def value(self, node: Node, path: tuple[Step, ...]) -> object:
        """The value of a node."""
        self._lines.setdefault(path, self._line(node))
        if node.kind == "object":
            return self._mapping(node, path)
        if node.kind == "array":
            return [self.value(item, (*path, number)) for number, item in enumerate(node.items)]
        return node.value

    def _line(self, node: Node) -> int:
        return self._places.position(node.start).line

    def _mapping(self, node: Node, path: tuple[Step, ...]) -> Mapping[str, object]:
        found: dict[str, object] = {}
        for key, value in node.members:
            if key.text in found:
                raise InputError(f"{self._file}:{self._line(key)}: the key `{key.text[:80]}` stands twice")
            self._lines[(*path, key.text)] = self._line(key)
            found[key.text] = self.value(value, (*path, key.text))
        return found
