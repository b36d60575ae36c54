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
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clew.errors import UsageError
from clew.findings import Finding, Severity, Status, finding_id, severity_order
from clew.store import database as tables
from clew.store.batch import Batch, decoded
from clew.store.documents import text_of_time, time_of
from clew.store.suppression import ALL, Suppression, check, effective, unused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from clew.store.database import Database

GAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding with the times (UTC) at which a run first and last found it."""

    finding: Finding
    first_detected: datetime
    last_detected: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One step in the life of a finding: new, grown, reopened, resolved, merged, suppressed, unsuppressed.

    `noted` and `assigned` are what people say of it; they change nothing else.
    """

    at: datetime
    change: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a producer: what it found, and how many findings were active after it, by severity.

    `detail` is what the producer kept with it, an object of JSON.
    """

    at: datetime
    producer: str
    found: int
    new: int
    reopened: int
    resolved: int
    active: Mapping[str, int]
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run means: its findings with their kept identity and status, and what changed its standing.

    `fixed` are the findings that are resolved now. `expired_suppressions` would hide something, had they not ended.
    """

    findings: tuple[Finding, ...]
    new: tuple[str, ...]
    reopened: tuple[str, ...]
    fixed: tuple[Finding, ...]
    unused_suppressions: tuple[Suppression, ...]
    expired_suppressions: tuple[Suppression, ...] = ()

    @property
    def resolved(self) -> tuple[str, ...]:
        """The ids of the findings that are resolved now."""
        return tuple(finding.id for finding in self.fixed)


def upsert(
    database: Database,
    found: Sequence[Finding],
    now: datetime,
    *,
    producer: str = "detect",
    covered: Collection[str] = (),
    cleared: Collection[tuple[str, str]] = (),
    gap: timedelta | None = GAP,
    detail: Mapping[str, object] | None = None,
) -> Outcome:
    """Take in what one run found; `detail`, which JSON can hold, is kept with the run.

    `covered` names the rules that ran completely: kept findings of theirs that were not found again become resolved.
    `cleared` are pairs of a rule and a subject of which the run knows that all is well, whatever else it does not know.
    A `gap` of None means that time does not tell findings apart (producer, rule and subject are the identity).
    """
    with database.transaction(write=True) as connection:
        batch = Batch(connection, now, producer, gap)
        for finding in sorted(found, key=lambda f: (f.first_seen, f.id)):
            batch.take(finding)
        batch.resolve(covered, cleared)
        batch.write()
        suppressions = _suppressions(connection)
        judged = tuple(_judged(finding, suppressions, now) for finding in batch.taken)
        # Without a suppression nobody has to read the findings: the columns tell how many are active.
        kept = [k.finding for k in _load(connection, suppressions, now)] if suppressions else []
        active = Counter(f.severity.value for f in kept if f.status is Status.ACTIVE)
        _record_run(connection, batch, active if suppressions else _active(connection), now, detail or {})
    return Outcome(
        findings=judged,
        new=tuple(batch.new),
        reopened=tuple(batch.reopened),
        fixed=tuple(batch.fixed),
        unused_suppressions=unused(suppressions, kept, now),
        expired_suppressions=tuple(
            s for s in suppressions if s.expired(now) and any(s.fits(f) for f in judged)
        ),
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
    return fitting[0], tuple(Change(time_of(row.at), row.change, row.detail) for row in rows)


def remark(database: Database, start: str, now: datetime, change: str, detail: str) -> Kept:
    """Put a note, or to whom it is assigned, into the history of a finding; errors as `kept_finding`."""
    kept, _ = kept_finding(database, start, now)
    with database.transaction(write=True) as connection:
        _note(connection, now, kept.finding.id, change, detail)
    return kept


def trend(database: Database, producer: str | None = None) -> tuple[Run, ...]:
    """Every run, of one producer or of all, oldest first."""
    wanted = sa.select(tables.runs).order_by(tables.runs.c.number)
    if producer is not None:
        wanted = wanted.where(tables.runs.c.producer == producer)
    with database.transaction(write=False) as connection:
        rows = connection.execute(wanted).all()
    return tuple(
        Run(
            time_of(row.at),
            row.producer,
            row.found,
            row.new,
            row.reopened,
            row.resolved,
            json.loads(row.active),
            json.loads(row.detail or "{}"),
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
                created_at=text_of_time(now),
                expires_at=text_of_time(named.expires_at) if named.expires_at else None,
                finding=named.finding,
                rule=named.rule,
                actor=named.actor,
                resource=named.resource,
                account=named.account,
                tags=json.dumps(dict(named.tags)),
                combine=named.combine,
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
            .values(removed_at=text_of_time(now))
        )
        _note_suppression(connection, found, now, "unsuppressed")
    return found


def suppressions(database: Database) -> tuple[Suppression, ...]:
    """Every suppression that was not removed, expired ones too, oldest first."""
    with database.transaction(write=False) as connection:
        return _suppressions(connection)


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
            _judged(replace(decoded(row), status=Status(row.status)), in_force, now),
            time_of(row.first_detected),
            time_of(row.last_detected),
        )
        for row in rows
    )


def _active(connection: sa.Connection) -> Mapping[str, int]:
    columns = tables.findings.c
    counted = sa.select(columns.severity, sa.func.count()).group_by(columns.severity)
    rows = connection.execute(counted.where(columns.status == Status.ACTIVE.value)).all()
    return {str(severity): int(count) for severity, count in rows}


def _record_run(
    connection: sa.Connection,
    batch: Batch,
    active: Mapping[str, int],
    now: datetime,
    detail: Mapping[str, object],
) -> None:
    counted = {severity.value: active.get(severity.value, 0) for severity in reversed(Severity)}
    connection.execute(
        sa.insert(tables.runs).values(
            at=text_of_time(now),
            producer=batch.producer,
            found=len(batch.taken),
            new=len(batch.new),
            reopened=len(batch.reopened),
            resolved=len(batch.fixed),
            active=json.dumps(counted),
            detail=json.dumps(detail),
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
            time_of(row.created_at),
            time_of(row.expires_at) if row.expires_at else None,
            row.finding,
            row.rule,
            row.actor,
            row.resource,
            row.account,
            tuple(json.loads(row.tags or "{}").items()),
            row.combine or ALL,
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
        sa.insert(tables.changes).values(finding=finding, at=text_of_time(now), change=change, detail=detail)
    )


def _suppression_id(suppression: Suppression, now: datetime) -> str:
    return f"s-{finding_id(suppression.scope, suppression.reason, suppression.owner, text_of_time(now))[:8]}"
