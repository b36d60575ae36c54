"""Windows of correlations: each law against the plainest possible reading of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.detect.windows import (
    Row,
    Threshold,
    Window,
    event_count,
    merged,
    temporal,
    temporal_ordered,
    value_average,
    value_count,
    value_percentile,
    value_sum,
)

SPAN = 10
_events = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(0, 3)), max_size=25)
_thresholds = st.integers(1, 5)


def rows(events):
    """The rows that the lake gives for (group, time, value) events: counted by group, time and value, in order."""
    keyed = itertools.groupby(sorted(events))
    return [Row(group, time, time, value, len(list(same))) for (group, time, value), same in keyed]


def in_window(events, group, end):
    return [event for event in events if event[0] == group and end - SPAN <= event[1] <= end]


@given(_events, _thresholds)
def test_event_count_is_asked_of_every_sliding_window(events, threshold):
    """A window is found at exactly the times up to which enough events lie in one span."""
    found = {(w.group, w.end) for w in event_count(rows(events), SPAN, Threshold("gte", threshold))}
    full = {(g, t) for g, t, _ in events if len(in_window(events, g, t)) >= threshold}
    # Rows of one second come one by one: the window is full when the last of them is in.
    assert found == full


@given(_events, _thresholds)
def test_value_count_counts_different_values(events, threshold):
    """A window is found at exactly the times up to which enough different values lie in one span."""
    found = {(w.group, w.end) for w in value_count(rows(events), SPAN, Threshold("gte", threshold))}
    full = {(g, t) for g, t, _ in events if len({v for _, _, v in in_window(events, g, t)}) >= threshold}
    assert found == full


@given(_events, st.integers(1, 12))
def test_value_sum_adds_every_event(events, threshold):
    """A window is found at exactly the times up to which the values of one span add up to enough."""
    found = {(w.group, w.end) for w in value_sum(rows(events), SPAN, Threshold("gte", threshold))}
    full = {(g, t) for g, t, _ in events if sum(v for _, _, v in in_window(events, g, t)) >= threshold}
    assert found == full


@given(_events, st.integers(2, 4))
def test_temporal_wants_every_rule_in_any_order(events, needed):
    """A window is found where as many different rules as are needed matched within one span."""
    found = {(w.group, w.end) for w in temporal(rows(events), SPAN, Threshold("gte", needed))}
    full = {(g, t) for g, t, _ in events if len({v for _, _, v in in_window(events, g, t)}) >= needed}
    assert found == full


@given(_events, st.integers(2, 3))
def test_temporal_ordered_wants_the_rules_in_their_order(events, length):
    """A window ends at exactly the times at which some chain of all rules, in order and within the span, ends."""
    events = [event for event in events if event[2] < length]
    found = {(w.group, w.end) for w in temporal_ordered(rows(events), SPAN, length)}
    chains = set()
    for group in {g for g, _, _ in events}:
        times = [[t for g, t, v in events if g == group and v == place] for place in range(length)]
        for chain in itertools.product(*times):
            if list(chain) == sorted(chain) and chain[-1] - chain[0] <= SPAN:
                chains.add((group, chain[-1]))
    assert found == chains


@given(_events, _thresholds, st.randoms())
def test_order_of_arrival_does_not_matter(events, threshold, random):
    """The same events in any order give the same windows."""
    shuffled = list(events)
    random.shuffle(shuffled)
    question = Threshold("gte", threshold)
    assert list(event_count(rows(events), SPAN, question)) == list(
        event_count(rows(shuffled), SPAN, question)
    )


@given(_events, _thresholds)
def test_joined_windows_hold_every_window_and_do_not_touch(events, threshold):
    """Joining windows loses none of them, and what is joined lies apart."""
    found = list(event_count(rows(events), SPAN, Threshold("gte", threshold)))
    joined = list(merged(found))
    assert all(
        any(j.group == w.group and j.start <= w.start and w.end <= j.end for j in joined) for w in found
    )
    assert all(a.end < b.start for a, b in itertools.pairwise(joined) if a.group == b.group)


@pytest.mark.parametrize(
    ("op", "count", "windows"), [("lte", 2, 2), ("eq", 3, 1), ("neq", 3, 2), ("lt", 1, 0)]
)
def test_conditions_that_more_events_can_break(op, count, windows):
    """They are asked of windows one after another: here of three, two and one events."""
    events = [(0, t, 0) for t in (0, 1, 2, 20, 21, 50)]
    assert len(list(event_count(rows(events), SPAN, Threshold(op, count)))) == windows


def test_average_and_percentile_ignore_missing_values():
    """A window without any value has no average, and a missing value is not a zero."""
    some = [Row(0, 0, 0, 4, 1), Row(0, 1, 1, None, 5), Row(0, 2, 2, 8, 1)]
    nothing = [Row(0, 0, 0, None, 3)]
    assert [w.figure for w in value_average(some, SPAN, Threshold("gte", 6))] == [6]
    assert [w.figure for w in value_percentile(some, SPAN, Threshold("gte", 8), 99)] == [8]
    assert list(value_average(nothing, SPAN, Threshold("lt", 100))) == []


def test_a_window_of_windows_begins_where_the_first_began():
    """A row that stands for a window of its own brings its start along."""
    assert list(temporal_ordered([Row(0, 20, 5, 0, 1), Row(0, 25, 25, 1, 1)], SPAN, 2)) == [
        Window(0, 5, 25, 2)
    ]
