"""What somebody should be told about, as predicates: the events that count, and what is taken for granted of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from clew.errors import RuleError
from clew.events.patterns import cloudwatch
from clew.events.patterns.meaning import Comparison, Relation, compare
from clew.events.predicate import compile_predicate
from clew.events.predicate_tree import TRUE, And, Leaf, Node

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Monitored:
    """The events of one control: `wanted` are those that count among the events for which `given` is true.

    `samples` are some of them. `reads`: calls that only read are among them. `is_global`: the calls are recorded in one
    region, whichever they concern.
    """

    id: str
    wanted: Node
    given: Node
    samples: tuple[Event, ...]
    reads: bool
    is_global: bool

    def caught_by(self, tree: Node) -> Comparison:
        """How what the predicate catches lies to what is wanted; a sample that it misses settles it."""
        catches = compile_predicate(tree)
        for sample in self.samples:
            if not catches(sample):
                return Comparison(Relation.NARROWER, sample)
        return compare(tree, self.wanted, self.given)

    def caught_by_filter(self, text: str) -> Comparison:
        """The same of a metric filter's pattern; unknown where it cannot be read."""
        try:
            return self.caught_by(cloudwatch.read(text).tree)
        except RuleError as error:
            return Comparison(Relation.UNKNOWN, why=str(error))

    def samples_caught(self, tree: Node) -> int:
        """How many of the samples the predicate catches."""
        return sum(map(compile_predicate(tree), self.samples))


@cache
def load(edition: str) -> Mapping[str, Monitored]:
    """Every row of the table, for CIS `1.2` or `7.0`."""
    text = files("clew.audit").joinpath("monitored.toml").read_text(encoding="utf-8")
    return {name: _row(name, row, edition) for name, row in tomllib.loads(text).items()}


def _row(name: str, row: Mapping[str, object], edition: str) -> Monitored:
    service, when = row.get("service"), row.get("when-7") if edition.startswith("7") else None
    if isinstance(service, str):
        return _of_service(name, row, f"{service}.amazonaws.com")
    return Monitored(
        id=name,
        wanted=cloudwatch.read(str(when or row["when"])).tree,
        given=cloudwatch.read(str(row["given"])).tree if "given" in row else TRUE,
        samples=tuple(cast("list[Event]", row["samples"])),
        reads=row.get("reads") is True,
        is_global=row.get("global") is True,
    )


def _of_service(name: str, row: Mapping[str, object], source: str) -> Monitored:
    """A row of calls that change something in one service."""
    events = tuple(cast("list[str]", row["events"]))
    facts: Mapping[str, str | bool] = {"eventSource": source, "eventType": "AwsApiCall", "readOnly": False}
    return Monitored(
        id=name,
        wanted=_equals("eventName", *events),
        given=And(tuple(_equals(field, value) for field, value in facts.items())),
        samples=tuple({"eventName": event, **facts} for event in events),
        reads=False,
        is_global=row.get("global") is True,
    )


def _equals(field: str, *values: str | bool) -> Leaf:
    return Leaf((field,), "equals", values, case_sensitive=True, quantifier="one")


def shown(event: Event | None) -> str:
    """An event as people read it: its fields with dots.

    >>> shown({"eventName": "DeleteTrail", "userIdentity": {"type": "Root"}})
    'eventName=DeleteTrail, userIdentity.type=Root'
    """
    return ", ".join(_fields(event or {}, "")) or "an event without these fields"


def _fields(event: Event, above: str) -> list[str]:
    found: list[str] = []
    for name, value in event.items():
        if isinstance(value, Mapping):
            found += _fields(value, f"{above}{name}.")
        elif f"{above}{name}" not in {"eventSource", "eventType", "readOnly"}:
            found.append(f"{above}{name}={value}")
    return found
