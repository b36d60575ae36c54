"""What one investigation found, ready to be reported: numbers, actors, activity, findings, blind spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from clew.findings import Finding
    from clew.lake.summary import Actor, Stretch


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
