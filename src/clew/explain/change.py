"""Which event made a change of configuration: calls in the lake that may have, ranked, and what it cannot have seen.

A call is a candidate when it succeeded, writes, names the resource, and lies between the item before and this one. That
a call is the only one in the lake makes it likely; certain is only what AWS Config itself names as the cause.
AWS: "CloudTrail record contents"; AWS Config developer guide, "Components of a configuration item" (`relatedEvents`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.events.category import Category
from clew.events.outcome import Result
from clew.explain.change_words import fits
from clew.lake.coverage import Question, blind_spots
from clew.lake.history.effects import WRITES, Effect
from clew.lake.history.filters import Filters
from clew.lake.history.search import find
from clew.snapshot.items import COLLECT, CONFIG, Status

if TYPE_CHECKING:
    from datetime import datetime

    from clew.lake.coverage import BlindSpot, Coverage
    from clew.lake.history.entries import Entry
    from clew.lake.reader import Lake
    from clew.snapshot.history import Step

MARGINS = {COLLECT: timedelta(minutes=10), CONFIG: timedelta(minutes=1)}
"""How long before the last item a call may lie: the answers of one collection come one after the other."""

_SKEW = timedelta(seconds=5)
_MOST_READ = 500


class Certainty(StrEnum):
    """How sure it is that the first candidate made the change."""

    CERTAIN = "certain"
    LIKELY = "likely"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may have made the change, and what speaks for it; a higher `weight` speaks more."""

    entry: Entry
    reasons: tuple[str, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Cause:
    """The calls that may have made a change, the best first, and what the lake cannot have seen of the time.

    Units: `since` (None: from the beginning) and `until` bound the change; UTC.
    """

    certainty: Certainty
    candidates: tuple[Candidate, ...]
    blind_spots: tuple[BlindSpot, ...]
    since: datetime | None
    until: datetime


def cause(
    lake: Lake, step: Step, coverage: Coverage | None = None, *, as_before: datetime | None = None
) -> Cause:
    """The event that made a step of a resource's history; coverage is measured unless given.

    `as_before` is when the resource was last seen as it was before the step, where that is later than the item before.
    """
    item = step.item
    known = [each for each in (step.previous and step.previous.captured_at, as_before) if each]
    since = max(known) - MARGINS[item.key.recorder] if known else None
    until = item.captured_at + _SKEW
    wanted = Filters(
        resources=(item.arn or item.key.id,), effects=tuple(sorted(WRITES)), since=since, until=until
    )
    entries = find(lake, wanted, limit=_MOST_READ).entries
    candidates = sorted(
        (_candidate(step, entry) for entry in entries if _may_change(step, entry)),
        key=lambda found: (-found.weight, -found.entry.time.timestamp(), found.entry.record_id),
    )
    certainty = _certainty(candidates)
    spots = () if certainty is Certainty.CERTAIN else _spots(lake, step, since, until, coverage)
    return Cause(certainty, tuple(candidates), spots, since, until)


def _may_change(step: Step, entry: Entry) -> bool:
    """Whether the call went through and configures, not stores data; before the first item only creation counts."""
    configures = entry.outcome.result is Result.SUCCESS and entry.category is not Category.DATA
    return configures and (step.previous is not None or fits(entry.event_name, step))


_NAMED, _PART, _EFFECT = 8, 2, 1


def _candidate(step: Step, entry: Entry) -> Candidate:
    spoken = (
        (entry.event_id in step.item.events, _NAMED, "AWS Config names it as the cause"),
        (fits(entry.event_name, step), _PART, f"{entry.event_name} sets what changed"),
        (entry.effect in _EFFECTS[step.item.status], _EFFECT, f"the resource was {step.item.status.value}"),
    )
    holds = [(weight, reason) for is_so, weight, reason in spoken if is_so]
    return Candidate(entry, tuple(reason for _, reason in holds), sum(weight for weight, _ in holds))


_EFFECTS = {
    Status.DISCOVERED: {Effect.CREATED},
    Status.CHANGED: {Effect.CHANGED, Effect.PERMISSIONS},
    Status.DELETED: {Effect.DELETED},
    Status.NOT_RECORDED: frozenset(),
}


def _certainty(candidates: list[Candidate]) -> Certainty:
    if not candidates:
        return Certainty.UNKNOWN
    first, rest = candidates[0], candidates[1:]
    if first.weight >= _NAMED:
        return Certainty.CERTAIN
    is_alone = all(other.weight < first.weight for other in rest)
    return Certainty.LIKELY if is_alone and first.weight >= _PART else Certainty.OPEN


def _spots(
    lake: Lake, step: Step, since: datetime | None, until: datetime, coverage: Coverage | None
) -> tuple[BlindSpot, ...]:
    key = step.item.key
    question = Question(
        since=since,
        until=until,
        accounts=(key.account,),
        regions=() if key.region == "global" else (key.region,),
        reads=False,
        global_calls=key.type.startswith("AWS::IAM::"),
    )
    return blind_spots(lake, question, coverage=coverage)
