"""The tasks of `clew grant`: what each needs, with its parameters filled in. They are data: `grant_tasks.toml`."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = "grant_tasks.toml"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One blank of a task: `arn` makes an ARN of a name; `default` is None where a value must be given."""

    name: str
    about: str
    arn: str = ""
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a task asks for: actions, resources, and where it must be narrower a condition.

    Shape: `context` are the condition keys that the service itself sends with the request. `only_with` names the
    parameter without which the need does not count.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A named task: its parameters, its needs, and the page of AWS's that describes it."""

    id: str
    title: str
    page: str
    parameters: tuple[Parameter, ...]
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a task is done: what names alone do not say."""

    account: str
    principal: str = ""
    region: str = ""
    partition: str = "aws"


@cache
def tasks() -> Mapping[str, Task]:
    """Every task by its id, in the order of the file."""
    text = resources.files("clew.explain").joinpath(_FILE).read_text(encoding="utf-8")
    return {name: _task(name, given) for name, given in tomllib.loads(text).items()}


def _task(name: str, given: dict[str, Any]) -> Task:
    parameters = tuple(
        Parameter(each, told["about"], told.get("arn", ""), told.get("default"))
        for each, told in given.get("parameters", {}).items()
    )
    needs = tuple(
        Need(
            tuple(need["actions"]),
            tuple(need["resources"]),
            need.get("condition", {}),
            need.get("context", {}),
            need.get("if", ""),
        )
        for need in given["needs"]
    )
    return Task(name, given["title"], given["page"], parameters, needs)


def named(name: str) -> Task:
    """The task of that id. Errors: `UsageError` where there is none."""
    found = tasks().get(name)
    if found is None:
        near = difflib.get_close_matches(name, tasks(), 3, 0.5)
        hint = f"; did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else ""
        raise UsageError(f"no task `{name[:80]}`{hint}; `clew grant list` shows them all")
    return found


def filled(task: Task, values: Mapping[str, str], setting: Setting) -> tuple[Need, ...]:
    """The needs with every blank filled in; those of parameters that were not given are left out.

    Errors: `UsageError` for a value that is missing, unknown, or no name where a name is wanted.
    """
    known = {each.name: each for each in task.parameters}
    for name in values:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f"task `{task.id}` has no parameter `{name[:80]}`; it has {there}")
    told = {"principal": _principal(task, setting)}
    for parameter in task.parameters:
        told[parameter.name] = _value(task, parameter, values, setting)
    return tuple(
        Need(
            need.actions,
            tuple(_put_in(text, told) for text in need.resources),
            {
                operator: {key: _put_in(each, told) for key, each in lines.items()}
                for operator, lines in need.condition.items()
            },
            {key: _put_in(each, told) for key, each in need.context.items()},
        )
        for need in task.needs
        if not need.only_with or told[need.only_with]
    )


def _principal(task: Task, setting: Setting) -> str:
    is_needed = any("{principal}" in text for need in task.needs for text in need.resources)
    if is_needed and ":user/" not in setting.principal:
        raise UsageError(f"task `{task.id}` is about a user's own things; give `--to` with the ARN of a user")
    return setting.principal


def _value(task: Task, parameter: Parameter, values: Mapping[str, str], setting: Setting) -> str:
    value = values.get(parameter.name, parameter.default)
    if value is None:
        raise UsageError(f"task `{task.id}` needs `--set {parameter.name}=…`: {parameter.about}")
    if not value or not parameter.arn or value.startswith("arn:"):
        return value
    if "{region}" in parameter.arn and not setting.region:
        raise UsageError(f"which region? give `--region`, or `{parameter.name}` as an ARN")
    if "{account}" in parameter.arn and not setting.account:
        raise UsageError(f"which account? give `--to` with an ARN, or `{parameter.name}` as an ARN")
    begin = parameter.arn.removesuffix("{}")
    places = {"partition": setting.partition, "region": setting.region, "account": setting.account}
    return f"{begin.format(**places)}{value}"


def _put_in(text: str, told: Mapping[str, str]) -> str:
    for name, value in told.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def listed() -> Iterator[str]:
    """Every task with its parameters, for a reader."""
    for task in tasks().values():
        yield f"{task.id}: {task.title}"
        for each in task.parameters:
            optional = "" if each.default is None else " (may be left out)"
            yield f"    --set {each.name}=…: {each.about}{optional}"
