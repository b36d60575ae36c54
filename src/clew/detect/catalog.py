"""The rules that run: the built-in ones and those of the user's own Sigma folders, read together.

Because they are read together, a user's correlation may name a built-in rule and a user's Sigma filter may narrow one.
Who reports: a rule that a correlation of the same origin counts is silent, unless that correlation says
`generate: true` (Sigma's own meaning). A user's correlation never silences a built-in rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from clew.detect.rule import BUILT_IN, Rule, identified
from clew.errors import RuleError, UsageError
from clew.events.patterns.sigma import load_files
from clew.events.patterns.sigma_model import Problem, SigmaCorrelation, SigmaRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SUFFIXES = frozenset({".yml", ".yaml"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """Rules and what could not be used; a problem that is `skipped` is about other logs and takes nothing away."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether a rule about CloudTrail could not be loaded."""
        return any(not problem.skipped for problem in self.problems)

    @property
    def reporting(self) -> tuple[Rule, ...]:
        """The rules that make findings of their own."""
        return tuple(rule for rule in self.rules if rule.reports)

    def rule(self, name: str) -> Rule:
        """The rule with that id, Sigma id or Sigma name; UsageError when there is none."""
        found = self._named(name)
        if found is None:
            raise UsageError(f"no rule `{name}`; `clew rules list` shows what there is")
        return found

    def only(self, names: Sequence[str]) -> Catalog:
        """The named rules, which then report, and the silent rules that they count; everything when none is named."""
        if not names:
            return self
        wanted = {self.rule(name).id for name in names}
        needed = set(wanted)
        waiting = list(wanted)
        while waiting:
            needs = {rule.id for rule in self.counted_by(self.rule(waiting.pop()))} - needed
            needed |= needs
            waiting += needs
        chosen = (replace(r, reports=r.id in wanted) for r in self.rules if r.id in needed)
        return replace(self, rules=tuple(chosen))

    def counted_by(self, rule: Rule) -> tuple[Rule, ...]:
        """The rules whose events a correlation counts, in its order; none for a rule about one event."""
        if not isinstance(rule.sigma, SigmaCorrelation):
            return ()
        return tuple(found for name in rule.sigma.rules if (found := self._named(name)) is not None)

    def _named(self, name: str) -> Rule | None:
        fitting = (r for r in self.rules if name in {r.id, r.sigma.id, r.sigma.name})
        return next(fitting, None) if name else None


def load_builtin() -> Catalog:
    """The built-in rules."""
    return load(())


def load(paths: Iterable[Path], *, builtin: bool = True) -> Catalog:
    """The built-in rules and those in the given files and folders; RuleError when a path does not exist."""
    with as_file(files("clew.detect").joinpath("rules")) as folder:
        origins = dict.fromkeys(_rule_files(folder), BUILT_IN) if builtin else {}
        for path in paths:
            if not path.exists():
                raise RuleError(f"no rules at `{path}`")
            origins |= {file: str(path) for file in _rule_files(path) if file not in origins}
        found, problems = load_files(origins)
    by_file = {str(file): origin for file, origin in origins.items()}
    rules = identified([(sigma, by_file[sigma.file]) for sigma in found])
    return Catalog(_silenced(rules), problems)


def _rule_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())


def _silenced(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules, those silent that a correlation of their origin counts and none lets report."""
    catalog = Catalog(tuple(rules))
    counted: dict[str, bool] = {}
    for correlation in rules:
        if not isinstance(correlation.sigma, SigmaCorrelation):
            continue
        for base in catalog.counted_by(correlation):
            if base.origin == correlation.origin:
                counted[base.id] = counted.get(base.id, False) or correlation.sigma.generate
    return tuple(replace(rule, reports=counted.get(rule.id, True)) for rule in rules)


def single_event(rules: Iterable[Rule]) -> tuple[tuple[Rule, SigmaRule], ...]:
    """The rules about one event, with their predicates."""
    return tuple((rule, rule.sigma) for rule in rules if isinstance(rule.sigma, SigmaRule))
