"""An explanation joined with the lake: the policies as they were, and what changed since it last worked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.events.paths import text_at
from clew.events.times import parse_time
from clew.explain.around import explained
from clew.explain.change_policies import as_they_were
from clew.explain.change_since import differing, since
from clew.reach.predict import Predictor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from clew.explain.explanation import Explanation
    from clew.lake.reader import Lake
    from clew.snapshot.as_of import AsOf
    from clew.snapshot.model import Snapshot

    Event = Mapping[str, object]


def joined(
    each: Explanation,
    lake: Lake,
    predictor: Predictor | None,
    event: Event | None = None,
    others: tuple[Event, ...] = (),
) -> tuple[Explanation, Predictor | None]:
    """The explanation with its history; a recorded call is judged by the policies as they were, where these are known.

    `others` are the recorded calls around it. The second value predicts from the policies that the answer rests on.
    """
    if each.prediction is None or predictor is None:
        return each, predictor
    time = parse_time(each.time) if each.time else None
    if event is not None and time is not None:
        each, predictor = _then(each, lake, predictor, (event, others), time)
    if each.prediction is None:
        return each, predictor
    operation = text_at(event, "eventName") if event is not None else ""
    found = since(lake, each.prediction, operation, time)
    if event is not None and found.worked is not None:
        found = replace(found, differs=tuple(differing(found.worked, event)))
    return replace(each, since=found), predictor


def _then(
    each: Explanation,
    lake: Lake,
    predictor: Predictor,
    recorded: tuple[Event, tuple[Event, ...]],
    time: datetime,
) -> tuple[Explanation, Predictor]:
    if each.prediction is None:
        return each, predictor
    found = as_they_were(lake, predictor.snapshot, each.prediction, time)
    if found.used:
        predictor = Predictor(found.snapshot)
        each = explained(*recorded, predictor)
    assumed = tuple(_assumed(found, predictor.snapshot, time))
    return replace(each, as_of=found, assumed=(*each.assumed, *assumed)), predictor


def _assumed(found: AsOf, snapshot: Snapshot, time: datetime) -> Iterator[str]:
    """What is taken for granted about the time of the policies."""
    yield from (f"{each.arn}: {each.why}; taken as before" for each in found.used if each.why)
    if not found.missing:
        return
    names = ", ".join(found.missing[:3])
    more = f" and {len(found.missing) - 3} more" if len(found.missing) > 3 else ""  # noqa: PLR2004  # three are read at a glance
    seen = f" of {snapshot.collected_at}" if snapshot.collected_at else ""
    yield (
        f"{names}{more} as in the policies given{seen}: no configuration item of {time:%Y-%m-%d %H:%M:%S} UTC says "
        "what they were then"
    )
