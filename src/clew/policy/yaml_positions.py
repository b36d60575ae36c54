"""YAML as nodes with places, as `json_positions` gives them for JSON; tags of CloudFormation become its long forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from clew.policy.json_positions import DEEPEST, Node

if TYPE_CHECKING:
    from clew.policy.json_positions import Path

MOST_NODES: Final = 500_000
"""How many values are read; aliases can make a small text huge."""

_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?", re.ASCII)
_SHORT: Final = frozenset({"Ref", "Condition"})


class YamlError(ValueError):
    """The text is no YAML that can be read, with the line where that shows."""

    def __init__(self, message: str, line: int) -> None:
        """Say what is wrong, and where; lines count from 1."""
        super().__init__(message)
        self.line = line


def read(text: str) -> Node | None:
    r"""The first document of the text; None when it is empty.

    Errors: `YamlError`.

    >>> root = read("Action: !Sub 's3:${X}'\n")
    >>> root.get("Action").members[0][0].text, root.get("Action").start
    ('Fn::Sub', 8)
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(str(error.problem or "no YAML"), line) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(str(error).splitlines()[0], 1) from error
    return None if node is None else _Reader().node(node, ())


class _Reader:
    """Turns nodes of YAML into ours, and counts them."""

    def __init__(self) -> None:
        self._count = 0

    def node(self, node: yaml.Node, path: Path) -> Node:
        self._count += 1
        line = node.start_mark.line + 1
        if self._count > MOST_NODES:
            raise YamlError(f"more than {MOST_NODES:,} values", line)
        if len(path) > DEEPEST:
            raise YamlError(f"nested more than {DEEPEST} levels deep", line)
        plain = self._plain(node, path)
        tag = node.tag
        if not tag.startswith("!"):
            return plain
        name = tag[1:] if tag[1:] in _SHORT else f"Fn::{tag[1:]}"
        if name == "Fn::GetAtt" and plain.kind == "string":
            parts = [Node("string", part, plain.start, plain.end) for part in plain.text.split(".", 1)]
            plain = Node("array", parts, plain.start, plain.end)
        return Node(
            "object", [(Node("string", name, plain.start, plain.start), plain)], plain.start, plain.end
        )

    def _plain(self, node: yaml.Node, path: Path) -> Node:
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, yaml.MappingNode):
            members = [
                (self._key(key), self.node(value, (*path, str(key.value)))) for key, value in node.value
            ]
            return Node("object", members, start, end)
        if isinstance(node, yaml.SequenceNode):
            items = [self.node(item, (*path, place)) for place, item in enumerate(node.value)]
            return Node("array", items, start, end)
        return _scalar(node.tag.rpartition(":")[2], str(node.value), start, end)

    def _key(self, key: yaml.Node) -> Node:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError("a key must be plain text", key.start_mark.line + 1)
        return Node("string", str(key.value), key.start_mark.index, key.end_mark.index)


def _scalar(tag: str, text: str, start: int, end: int) -> Node:
    """The scalar that the tag and text say; dates, and numbers with a leading zero such as account ids, stay texts."""
    if tag == "null":
        return Node("null", None, start, end)
    if tag == "bool":
        return Node("boolean", _WORDS[text.lower()], start, end)
    if tag in {"int", "float"} and _NUMBER.fullmatch(text):
        return Node("number", float(text) if "." in text else int(text), start, end)
    return Node("string", text, start, end)
