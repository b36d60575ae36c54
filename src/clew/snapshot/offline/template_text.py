"""A CloudFormation template's text, YAML or JSON, with the short forms of functions, and the line of each value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# libyaml composes a template in a tenth of the time; both give the same nodes.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_MOST_NODES = 500_000  # aliases can make a small text huge
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
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
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{file}:{line}: not YAML or JSON: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{file}: not YAML or JSON: {str(error).splitlines()[0]}") from error
    template = Template({})
    try:
        content = _Reader(file, template.lines).value(node, ()) if node else None
    except RecursionError as error:
        raise InputError(f"{file}: nested too deeply") from error
    if not isinstance(content, dict):
        raise InputError(f"{file}: expected a template: an object with `Resources`")
    template.content = content
    return template


class _Reader:
    """Turns nodes into values and remembers their lines."""

    def __init__(self, file: str, lines: dict[tuple[Step, ...], int]) -> None:
        self._file, self._lines, self._count = file, lines, 0

    def value(self, node: yaml.Node, path: tuple[Step, ...]) -> object:
        """The value of a node; a tag such as `!Sub` becomes the function's long form."""
        self._count += 1
        line = node.start_mark.line + 1
        if self._count > _MOST_NODES:
            raise InputError(f"{self._file}:{line}: more than {_MOST_NODES:,} values")
        self._lines.setdefault(path, line)
        name = node.tag.removeprefix("!") if node.tag.startswith("!") else ""
        plain = self._plain(node, path)
        if not name:
            return plain
        if name == "GetAtt" and isinstance(plain, str):
            plain = plain.split(".", 1)
        return {name if name in {"Ref", "Condition"} else f"Fn::{name}": plain}

    def _plain(self, node: yaml.Node, path: tuple[Step, ...]) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return _scalar(node.tag, str(node.value))

    def _mapping(self, node: yaml.Node, path: tuple[Step, ...]) -> Mapping[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{self._file}:{line}: a key must be plain text")
            if key.value in found:
                raise InputError(f"{self._file}:{line}: the key `{key.value[:80]}` stands twice")
            self._lines[(*path, key.value)] = line
            found[key.value] = self.value(value, (*path, key.value))
        return found


def _scalar(tag: str, text: str) -> object:
    """The scalar; dates, and numbers with a leading zero such as account ids, stay the text that was written."""
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return _WORDS[text.lower()]
        case "int" | "float":
            return _number(text)
        case _:
            return text


def _number(text: str) -> object:
    digits = text.lstrip("-")
    if (
        not text.isascii()
        or not digits.replace(".", "", 1).isdecimal()
        or (digits[:1] == "0" and digits[1:2].isdecimal())
    ):
        return text
    return float(text) if "." in text else int(text)
