"""Correlations over time: where the rows of a group satisfy a condition within a time span.

Rows come ordered by group and time, one for each distinct (group, time, value), so that memory holds one window only.
A window is closed: rows exactly `timespan` apart are in it together. CloudTrail times are whole seconds, so the
order of rows of one second is unknown, and a sequence may use any order of them.

Conditions that more rows can only help (`gte`, `gt`) are asked of every sliding window; the others (`lt`, `lte`, `eq`,
`neq`, and every average or percentile) of windows one after another, each begun by the first row after the one before.
"""

from __future__ import annotations

import math
import operator
from collections import Counter, deque
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Figure = float

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
GROWING = frozenset({"gt", "gte"})


class Row(NamedTuple):
    """What happened in one group at one time.

    Units: times are epoch microseconds; `start` is earlier than `time` where the row stands for a window of its own.
    Shape: `value` is the number of the rule for sequences, the counted or summed value for others.
    """

    group: int
    time: int
    start: int
    value: str | float | None
    events: int


class Window(NamedTuple):
    """A window of one group that satisfies the condition, with the figure that did."""

    group: int
    start: int
    end: int
    figure: Figure


@dataclass(frozen=True, slots=True)
class Threshold:
    """`figure op count`, asked of a window."""

    op: str
    count: float

    def holds(self, figure: Figure) -> bool:
        """Whether the figure satisfies it."""
        return OPERATORS[self.op](figure, self.count)


def event_count(rows: Iterable[Row], span: int, threshold: Threshold) -> Iterator[Window]:
    """Windows in which enough events happened."""
    figures = _EventCount if threshold.op in GROWING else None
    return _each_group(rows, span, threshold, figures, lambda window: sum(row.events for row in window))


def value_count(rows: Iterable[Row], span: int, threshold: Threshold) -> Iterator[Window]:
    """Windows in which enough different values happened; a missing value is none."""
    figures = _ValueCount if threshold.op in GROWING else None
    return _each_group(
        rows, span, threshold, figures, lambda window: len({r.value for r in window if r.value is not None})
    )


def value_sum(rows: Iterable[Row], span: int, threshold: Threshold) -> Iterator[Window]:
    """Windows in which the sum of the values is as asked; a missing value adds nothing."""
    figures = _ValueSum if threshold.op in GROWING else None
    return _each_group(rows, span, threshold, figures, lambda window: math.fsum(map(_weighted, window)))


def value_percentile(
    rows: Iterable[Row], span: int, threshold: Threshold, percentile: float
) -> Iterator[Window]:
    """Windows whose percentile of the values is as asked (nearest rank; 50 is the median)."""

    def figure(window: Sequence[Row]) -> Figure:
        values = sorted(
            _number(row.value) for row in window if row.value is not None for _ in range(row.events)
        )
        if not values:
            return math.nan
        return values[max(0, math.ceil(percentile / 100 * len(values)) - 1)]

    return _each_group(rows, span, threshold, None, figure)


def value_average(rows: Iterable[Row], span: int, threshold: Threshold) -> Iterator[Window]:
    """Windows whose average of the values is as asked."""

    def figure(window: Sequence[Row]) -> Figure:
        count = sum(row.events for row in window if row.value is not None)
        return math.fsum(map(_weighted, window)) / count if count else math.nan

    return _each_group(rows, span, threshold, None, figure)


def temporal(rows: Iterable[Row], span: int, needed: Threshold) -> Iterator[Window]:
    """Windows in which enough of the rules matched, in any order."""
    return value_count(rows, span, needed)


