"""`clew config evaluate` and `clew config compliance`: rules asked, states kept, changes told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, state_files, times
from clew.cli.configuration_rows import Answer, write
from clew.cli.history_rows import iso
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clew.audit.compliance import Evaluated, Evaluation
    from clew.audit.frameworks import Framework
    from clew.notify.destination import Destination
    from clew.store.compliance import Standing, Transition

_DEFAULT = "config-rules"
_NOT = "NON_COMPLIANT"
_OPEN = "INSUFFICIENT_DATA"
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What is evaluated: the snapshot, whose rules, and what limits them."""

    snapshot: Path | None
    folders: tuple[str, ...]
    frameworks: tuple[str, ...]
    changed_since: str | None
    trigger: str | None
    parameters: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Changed:
    """The resources with an item since a moment, and those of them that are gone."""

    there: frozenset[str]
    gone: frozenset[str]


def carry_out(asked: Asked, output: str) -> int:
    """Evaluate, keep and print; the exit code."""
    from clew.audit import compliance, custom, thresholds
    from clew.audit.checks import CHECKS
    from clew.audit.state import of_snapshot
    from clew.cli import notifying
    from clew.snapshot import file

    clock, places = datetime.now(UTC), notifying.destinations(asked.notify)
    rules, frameworks = custom.load(asked.folders), _frameworks(asked)
    known = {**CHECKS, **{rule.check.id: rule.check for rule in rules}}
    changed = _changed(asked.changed_since, clock) if asked.changed_since else None
    path = asked.snapshot or state_files.newest_snapshot()
    states, _ = of_snapshot(file.read(path), str(path))
    trigger = "change" if changed else asked.trigger
    evaluated = compliance.evaluate(
        states,
        rules,
        frameworks,
        triggers=[each for each in ("change", "periodic") if trigger in {None, each}],
        changed=changed.there if changed else None,
        parameters=thresholds.read(asked.parameters, frameworks, known),
    )
    as_of = max(state.as_of for state in states)
    transitions = _kept(evaluated, changed, as_of)
    write(
        _answer(evaluated.evaluations, transitions, as_of, output), "json" if output == "config" else output
    )
    told = _notified(places, transitions, clock)
    return _code(evaluated.evaluations) or told


def _notified(places: Sequence[Destination], transitions: Sequence[Transition], now: datetime) -> int:
    from clew.cli import notifying
    from clew.report.compliance_notification import of_transitions

    message = of_transitions(transitions, now) if places else None
    return notifying.deliver(places, message) if message else context.EXIT_CLEAN


def _frameworks(asked: Asked) -> list[Framework]:
    from clew.audit import frameworks

    names = asked.frameworks or (() if asked.folders else (_DEFAULT,))
    return [frameworks.load(name) for name in names]


def _changed(since: str, now: datetime) -> _Changed:
    from clew.cli.configuration import items_of_lake
    from clew.snapshot.items import Status

    moment = times.moment(since, now)
    latest = {item.label: item for item in items_of_lake() if item.captured_at >= moment}
    gone = frozenset(label for label, item in latest.items() if item.status is Status.DELETED)
    return _Changed(frozenset(latest) - gone, gone)


def _kept(evaluated: Evaluated, changed: _Changed | None, at: datetime) -> tuple[Transition, ...]:
    from clew.store.compliance import Standing, record
    from clew.store.database import Database

    told = [
        Standing(
            each.account,
            each.rule,
            each.resource,
            each.resource_type,
            each.compliance,
            each.annotation,
            at,
        )
        for each in evaluated.evaluations
    ]
    with Database(context.workspace().create().state_path) as database:
        return record(
            database,
            told,
            settled=() if changed else evaluated.settled,
            gone=changed.gone if changed else (),
            now=at,
        )


def _code(found: Sequence[Evaluation]) -> int:
    states = {each.compliance for each in found}
    if _NOT in states:
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if _OPEN in states else context.EXIT_CLEAN


def _answer(
    found: Sequence[Evaluation], transitions: Sequence[Transition], at: datetime, output: str
) -> Answer:
    from clew.audit.compliance import aws_form

    if output == "config":
        results = [aws_form(each, iso(at)) for each in found]
        return Answer({"EvaluationResults": results}, (), lambda: iter(()))
    document = {
        "as_of": iso(at),
        "evaluations": [_evaluation(each) for each in found],
        "changes": [_transition(each) for each in transitions],
    }
    flat = [_evaluation(each) for each in found]
    return Answer(document, flat, lambda: _lines(found, transitions))


def _evaluation(each: Evaluation) -> dict[str, object]:
    return {
        "account": each.account,
        "rule": each.rule,
        "resource": each.resource,
        "resource_type": each.resource_type,
        "compliance": each.compliance,
        "annotation": each.annotation,
    }


def _transition(each: Transition) -> dict[str, object]:
    new = each.new
    return {
        "account": new.account,
        "rule": new.rule,
        "resource": new.resource,
        "old": each.old and each.old.compliance,
        "new": new.compliance,
        "annotation": new.annotation,
        "at": iso(new.at),
    }


def _lines(found: Sequence[Evaluation], transitions: Sequence[Transition]) -> Iterator[str]:
    by_rule: dict[str, Counter[str]] = {}
    for each in found:
        by_rule.setdefault(each.rule, Counter())[each.compliance] += 1
    for rule, counts in by_rule.items():
        told = ", ".join(f"{counts[state]} {state}" for state in sorted(counts))
        yield f"{terminal(rule)}: {told}"
    for each in found:
        if each.compliance in {_NOT, _OPEN}:
            yield f"  {each.compliance:18}{terminal(each.rule)}  {terminal(each.resource)}"
            yield f"    {terminal(each.annotation)}"
    if not found:
        yield "nothing to evaluate"
    yield f"{len(transitions)} changed since the last evaluation" + (":" if transitions else "")
    for change in transitions[:_SHOWN]:
        before = change.old.compliance if change.old else "new"
        yield f"  {before} → {change.new.compliance}  {terminal(change.new.rule)}  {terminal(change.new.resource)}"
    if len(transitions) > _SHOWN:
        yield f"  and {len(transitions) - _SHOWN} more; `--output json` shows all"


def show_history(resource: str, rule: str, output: str) -> None:
    """Print every kept change of compliance."""
    from clew.store.compliance import history
    from clew.store.database import Database

    with Database(context.workspace().create().state_path) as database:
        found = history(database, resource=resource, rule=rule)
    rows = [_standing(each) for each in found]
    write(Answer(rows, rows, lambda: _history_lines(found)), output)


def _standing(each: Standing) -> dict[str, object]:
    return {
        "at": iso(each.at),
        "account": each.account,
        "rule": each.rule,
        "resource": each.resource,
        "resource_type": each.resource_type,
        "compliance": each.compliance,
        "annotation": each.annotation,
    }


def _history_lines(found: Sequence[Standing]) -> Iterator[str]:
    if not found:
        yield "no evaluation was kept; run `clew config evaluate`"
    for each in found:
        when = f"{each.at:%Y-%m-%d %H:%M:%S}"
        yield f"{when}  {each.compliance:18}{terminal(each.rule)}  {terminal(each.resource)}"
        yield f"    {terminal(each.annotation)}"
