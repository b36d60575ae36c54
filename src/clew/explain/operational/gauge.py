"""Whether something ran out: by lines of logs that say so, by an alarm, else by the metric over the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.resources import facts, text
from clew.explain.operational.scene import SEEN, refuted, true, unknown
from clew.explain.operational.series import alarms, figure, series
from clew.explain.operational.signs import signs

if TYPE_CHECKING:
    from clew.explain.links import Link
    from clew.explain.operational.scene import Scene
    from clew.explain.operational.series import Series
    from clew.explain.operational.signs import Words


@dataclass(frozen=True, slots=True)
class Gauge:
    """What runs out: the lines that say so, the metrics, and from where on it is full, up to where it is not.

    Units: `full` and `clear` are per cent.
    """

    thing: str
    pattern: Words | None
    metrics: tuple[str, ...]
    full: float
    clear: float
    settle: str
    fix: str

    def read(self, scene: Scene) -> Link:
        """What the evidence says."""
        name = scene.instance_id
        window = scene.about.window
        found = signs(scene.logs, self.pattern, name, window) if self.pattern else ()
        if found:
            more = (("lines", f"{len(found):,} such lines"),) if len(found) > 1 else ()
            return true(f"{self.thing} ran out", (*found[0].facts, *more), self.fix)
        for alarm, answer in alarms(scene, self.metrics, name):
            if text(alarm, "StateValue") == "ALARM":
                told = (*facts(alarm, "AlarmName", "StateReason"), (SEEN, answer.source))
                return true(f"an alarm on {self.thing} is in ALARM", told, self.fix)
        every = series(scene, self.metrics, name)
        if not every:
            return unknown(f"no metric of {self.thing} is at hand, and no line of a log says so", self.settle)
        measured = tuple(each for one in every if (each := one.within(window)))
        if not measured:
            return unknown("the metric ends before the fault was seen", self.settle, every[0].facts)
        return self._measured(scene, measured)

    def _measured(self, scene: Scene, measured: tuple[Series, ...]) -> Link:
        highest = max(measured, key=lambda each: each.highest)
        if highest.highest >= self.full:
            return true(f"{self.thing} reached {figure(highest.highest)} %", highest.facts, self.fix)
        if not any(each.covers(scene.about.since) for each in measured):
            return unknown("the metric ends before the fault was seen", self.settle, highest.facts)
        if highest.highest >= self.clear:
            return unknown(
                f"{self.thing} reached {figure(highest.highest)} %, which settles nothing",
                self.settle,
                highest.facts,
            )
        if not all(each.shows_peaks for each in measured):
            return unknown(
                "averages over such long times hide peaks",
                f"{self.settle} --statistics Maximum",
                highest.facts,
            )
        return refuted(f"{self.thing} stayed below {figure(self.clear)} %", highest.facts)
