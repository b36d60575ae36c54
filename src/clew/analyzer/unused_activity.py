"""What principals used, from recorded calls: services, and actions of those services whose calls all are mapped.

A call that AWS denied used nothing. A service with a call that nobody can map counts as used, and nothing is said of
its single actions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.analyzer.activity import Unmapped, actions, prefix
from clew.analyzer.unused_model import Activity, Used
from clew.events import identity
from clew.events.outcome import Result, outcome
from clew.events.paths import text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Event = Mapping[str, object]


@dataclass(slots=True)
class _Seen:
    services: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    unmapped: set[str] = field(default_factory=set)


def activity(events: Iterable[Event], unseen: frozenset[str], missing: tuple[str, ...] = ()) -> Activity:
    """What each principal used; a session counts for its role."""
    seen: dict[str, _Seen] = {}
    for event in events:
        who = identity.principal(event)
        arn = who.issuer_arn or who.arn
        if arn and outcome(event).result is not Result.DENIED:
            _take(seen.setdefault(arn, _Seen()), event)
    used = {arn: _used(each, unseen) for arn, each in seen.items()}
    return Activity(used, missing, unseen)


def _take(seen: _Seen, event: Event) -> None:
    found = actions(event)
    if isinstance(found, Unmapped):
        service = prefix(text_at(event, "eventSource"))
        seen.services.add(service)
        seen.unmapped.add(service)
        return
    for use in found:
        seen.services.add(use.action.partition(":")[0])
        seen.actions.add(use.action.lower())


def _used(seen: _Seen, unseen: frozenset[str]) -> Used:
    by_action = seen.services - seen.unmapped - unseen
    return Used(
        frozenset(seen.services), frozenset(seen.actions), frozenset(by_action), unseen, "recorded calls"
    )
