"""The timeline picture: activity below, findings above, one lane for each ATT&CK tactic, as one SVG text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 1080
LEFT = 150
RIGHT = 18
ROW_HEIGHT = 17
LANE_PADDING = 7
# A lane grows to this many rows where its marks overlap; further marks lie on the last row.
MAX_ROWS = 6
TOP = 30
HISTOGRAM_HEIGHT = 84
MARK = 6.5

# Distances between axis labels, in seconds, that people can read.
_STEPS = (
    1,
    5,
    15,
    30,
    60,
    300,
    900,
    1800,
    3600,
    7200,
    14400,
    21600,
    43200,
    86400,
    172800,
    604800,
    2592000,
    7776000,
)
_MAX_TICKS = 9


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding on the picture: `start` to `end` in UTC, `href` the place in the page that it opens."""

    lane: str
    start: datetime
    end: datetime
    severity: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The events of one stretch of time."""

    start: datetime
    reads: int
    writes: int
    errors: int

    @property
    def total(self) -> int:
        """All events of the stretch."""
        return self.reads + self.writes + self.errors


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        span = (self.end - self.start).total_seconds() or 1.0
        share = (moment - self.start).total_seconds() / span
        return round(LEFT + max(0.0, min(1.0, share)) * (WIDTH - LEFT - RIGHT), 1)


def render(marks: Sequence[Mark], bars: Sequence[Bar], lanes: Sequence[str], step: timedelta) -> Markup:
    """The picture as SVG, earlier marks on upper rows; empty when there is neither a mark nor a bar."""
    times = [m.start for m in marks] + [m.end for m in marks] + [b.start for b in bars]
    times += [b.start + step for b in bars[-1:]]
    if not times:
        return Markup()
    scale = _Scale(min(times), max(times))
    rows = _stack(marks, lanes, scale)
    base = rows[-1].bottom if rows else TOP
    parts = [
        Markup(
            '<svg class="timeline" viewBox="0 0 {w} {h}" role="img" aria-label="Timeline of findings and activity" '
            'xmlns="http://www.w3.org/2000/svg">'
        ).format(w=WIDTH, h=base + HISTOGRAM_HEIGHT + 30),
        _axis(scale, base + HISTOGRAM_HEIGHT),
        *(_draw_lane(lane, scale) for lane in rows),
        _histogram(bars, scale, base, step),
        Markup("</svg>"),
    ]
    return Markup("\n").join(parts)


@dataclass(frozen=True, slots=True)
class _Lane:
    """A lane from `top` to `bottom` (pixels) with its marks, each on a row of its own where they overlap."""

    name: str
    top: float
    rows: tuple[tuple[Mark, ...], ...]

    @property
    def bottom(self) -> int:
        return round(self.top + max(len(self.rows), 1) * ROW_HEIGHT + 2 * LANE_PADDING)


def _stack(marks: Sequence[Mark], lanes: Sequence[str], scale: _Scale) -> list[_Lane]:
    placed: list[_Lane] = []
    top: float = TOP
    for name in lanes:
        lane = _Lane(name, top, _rows([m for m in marks if m.lane == name], scale))
        placed.append(lane)
        top = lane.bottom
    return placed


def _rows(marks: Sequence[Mark], scale: _Scale) -> tuple[tuple[Mark, ...], ...]:
    rows: list[list[Mark]] = []
    for mark in marks:
        free = next((row for row in rows if not any(_touch(mark, other, scale) for other in row)), None)
        if free is not None:
            free.append(mark)
        elif len(rows) < MAX_ROWS:
            rows.append([mark])
        else:
            rows[-1].append(mark)
    return tuple(tuple(row) for row in rows)


def _axis(scale: _Scale, bottom: int) -> Markup:
    lines = []
    for tick, label in ticks(scale.start, scale.end):
        x = scale.x(tick)
        lines.append(
            Markup(
                '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
                '<text class="tick" x="{x}" y="{y}" text-anchor="middle">{label}</text>'
            ).format(x=x, top=TOP - 8, bottom=bottom, y=bottom + 18, label=label)
        )
    return Markup("").join(lines)


def ticks(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """At most nine round moments between start and end, each with its label.

    >>> start = datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
    >>> [label for _, label in ticks(start, start + timedelta(minutes=40))]
    ['10:05', '10:10', '10:15', '10:20', '10:25', '10:30', '10:35', '10:40', '10:45']
    """
    span = max((end - start).total_seconds(), 1.0)
    step = next((s for s in _STEPS if span / s <= _MAX_TICKS), _STEPS[-1])
    first = -(-int(start.timestamp()) // step) * step
    moments = [datetime.fromtimestamp(t, UTC) for t in range(first, int(end.timestamp()) + 1, step)]
    return [(moment, _label(moment, step)) for moment in moments]


def _label(moment: datetime, step: int) -> str:
    if step >= 86400:  # noqa: PLR2004  # a day in seconds
        return f"{moment:%-d %b}"
    if step < 60:  # noqa: PLR2004  # a minute in seconds
        return f"{moment:%H:%M:%S}"
    return f"{moment:%-d %b}" if moment.hour == moment.minute == 0 else f"{moment:%H:%M}"


def _touch(one: Mark, other: Mark, scale: _Scale) -> bool:
    first, second = sorted((one, other), key=lambda mark: mark.start)
    return scale.x(second.start) - scale.x(first.end) < 2 * MARK + 1


def _draw_lane(lane: _Lane, scale: _Scale) -> Markup:
    label = Markup(
        '<text class="lane" x="{x}" y="{text}" text-anchor="end">{name}</text>'
        '<line class="rule" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
    ).format(
        x=LEFT - 14,
        text=lane.top + LANE_PADDING + ROW_HEIGHT / 2 + 4,
        name=lane.name,
        left=LEFT,
        right=WIDTH - RIGHT,
        y=lane.top,
    )
    drawn = [
        _draw_mark(mark, lane.top + LANE_PADDING + (index + 0.5) * ROW_HEIGHT, scale)
        for index, row in enumerate(lane.rows)
        for mark in row
    ]
    return label + Markup("").join(drawn)


def _draw_mark(mark: Mark, y: float, scale: _Scale) -> Markup:
    left, right = scale.x(mark.start), scale.x(mark.end)
    return Markup(
        '<a href="{href}"><rect class="mark {severity}" x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}">'
        "<title>{title}</title></rect></a>"
    ).format(
        href=mark.href,
        severity=mark.severity,
        x=round(left - MARK, 1),
        y=round(y - MARK, 1),
        w=round(right - left + 2 * MARK, 1),
        h=2 * MARK,
        r=MARK,
        title=terminal(mark.title),
    )


def _histogram(bars: Sequence[Bar], scale: _Scale, base: int, step: timedelta) -> Markup:
    peak = max((bar.total for bar in bars), default=0)
    if not peak:
        return Markup()
    bottom = base + HISTOGRAM_HEIGHT
    label = Markup(
        '<text class="lane" x="{x}" y="{y}" text-anchor="end">events</text>'
        '<text class="tick" x="{x}" y="{y2}" text-anchor="end">peak {peak}</text>'
        '<line class="rule" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
    ).format(
        x=LEFT - 14,
        y=base + 46,
        y2=base + 62,
        peak=f"{peak:,}",
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=bottom,
    )
    columns = [_column(bar, scale, bottom, peak, step) for bar in bars if bar.total]
    return label + Markup("").join(columns)


def _column(bar: Bar, scale: _Scale, bottom: int, peak: int, step: timedelta) -> Markup:
    left, right = scale.x(bar.start), scale.x(bar.start + step)
    width = max(1.0, right - left - 0.8)
    unit = (HISTOGRAM_HEIGHT - 14) / peak
    pieces, y = [], float(bottom)
    for name, count in (("read", bar.reads), ("write", bar.writes), ("error", bar.errors)):
        if count:
            height = max(1.0, count * unit)
            y -= height
            pieces.append(
                Markup('<rect class="{n}" x="{x}" y="{y}" width="{w}" height="{h}"/>').format(
                    n=name, x=left, y=round(y, 1), w=round(width, 1), h=round(height, 1)
                )
            )
    text = f"{bar.start:%Y-%m-%d %H:%M:%S} UTC: {bar.reads} reads, {bar.writes} writes, {bar.errors} errors"
    return Markup("<g><title>{}</title>{}</g>").format(escape(text), Markup("").join(pieces))
