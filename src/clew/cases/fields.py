"""Values as the YAML of a case, and back: what is missing, unknown or of another kind is told with its line.

Shape: a dataclass is an object with its fields by name; a field that has its default is left out. Times are ISO 8601 in
UTC. Every value is read from its text, so nothing in a file makes an object of another kind.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from clew.aws.catalog_nearest import nearest
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_Value = TypeVar("_Value")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WIDTH = 110


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, which people can read and diff."""


def _text(dumper: Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, _text)


def dump(value: object, leave_out: frozenset[str] = frozenset()) -> str:
    """The value as YAML; fields named in `leave_out` stand in files of their own."""
    shown = {name: each for name, each in plain(value).items() if name not in leave_out}
    return yaml.dump(shown, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def plain(value: object) -> dict[str, Any]:
    """The value as JSON holds it: its fields by name, without those that have their default."""
    found = _plain(value)
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        shown = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: _plain(held) for each, held in shown if held != _default(each)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    # A byte of a command line that is no UTF-8 is written as an escape.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _default(each: Any) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


def moment(time: datetime) -> str:
    """The time as the files write it: UTC, whole seconds.

    >>> moment(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))
    '2026-03-10T09:00:00Z'
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def load(kind: type[_Value], text: str, name: str) -> _Value:
    """The value of that kind that a file holds. Errors: `InputError`, located, for anything else."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise InputError(f"{name}:{line}: this is no YAML: {' '.join(str(problem).split())}") from error
    except RecursionError as error:
        raise InputError(f"{name}: it is nested too deeply") from error
    if node is None:
        raise InputError(f"{name}:1: the file is empty; expected the fields of a case")
    return typing.cast("_Value", _Reader(name).value(kind, node, ""))


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def value(self, kind: Any, node: yaml.Node, field: str) -> object:
        kind = _without_none(kind)
        if is_dataclass(kind):
            return self._object(typing.cast("type", kind), node, field)
        if typing.get_origin(kind) is tuple:
            if not isinstance(node, yaml.SequenceNode):
                raise self._error(node, f"`{field}` is not a list")
            return tuple(self.value(typing.get_args(kind)[0], each, field) for each in node.value)
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"`{field}` is not a single value")
        return self._scalar(kind, node, field)

    def _object(self, kind: type, node: yaml.Node, field: str) -> object:
        if not isinstance(node, yaml.MappingNode):
            where = f"`{field}` holds" if field else "the file holds"
            raise self._error(node, f"{where} no fields; expected `name: value`")
        kinds, given = hints(kind), {}
        for key, value in node.value:
            name = str(key.value)
            if name not in kinds:
                near = nearest(name[:80], kinds)
                advice = f"did you mean `{near}`?" if near else f"known are {', '.join(kinds)}"
                raise self._error(key, f"there is no field `{name[:80]}`; {advice}")
            if name in given:
                raise self._error(key, f"`{name}` stands there twice")
            given[name] = self.value(kinds[name], value, name)
        lacking = [each.name for each in fields(kind) if _default(each) is MISSING and each.name not in given]
        if lacking:
            raise self._error(node, f"`{lacking[0]}` is missing{f' in `{field}`' if field else ''}")
        return kind(**given)

    def _scalar(self, kind: Any, node: yaml.ScalarNode, field: str) -> object:
        text = str(node.value)
        try:
            if kind is str:
                return text
            if kind is bool:
                return {"true": True, "false": False}[text.lower()]
            if kind is int:
                return int(text)
            if kind is datetime:
                found = datetime.fromisoformat(text)
                return found if found.tzinfo else found.replace(tzinfo=UTC)
            return kind(text)
        except (ValueError, KeyError) as error:
            raise self._error(node, f"`{field}` is `{text[:80]}`; expected {_expected(kind)}") from error

    def _error(self, node: yaml.Node, message: str) -> InputError:
        return InputError(f"{self._name}:{node.start_mark.line + 1}: {message}")


def _without_none(kind: Any) -> Any:
    """The kind of a field that may also be None."""
    if isinstance(kind, types.UnionType):
        return next(each for each in typing.get_args(kind) if each is not type(None))
    return kind


@cache
def hints(kind: type) -> Mapping[str, Any]:
    """The fields of a dataclass with their kinds."""
    return typing.get_type_hints(kind)


def _expected(kind: Any) -> str:
    if kind is bool:
        return "true or false"
    if kind is int:
        return "a whole number"
    if kind is datetime:
        return "a time such as 2026-03-10T09:00:00Z"
    return f"one of {', '.join(each.value for each in kind)}"
