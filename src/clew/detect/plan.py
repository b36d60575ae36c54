"""Which questions the rules put to the lake: one for each rule about one event, more for correlations, with keys."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.detect.windows import GROWING
from clew.events.patterns.sigma_model import SigmaCorrelation, SigmaRule
from clew.lake.detection.question import Least, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.detect.catalog import Catalog
    from clew.detect.rule import Rule
    from clew.events.predicate_tree import Node, Path

    Key = tuple[Path, ...] | None

# No record has it: stands where an alias says nothing about a rule, so that the value counts as missing.
_NOWHERE: Path = ("",)
# Correlations that compute with the values themselves.
AMOUNTS = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with the questions behind it.

    Shape: `places` holds, for each rule that it names, the questions of its events; where that rule is a correlation
    itself, these are the events that it counts, and `occurrences` is the number under which its windows are marked.
    """

    rule: Rule
    sigma: SigmaCorrelation
    places: tuple[Place, ...]
    scope: tuple[int, ...] = ()

    @property
    def questions(self) -> tuple[int, ...]:
        """Every question about its events."""
        return tuple(dict.fromkeys(number for place in self.places for number in place.questions))


@dataclass(frozen=True, slots=True)
class Place:
    """One rule that a correlation names."""

    rule: Rule
    questions: tuple[int, ...]
    occurrences: int | None = None

    @property
    def marked(self) -> tuple[int, ...]:
        """The questions whose marks the correlation looks at."""
        return self.questions if self.occurrences is None else (self.occurrences,)


@dataclass(slots=True)
class Plan:
    """The questions of a catalog: of its reporting rules about one event, and of its correlations in order of need."""

    catalog: Catalog
    questions: list[Question] = field(default_factory=list)
    singles: list[tuple[Rule, int]] = field(default_factory=list)
    correlations: list[Correlation] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for rule in self.catalog.rules:
            if isinstance(rule.sigma, SigmaRule) and rule.reports:
                self.singles.append((rule, self._question(rule.sigma.predicate, None)))
        for rule in _in_order_of_need(self.catalog):
            if isinstance(rule.sigma, SigmaCorrelation):
                self.correlations.append(self._correlation(rule, rule.sigma))

    def _correlation(self, rule: Rule, sigma: SigmaCorrelation) -> Correlation:
        places = tuple(self._place(sigma, base) for base in self.catalog.counted_by(rule))
        scope: tuple[int, ...] = ()
        if sigma.scope is not None:
            serves = tuple(number for place in places for number in place.questions)
            scope = (self._question(sigma.scope, sigma.group_by, sigma.fields_seen, serves=serves),)
        return Correlation(rule, sigma, places, scope)

    def _place(self, sigma: SigmaCorrelation, base: Rule) -> Place:
        key = tuple(_aliased(sigma, path, base) for path in sigma.group_by)
        counted = sigma.fields_seen or (sigma.condition.field if sigma.condition else ())
        value = tuple(_aliased(sigma, path, base) for path in counted)
        amount = sigma.type in AMOUNTS
        nested = isinstance(base.sigma, SigmaCorrelation)
        least = _least(sigma) if len(sigma.rules) == 1 and not nested else Least()
        numbers = tuple(
            self._question(leaf, key, value, amount=amount, least=least) for leaf in self._leaves(base)
        )
        return Place(base, numbers, next(self._numbers) if nested else None)

    def _question(
        self,
        tree: Node,
        key: Key,
        value: tuple[Path, ...] = (),
        *,
        amount: bool = False,
        serves: tuple[int, ...] = (),
        least: Least | None = None,
    ) -> int:
        number = next(self._numbers)
        self.questions.append(Question(number, tree, key, value, amount, serves, least or Least()))
        return number

    def _leaves(self, rule: Rule) -> Iterable[Node]:
        if isinstance(rule.sigma, SigmaRule):
            yield rule.sigma.predicate
            return
        for base in self.catalog.counted_by(rule):
            yield from self._leaves(base)


def _least(sigma: SigmaCorrelation) -> Least:
    """What any window of a correlation about one rule must hold."""
    growing = sigma.condition is not None and sigma.condition.op in GROWING
    count = sigma.condition.count if sigma.condition and growing else 0
    span_us = (sigma.timespan or timedelta()) // timedelta(microseconds=1)
    match sigma.type:
        case "rate":
            return Least(sigma.minimum, 0, span_us)
        case "event_count":
            return Least(count, 0, span_us)
        case "value_count":
            return Least(count, count, span_us)
        case _:
            return Least()


def _aliased(sigma: SigmaCorrelation, path: Path, base: Rule) -> Path:
    """The path that an alias means for a rule, or the path itself."""
    if len(path) != 1 or path[0] not in sigma.aliases:
        return path
    by_rule = sigma.aliases[path[0]]
    names = (base.id, base.sigma.name, base.sigma.id)
    return next((by_rule[name] for name in names if name in by_rule), _NOWHERE)


def _in_order_of_need(catalog: Catalog) -> list[Rule]:
    """The catalog's correlations, those that others count before them; those that count themselves left out."""
    ordered: dict[str, Rule] = {}

    def visit(rule: Rule, above: frozenset[str]) -> bool:
        if rule.id in above:
            return False
        if rule.id not in ordered and isinstance(rule.sigma, SigmaCorrelation):
            if not all(visit(base, above | {rule.id}) for base in catalog.counted_by(rule)):
                return False
            ordered[rule.id] = rule
        return True

    for rule in catalog.rules:
        visit(rule, frozenset())
    return list(ordered.values())
