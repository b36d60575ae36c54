"""YAML that remembers the line of every key and value, so that a complaint about a rule can name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from clew.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = str | int | float | bool | None
MAX_NODES = 100_000  # aliases can make a small text huge
MAX_DEPTH = 100  # or endless, when one stands within what it names

# libyaml reads a rule in a tenth of the time; both give the same nodes.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Located:
    """A piece of YAML and where it stands: `value` is a scalar, a tuple of pieces, or a mapping of key to piece.

    Units: `line` counts from 1. `key_line` is the line of the key that leads here.
    """

    value: Scalar | tuple[Located, ...] | Mapping[str, Located]
    line: int
    key_line: int = 0

    @property
    def mapping(self) -> Mapping[str, Located] | None:
        """The keys, or None when this is no mapping."""
        return self.value if isinstance(self.value, dict) else None

    @property
    def items(self) -> tuple[Located, ...] | None:
        """The elements, or None when this is no list."""
        return self.value if isinstance(self.value, tuple) else None

    @property
    def scalar(self) -> Scalar:
        """The scalar; only for what is neither mapping nor list."""
        return self.value if isinstance(self.value, str | int | float | bool) else None

    @property
    def many(self) -> tuple[Located, ...]:
        """The elements, or this alone: YAML writers leave out the list around a single value."""
        return self.value if isinstance(self.value, tuple) else (self,)


def documents(text: str, file: str) -> tuple[Located, ...]:
    r"""The documents of a YAML text, empty ones left out.

    Errors: RuleError with file and line when the text is not YAML, repeats a key, or unfolds to a huge or endless one.

    >>> documents("a: 1\nb: [x]", "f.yaml")[0].value["b"].line
    2
    """
    try:
        nodes = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(f"not YAML: {error.problem}", file=file, line=line) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RuleError(f"not YAML: {str(error).splitlines()[0]}", file=file, line=1) from error
    reader = _Reader(file)
    located = (reader.located(node) for node in nodes)
    return tuple(piece for piece in located if piece.value is not None)


def plain(piece: Located) -> object:
    """The piece as ordinary values: str, int, float, bool, None, list, dict."""
    if piece.mapping is not None:
        return {key: plain(value) for key, value in piece.mapping.items()}
    if piece.items is not None:
        return [plain(item) for item in piece.items]
    return piece.scalar


class _Reader:
    """Turns YAML nodes into located pieces and counts them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.depth = 0

    def located(self, node: yaml.Node, key_line: int = 0) -> Located:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_NODES:
            raise RuleError(f"more than {MAX_NODES:,} values", file=self.file, line=line)
        if self.depth > MAX_DEPTH:
            raise RuleError(f"nested more than {MAX_DEPTH} levels deep", file=self.file, line=line)
        self.depth += 1
        value = self._value(node)
        self.depth -= 1
        return Located(value, line, key_line or line)

    def _value(self, node: yaml.Node) -> Scalar | tuple[Located, ...] | dict[str, Located]:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.located(item) for item in node.value)
        return _scalar(node.tag, str(node.value))

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Located]:
        found: dict[str, Located] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                raise RuleError("a key must be plain text", file=self.file, line=line)
            if key.value in found:
                raise RuleError(f"the key `{key.value}` stands twice", file=self.file, line=line)
            found[key.value] = self.located(value, line)
        return found


def _scalar(tag: str, text: str) -> Scalar:
    """The scalar that the tag and text say; dates, octal and base-60 numbers stay the text that was written."""
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return _BOOLEANS[text.lower()]
        case "int" | "float":
            return _number(text)
        case _:
            return text


def _number(text: str) -> Scalar:
    plain_digits = text.lstrip("-").replace(".", "", 1).isdecimal()
    octal = text.lstrip("-").startswith("0") and text.lstrip("-")[1:2].isdecimal()
    if not plain_digits or octal or not text.isascii():
        return text
    return float(text) if "." in text else int(text)
