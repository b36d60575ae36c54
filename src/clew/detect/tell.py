"""A finding made of what the lake gathered: its identity, its numbers, its evidence, its words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from clew.detect.explain import Story, explanation, next_steps, summary
from clew.detect.facts import FACTS
from clew.events.channel import channel
from clew.events.identity import principal
from clew.events.json_text import object_of
from clew.events.outcome import outcome
from clew.events.paths import at, text_at
from clew.events.resources import resources
from clew.events.times import parse_time
from clew.findings import Evidence, Finding, finding_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.detect.correlate import Found
    from clew.detect.plan import Correlation
    from clew.detect.rule import Rule
    from clew.events.predicate_tree import Path
    from clew.lake.detection.gather import Group, Proof

    Event = Mapping[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_RESOURCES = 50
_MOST_OF_ONE_RECORD = 10


def finding(rule: Rule, group: Group, correlation: Correlation | None, found: Found | None) -> Finding:
    """The finding of a rule about a group of events."""
    events = [record(proof.text) for proof in group.proofs]
    story = _story(group, events, correlation, found)
    subject = _subject(group, events, correlation)
    return Finding(
        id=finding_id("detect", rule.id, subject, story.first.isoformat()),
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        actor=story.actor,
        subject=subject,
        first_seen=story.first,
        last_seen=story.last,
        explanation=explanation(rule.explain, rule.title, story),
        technique=rule.technique,
        tactics=rule.tactics,
        event_ids=tuple(dict.fromkeys(group.event_ids)),
        event_count=group.count,
        why_it_matters=rule.why_it_matters,
        next_steps=next_steps(rule.next_steps, story),
        false_positives=rule.sigma.falsepositives,
        references=rule.sigma.references,
        accounts=group.accounts,
        regions=group.regions,
        source_ips=group.source_ips,
        access_keys=group.access_keys,
        resources=tuple(story.resources),
        evidence=tuple(_evidence(e, p) for e, p in zip(events, group.proofs, strict=True)),
    )


def actor(group: Group) -> str:
    """Who a finding about the group names: whoever did most of it."""
    return group.actors[0] if group.actors else "unknown"


def record(text: str) -> Event:
    """The decoded record of a text that the lake holds; empty when it is no object."""
    return object_of(text)


def _story(group: Group, events: list[Event], correlation: Correlation | None, found: Found | None) -> Story:
    figure = found.figure(group.subject, group.first, group.last) if found else None
    named = (
        resource.arn or resource.id
        for event in events
        for resource in islice(resources(event), _MOST_OF_ONE_RECORD)
    )
    return Story(
        events=events,
        texts=[proof.text for proof in group.proofs],
        actor=actor(group),
        count=group.count,
        figure=group.count if figure is None else figure,
        first=_time(group.first),
        last=_time(group.last),
        window=correlation.sigma.timespan if correlation else None,
        source_ips=group.source_ips,
        access_keys=group.access_keys,
        regions=group.regions,
        accounts=group.accounts,
        resources=list(islice(dict.fromkeys(named), _MOST_RESOURCES)),
    )


def _subject(group: Group, events: list[Event], correlation: Correlation | None) -> str:
    """What the finding is about, in words that are the same on every run."""
    if correlation is None or not events:
        return " in ".join((*group.actors[:1], *group.accounts[:1]))
    return ", ".join(_key_text(events[0], path) for path in correlation.sigma.group_by) or "all"


def _key_text(event: Event, path: Path) -> str:
    if len(path) == 2 and path[0] == "clew" and path[1] in FACTS:  # noqa: PLR2004  # `clew` and the fact's name
        return str(FACTS[path[1]].function(event))
    value = at(event, *path)
    return "unknown" if value is None else str(value)


def _evidence(event: Event, proof: Proof) -> Evidence:
    caller = principal(event)
    return Evidence(
        event_id=proof.record_id,
        time=parse_time(event.get("eventTime")),
        summary=summary(event),
        event_source=text_at(event, "eventSource"),
        event_name=text_at(event, "eventName"),
        account=text_at(event, "recipientAccountId") or caller.account,
        region=text_at(event, "awsRegion"),
        actor=caller.arn or caller.name,
        source_ip=text_at(event, "sourceIPAddress"),
        access_key=caller.access_key,
        user_agent=text_at(event, "userAgent"),
        channel=str(channel(event)),
        outcome=str(outcome(event)),
        resources=tuple(r.arn or r.id for r in islice(resources(event), _MOST_OF_ONE_RECORD)),
        source=proof.path,
        record_number=proof.record_number,
    )


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
