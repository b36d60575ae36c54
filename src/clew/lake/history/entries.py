"""One row of the history: who, what, where from, when, how, with what outcome, and on which resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.events.category import category
from clew.events.channel import channel
from clew.events.contradictions import contradictions
from clew.events.identity import principal
from clew.events.outcome import outcome
from clew.events.paths import at
from clew.events.resources import resources
from clew.events.times import of_epoch
from clew.lake.history.effects import effect
from clew.lake.history.fields import flag, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from clew.events.category import Category
    from clew.events.channel import Channel
    from clew.events.contradictions import Contradiction
    from clew.events.identity import Principal
    from clew.events.outcome import Outcome
    from clew.events.resources import Resource
    from clew.lake.history.effects import Effect
    from clew.lake.principals import Session


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record's original text stands: SHA-256 of the unpacked file, its path, the number in it."""

    source: str
    path: str
    record_number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the history, told in words.

    Units: `time` is UTC. Shape: `via` is the chain of sessions from the first to the one that made this call, empty
    when none is known. What the record does not say is empty, and `unknown` in what it was asked to judge (`mfa`).
    """

    time: datetime
    event_id: str
    record_id: str
    event_source: str
    event_name: str
    effect: Effect
    category: Category
    read_only: bool | None
    outcome: Outcome
    who: Principal
    user_name: str
    via: tuple[Session, ...]
    channel: Channel
    source_ip: str
    user_agent: str
    vpc_endpoint: str
    account: str
    region: str
    resources: tuple[Resource, ...]
    request_id: str
    contradictions: tuple[Contradiction, ...]
    is_conflict: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the lake holds it. Units: `micros` is epoch microseconds of its time."""

    micros: int
    record_id: str
    text: str
    is_conflict: bool
    origin: Origin


def entry(stored: Stored, event: Mapping[str, object], via: tuple[Session, ...] = ()) -> Entry:
    """The row that a stored record and its decoded text make."""
    insight = at(event, "insightDetails")
    about = insight if isinstance(insight, dict) else event
    name = text(about, "eventName")
    read_only = flag(event, "readOnly")
    return Entry(
        time=of_epoch(stored.micros),
        event_id=text(event, "eventID"),
        record_id=stored.record_id,
        event_source=text(about, "eventSource"),
        event_name=name,
        effect=effect(name, read_only=read_only),
        category=category(event),
        read_only=read_only,
        outcome=outcome(event),
        who=principal(event),
        user_name=text(event, "userIdentity", "userName"),
        via=via,
        channel=channel(event),
        source_ip=text(event, "sourceIPAddress"),
        user_agent=text(event, "userAgent"),
        vpc_endpoint=text(event, "vpcEndpointId"),
        account=text(event, "recipientAccountId") or principal(event).account,
        region=text(event, "awsRegion"),
        resources=resources(event),
        request_id=text(event, "requestID"),
        contradictions=contradictions(event, stored.text),
        is_conflict=stored.is_conflict,
        origin=stored.origin,
    )
