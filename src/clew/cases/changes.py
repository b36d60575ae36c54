"""What was changed before the fault was seen, from the lake: calls that write and concern the case's resources.

Kept as lines of JSON, one for each call, in the order of time: when, which call, who, on what, and the event's id.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.events.category import Category
from clew.events.outcome import Result
from clew.lake.coverage import Question, blind_spots
from clew.lake.history.effects import WRITES
from clew.lake.history.filters import Filters
from clew.lake.history.search import find
from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from clew.lake.history.entries import Entry
    from clew.lake.reader import Lake

BEFORE = timedelta(days=7)
"""How long before the fault changes are looked for."""
_MOST = 200


def recent(
    lake: Lake, resources: Sequence[str], until: datetime, before: timedelta = BEFORE
) -> tuple[Entry, ...]:
    """The calls that changed one of the resources, or anything where none is named, the oldest first."""
    wanted = Filters(
        resources=tuple(resources), effects=tuple(sorted(WRITES)), since=until - before, until=until
    )
    found = find(lake, wanted, limit=_MOST).entries
    return tuple(
        each
        for each in reversed(found)
        if each.outcome.result is Result.SUCCESS and each.category is not Category.DATA
    )


def unseen(lake: Lake, until: datetime, before: timedelta = BEFORE) -> str:
    """What the lake cannot have seen of that time, in words behind others; empty where nothing is missing."""
    spots = blind_spots(lake, Question(since=until - before, until=until, reads=False))
    if not spots:
        return ""
    more = f" (and {len(spots) - 1} more)" if len(spots) > 1 else ""
    return f"; the lake may lack some: {spots[0].what}: {spots[0].why}{more}"


def written(entries: Sequence[Entry]) -> bytes:
    """The calls as lines of JSON."""
    return "".join(f"{json.dumps(_row(each), ensure_ascii=False)}\n" for each in entries).encode()


def _row(entry: Entry) -> dict[str, object]:
    return {
        "time": moment(entry.time),
        "event_name": entry.event_name,
        "event_source": entry.event_source,
        "who": entry.who.key,
        "source_ip": entry.source_ip,
        "resources": [each.arn or each.id for each in entry.resources[:5]],
        "event_id": entry.event_id,
        "effect": entry.effect.value,
    }


def words(row: Mapping[str, object]) -> str:
    """One change as people say it."""
    named = row.get("resources")
    what = ", ".join(map(str, named)) if isinstance(named, list) and named else "something not named"
    return f"{row.get('time', '')} {row.get('event_name', '')} on {what} by {row.get('who', '')}"


def by_call(rows: Sequence[Mapping[str, object]]) -> Mapping[str, list[str]]:
    """The changes in words by the names of their calls."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row.get("event_name", "")), []).append(words(row))
    return found
