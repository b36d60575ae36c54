"""Benchmarks as data: each control's id, our title for it, and the checks that answer it, or why none does.

Shape of a file `<name>.toml`: `name`, `version`, and `[[control]]` tables with `id`, `title` and either `checks` (ids,
with `parameters` by check where the control has thresholds of its own) or `manual`, the reason why a person has to
look and where. `planned = true` says that a machine could tell and Clew cannot yet. `vocabulary` says in whose words
verdicts are also told (`audit.views`): `names` leads from the source's own name of a parameter to ours
(`check.parameter`), and `red` is the severity from which a failure is red and not yellow.

Ids are the benchmark's; every other word is ours.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.audit.model import Parameter

_SUFFIX = ".toml"
NAMES = tuple(
    sorted(
        file.name.removesuffix(_SUFFIX) for file in files(__name__).iterdir() if file.name.endswith(_SUFFIX)
    )
)
"""The frameworks that Clew ships: the files beside this module."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a framework."""

    id: str
    title: str
    checks: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    manual: str = ""
    planned: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    red: str = ""


@dataclass(frozen=True, slots=True)
class Framework:
    """A benchmark of one version; controls stand in its order."""

    id: str
    name: str
    version: str
    controls: tuple[Control, ...]
    vocabulary: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


@cache
def load(name: str) -> Framework:
    """The framework of that name. Errors: `UsageError` when there is none."""
    if name not in NAMES:
        raise UsageError(f"no framework `{name[:80]}`; known are {', '.join(NAMES)}")
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    controls = tuple(_control(each) for each in found["control"])
    return Framework(name, found["name"], found["version"], controls, found.get("vocabulary", ""))


def _control(given: Mapping[str, object]) -> Control:
    checks, parameters, names = given.get("checks", []), given.get("parameters", {}), given.get("names", {})
    if not isinstance(checks, list) or not isinstance(parameters, dict) or not isinstance(names, dict):
        raise UsageError(
            f"control `{given.get('id')}`: `checks` is a list, `parameters` and `names` are tables"
        )
    return Control(
        id=str(given["id"]),
        title=str(given["title"]),
        checks=tuple(checks),
        parameters=parameters,
        manual=str(given.get("manual", "")),
        planned=bool(given.get("planned", False)),
        names=names,
        red=str(given.get("red", "")),
    )
