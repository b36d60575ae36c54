"""What a Sigma file says, as values: rules, correlations, and what could not be used and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from clew.errors import RuleError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from clew.events.predicate_tree import Node, Path

CorrelationType = Literal[
    "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
    "value_median", "first_seen", "rate",
]  # fmt: skip
CountOp = Literal["gt", "gte", "lt", "lte", "eq", "neq"]


@dataclass(frozen=True, slots=True)
class LogSource:
    """Which logs a rule is about; empty where the rule does not say."""

    product: str = ""
    service: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What rules and correlations have in common.

    Shape: `extras` holds every top-level key that Sigma does not define or that Clew only shows (`author`, `date`,
    `why`, `next_steps`, …) as plain values. Units: `line` counts from 1.
    """

    id: str
    name: str
    title: str
    description: str = ""
    level: Severity = Severity.MEDIUM
    status: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    extras: Mapping[str, object] = field(default_factory=dict)
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class SigmaRule(About):
    """A rule about one event: `predicate` is true of the events that it finds."""

    predicate: Node = field(kw_only=True)
    logsource: LogSource = field(kw_only=True, default=LogSource())


@dataclass(frozen=True, slots=True)
class Condition:
    """When the counted, summed or averaged figure of a group makes a finding: `figure op count`.

    `field` is empty where events are counted. `percentile` belongs to `value_percentile`.
    """

    op: CountOp
    count: float
    field: tuple[Path, ...] = ()
    percentile: float | None = None


@dataclass(frozen=True, slots=True)
class SigmaCorrelation(About):
    """A rule about several events of the rules that it names (by id or name), grouped and within a time span.

    Shape: `group_by` holds paths, or one-element paths that name an alias. `aliases` maps an alias to a path per rule.
    `condition` is None for `temporal` (every rule at least once) and `first_seen`. `generate`: the base rules make
    findings of their own too. `baseline` belongs to `first_seen` and `rate`, `scope` to `first_seen`, `ratio` and
    `minimum` to `rate`; see `events.patterns.sigma`.
    """

    type: CorrelationType = field(kw_only=True)
    rules: tuple[str, ...] = field(kw_only=True)
    group_by: tuple[Path, ...] = field(kw_only=True, default=())
    timespan: timedelta | None = field(kw_only=True, default=None)
    condition: Condition | None = field(kw_only=True, default=None)
    aliases: Mapping[str, Mapping[str, Path]] = field(kw_only=True, default_factory=dict)
    generate: bool = field(kw_only=True, default=False)
    fields_seen: tuple[Path, ...] = field(kw_only=True, default=())
    baseline: timedelta | None = field(kw_only=True, default=None)
    scope: Node | None = field(kw_only=True, default=None)
    ratio: float | None = field(kw_only=True, default=None)
    minimum: int = field(kw_only=True, default=0)


@dataclass(frozen=True, slots=True)
class SigmaFilter(About):
    """An exception that an organisation adds to rules: `predicate` is what must hold too; no `rules` = all."""

    predicate: Node = field(kw_only=True)
    rules: tuple[str, ...] = field(kw_only=True, default=())
    logsource: LogSource = field(kw_only=True, default=LogSource())


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that is not used, and why; `skipped` when it is about other logs, which is no error."""

    file: str
    line: int
    rule: str
    message: str
    skipped: bool = False

    def __str__(self) -> str:
        return str(self.error())

    def error(self) -> RuleError:
        """The problem as the error that a strict reader raises."""
        return RuleError(self.message, file=self.file, line=self.line, rule=self.rule)


@dataclass(frozen=True, slots=True)
class Place:
    """The rule that is being read, for complaints."""

    file: str
    rule: str = ""

    def error(self, line: int, message: str) -> RuleError:
        """A complaint about a line of the rule."""
        return RuleError(message, file=self.file, line=line, rule=self.rule)
