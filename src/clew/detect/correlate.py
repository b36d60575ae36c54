"""Where a correlation's windows lie: the lake counts, `detect.windows` decides."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.detect import windows
from clew.detect.windows import GROWING, Row, Threshold, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.detect.plan import Correlation, Plan
    from clew.events.patterns.sigma_model import Condition
    from clew.lake.detection.scan import Scan

MICROSECOND = timedelta(microseconds=1)
# A value that was seen for the first time keeps its window open so long, to hold what came of it.
NEWCOMER = timedelta(days=1)
# A rate is judged when at least this share of its baseline lies in the lake.
LEAST_BASELINE = 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """The windows of one correlation, joined where they overlap; `values` says per window which value was new."""

    windows: tuple[Window, ...]
    values: tuple[int | None, ...]

    def rows(self) -> list[tuple[int, int, int, int | None]]:
        """The windows as key, start, end and new value."""
        return [(w.group, w.start, w.end, value) for w, value in zip(self.windows, self.values, strict=True)]

    def figure(self, key: int, first: int, last: int) -> float | None:
        """The largest figure of the windows of a group that touch the span."""
        return max(
            (w.figure for w in self.windows if w.group == key and w.start <= last and first <= w.end),
            default=None,
        )


def correlate(scan: Scan, plan: Plan) -> dict[str, Found]:
    """The windows of each correlation of the plan, by rule id."""
    from clew.lake.detection.rows import add_occurrences

    found: dict[str, Found] = {}
    occurring: dict[str, list[tuple[int, int, int]]] = {}
    inner = {place.rule.id for c in plan.correlations for place in c.places if place.occurrences is not None}
    questions = {c.rule.id: c.questions for c in plan.correlations}
    marked = scan.marked()
    for correlation in plan.correlations:
        for place in correlation.places:
            if place.occurrences is not None and (windows_inside := occurring.get(place.rule.id)):
                add_occurrences(
                    scan, place.occurrences, windows_inside, questions[place.rule.id], place.questions
                )
                marked.add(place.occurrences)
        # Most rules have nothing to count; asking anyway took 0.3 s where others had a million marks.
        if marked.isdisjoint(number for place in correlation.places for number in place.marked):
            found[correlation.rule.id] = Found((), ())
            continue
        if correlation.sigma.type == "first_seen":
            found[correlation.rule.id] = _first_seen(scan, correlation)
            continue
        looked_at = _windows(scan, correlation)
        if correlation.rule.id in inner:
            every = list(looked_at)
            occurring[correlation.rule.id] = [(w.group, w.start, w.end) for w in every]
            looked_at = iter(every)
        joined = tuple(windows.merged(looked_at))
        found[correlation.rule.id] = Found(joined, (None,) * len(joined))
    return found


def _first_seen(scan: Scan, correlation: Correlation) -> Found:
    from clew.lake.detection.rows import first_seen

    baseline = _microseconds(correlation.sigma.baseline)
    rows = first_seen(
        scan,
        correlation.questions,
        correlation.scope,
        baseline,
        _microseconds(min(NEWCOMER, correlation.sigma.baseline or NEWCOMER)),
    )
    return Found(
        tuple(Window(k, start, end, 1) for k, start, end, _ in rows), tuple(value for *_, value in rows)
    )


def _windows(scan: Scan, correlation: Correlation) -> Iterator[Window]:
    """The windows of a correlation, in order of key and end."""
    sigma = correlation.sigma
    span = _microseconds(sigma.timespan)
    match sigma.type:
        case "rate":
            return _rate(scan, correlation, span)
        case "temporal":
            return _temporal(scan, correlation, span)
        case "temporal_ordered":
            return _ordered(scan, correlation, span)
        case "event_count":
            threshold = _threshold(sigma.condition)
            rows = _rows(scan, correlation, span, "events", _minimum(threshold))
            return windows.event_count(rows, span, threshold)
        case "value_count":
            threshold = _threshold(sigma.condition)
            rows = _rows(scan, correlation, span, "values", _minimum(threshold))
            return windows.value_count(rows, span, threshold)
        case _:
            return _amounts(scan, correlation, span)


def _amounts(scan: Scan, correlation: Correlation, span: int) -> Iterator[Window]:
    condition = correlation.sigma.condition
    threshold = _threshold(condition)
    rows = _rows(scan, correlation, span, "amounts", None)
    match correlation.sigma.type:
        case "value_sum":
            return windows.value_sum(rows, span, threshold)
        case "value_avg":
            return windows.value_average(rows, span, threshold)
        case _:
            percentile = condition.percentile if condition and condition.percentile is not None else 50.0
            return windows.value_percentile(rows, span, threshold, percentile)


def _temporal(scan: Scan, correlation: Correlation, span: int) -> Iterator[Window]:
    marked = [number for place in correlation.places for number in place.marked]
    condition = correlation.sigma.condition
    needed = _threshold(condition) if condition else Threshold("gte", len(correlation.places))
    # A rule with several questions stands for one: all its questions count as its first.
    first = {number: place.marked[0] for place in correlation.places for number in place.marked}
    rows = _rows(scan, correlation, span, "questions", 2 if len(marked) > 1 else None)
    named = (row._replace(value=first[int(row.value or 0)]) for row in rows)
    return windows.temporal(named, span, needed)


def _ordered(scan: Scan, correlation: Correlation, span: int) -> Iterator[Window]:
    places: dict[int, list[int]] = defaultdict(list)
    for index, place in enumerate(correlation.places):
        for number in place.marked:
            places[number].append(index)
    rows = _rows(scan, correlation, span, "questions", 2 if len(places) > 1 else None)
    placed = (row._replace(value=index) for row in rows for index in places[int(row.value or 0)])
    return windows.temporal_ordered(placed, span, len(correlation.places))


def _rate(scan: Scan, correlation: Correlation, span: int) -> Iterator[Window]:
    """Windows with enough events, and with many times the mean of the spans in the baseline before."""
    from clew.lake.detection.rows import per_span

    sigma = correlation.sigma
    baseline = _microseconds(sigma.baseline)
    threshold = Threshold("gte", sigma.minimum)
    full = list(windows.event_count(_rows(scan, correlation, span, "events", sigma.minimum), span, threshold))
    if not full:
        return
    begun = scan.first_time()
    wanted = {window.group for window in full}
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for key, bucket, count in per_span(scan, correlation.questions, span):
        if key in wanted:
            counts[key][bucket] = count
    for window in full:
        mean = _mean(counts[window.group], window, span, baseline, begun)
        if mean is not None and window.figure >= (sigma.ratio or 1) * mean:
            yield window


def _mean(counts: dict[int, int], window: Window, span: int, baseline: int, begun: int) -> float | None:
    """Events per span before the window; None when too little of the baseline lies in the lake."""
    end = window.start // span
    start = max(window.start - baseline, begun) // span
    if (end - start) * span < baseline * LEAST_BASELINE or end <= start:
        return None
    return sum(count for bucket, count in counts.items() if start <= bucket < end) / (end - start)


def _rows(
    scan: Scan, correlation: Correlation, span: int, counts: str, minimum: float | None
) -> Iterator[Row]:
    from clew.lake.detection.rows import counted

    marked = [number for place in correlation.places for number in place.marked]
    return map(Row._make, counted(scan, marked, max(span, 1), counts, minimum))


def _threshold(condition: Condition | None) -> Threshold:
    return Threshold(condition.op, condition.count) if condition else Threshold("gte", 1)


def _minimum(threshold: Threshold) -> float | None:
    return threshold.count if threshold.op in GROWING else None


def _microseconds(span: timedelta | None) -> int:
    return (span or timedelta()) // MICROSECOND