def temporal_ordered(rows: Iterable[Row], span: int, length: int) -> Iterator[Window]:
    """Windows in which the rules 0 to `length` - 1 matched one after another; ends where the last one matched.

    Rows of one group and second are one for each place in the order that they can take.
    """
    for group, members in groupby(rows, key=itemgetter(0)):
        # INVARIANT: begun[k] is the latest chain that has reached place k: when it began, and where its window starts.
        begun: list[tuple[int, int] | None] = [None] * length
        for time, same in groupby(members, key=itemgetter(1)):
            # Ties may stand in any order, so the places are filled from the first on.
            for row in sorted(same, key=lambda row: _number(row.value)):
                place = int(_number(row.value))
                chain = (time, row.start) if place == 0 else begun[place - 1]
                if chain is None or time - chain[0] > span:
                    continue
                begun[place] = chain
                if place == length - 1:
                    yield Window(group, chain[1], time, length)


def merged(windows: Iterable[Window], gap: int = 0) -> Iterator[Window]:
    """The windows of each group, in order of their end, joined where they overlap or come closer than `gap`.

    The figure is the largest. Windows in order of their end may begin earlier than one before, so the last one grows
    at both ends.
    """
    last: Window | None = None
    for window in windows:
        if last is not None and window.group == last.group and window.start <= last.end + gap:
            last = Window(
                last.group,
                min(last.start, window.start),
                max(last.end, window.end),
                max(last.figure, window.figure),
            )
            continue
        if last is not None:
            yield last
        last = window
    if last is not None:
        yield last


class _EventCount:
    """The number of events in a sliding window."""

    def __init__(self) -> None:
        self.figure = 0

    def add(self, row: Row) -> None:
        self.figure += row.events

    def drop(self, row: Row) -> None:
        self.figure -= row.events


class _ValueSum:
    """The sum of the values in a sliding window."""

    def __init__(self) -> None:
        self.figure = 0.0

    def add(self, row: Row) -> None:
        self.figure += _weighted(row)

    def drop(self, row: Row) -> None:
        self.figure -= _weighted(row)


class _ValueCount:
    """The number of different values in a sliding window."""

    def __init__(self) -> None:
        self._held: Counter[str | float] = Counter()

    @property
    def figure(self) -> int:
        return len(self._held)

    def add(self, row: Row) -> None:
        if row.value is not None:
            self._held[row.value] += 1

    def drop(self, row: Row) -> None:
        if row.value is not None:
            self._held[row.value] -= 1
            if not self._held[row.value]:
                del self._held[row.value]


_Sliding = type[_EventCount] | type[_ValueSum] | type[_ValueCount]


def _each_group(
    rows: Iterable[Row],
    span: int,
    threshold: Threshold,
    sliding: _Sliding | None,
    figure: Callable[[Sequence[Row]], Figure],
) -> Iterator[Window]:
    for _, members in groupby(rows, key=itemgetter(0)):
        if sliding is None:
            yield from _one_after_another(members, span, threshold, figure)
        else:
            yield from _slide(members, span, threshold, sliding())


def _slide(
    rows: Iterable[Row], span: int, threshold: Threshold, held: _EventCount | _ValueSum | _ValueCount
) -> Iterator[Window]:
    window: deque[Row] = deque()
    for row in rows:
        window.append(row)
        held.add(row)
        while window[0].time < row.time - span:
            held.drop(window.popleft())
        if threshold.holds(held.figure):
            yield Window(row.group, min(window[0].start, row.start), row.time, held.figure)


def _one_after_another(
    rows: Iterable[Row], span: int, threshold: Threshold, figure: Callable[[Sequence[Row]], Figure]
) -> Iterator[Window]:
    window: list[Row] = []
    for row in rows:
        if window and row.time > window[0].time + span:
            yield from _closed(window, threshold, figure)
            window = []
        window.append(row)
    yield from _closed(window, threshold, figure)


def _closed(
    window: Sequence[Row], threshold: Threshold, figure: Callable[[Sequence[Row]], Figure]
) -> Iterator[Window]:
    found = figure(window)
    # A window without any value has no average: it says nothing, so it satisfies nothing.
    if not math.isnan(found) and threshold.holds(found):
        yield Window(window[0].group, window[0].start, window[-1].time, found)


def _number(value: str | float | None) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _weighted(row: Row) -> float:
    return _number(row.value) * row.events if isinstance(row.value, int | float) else 0.0
