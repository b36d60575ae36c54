"""Which IAM actions a recorded call took, on which resources: an event's source and name are not the action.

An event is mapped by the first rule that applies: a row of `event_actions.toml`, with AWS's page; the event's name as
the catalogue spells an action of that service; the same without the version that some services append. Whatever no rule
reaches is `Unmapped`: reported, never guessed.

>>> found = actions({"eventSource": "s3.amazonaws.com", "eventName": "ListObjectsV2"})
>>> [use.action for use in found], found[0].rule.value
(['s3:ListBucket'], 'table')
>>> actions({"eventSource": "s3.amazonaws.com", "eventName": "Frobnicate"}).reason
's3 has no action `Frobnicate` in the catalogue'
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from clew.analyzer.activity_inside import HIDDEN, by_content
from clew.aws import catalog
from clew.aws.services import action_prefix
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    Event = Mapping[str, object]

# AWS: Lambda and CloudFront append the day of their API's version to event names.
_VERSION = re.compile(r"_?(?:\d{4}_\d{2}_\d{2}|\d{8}|\d{4}-\d{2}-\d{2})(?:v\d+)?$")
# Labels of event sources whose actions have another prefix, beside those of `clew.aws.services`.
_PREFIXES = {
    "appstream2": "appstream",
    "models.lex": "lex",
    "runtime.lex": "lex",
    "streams.dynamodb": "dynamodb",
    "mturk-requester": "mechanicalturk",
    "cloudcontrolapi": "cloudformation",
    "servicecatalog-appregistry": "servicecatalog",
}
# Events that services write about themselves are no calls that anybody was permitted.
_NOT_CALLS = frozenset({"AwsServiceEvent", "AwsCloudTrailInsight"})


class Rule(StrEnum):
    """How an event was mapped."""

    TABLE = "table"
    SAME_NAME = "same name"
    WITHOUT_VERSION = "without version"


class Use(NamedTuple):
    """One IAM action that a call took, and how that is known; `page` is AWS's page for rows of the table."""

    action: str
    rule: Rule
    page: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An event whose actions nobody here knows, and why."""

    event_source: str
    event_name: str
    reason: str


class _Row(NamedTuple):
    present: str
    absent: str
    actions: tuple[str, ...]
    page: str


def actions(event: Event) -> tuple[Use, ...] | Unmapped:
    """The actions of a call; empty where none is needed, as for `sts:GetCallerIdentity`."""
    source, name = text_at(event, "eventSource"), text_at(event, "eventName")
    if text_at(event, "eventType") in _NOT_CALLS:
        return Unmapped(source, name, "the service wrote it about itself; nobody's permission was asked")
    service = prefix(source)
    for row in _table().get((service, name), ()):
        if _fits(row, event):
            return tuple(Use(f"{service}:{action}", Rule.TABLE, row.page) for action in row.actions)
    found = _named(source, name, service)
    inside = by_content(service, name, event) if isinstance(found, Unmapped) else None
    if inside is None:
        return found
    taken, page = inside
    made = tuple(Use(f"{service}:{action}", Rule.TABLE, page) for action in taken)
    return made or Unmapped(source, name, HIDDEN)


def prefix(event_source: str) -> str:
    """The prefix under which IAM names the actions of an event source.

    >>> prefix("monitoring.amazonaws.com"), prefix("runtime.lex.amazonaws.com")
    ('cloudwatch', 'lex')
    """
    label = event_source.partition(".amazonaws.")[0]
    return _PREFIXES.get(label) or action_prefix(event_source)


@cache
def _table() -> Mapping[tuple[str, str], tuple[_Row, ...]]:
    text = files("clew.aws").joinpath("data", "event_actions.toml").read_text(encoding="utf-8")
    found: dict[tuple[str, str], list[_Row]] = {}
    for row in tomllib.loads(text)["row"]:
        groups = [("", "", row.get("always", {}))]
        groups += [(parameter, "", names) for parameter, names in row.get("when", {}).items()]
        groups += [("", parameter, names) for parameter, names in row.get("unless", {}).items()]
        for present, absent, names in groups:
            for name, taken in names.items():
                made = _Row(present, absent, tuple(taken), row["page"])
                found.setdefault((row["service"], name), []).append(made)
    return {key: tuple(rows) for key, rows in found.items()}


def _fits(row: _Row, event: Event) -> bool:
    if row.present:
        return at(event, "requestParameters", row.present) is not None
    return not row.absent or at(event, "requestParameters", row.absent) is None


def _named(source: str, name: str, service: str) -> tuple[Use, ...] | Unmapped:
    known = catalog.current()
    found = known.action(f"{service}:{name}")
    if found is not None:
        return (Use(found.full_name, Rule.SAME_NAME),)
    shorter = _VERSION.sub("", name)
    found = known.action(f"{service}:{shorter}") if shorter != name else None
    if found is not None:
        return (Use(found.full_name, Rule.WITHOUT_VERSION),)
    rows = _table().get((service, shorter), ())
    if shorter != name and rows:
        return tuple(
            Use(f"{service}:{action}", Rule.WITHOUT_VERSION, rows[-1].page) for action in rows[-1].actions
        )
    if known.service(service) is None:
        return Unmapped(source, name, f"`{source}` is no service of the catalogue")
    return Unmapped(source, name, f"{service} has no action `{name}` in the catalogue")
