"""Benchmarks as data: each control's id, our title for it, and the checks that answer it, or why none does.

Shape of a file `<name>.toml`: `name`, `version`, and `[[control]]` tables with `id`, `title` and either `checks` (ids,
with `parameters` by check where the control has thresholds of its own) or `manual`, the reason why a person has to
look and where. `planned = true` says that a machine could tell and Clew cannot yet. `vocabulary` says in whose words
verdicts are also told (`audit.views`): `names` leads from the source's own name of a parameter to ours
(`check.parameter`, or `check.parameter.1` for the first entry of a list), and `red` is the severity from which a
failure is red and not yellow.

Ids are the benchmark's; every other word is ours.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.audit.model import Check, Parameter
    from clew.findings import Severity

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
        return f"{self.name} {self.version}".strip()


@cache
def load(name: str) -> Framework:
    """The framework of that name. Errors: `UsageError` when there is none."""
    if name not in NAMES:
        raise UsageError(f"no framework `{name[:80]}`; known are {', '.join(NAMES)}")
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    controls = tuple(_control(each) for each in found["control"])
    return Framework(name, found["name"], found["version"], controls, found.get("vocabulary", ""))


def of_checks(checks: Iterable[Check], name: str = "Checks") -> Framework:
    """A framework that asks each of these checks by its own id."""
    controls = tuple(Control(check.id, check.title, (check.id,)) for check in checks)
    return Framework(name.lower(), name, "", controls)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which checks are asked: those that fit everything that is named; what is empty does not limit."""

    checks: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()

    def fits(self, check: Check) -> bool:
        """Whether the check is asked."""
        return (
            (not self.checks or check.id in self.checks)
            and (not self.services or check.service in self.services)
            and (not self.severities or check.severity in self.severities)
        )

    def narrowed(self, framework: Framework, checks: Mapping[str, Check]) -> Framework:
        """The framework with the controls that have a check that fits, and those checks only."""
        if self == Choice():
            return framework
        kept = (
            replace(control, checks=tuple(each for each in control.checks if self.fits(checks[each])))
            for control in framework.controls
        )
        return replace(framework, controls=tuple(control for control in kept if control.checks))


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
