"""Metrics of CloudWatch as its commands print them: which metric, of what, and the values in order of time.

`get-metric-statistics` names the metric, not the resource; `get-metric-data` neither for sure: its label holds the
metric's name unless somebody chose another. CloudWatch API reference: "GetMetricStatistics", "GetMetricData".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING

from clew.audit.resources import items, member, moment, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.explain.links import Facts
    from clew.explain.operational.scene import Scene
    from clew.snapshot.answers import Answer

# CloudWatch user guide: "Metrics collected by the CloudWatch agent"; EC2 user guide: "CloudWatch metrics that are
# available for your instances"; Amazon S3 user guide: "Metrics and dimensions". Container Insights and the earlier
# scripts name their own.
MEMORY = ("mem_used_percent", "Memory % Committed Bytes In Use", "MemoryUtilization")
DISK = ("disk_used_percent", "DiskSpaceUtilization")
DISK_FREE = ("LogicalDisk % Free Space",)
CPU = ("CPUUtilization",)
CREDITS = ("CPUCreditBalance",)
BUCKET_SIZE = ("BucketSizeBytes",)
SYSTEM_CHECK = ("StatusCheckFailed_System",)
INSTANCE_CHECK = ("StatusCheckFailed_Instance",)
KNOWN = (
    *(*MEMORY, *DISK, *DISK_FREE, *CPU, *CREDITS, *BUCKET_SIZE),
    *(*SYSTEM_CHECK, *INSTANCE_CHECK, "StatusCheckFailed_AttachedEBS", "NetworkIn", "NetworkOut"),
)
_STATISTICS = ("Maximum", "Average", "Minimum", "Sum", "SampleCount")
_FINE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one metric in order of time; `about` and `statistic` are empty where the output does not say."""

    metric: str
    about: str
    statistic: str
    points: tuple[tuple[datetime, float], ...]
    answer: Answer

    @property
    def highest(self) -> float:
        """The highest value."""
        return max(value for _, value in self.points)

    @property
    def last(self) -> tuple[datetime, float]:
        """The last value, with its time."""
        return self.points[-1]

    @property
    def shows_peaks(self) -> bool:
        """Whether a peak would be seen: a maximum shows it, an average only of a few minutes."""
        if self.statistic == "Maximum":
            return True
        times = [time for time, _ in self.points]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        return bool(gaps) and min(gaps) <= _FINE

    def covers(self, since: datetime | None) -> bool:
        """Whether there are values of the time from which the fault is seen on."""
        return since is None or self.points[-1][0] >= since

    @property
    def facts(self) -> Facts:
        """The series in three facts."""
        first, last = self.points[0], self.points[-1]
        span = f"{_day(first[0])} to {_day(last[0])}" if first != last else _day(first[0])
        name = f"{self.metric}{f' ({self.statistic})' if self.statistic else ''}"
        taken = (
            ()
            if self.about
            else (("about", "taken to be of the case's own resource: the output does not say"),)
        )
        return (
            (name, f"{figure(self.highest)} at most, {len(self.points)} values, {span}"),
            *taken,
            ("seen in", self.answer.source),
        )

    def within(self, window: datetime | None) -> Series | None:
        """The series without values older than `window`; None where nothing is left."""
        if window is None:
            return self
        points = tuple(each for each in self.points if each[0] >= window)
        return replace(self, points=points) if points else None


def figure(value: float) -> str:
    """A value as people read it.

    >>> figure(97.25), figure(1_500_000_000.0)
    ('97.2', '1,500,000,000')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:.1f}"  # noqa: PLR2004  # no decimals there


def _day(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def series(scene: Scene, names: tuple[str, ...], about: str = "") -> tuple[Series, ...]:
    """Every series of these metrics that is about the resource, or does not say about what, the newest first."""
    found = (each for answer in _answers(scene) for each in _of_answer(answer))
    return tuple(each for each in found if each.metric in names and (not about or each.about in {"", about}))


def _answers(scene: Scene) -> Iterator[Answer]:
    yield from scene.each("cloudwatch:GetMetricStatistics")
    yield from scene.each("cloudwatch:GetMetricData")


def _of_answer(answer: Answer) -> Iterator[Series]:
    about = dict(answer.call.parameters).get("of", "")
    body = answer.body or {}
    if "Datapoints" in body:
        found = _statistics(text(body, "Label"), about, answer)
        yield from (found,) if found else ()
    for result in items(body, "MetricDataResults"):
        label = f"{text(result, 'Label')} {text(result, 'Id')}"
        times, values = member(result, "Timestamps"), member(result, "Values")
        points = _points(
            zip(times, values, strict=False) if isinstance(times, list) and isinstance(values, list) else ()
        )
        if points:
            yield Series(_metric(label), _about(label) or about, "", points, answer)


def _statistics(label: str, about: str, answer: Answer) -> Series | None:
    data = list(items(answer.body, "Datapoints"))
    statistic = next((name for name in _STATISTICS if data and name in data[0]), "")
    points = _points((text(each, "Timestamp"), member(each, statistic)) for each in data) if statistic else ()
    return Series(_metric(label), about, statistic, points, answer) if points else None


def _points(pairs: object) -> tuple[tuple[datetime, float], ...]:
    """The values with their times in order; what is no time or no number is left out."""
    read = [
        (time, float(value))
        for said, value in pairs  # type: ignore[attr-defined]  # an iterable of pairs, whatever they hold
        if (time := _time(said)) is not None and isinstance(value, int | float) and isfinite(value)
    ]
    return tuple(sorted(read))


def _time(said: object) -> datetime | None:
    if isinstance(said, int | float):
        try:
            return datetime.fromtimestamp(said, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    return moment(str(said))


def _metric(label: str) -> str:
    return next((name for name in KNOWN if name.lower() in label.lower()), label.strip())


def _about(label: str) -> str:
    return next((word for word in label.replace(",", " ").split() if word.startswith("i-")), "")


def alarms(
    scene: Scene, names: tuple[str, ...], about: str = ""
) -> Iterator[tuple[Mapping[str, object], Answer]]:
    """Every alarm on one of these metrics whose dimensions name the resource, as it was seen last.

    CloudWatch API reference: "DescribeAlarms", `MetricAlarm`.
    """
    met = set()
    for each in scene.listed("cloudwatch:DescribeAlarms", "MetricAlarms"):
        held = {text(one, "Value") for one in items(each.data, "Dimensions")}
        name = each.text("AlarmArn") or each.text("AlarmName")
        if each.text("MetricName") in names and name not in met and (not about or about in held):
            met.add(name)
            yield each.data, each.answer
