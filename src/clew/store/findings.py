"""One life cycle of findings for every producer: identity, first and last seen, status, history, suppression.

Identity: a finding is the one already kept when producer, rule and subject agree and their times overlap, or come
closer than `gap`. So a second run, and events that arrive late, keep its id. Where late events join two kept findings,
the older id stays and the other is resolved as `merged`.
Status: `resolved` is kept when a complete run of the rule no longer finds it, and taken back when it returns.
`suppressed` is never kept: it is computed from the suppressions in force at `now`, so that an expiry takes effect
by itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clew.errors import UsageError, WorkspaceError
from clew.findings import Finding, Severity, Status, finding_id, severity_order
from clew.store import database as tables
from clew.store.documents import decode, encode
from clew.store.suppression import Suppression, check, effective, unused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from clew.store.database import Database

GAP = timedelta(hours=24)
_MOST_EVENT_IDS = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding with the times (UTC) at which a run first and last found it."""

    finding: Finding
    first_detected: datetime
    last_detected: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One step in the life of a finding: new, grown, reopened, resolved, merged, suppressed, unsuppressed."""

    at: datetime
    change: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a producer: what it found, and how many findings were active after it, by severity."""

    at: datetime
    producer: str
    found: int
    new: int
    reopened: int
    resolved: int
    active: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run means: its findings with their kept identity and status, and the ids whose standing changed."""

    findings: tuple[Finding, ...]
    new: tuple[str, ...]
    reopened: tuple[str, ...]
    resolved: tuple[str, ...]
    unused_suppressions: tuple[Suppression, ...]


def upsert(
    database: Database,
    found: Sequence[Finding],
    now: datetime,
    *,
    producer: str = "detect",
    covered: Collection[str] = (),
    gap: timedelta | None = GAP,
) -> Outcome:
    """Take in what one run found.

    `covered` names the rules that ran completely: kept findings of theirs that were not found again become resolved.
    A `gap` of None means that time does not tell findings apart (producer, rule and subject are the identity).
    """
    with database.transaction(write=True) as connection:
        batch = _Batch(connection, now, producer, gap)
        for finding in sorted(found, key=lambda f: (f.first_seen, f.id)):
            batch.take(finding)
        batch.resolve(covered)
        suppressions = _suppressions(connection)
        judged = tuple(_judged(finding, suppressions, now) for finding in batch.taken)
        kept = _load(connection, suppressions, now)
        _record_run(connection, batch, kept)
    everything = [k.finding for k in kept]
    return Outcome(
        judged,
        tuple(batch.new),
        tuple(batch.reopened),
        tuple(batch.resolved),
        unused(suppressions, everything, now),
    )


def kept_findings(database: Database, now: datetime, *, status: Status | None = None) -> tuple[Kept, ...]:
    """Every finding kept, worst first, then in order of time; `status` keeps those of one standing."""
    with database.transaction(write=False) as connection:
        kept = _load(connection, _suppressions(connection), now)
    chosen = (k for k in kept if status is None or k.finding.status is status)
    return tuple(sorted(chosen, key=lambda k: severity_order(k.finding)))


def kept_finding(database: Database, start: str, now: datetime) -> tuple[Kept, tuple[Change, ...]]:
    """The finding whose id begins so, with its history; UsageError when there is none, or more than one."""
    fitting = [k for k in kept_findings(database, now) if k.finding.id.startswith(start)]
    if not start or not fitting:
        raise UsageError(f"no finding `{start}`; `clew findings list` shows what there is")
    if len(fitting) > 1:
        raise UsageError(f"`{start}` begins {len(fitting)} finding ids; give more of it")
    with database.transaction(write=False) as connection:
        rows = connection.execute(
            sa.select(tables.changes)
            .where(tables.changes.c.finding == fitting[0].finding.id)
            .order_by(tables.changes.c.number)
        ).all()
    return fitting[0], tuple(Change(_time(row.at), row.change, row.detail) for row in rows)


def trend(database: Database) -> tuple[Run, ...]:
    """Every run, oldest first."""
    with database.transaction(write=False) as connection:
        rows = connection.execute(sa.select(tables.runs).order_by(tables.runs.c.number)).all()
    return tuple(
        Run(
            _time(row.at),
            row.producer,
            row.found,
            row.new,
            row.reopened,
            row.resolved,
            json.loads(row.active),
        )
        for row in rows
    )


def add_suppression(database: Database, suppression: Suppression, now: datetime) -> Suppression:
    """Keep a suppression under an id of its own; UsageError when it lacks a reason, an owner or a scope."""
    named = replace(check(suppression, now), id=_suppression_id(suppression, now))
    with database.transaction(write=True) as connection:
        connection.execute(
            sa.insert(tables.suppressions).values(
                id=named.id,
                reason=named.reason,
                owner=named.owner,
                created_at=_text(now),
                expires_at=_text(named.expires_at) if named.expires_at else None,
                finding=named.finding,
                rule=named.rule,
                actor=named.actor,
                resource=named.resource,
            )
        )
        _note_suppression(connection, named, now, "suppressed")
    return named


def remove_suppression(database: Database, identity: str, now: datetime) -> Suppression:
    """Take a suppression back: what it hid is active again; UsageError when there is none of that id."""
    with database.transaction(write=True) as connection:
        found = next((s for s in _suppressions(connection) if s.id == identity), None)
        if found is None:
            raise UsageError(f"no suppression `{identity}`; `clew suppress list` shows what there is")
        connection.execute(
            sa.update(tables.suppressions)
            .where(tables.suppressions.c.id == identity)
            .values(removed_at=_text(now))
        )
        _note_suppression(connection, found, now, "unsuppressed")
    return found


def suppressions(database: Database) -> tuple[Suppression, ...]:
    """Every suppression that was not removed, expired ones too, oldest first."""
    with database.transaction(write=False) as connection:
        return _suppressions(connection)


class _Batch:
    """The findings of one run on their way into the store."""

    def __init__(
        self, connection: sa.Connection, now: datetime, producer: str, gap: timedelta | None
    ) -> None:
        self._connection, self._now, self._producer, self._gap = connection, now, producer, gap
        self._kept: dict[tuple[str, str], list[sa.Row[tuple[object, ...]]]] = defaultdict(list)
        self._claimed: set[str] = set()
        self.taken: list[Finding] = []
        self.new: list[str] = []
        self.reopened: list[str] = []
        self.resolved: list[str] = []
        columns = tables.findings.c
        for row in connection.execute(
            sa.select(tables.findings)
            .where(columns.producer == producer)
            .order_by(columns.first_detected, columns.first_seen, columns.id)
        ):
            self._kept[row.rule, row.subject].append(row)
        self._ids = set(connection.scalars(sa.select(columns.id)))

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def connection(self) -> sa.Connection:
        return self._connection

    @property
    def producer(self) -> str:
        return self._producer

    def take(self, finding: Finding) -> None:
        """Keep one finding, under the id that it had before if it had one."""
        close = [row for row in self._kept[finding.rule, finding.subject] if self._same(row, finding)]
        if not close:
            self._insert(finding)
            return
        first, *others = close
        self._claimed.update(row.id for row in close)
        self._update(first, _joined(finding, [decode(json.loads(row.document)) for row in close], first.id))
        for row in others:
            self._end(row, "merged", f"into {first.id}")

    def _same(self, row: sa.Row[tuple[object, ...]], finding: Finding) -> bool:
        if row.id in self._claimed:
            return False
        if self._gap is None:
            return True
        start, end = _time(row.first_seen), _time(row.last_seen)
        return start - self._gap <= finding.last_seen and finding.first_seen <= end + self._gap

    def _insert(self, finding: Finding) -> None:
        identity = finding.id
        while identity in self._ids:
            identity = finding_id(identity, "again")
        named = replace(finding, id=identity, producer=self._producer)
        self._ids.add(identity)
        self._connection.execute(
            sa.insert(tables.findings).values(
                **_row(named), first_detected=_text(self._now), last_detected=_text(self._now)
            )
        )
        self._note(identity, "new")
        self.new.append(identity)
        self.taken.append(named)

    def _update(self, row: sa.Row[tuple[object, ...]], finding: Finding) -> None:
        # INVARIANT: a row stays with the producer under which it is found again.
        finding = replace(finding, producer=self._producer)
        self._connection.execute(
            sa.update(tables.findings)
            .where(tables.findings.c.id == row.id)
            .values(**_row(finding), last_detected=_text(self._now))
        )
        if row.status == Status.RESOLVED:
            self._note(row.id, "reopened")
            self.reopened.append(row.id)
        elif (_text(finding.first_seen), _text(finding.last_seen)) != (row.first_seen, row.last_seen):
            self._note(row.id, "grown", f"{finding.event_count} events")
        self.taken.append(finding)

    def resolve(self, covered: Collection[str]) -> None:
        """Resolve what complete runs of these rules no longer find."""
        for (rule, _), rows in self._kept.items():
            for row in rows:
                if rule in covered and row.id not in self._claimed:
                    self._end(row, "resolved", "")

    def _end(self, row: sa.Row[tuple[object, ...]], change: str, detail: str) -> None:
        if row.status == Status.RESOLVED:
            return
        self._connection.execute(
            sa.update(tables.findings)
            .where(tables.findings.c.id == row.id)
            .values(status=Status.RESOLVED.value)
        )
        self._note(row.id, change, detail)
        self.resolved.append(row.id)

    def _note(self, finding: str, change: str, detail: str = "") -> None:
        _note(self._connection, self._now, finding, change, detail)


def _joined(finding: Finding, kept: Sequence[Finding], identity: str) -> Finding:
    """The finding under its kept id; what earlier runs saw outside its time is not lost."""
    first = min(finding.first_seen, *(k.first_seen for k in kept))
    last = max(finding.last_seen, *(k.last_seen for k in kept))
    if (first, last) == (finding.first_seen, finding.last_seen):
        return replace(finding, id=identity)
    ids = tuple(dict.fromkeys(i for f in (*kept, finding) for i in f.event_ids))[:_MOST_EVENT_IDS]
    count = max(len(ids), finding.event_count, *(k.event_count for k in kept))
    return replace(finding, id=identity, first_seen=first, last_seen=last, event_ids=ids, event_count=count)


def _row(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "producer": finding.producer,
        "rule": finding.rule,
        "subject": finding.subject,
        "actor": finding.actor,
        "severity": finding.severity.value,
        "first_seen": _text(finding.first_seen),
        "last_seen": _text(finding.last_seen),
        "status": Status.ACTIVE.value,
        "document": json.dumps(encode(finding)),
    }


def _judged(finding: Finding, in_force: Sequence[Suppression], now: datetime) -> Finding:
    """The finding with the status that holds now."""
    if finding.status is Status.RESOLVED:
        return finding
    hidden_by = effective(in_force, finding, now)
    if hidden_by is None:
        return replace(finding, status=Status.ACTIVE, suppression="")
    until = f"until {hidden_by.expires_at:%Y-%m-%d}" if hidden_by.expires_at else "without expiry"
    text = f"{hidden_by.id}: {hidden_by.reason} ({hidden_by.owner}, {until})"
    return replace(finding, status=Status.SUPPRESSED, suppression=text)


def _load(connection: sa.Connection, in_force: Sequence[Suppression], now: datetime) -> tuple[Kept, ...]:
    rows = connection.execute(sa.select(tables.findings)).all()
    return tuple(
        Kept(
            _judged(replace(_decoded(row), status=Status(row.status)), in_force, now),
            _time(row.first_detected),
            _time(row.last_detected),
        )
        for row in rows
    )


def _decoded(row: sa.Row[tuple[object, ...]]) -> Finding:
    try:
        return decode(json.loads(row.document))
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(f"finding `{row.id}` in the state cannot be read: {error}") from error


def _record_run(connection: sa.Connection, batch: _Batch, kept: Iterable[Kept]) -> None:
    active = dict.fromkeys((s.value for s in reversed(Severity)), 0)
    for one in kept:
        if one.finding.status is Status.ACTIVE:
            active[one.finding.severity.value] += 1
    connection.execute(
        sa.insert(tables.runs).values(
            at=_text(batch.now),
            producer=batch.producer,
            found=len(batch.taken),
            new=len(batch.new),
            reopened=len(batch.reopened),
            resolved=len(batch.resolved),
            active=json.dumps(active),
        )
    )


def _suppressions(connection: sa.Connection) -> tuple[Suppression, ...]:
    table = tables.suppressions
    rows = connection.execute(
        sa.select(table).where(table.c.removed_at.is_(None)).order_by(table.c.created_at, table.c.id)
    )
    return tuple(
        Suppression(
            row.id,
            row.reason,
            row.owner,
            _time(row.created_at),
            _time(row.expires_at) if row.expires_at else None,
            row.finding,
            row.rule,
            row.actor,
            row.resource,
        )
        for row in rows
    )


def _note_suppression(
    connection: sa.Connection, suppression: Suppression, now: datetime, change: str
) -> None:
    detail = f"{suppression.id}: {suppression.reason} ({suppression.owner})"
    for one in _load(connection, (), now):
        if one.finding.status is Status.ACTIVE and suppression.fits(one.finding):
            _note(connection, now, one.finding.id, change, detail)


def _note(connection: sa.Connection, now: datetime, finding: str, change: str, detail: str) -> None:
    connection.execute(
        sa.insert(tables.changes).values(finding=finding, at=_text(now), change=change, detail=detail)
    )


def _suppression_id(suppression: Suppression, now: datetime) -> str:
    return f"s-{finding_id(suppression.scope, suppression.reason, suppression.owner, _text(now))[:8]}"


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
