"""Find records: columns narrow them down in SQL, then the few that are left are checked against their exact text.

Rows come in order of time, a chunk at a time, by times first and texts second: DuckDB 2.0 would otherwise carry every
candidate's text through the sort (measured on 1,000,000 events: out of memory at 512 MB; this way 20 to 60 ms).
Its own remedy, late materialisation, fails on filters over parts of a struct (an internal error: "Vector::Reference
used on vector of different type"), so it is switched off here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from clew.events.json_text import object_of
from clew.events.resources import resources as named
from clew.lake.history import filters as history_filters
from clew.lake.history import resources
from clew.lake.history.channels import is_channel, may_be_channel
from clew.lake.history.conditions import (
    FALSE,
    TRUE,
    Condition,
    all_of,
    any_of,
    at_times,
    between,
    equals,
    is_in,
)
from clew.lake.history.entries import Entry, Origin, Stored, entry
from clew.lake.history.fields import text
from clew.lake.history.words import may_concern
from clew.lake.principals import LONGEST_SESSION_HOURS, acted, chain, is_principal, issuers, sessions_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import duckdb

    from clew.lake.history.filters import Filters
    from clew.lake.principals import Session
    from clew.lake.reader import Lake

    Check = Callable[[Mapping[str, object]], bool]

_LARGEST_CHUNK = 10_000
_HOUR_MICROS = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """The first rows of an answer; `is_more` says that others follow."""

    entries: tuple[Entry, ...]
    is_more: bool


def find(lake: Lake, wanted: Filters, *, limit: int = 50, newest_first: bool = True) -> Page:
    """The first `limit` rows that the filters let through; 0 asks for all."""
    connection = _connect(lake)
    try:
        first = limit + 1 if limit else _LARGEST_CHUNK
        rows = entries(connection, wanted, _days(lake, wanted), first=first, newest_first=newest_first)
        found = tuple(islice(rows, limit + 1)) if limit else tuple(rows)
    finally:
        connection.close()
    return Page(found[:limit] if limit else found, bool(limit) and len(found) > limit)


def _connect(lake: Lake) -> duckdb.DuckDBPyConnection:
    connection = lake.connect()
    connection.execute("SET disabled_optimizers = 'late_materialization'")
    return connection


def entries(
    connection: duckdb.DuckDBPyConnection,
    wanted: Filters,
    days: Sequence[str],
    *,
    first: int,
    newest_first: bool = True,
) -> Iterator[Entry]:
    """Every row that the filters let through, in order of time.

    `days` are those that the lake holds (ISO); `first` is how many rows are expected to be read.
    """
    question = _question(connection, wanted)
    windows = _windows(days, newest_first=newest_first, is_dear=_is_dear(wanted))
    for chunk in _chunks(connection, question.condition, windows, first, newest_first=newest_first):
        decoded = [(stored, object_of(stored.text)) for stored in chunk]
        kept = [
            (stored, event) for stored, event in decoded if question.check is None or question.check(event)
        ]
        via = _sessions(connection, question, kept)
        paths = _paths(connection, {stored.origin.source for stored, _ in kept})
        for stored, event in kept:
            key = text(event, "userIdentity", "accessKeyId")
            placed = replace(stored, origin=replace(stored.origin, path=paths.get(stored.origin.source, "")))
            yield entry(placed, event, via(key))


@dataclass(frozen=True, slots=True)
class _Question:
    condition: Condition
    check: Check | None
    chains: Mapping[str, tuple[Session, ...]]
    traces: bool


def _question(connection: duckdb.DuckDBPyConnection, wanted: Filters) -> _Question:
    who, chains = _callers_and_sessions(connection, wanted) if wanted.users else (TRUE, {})
    if who is FALSE:
        return _Question(FALSE, None, {}, traces=False)
    condition = all_of([history_filters.where(connection, wanted), who])
    if wanted.channels:
        condition = all_of([condition, may_be_channel(connection, wanted.channels)])
    return _Question(condition, _check(wanted), chains, traces=_traces(wanted))


def _callers_and_sessions(
    connection: duckdb.DuckDBPyConnection, wanted: Filters
) -> tuple[Condition, Mapping[str, tuple[Session, ...]]]:
    """The condition that one of the users called, himself or in a session that leads back to him; and the sessions."""
    roots = any_of(is_principal(name) for name in wanted.users)
    window = _window_of_sessions(wanted.since, wanted.until)
    called = acted(connection, roots, window)
    if called is None:
        return FALSE, {}
    chains = sessions_from(connection, roots, window, called.issued_at)
    if chains:
        return any_of([roots, is_in("useridentity.accesskeyid", chains)]), chains
    return all_of([between(called.first, called.last), roots]), {}


def _traces(wanted: Filters) -> bool:
    """Whether rows name who opened their session: where the question is about a caller, a resource or one record.

    It reads every call that issues credentials (40 ms in 1,000,000 events), too dear for a plain list.
    """
    return bool(
        wanted.users or wanted.resources or wanted.access_keys or wanted.event_ids or wanted.request_ids
    )


def _window_of_sessions(since: datetime | None, until: datetime | None) -> Condition:
    """The times at which a session that acts in the window can have been opened."""
    parts = [history_filters.window(None, until)]
    if since is not None:
        earliest = round(since.timestamp() * 1_000_000) - LONGEST_SESSION_HOURS * _HOUR_MICROS
        parts.append(Condition("eventtime >= make_timestamptz(?)", (earliest,)))
    return all_of(part for part in parts if part is not TRUE)


def _check(wanted: Filters) -> Check | None:
    """What SQL could only narrow down, decided on the decoded record; None when SQL decided everything."""
    terms = tuple(resources.term(name) for name in wanted.resources)
    types = frozenset(kind.lower() for kind in wanted.resource_types)
    channels = wanted.channels
    if not (terms or types or channels):
        return None

    def check(event: Mapping[str, object]) -> bool:
        return (
            (not terms or any(resources.matches(term, event) for term in terms))
            and (not types or any(found.type.lower() in types for found in named(event)))
            and (not channels or is_channel(event, channels))
        )

    return check


def _sessions(
    connection: duckdb.DuckDBPyConnection,
    question: _Question,
    rows: Sequence[tuple[Stored, Mapping[str, object]]],
) -> Callable[[str], tuple[Session, ...]]:
    """The chain of sessions behind an access key: the ones traced for the asked user, else what the lake knows."""
    keys = {text(event, "userIdentity", "accessKeyId") for _, event in rows} - question.chains.keys()
    known: Mapping[str, Session] = {}
    if question.traces and any(key.startswith("ASIA") for key in keys):
        times = [stored.micros for stored, _ in rows]
        opened = between(min(times) - LONGEST_SESSION_HOURS * _HOUR_MICROS, max(times))
        known = issuers(connection, keys, opened)
    return lambda key: question.chains.get(key) or chain(key, known)


def _paths(connection: duckdb.DuckDBPyConnection, sources: set[str]) -> Mapping[str, str]:
    if not sources:
        return {}
    condition = is_in("source", sorted(sources))
    rows = connection.execute(
        f"SELECT source, min(path) FROM raw_sources WHERE {condition.sql} GROUP BY source",
        condition.parameters,
    ).fetchall()
    return {str(source): str(path) for source, path in rows}


# --- reading in order ------------------------------------------------------------------------------------------------


def _days(lake: Lake, wanted: Filters) -> Sequence[str]:
    """The days of which the lake may hold records of the resources that are asked for, in order."""
    return sorted({file.day for file in may_concern(lake, wanted.resources) if file.day})


_DEAR_HOURS = 6
# What the first day does not fill is mostly rare. A million events of a week, what one key did: 107 ms by twos, 95 so.
_GROWTH = 8


def _is_dear(wanted: Filters) -> bool:
    return bool(wanted.resources or wanted.resource_types)


def _windows(days: Sequence[str], *, newest_first: bool, is_dear: bool = False) -> Iterator[Condition]:
    """The days in growing groups, in the order of reading: a page is mostly full after the first day or two.

    Where the question is dear, because it reads open-ended texts, the first day comes in two parts. (A bucket of which
    many of a million events tell: 119 CPU ms for the first day, 80 for six hours of it.)
    """
    ordered = sorted(days, reverse=newest_first)
    start, size = 0, 1
    while start < len(ordered):
        group = sorted(ordered[start : start + size])
        first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (group[0], group[-1]))
        begin, end = first, last + timedelta(days=1)
        if is_dear and start == 0:
            part = timedelta(hours=_DEAR_HOURS)
            edge = end - part if newest_first else begin + part
            yield history_filters.window(*((edge, end) if newest_first else (begin, edge)))
            begin, end = (begin, edge) if newest_first else (edge, end)
        yield history_filters.window(begin, end)
        start, size = start + size, size * _GROWTH


def _chunks(
    connection: duckdb.DuckDBPyConnection,
    condition: Condition,
    windows: Iterable[Condition],
    first: int,
    *,
    newest_first: bool,
) -> Iterator[Sequence[Stored]]:
    size = max(first, 1)
    for window in windows if condition is not FALSE else ():
        after = TRUE
        while True:
            narrowed = all_of([window, condition, after])
            chunk = _chunk(connection, narrowed, size, newest_first=newest_first)
            if chunk:
                yield chunk
            if len(chunk) < size:
                break
            after = _beyond(chunk[-1], newest_first=newest_first)
            size = min(size * 8, _LARGEST_CHUNK)


def _chunk(
    connection: duckdb.DuckDBPyConnection, condition: Condition, size: int, *, newest_first: bool
) -> Sequence[Stored]:
    order = "DESC" if newest_first else "ASC"
    times = connection.execute(
        f"SELECT epoch_us(eventtime) FROM raw_cloudtrail WHERE {condition.sql} ORDER BY eventtime {order} LIMIT {size}",
        condition.parameters,
    ).fetchall()
    if not times:
        return []
    shown = all_of([at_times([row[0] for row in times]), condition])
    rows = connection.execute(
        f"""
        SELECT epoch_us(eventtime), record_id, source, record_number, eventjson, coalesce(conflict, false)
        FROM raw_cloudtrail WHERE {shown.sql}
        """,
        shown.parameters,
    ).fetchall()
    found = [Stored(row[0], row[1], row[4], row[5], Origin(row[2], "", row[3])) for row in rows]
    sign = -1 if newest_first else 1
    return sorted(found, key=lambda stored: (sign * stored.micros, *_identity(stored)))[:size]


def _identity(stored: Stored) -> tuple[str, str, int]:
    return stored.record_id, stored.origin.source, stored.origin.record_number


def _beyond(last: Stored, *, newest_first: bool) -> Condition:
    """What comes after the record in the order of reading."""
    operator = "<" if newest_first else ">"
    later = Condition(f"eventtime {operator} make_timestamptz(?)", (last.micros,))
    same = Condition(
        "eventtime = make_timestamptz(?) AND (record_id, source, record_number) > (?, ?, ?)",
        (last.micros, *_identity(last)),
    )
    # The first condition prunes files and row groups; the second is exact.
    return all_of(
        [Condition(f"eventtime {operator}= make_timestamptz(?)", (last.micros,)), any_of([later, same])]
    )


def originals(lake: Lake, wanted: Filters, *, limit: int = 50, newest_first: bool = True) -> Iterator[str]:
    """The exact text of each record that the filters let through, as it stood in its file."""
    connection = _connect(lake)
    try:
        question = _question(connection, wanted)
        texts = (
            stored.text
            for chunk in _chunks(
                connection,
                question.condition,
                _windows(_days(lake, wanted), newest_first=newest_first, is_dear=_is_dear(wanted)),
                limit or _LARGEST_CHUNK,
                newest_first=newest_first,
            )
            for stored in chunk
            if question.check is None or question.check(object_of(stored.text))
        )
        yield from islice(texts, limit) if limit else texts
    finally:
        connection.close()


def last_root_sign_in(lake: Lake, wanted: Filters) -> Entry | None:
    """The most recent successful console sign-in of the root user, or None."""
    return _newest(lake, wanted, all_of([_IS_ROOT, equals("eventname", "ConsoleLogin"), _SIGNED_IN]))


def last_root_use(lake: Lake, wanted: Filters) -> Entry | None:
    """The most recent call made by the root user himself (not by a service in his name), or None."""
    himself = Condition("useridentity.invokedby IS NULL AND eventtype IS DISTINCT FROM 'AwsServiceEvent'")
    return _newest(lake, wanted, all_of([_IS_ROOT, himself]))


_IS_ROOT = equals("useridentity.type", "Root")
_SIGNED_IN = Condition("json_extract_string(responseelements, '$.ConsoleLogin') = 'Success'")


def _newest(lake: Lake, wanted: Filters, condition: Condition) -> Entry | None:
    connection = _connect(lake)
    try:
        narrowed = all_of([history_filters.where(connection, wanted), condition])
        windows = _windows(_days(lake, wanted), newest_first=True)
        chunk = next(_chunks(connection, narrowed, windows, 1, newest_first=True), ())
        return next((entry(stored, object_of(stored.text)) for stored in chunk), None)
    finally:
        connection.close()


def suggestions(lake: Lake, wanted: Filters) -> tuple[str, ...]:
    """Names in the lake that look like those asked for, when nothing was found; at most three for each."""
    connection = _connect(lake)
    try:
        names = history_filters.distinct(connection, "eventname") if wanted.event_names else ()
        callers = _callers(connection) if wanted.users else ()
    finally:
        connection.close()
    found = [name for word in wanted.event_names for name in history_filters.nearest(word, names)]
    found += [name for word in wanted.users for name in history_filters.nearest(word, callers)]
    return tuple(name for name in found if name not in {*wanted.event_names, *wanted.users})


def _callers(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = connection.execute(
        """
        SELECT DISTINCT useridentity.username, useridentity.sessioncontext.sessionissuer.username,
            split_part(useridentity.arn, '/', -1)
        FROM raw_cloudtrail
        """
    ).fetchall()
    return frozenset(str(name) for row in rows for name in row if name)
