"""The findings of one run on their way into the store: which are new, the same, back, or gone.

Rows are gathered and written together at the end: one statement for each finding takes 40 s for 100,000.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clew.errors import WorkspaceError
from clew.findings import Finding, Status, finding_id
from clew.store import database as tables
from clew.store.documents import decode, encode, text_of_time, time_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

_MOST_EVENT_IDS = 1_000


class Batch:
    """The findings of one run of a producer against those that were kept before."""

    def __init__(
        self, connection: sa.Connection, now: datetime, producer: str, gap: timedelta | None
    ) -> None:
        """Read what the producer's earlier runs kept."""
        self._connection, self._now, self._gap = connection, now, gap
        self.producer = producer
        self._kept: dict[tuple[str, str], list[sa.Row[tuple[object, ...]]]] = defaultdict(list)
        self._claimed: set[str] = set()
        self._inserts: list[dict[str, str]] = []
        self._updates: list[dict[str, str]] = []
        self._seen_again: list[dict[str, str]] = []
        self._ended: list[dict[str, str]] = []
        self._changes: list[dict[str, str]] = []
        self.taken: list[Finding] = []
        self.new: list[str] = []
        self.reopened: list[str] = []
        self.fixed: list[Finding] = []
        columns = tables.findings.c
        for row in connection.execute(
            sa.select(tables.findings)
            .where(columns.producer == producer)
            .order_by(columns.first_detected, columns.first_seen, columns.id)
        ):
            self._kept[row.rule, row.subject].append(row)
        self._ids = set(connection.scalars(sa.select(columns.id)))

    def take(self, finding: Finding) -> None:
        """Keep one finding, under the id that it had before if it had one."""
        close = [row for row in self._kept[finding.rule, finding.subject] if self._same(row, finding)]
        if not close:
            self._insert(finding)
            return
        first, *others = close
        self._claimed.update(row.id for row in close)
        # INVARIANT: a row stays with the producer under which it is found again.
        mine = replace(finding, producer=self.producer)
        self._update(first, _joined(mine, close, first.id))
        for row in others:
            self._end(row, "merged", f"into {first.id}")

    def _same(self, row: sa.Row[tuple[object, ...]], finding: Finding) -> bool:
        if row.id in self._claimed:
            return False
        if self._gap is None:
            return True
        start, end = time_of(row.first_seen), time_of(row.last_seen)
        return start - self._gap <= finding.last_seen and finding.first_seen <= end + self._gap

    def _insert(self, finding: Finding) -> None:
        identity = finding.id
        while identity in self._ids:
            identity = finding_id(identity, "again")
        named = replace(finding, id=identity, producer=self.producer)
        self._ids.add(identity)
        now = text_of_time(self._now)
        self._inserts.append({**_row(named), "first_detected": now, "last_detected": now})
        self._note(identity, "new")
        self.new.append(identity)
        self.taken.append(named)

    def _update(self, row: sa.Row[tuple[object, ...]], finding: Finding) -> None:
        written = _row(finding)
        self._seen_again.append({"key": row.id, "now": text_of_time(self._now)})
        if any(getattr(row, name) != value for name, value in written.items()):
            self._updates.append({"key": row.id, **{f"new_{name}": value for name, value in written.items()}})
        if row.status == Status.RESOLVED:
            self._note(row.id, "reopened")
            self.reopened.append(row.id)
        elif finding.event_count and (written["first_seen"], written["last_seen"]) != (
            row.first_seen,
            row.last_seen,
        ):
            self._note(row.id, "grown", f"{finding.event_count} events")
        self.taken.append(finding)

    def resolve(self, covered: Collection[str], cleared: Collection[tuple[str, str]]) -> None:
        """Resolve what complete runs of these rules no longer find, and these pairs of a rule and a subject."""
        for (rule, subject), rows in self._kept.items():
            for row in rows if rule in covered or (rule, subject) in cleared else ():
                if row.id not in self._claimed:
                    self._end(row, "resolved", "")

    def _end(self, row: sa.Row[tuple[object, ...]], change: str, detail: str) -> None:
        if row.status == Status.RESOLVED:
            return
        self._ended.append({"key": row.id})
        self._note(row.id, change, detail)
        self.fixed.append(replace(decoded(row), status=Status.RESOLVED))

    def _note(self, finding: str, change: str, detail: str = "") -> None:
        self._changes.append(
            {"finding": finding, "at": text_of_time(self._now), "change": change, "detail": detail}
        )

    def write(self) -> None:
        """Write everything that was gathered."""
        key = tables.findings.c.id == sa.bindparam("key")
        renewed: dict[str, sa.BindParameter[str]] = {n: sa.bindparam(f"new_{n}") for n in _COLUMNS}
        for statement, rows in (
            (sa.insert(tables.findings), self._inserts),
            (sa.update(tables.findings).where(key).values(renewed), self._updates),
            (
                sa.update(tables.findings).where(key).values(last_detected=sa.bindparam("now")),
                self._seen_again,
            ),
            (sa.update(tables.findings).where(key).values(status=Status.RESOLVED.value), self._ended),
            (sa.insert(tables.changes), self._changes),
        ):
            if rows:
                self._connection.execute(statement, rows)


def _joined(finding: Finding, rows: Sequence[sa.Row[tuple[object, ...]]], identity: str) -> Finding:
    """The finding under its kept id; what earlier runs saw outside its time is not lost."""
    first = min(finding.first_seen, *(time_of(row.first_seen) for row in rows))
    last = max(finding.last_seen, *(time_of(row.last_seen) for row in rows))
    if (first, last) == (finding.first_seen, finding.last_seen):
        return replace(finding, id=identity)
    if not finding.event_count:
        return replace(finding, id=identity, first_seen=first, last_seen=last)
    kept = [decoded(row) for row in rows]
    ids = tuple(dict.fromkeys(i for f in (*kept, finding) for i in f.event_ids))[:_MOST_EVENT_IDS]
    count = max(len(ids), finding.event_count, *(k.event_count for k in kept))
    return replace(finding, id=identity, first_seen=first, last_seen=last, event_ids=ids, event_count=count)


def decoded(row: sa.Row[tuple[object, ...]]) -> Finding:
    """The finding in a row. Errors: `WorkspaceError` where its document was tampered with."""
    try:
        return decode(json.loads(row.document))
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(f"finding `{row.id}` in the state cannot be read: {error}") from error


_COLUMNS = (
    *("id", "producer", "rule", "subject", "actor", "severity"),
    *("first_seen", "last_seen", "status", "document"),
)


def _row(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "producer": finding.producer,
        "rule": finding.rule,
        "subject": finding.subject,
        "actor": finding.actor,
        "severity": finding.severity.value,
        "first_seen": text_of_time(finding.first_seen),
        "last_seen": text_of_time(finding.last_seen),
        "status": Status.ACTIVE.value,
        "document": json.dumps(encode(finding)),
    }
