"""CloudFormation's functions in a policy: resolved where the template says enough, opaque values elsewhere.

What a template leaves open is never made up. Only the pseudo parameters stand for a value of their kind, so that an ARN
with `${AWS::AccountId}` in it can be looked at.
"""

from __future__ import annotations

import re
from typing import Final

from clew.policy.json_positions import Node

STAND_INS: Final = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What the pseudo parameters are read as."""

_NO_VALUE: Final = "AWS::NoValue"
_PLACE: Final = re.compile(r"\$\{(!?)([^}]*)\}")


def resolved(node: Node) -> Node:
    """The value with its functions worked out, or opaque; what is `AWS::NoValue` is left out of lists and objects.

    >>> text = Node("object", [(Node("string", "Fn::Sub"), Node("string", "arn:${AWS::Partition}:s3:::${Name}/*"))])
    >>> resolved(text).kind
    'opaque'
    """
    function = _function(node)
    if function is not None:
        return _value(*function, node)
    if node.kind == "object":
        members = [(key, resolved(value)) for key, value in node.members if not _is_no_value(value)]
        return Node("object", members, node.start, node.end)
    if node.kind == "array":
        return Node("array", [each for item in node.items for each in _items(item)], node.start, node.end)
    return node


def is_open(node: Node) -> bool:
    """Whether a function stands there of which the template does not say what it gives."""
    return _function(node) is not None and resolved(node).is_opaque


def branches(node: Node) -> list[tuple[int | None, Node]]:
    """The items of a list with their places, both branches of a choice; a single value stands at no place.

    >>> branches(Node("string", "x"))
    [(None, Node(kind='string', value='x', start=-1, end=-1))]
    """
    function = _function(node)
    if function is not None and function[0] == "Fn::If":
        return [
            each for branch in function[1].items[1:3] if not _is_no_value(branch) for each in branches(branch)
        ]
    if node.kind != "array":
        return [(None, node)]
    return [(place, each) for place, item in enumerate(node.items) for _, each in _chosen(item)]


def _chosen(item: Node) -> list[tuple[int | None, Node]]:
    function = _function(item)
    is_choice = function is not None and function[0] == "Fn::If"
    return branches(item) if is_choice else [] if _is_no_value(item) else [(None, item)]


def _function(node: Node) -> tuple[str, Node] | None:
    """The name and the argument of the function that the object calls; None when it calls none."""
    if node.kind != "object" or len(node.members) != 1:
        return None
    key, argument = node.members[0]
    return (key.text, argument) if key.text == "Ref" or key.text.startswith("Fn::") else None


def _is_no_value(node: Node) -> bool:
    function = _function(node)
    return function is not None and function[0] == "Ref" and function[1].text == _NO_VALUE


def _items(item: Node) -> list[Node]:
    """The items that one item of a list may turn into: each branch of a choice, a list in its place."""
    function = _function(item)
    if function is None or function[0] != "Fn::If":
        return [] if _is_no_value(item) else [resolved(item)]
    found = []
    for branch in function[1].items[1:3]:
        for each in _items(branch) if not _is_no_value(branch) else []:
            found += each.items if each.kind == "array" else [each]
    return found


def _value(name: str, argument: Node, node: Node) -> Node:
    """What the function gives; opaque where the template does not say."""
    text: str | None = None
    if name == "Ref":
        text = STAND_INS.get(argument.text)
    elif name == "Fn::Sub":
        text = _substituted(argument.items[0].text, _given(argument))
    elif name == "Fn::Join":
        text = _joined(argument)
    elif name == "Fn::If":
        branches = [each for each in argument.items[1:3] if not _is_no_value(each)]
        # Of a choice that is no item of a list, the first branch is looked at.
        return resolved(branches[0]) if branches else Node("opaque", name, node.start, node.end)
    if text is None:
        return Node("opaque", name, node.start, node.end)
    return Node("string", text, node.start, node.end)


def _given(argument: Node) -> dict[str, str]:
    """What the names in the text of `Fn::Sub` stand for: pseudo parameters, and texts of its own map."""
    own = argument.items[1].members if argument.kind == "array" and len(argument.items) > 1 else []
    values = [(name.text, resolved(value)) for name, value in own]
    return {**STAND_INS, **{name: value.text for name, value in values if value.kind == "string"}}


def _substituted(template: str, given: dict[str, str]) -> str | None:
    """The text with what its names stand for; None when it names anything else."""
    names = [name for is_literal, name in _PLACE.findall(template) if not is_literal]
    if not all(name in given for name in names):
        return None
    return _PLACE.sub(lambda found: f"${{{found[2]}}}" if found[1] else given[found[2]], template)


def _joined(argument: Node) -> str | None:
    if argument.kind != "array" or len(argument.items) != 2 or argument.items[1].kind != "array":  # noqa: PLR2004  # separator and parts
        return None
    parts = [resolved(part) for part in argument.items[1].items]
    if not all(part.kind == "string" for part in parts):
        return None
    return argument.items[0].text.join(part.text for part in parts)
