"""The rules over the lake: one scan, windows, and findings with their evidence.

Events of one rule and subject make one finding as long as no pause between them is longer than 24 hours. The subject is
the actor in an account, or what a correlation groups by. The result does not depend on the order of the lake's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from clew.detect.correlate import MICROSECOND, correlate
from clew.detect.facts import FACTS
from clew.detect.plan import Plan
from clew.detect.tell import actor, finding, record
from clew.events.patterns.sigma_model import Problem, SigmaCorrelation
from clew.events.predicate import compile_predicate
from clew.events.predicate_tree import FACT, Leaf, Or
from clew.findings import severity_order
from clew.lake.detection.question import FactOfFields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clew.detect.catalog import Catalog
    from clew.detect.rule import Rule
    from clew.events.predicate_tree import Node, Path
    from clew.findings import Finding
    from clew.lake.detection.question import Question
    from clew.lake.reader import Lake

GAP = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Path = ("eventName",)

# Facts that read a few fields only are computed once for each combination of their values, not for each record.
FACT_FIELDS: Mapping[str, tuple[Path, ...]] = {
    "source_network": (("sourceIPAddress",),),
    "role_account_differs": (
        ("userIdentity", "sessionContext", "sessionIssuer", "accountId"),
        ("recipientAccountId",),
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found: findings worst first, the rules that ran, what could not be used, the number of events."""

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    events: int


def run(
    lake: Lake,
    catalog: Catalog,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    memory_limit_mb: int = 512,
    gathered: Callable[[Sequence[str]], object] | None = None,
) -> Result:
    """Run the rules over the events from `since` until before `until`.

    `gathered` is called with the actors of the findings, each once, when the lake has answered everything and the
    findings are about to be told; it must not take long.
    """
    from clew.lake.detection.gather import Members, gather
    from clew.lake.detection.scan import Scan

    plan = Plan(catalog)
    with Scan(
        lake,
        applies=_domains(),
        facts={
            name: FactOfFields(FACTS[name].function, FACT_FIELDS[name]) for name in FACT_FIELDS.keys() & FACTS
        },
        period=(_microseconds(since), _microseconds(until)),
        memory_limit_mb=memory_limit_mb,
    ) as scan:
        scan.ask(plan.questions, _judge(plan.questions))
        found = correlate(scan, plan)
        rules = list(catalog.reporting)
        index = {rule.id: number for number, rule in enumerate(rules)}
        members = [Members(index[rule.id], (number,)) for rule, number in plan.singles]
        members += [
            Members(index[c.rule.id], c.questions, found[c.rule.id].rows())
            for c in plan.correlations
            if c.rule.reports
        ]
        groups = gather(scan, members, GAP // MICROSECOND)
        events = scan.events()
    if gathered is not None:
        gathered(list(dict.fromkeys(actor(group) for group in groups)))
    keys = {c.rule.id: c for c in plan.correlations}
    told = [
        finding(rules[g.rule], g, keys.get(rules[g.rule].id), found.get(rules[g.rule].id)) for g in groups
    ]
    problems = (*catalog.problems, *_unanswerable(catalog))
    return Result(tuple(sorted(told, key=severity_order)), tuple(rules), problems, events)


def _judge(questions: Sequence[Question]) -> Callable[[int, Sequence[str]], Iterator[int]]:
    """The closures of the questions, over records' texts."""
    trees = {question.number: question.tree for question in questions}
    facts = {name: fact.function for name, fact in FACTS.items()}
    compiled: dict[int, Callable[[Mapping[str, object]], bool]] = {}

    def judge(number: int, texts: Sequence[str]) -> Iterator[int]:
        if number not in compiled:
            compiled[number] = compile_predicate(trees[number], facts)
        test = compiled[number]
        return (index for index, text in enumerate(texts) if test(record(text)))

    return judge


def _domains() -> dict[str, Node]:
    """For each fact that belongs to certain calls, the predicate that is true of these calls."""
    return {name: _any_of(fact.event_names) for name, fact in FACTS.items() if fact.event_names}


def _any_of(names: Sequence[str]) -> Node:
    whole = tuple(name for name in names if not name.endswith("*"))
    begun = tuple(name[:-1] for name in names if name.endswith("*"))
    return Or((Leaf(_NAME, "equals", whole), Leaf(_NAME, "startswith", begun)))


def _unanswerable(catalog: Catalog) -> list[Problem]:
    """Correlations that group or count by a fact which is not one of a single field."""
    return [
        Problem(rule.sigma.file, rule.sigma.line, rule.id, f"cannot group or count by `{'.'.join(path)}`")
        for rule in catalog.rules
        if isinstance(rule.sigma, SigmaCorrelation)
        for path in _paths(rule.sigma)
        if path[:1] == (FACT,) and not (len(path) > 1 and len(FACT_FIELDS.get(path[1], ())) == 1)
    ]


def _paths(sigma: SigmaCorrelation) -> list[Path]:
    aliased = [path for by_rule in sigma.aliases.values() for path in by_rule.values()]
    counted = sigma.condition.field if sigma.condition else ()
    return [*sigma.group_by, *sigma.fields_seen, *counted, *aliased]


def _microseconds(time: datetime | None) -> int | None:
    return None if time is None else (time - _EPOCH) // MICROSECOND
