"""Predictors for a replay, each from the policies as they were when the call was made.

Between two moments at which a recorded resource changed nothing differs, so that one predictor serves all calls there.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, NamedTuple

from clew.explain.change_policies import dated
from clew.lake.items import rows
from clew.lake.schema import CONFIG_ITEMS
from clew.reach.predict import Predictor
from clew.snapshot.as_of import TYPES, as_of
from clew.snapshot.history import Step, between, by_resource, filled
from clew.snapshot.items import of_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from clew.lake.reader import Lake
    from clew.snapshot.items import Item, Key
    from clew.snapshot.model import Snapshot


class Then(NamedTuple):
    """What predicts the calls of some time, and the resources whose policies then are not certain, each with why."""

    predictor: Predictor
    uncertain: Mapping[str, str]


class Times:
    """The predictors of one snapshot for every time that the configuration items of the lake tell apart."""

    def __init__(self, lake: Lake, snapshot: Snapshot) -> None:
        """Read the items; each change is dated by the call that made it, where that is known."""
        self._snapshot = snapshot
        found = [of_row(*row) for row in rows(lake)] if lake.files(CONFIG_ITEMS.name) else []
        self._items = [item for item in found if item.key.type in TYPES]
        self._arns = tuple(dict.fromkeys(item.arn for item in self._items if item.arn))
        self._dated = dated(lake)
        self._moments: dict[tuple[Key, datetime], datetime | None] = {}
        self._made: dict[int, Then] = {}
        known = {moment for step in _steps(self._items) if (moment := self._changed_at(step)) is not None}
        self._cuts = sorted({item.captured_at for item in self._items} | known)

    @property
    def items(self) -> int:
        """How many configuration items tell of it."""
        return len(self._items)

    def at(self, time: datetime) -> Then:
        """What predicts the calls of this time."""
        number = bisect.bisect_right(self._cuts, time)
        if number not in self._made:
            # Calls come by time: one predictor is at work, and earlier ones are let go.
            self._made = {number: self._at(time)}
        return self._made[number]

    def _at(self, time: datetime) -> Then:
        found = as_of(self._snapshot, time, self._arns, self._items, self._changed_at)
        return Then(Predictor(found.snapshot), {each.arn: each.why for each in found.used if each.why})

    def _changed_at(self, step: Step) -> datetime | None:
        key = step.item.key, step.item.captured_at
        if key not in self._moments:
            self._moments[key] = self._dated(step)
        return self._moments[key]


def _steps(items: list[Item]) -> Iterator[Step]:
    """Every change between two items of a resource."""
    for history in by_resource(items).values():
        before = None
        for item in history:
            known = item if before is None else filled(item, before)
            changes = () if before is None else tuple(between(before, known))
            if changes:
                yield Step(known, before, changes)
            before = known
