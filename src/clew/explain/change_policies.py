"""The policies as they were when a call was refused, from the configuration items of the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.taking_part import taking_part
from clew.lake.items import rows
from clew.lake.schema import CONFIG_ITEMS
from clew.snapshot.as_of import as_of
from clew.snapshot.items import of_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from clew.lake.coverage import Coverage
    from clew.lake.reader import Lake
    from clew.reach.predict import Prediction
    from clew.snapshot.as_of import AsOf
    from clew.snapshot.history import Step
    from clew.snapshot.model import Snapshot


def as_they_were(lake: Lake, snapshot: Snapshot, prediction: Prediction, time: datetime) -> AsOf:
    """The snapshot with whatever took part in the decision as it was at the moment, as far as the lake knows it."""
    named = tuple(dict.fromkeys(taking_part(prediction)))
    found = [of_row(*row) for row in rows(lake, named=named)] if lake.files(CONFIG_ITEMS.name) else []
    return as_of(snapshot, time, named, found, dated(lake))


def dated(lake: Lake) -> Callable[[Step], datetime | None]:
    """When the call was made that made a step; None where no call is likelier than others."""
    measured: list[Coverage] = []

    def changed_at(step: Step) -> datetime | None:
        # Many lakes hold no configuration items: 20 ms less for them.
        from clew.explain.change import Certainty, cause
        from clew.lake.coverage import measure

        if not measured:
            measured.append(measure(lake, things=False))
        found = cause(lake, step, measured[0])
        is_sure = found.certainty in {Certainty.CERTAIN, Certainty.LIKELY}
        return found.candidates[0].entry.time if is_sure else None

    return changed_at
