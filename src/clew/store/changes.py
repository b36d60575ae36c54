"""What changed about kept findings in a span of time: what became new, returned, grew or was resolved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clew.store import database as tables
from clew.store.findings import Kept, kept_findings

if TYPE_CHECKING:
    from clew.store.database import Database

# The last of a span is what counts.
_NEW, _REOPENED, _GROWN, _RESOLVED, _PASSED = "new", "reopened", "grown", "resolved", "passed"


@dataclass(frozen=True, slots=True)
class Changes:
    """The findings that changed, worst first; a finding stands once, under the change that says most.

    `active` is every finding that is active now; `passed` are those that came and went within the span, which were
    never news to anybody.
    """

    new: tuple[Kept, ...]
    reopened: tuple[Kept, ...]
    grown: tuple[Kept, ...]
    resolved: tuple[Kept, ...]
    active: tuple[Kept, ...]
    passed: tuple[Kept, ...] = ()


def changes(database: Database, since: datetime, now: datetime) -> Changes:
    """What changed from `since` to `now` (UTC). What is suppressed is left out, resolved or not."""
    kept = kept_findings(database, now)
    seen = _seen(database, since, now)
    groups: dict[str, list[Kept]] = {name: [] for name in (_NEW, _REOPENED, _GROWN, _RESOLVED, _PASSED)}
    for each in kept:
        name = _told(seen.get(each.finding.id, ()), each)
        if name is not None:
            groups[name].append(each)
    active = tuple(each for each in kept if each.finding.status == "active")
    new, reopened, grown, resolved, passed = (tuple(found) for found in groups.values())
    return Changes(new, reopened, grown, resolved, active, passed)


def _seen(database: Database, since: datetime, now: datetime) -> dict[str, list[str]]:
    with database.transaction(write=False) as connection:
        rows = connection.execute(
            sa.select(tables.changes.c.finding, tables.changes.c.change)
            .where(tables.changes.c.at >= _text(since), tables.changes.c.at <= _text(now))
            .order_by(tables.changes.c.number)
        ).all()
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.finding, []).append(row.change)
    return found


def _told(seen: list[str] | tuple[str, ...], kept: Kept) -> str | None:
    """The change that is told of a finding: none where it is hidden, or where it is as it was."""
    if not seen or kept.finding.status == "suppressed":
        return None
    if kept.finding.status == "resolved":
        return None if _RESOLVED not in seen else _PASSED if _NEW in seen else _RESOLVED
    return next((name for name in (_NEW, _REOPENED, _GROWN) if name in seen), None)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
