"""What one investigation found, ready to be reported: numbers, actors, activity, findings, blind spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from clew.findings import Finding
    from clew.lake.ingest import IngestReport
    from clew.lake.reader import Lake
    from clew.lake.summary import Actor, Numbers, Stretch


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was read: the SHA-256 of its unpacked bytes is its identity as evidence."""

    path: str
    sha256: str
    kind: str
    records: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """One file or record that could not be read, and why."""

    path: str
    record_number: int | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Investigation:
    """Everything that the report of one investigation says.

    Units: times are UTC. `events` counts the distinct readable events of `source`.
    """

    source: str
    generated_at: datetime
    events: int
    files: int
    duplicates: int
    conflicts: int
    findings: tuple[Finding, ...]
    rules: int
    first_event: datetime | None = None
    last_event: datetime | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    activity: tuple[Stretch, ...] = ()
    step: timedelta | None = None
    actors: tuple[Actor, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    blind_spots: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        """The number of files and records that could not be read."""
        return len(self.rejections)

    def actor(self, name: str) -> Actor | None:
        """What the lake knows about that actor, if anything."""
        return next((actor for actor in self.actors if actor.name == name), None)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules made of the lake: findings, how many rules ran, what kept a rule from running, blind spots."""

    findings: tuple[Finding, ...]
    rules: int
    problems: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What the lake tells beside the rules: its numbers, and its knowledge of the findings' actors."""

    numbers: Numbers
    actors: tuple[Actor, ...]


def reckon(lake: Lake, actors: Sequence[str]) -> Reckoned:
    """The lake's part of a report on findings about these actors."""
    from clew.lake import summary

    return Reckoned(summary.numbers(lake), summary.actors(lake, actors))


def blind_spots(lake: Lake) -> tuple[str, ...]:
    """What the lake cannot have seen, a sentence each."""
    from clew.lake.coverage.blind_spots import Question
    from clew.lake.coverage.blind_spots import blind_spots as found

    return tuple(f"{spot.what}: {spot.why}; {spot.settle}" for spot in found(lake, Question()))


def assemble(
    source: str, lake: Lake, read: IngestReport, judged: Judged, reckoned: Reckoned, now: datetime
) -> Investigation:
    """Everything the report says, from what was read, what was judged, and what the lake tells beside it."""
    numbers = reckoned.numbers
    return Investigation(
        source=source,
        generated_at=now,
        events=read.events,
        files=read.files,
        duplicates=read.duplicates,
        conflicts=read.conflicts,
        findings=judged.findings,
        rules=judged.rules,
        first_event=numbers.period.first,
        last_event=numbers.period.last,
        accounts=numbers.period.accounts,
        regions=numbers.period.regions,
        activity=numbers.activity,
        step=numbers.step,
        actors=reckoned.actors,
        sources=tuple(SourceFile(e.path, e.source, e.kind, e.records, e.quarantined) for e in read.sources),
        rejections=_rejections(lake, [entry.path for entry in read.sources]) if read.quarantined else (),
        blind_spots=judged.blind_spots,
        problems=judged.problems,
    )


def _rejections(lake: Lake, paths: Sequence[str]) -> tuple[Rejection, ...]:
    from clew.lake.maintenance import quarantine

    read = set(paths)
    return tuple(
        Rejection(entry.path, entry.record_number, entry.reason, entry.detail)
        for entry in quarantine.entries(lake.path)
        if entry.path in read
    )
