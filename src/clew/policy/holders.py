"""The policies in a file: the file itself, those of a CloudFormation template, those of a Terraform plan in JSON.

Pure over the text; places are those of the file. A policy that a plan or template holds as a text has the place of that
text. Policies of resource types that are not known are found by their looks.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clew.policy import json_positions, yaml_positions
from clew.policy.intrinsics import branches, is_open, resolved
from clew.policy.json_positions import Node
from clew.policy.json_tokens import Lines
from clew.policy.model import PolicyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.policy.json_positions import Path

_FILE: Final[dict[str, Any]] = tomllib.loads(
    (FilePath(__file__).parent / "data" / "holders.toml").read_text(encoding="utf-8")
)
_IS_YAML: Final = re.compile(
    r"^(?:---|AWSTemplateFormatVersion|Resources|Transform|Parameters|Description|Metadata|Globals|Statement|Version)\b",
    re.MULTILINE,
)
_OF_HOLDERS: Final = ("Resources", "resource_changes", "root_module")
_LOOP: Final = "Fn::ForEach::"
_OF_ORGANISATIONS: Final = {
    "SERVICE_CONTROL_POLICY": PolicyKind.SCP,
    "RESOURCE_CONTROL_POLICY": PolicyKind.RCP,
}


class Held(NamedTuple):
    """One policy of a file: where it stands, what it is there, and the tree of it.

    `faults` say where a policy that stands as a text is no JSON.
    """

    path: Path
    kind: PolicyKind | None
    resource_type: str
    root: Node
    faults: tuple[str, ...] = ()


class Open(NamedTuple):
    """The place of a policy that the file does not say."""

    path: Path


class Holding(NamedTuple):
    """The policies of a template or plan; `unknown` are the places of those that it leaves open."""

    policies: tuple[Held, ...]
    unknown: tuple[Path, ...]
    lines: Lines


def held(text: str) -> Holding | None:
    """The policies of a template or plan; None when the text is a policy by itself, or nothing of these.

    Errors: `YamlError` when the text is meant to be a template and cannot be read.

    >>> template = "Resources: {R: {Type: 'AWS::IAM::Policy', Properties: {PolicyDocument: {Statement: []}}}}"
    >>> [(each.path, each.kind.value) for each in held(template).policies]
    [(('Resources', 'R', 'Properties', 'PolicyDocument'), 'identity')]
    """
    root = _root(text)
    if root is None or root.kind != "object":
        return None
    if _is_template(root):
        return _holding(_of_template(root), text)
    if _values(root) is not None or root.get("resource_changes") is not None:
        return _holding((*_of_plan(root), *_unknown(root)), text)
    is_yaml = not text.lstrip("\ufeff \t\r\n").startswith("{")
    if is_yaml and root.get("Statement") is not None:
        return Holding((Held((), None, "", root),), (), Lines(text))
    return None


def _holding(found: Iterable[Held | Open], text: str) -> Holding:
    listed = list(found)
    policies = tuple(each for each in listed if isinstance(each, Held))
    return Holding(policies, tuple(each.path for each in listed if isinstance(each, Open)), Lines(text))


def _root(text: str) -> Node | None:
    """The tree of a text that may be a template or a plan; None for what must be read as a policy."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "{":
        if not any(f'"{name}"' in text for name in _OF_HOLDERS):
            return None
        found = json_positions.read(text)
        return None if found.faults else found.root
    if start in {"[", '"', ""} or _IS_YAML.search(text) is None:
        return None
    return yaml_positions.read(text)


def _is_template(root: Node) -> bool:
    resources = root.get("Resources")
    if resources is None or resources.kind != "object":
        return False
    return any(value.get("Type") is not None for _, value in resources.members)


# CloudFormation


def _of_template(root: Node) -> Iterator[Held | Open]:
    resources = root.get("Resources")
    for name, resource in resources.members if resources is not None else ():
        if name.text.startswith(_LOOP):
            # What a loop makes of its text is not known before it runs.
            yield Open(("Resources", name.text))
            continue
        kind, properties = resource.get("Type"), resource.get("Properties")
        if kind is not None and properties is not None:
            path = ("Resources", name.text, "Properties")
            yield from _of_resource(kind.text, properties, path, _FILE["cloudformation"], "Type")


def _of_resource(
    type_name: str, properties: Node, path: Path, table: dict[str, Any], by: str
) -> Iterator[Held | Open]:
    """The policies of one resource: those of the table, else those that look like policies."""
    rows = table.get(type_name)
    if rows is None:
        for place, node in _alike(properties, path):
            yield Held(place, None, "", resolved(node))
        return
    for row in rows:
        kind = _kind(row["kind"], properties, by)
        for place, node in _at(properties, row["path"].split("/"), path) if kind is not None else ():
            for _, branch in branches(node):
                found = _policy(Held(place, kind, row.get("resource_type", ""), branch))
                # Where a name of a managed policy may stand too, what is open may well be one.
                if found is not None and not (isinstance(found, Open) and row.get("may_be_name")):
                    yield found


def _kind(word: str, properties: Node, by: str) -> PolicyKind | None:
    """The kind of the row; None for policies of other languages, such as an organisation's tag policies."""
    if not word.startswith("by "):
        return PolicyKind(word)
    written = properties.get(by)
    return _OF_ORGANISATIONS.get(written.text) if written is not None else PolicyKind.SCP


def _at(node: Node, steps: list[str], path: Path) -> Iterator[tuple[Path, Node]]:
    """The values at the end of the steps, opaque ones where the way there is open; `*` is every item of a list."""
    if not steps or is_open(node):
        yield path, node
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        for place, item in branches(node):
            yield from _at(item, rest, path if place is None else (*path, place))
        return
    value = node.get(step)
    if value is not None:
        yield from _at(value, rest, (*path, step))


def _policy(place: Held) -> Held | Open | None:
    """The policy that stands there as an object or as a text; open where it is not known, None where there is none."""
    value = resolved(place.root)
    if value.is_opaque:
        return Open(place.path)
    if value.kind == "string" and value.text.lstrip().startswith("{"):
        inner = json_positions.read(value.text)
        if inner.root is None:
            return None
        faults = tuple(
            f"{each.message} (line {inner.position(each.start).line} of the text)" for each in inner.faults
        )
        return place._replace(root=_placed(inner.root, value), faults=faults)
    is_policy = value.kind == "object" and value.get("Statement") is not None
    return place._replace(root=value) if is_policy else None


def _placed(node: Node, at: Node) -> Node:
    """The tree with every place that of the text that it was read from."""
    value: object = node.value
    if node.kind == "object":
        value = [(_placed(key, at), _placed(each, at)) for key, each in node.members]
    elif node.kind == "array":
        value = [_placed(each, at) for each in node.items]
    return Node(node.kind, value, at.start, at.end)


def _alike(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    """The objects that look like policies."""
    statement = node.get("Statement")
    if statement is not None and any(item.get("Effect") is not None for item in statement.items):
        yield path, node
        return
    for key, value in node.members:
        yield from _alike(value, (*path, key.text))
    if node.kind == "array":
        for place, item in enumerate(node.items):
            yield from _alike(item, (*path, place))


# Terraform


def _values(root: Node) -> tuple[str, Node] | None:
    """The values of a plan, or of a state, by their name."""
    for name in ("planned_values", "values"):
        values = root.get(name)
        if values is not None and values.get("root_module") is not None:
            return name, values
    return None


def _of_plan(root: Node) -> Iterator[Held | Open]:
    found = _values(root)
    module = found[1].get("root_module") if found is not None else None
    if found is not None and module is not None:
        yield from _of_module(module, (found[0], "root_module"))
        return
    changes = root.get("resource_changes")
    for place, each in enumerate(changes.items if changes is not None else ()):
        change, kind = each.get("change"), each.get("type")
        after = change.get("after") if change is not None else None
        if after is not None and kind is not None:
            path = ("resource_changes", place, "change", "after")
            yield from _of_resource(kind.text, after, path, _FILE["terraform"], "type")


def _of_module(module: Node, path: Path) -> Iterator[Held | Open]:
    resources = module.get("resources")
    for place, each in enumerate(resources.items if resources is not None else ()):
        kind, values = each.get("type"), each.get("values")
        if kind is not None and values is not None:
            where = (*path, "resources", place, "values")
            yield from _of_resource(kind.text, values, where, _FILE["terraform"], "type")
    children = module.get("child_modules")
    for place, child in enumerate(children.items if children is not None else ()):
        yield from _of_module(child, (*path, "child_modules", place))


def _unknown(root: Node) -> Iterator[Open]:
    """The policies that a plan does not know before it is applied."""
    changes = root.get("resource_changes")
    for place, each in enumerate(changes.items if changes is not None else ()):
        change, kind = each.get("change"), each.get("type")
        hidden = change.get("after_unknown") if change is not None else None
        rows = _FILE["terraform"].get(kind.text, ()) if kind is not None else ()
        if hidden is None:
            continue
        for row in rows:
            yield from _hidden(hidden, row["path"].split("/"), ("resource_changes", place))


def _hidden(node: Node, steps: list[str], path: Path) -> Iterator[Open]:
    """The places that are true, at the end of the steps or on the way there."""
    if node.value is True:
        yield Open(path)
    elif steps and steps[0] == "*" and node.kind == "array":
        for place, item in enumerate(node.items):
            yield from _hidden(item, steps[1:], (*path, place))
    elif steps and (value := node.get(steps[0])) is not None:
        yield from _hidden(value, steps[1:], (*path, steps[0]))
