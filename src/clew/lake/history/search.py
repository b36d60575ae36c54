"""Find records: columns narrow them down in SQL, then the few that are left are checked against their exact text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from clew.events.json_text import object_of
from clew.events.resources import resources as named
from clew.lake import principals
from clew.lake.history import effects, resources
from clew.lake.history import filters as history_filters
from clew.lake.history.channels import is_channel, may_be_channel
from clew.lake.history.conditions import TRUE, Condition, all_of, any_of, equals, is_in
from clew.lake.history.entries import Entry, Stored, entry
from clew.lake.history.fields import text
from clew.lake.history.reading import Reading, reaching, read
from clew.lake.history.words import may_concern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import duckdb

    from clew.lake.history.conditions import Window
    from clew.lake.history.filters import Filters
    from clew.lake.principals import Session
    from clew.lake.reader import Lake

    Check = Callable[[Mapping[str, object]], bool]

_LARGEST_CHUNK = 10_000
_LONGEST_CHAIN_MICROS = principals.LONGEST_CHAIN_HOURS * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """The first rows of an answer; `is_more` says that others follow."""

    entries: tuple[Entry, ...]
    is_more: bool


def find(lake: Lake, wanted: Filters, *, limit: int = 50, newest_first: bool = True) -> Page:
    """The first `limit` rows that the filters let through; 0 asks for all."""
    with _reading(lake, wanted, newest_first=newest_first) as reading:
        rows = entries(reading, wanted, first=limit + 1 if limit else _LARGEST_CHUNK)
        found = tuple(islice(rows, limit + 1)) if limit else tuple(rows)
    return Page(found[:limit] if limit else found, bool(limit) and len(found) > limit)


def _reading(lake: Lake, wanted: Filters, *, newest_first: bool) -> Reading:
    """Of the data files that may hold records of the time and of the resources that are asked for."""
    begin, end = _bounds(wanted)
    return read(lake, reaching(may_concern(lake, wanted.resources), begin, end), newest_first=newest_first)


def _bounds(wanted: Filters) -> tuple[int | None, int | None]:
    begin, end = (
        None if moment is None else history_filters.micros(moment) for moment in (wanted.since, wanted.until)
    )
    return begin, end


def entries(reading: Reading, wanted: Filters, *, first: int) -> Iterator[Entry]:
    """Every row that the filters let through, in order of time; `first` is how many are expected to be read."""
    check = _check(wanted)
    for chunk in _chunks(reading, wanted, first):
        decoded = [(stored, object_of(stored.text)) for stored in chunk.records]
        kept = [(stored, event) for stored, event in decoded if check is None or check(event)]
        via = _sessions(reading, chunk.chains, kept) if _traces(wanted) else chunk.chains.get
        paths = reading.paths(stored.origin.source for stored, _ in kept)
        for stored, event in kept:
            key = text(event, "userIdentity", "accessKeyId")
            yield entry(_placed(stored, paths), event, via(key) or ())


def _placed(stored: Stored, paths: Mapping[str, str]) -> Stored:
    """The record with the path under which its file was found."""
    return replace(stored, origin=replace(stored.origin, path=paths.get(stored.origin.source, "")))


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Records that come one after the other, as SQL lets them through, and the sessions of the users asked for."""

    records: Sequence[Stored]
    chains: Mapping[str, tuple[Session, ...]]


def _chunks(reading: Reading, wanted: Filters, first: int) -> Iterator[_Chunk]:
    condition = history_filters.where(reading.connection, wanted)
    if wanted.channels:
        condition = all_of([condition, may_be_channel(reading.connection, wanted.channels)])
    for window in reading.windows(is_dear=_is_dear(wanted)):
        who, chains = _callers_and_sessions(reading, wanted, window) if wanted.users else (TRUE, {})
        for records in reading.chunks(window, all_of([condition, who]), first):
            yield _Chunk(records, chains)


def _callers_and_sessions(
    reading: Reading, wanted: Filters, window: Window
) -> tuple[Condition, Mapping[str, tuple[Session, ...]]]:
    """The condition that one of the users called, himself or in a session that leads back to him; and the sessions."""
    roots = any_of(principals.is_principal(name) for name in wanted.users)
    opened = reading.window(window.first - _LONGEST_CHAIN_MICROS, window.end)
    chains = principals.sessions_from(reading.connection, roots, opened)
    return any_of([roots, is_in("useridentity.accesskeyid", chains)]) if chains else roots, chains


def _traces(wanted: Filters) -> bool:
    """Whether rows name who opened their session: where the question is about a caller, a resource or one record.

    It reads every call that issues credentials (40 ms in 1,000,000 events), too dear for a plain list.
    """
    return bool(
        wanted.users or wanted.resources or wanted.access_keys or wanted.event_ids or wanted.request_ids
    )


def _check(wanted: Filters) -> Check | None:
    """What SQL could only narrow down, decided on the decoded record; None when SQL decided everything."""
    terms = tuple(resources.term(name) for name in wanted.resources)
    types = frozenset(kind.lower() for kind in wanted.resource_types)
    channels, read_only = wanted.channels, wanted.read_only
    if not (terms or types or channels or read_only is not None):
        return None

    def check(event: Mapping[str, object]) -> bool:
        return (
            (not terms or any(resources.matches(term, event) for term in terms))
            and (not types or any(found.type.lower() in types for found in named(event)))
            and (not channels or is_channel(event, channels))
            and (read_only is None or _is_read(event) is read_only)
        )

    return check


def _is_read(event: Mapping[str, object]) -> bool | None:
    """What the record says, else its name; None where it has neither."""
    said, name = event.get("readOnly"), event.get("eventName")
    if isinstance(said, bool):
        return said
    return effects.is_read(name) if isinstance(name, str) else None


def _sessions(
    reading: Reading,
    chains: Mapping[str, tuple[Session, ...]],
    rows: Sequence[tuple[Stored, Mapping[str, object]]],
) -> Callable[[str], tuple[Session, ...]]:
    """The chain of sessions behind an access key: one of the `chains`, else what the lake knows."""
    keys = {text(event, "userIdentity", "accessKeyId") for _, event in rows} - chains.keys()
    known: Mapping[str, Session] = {}
    if any(key.startswith("ASIA") for key in keys):
        times = [stored.micros for stored, _ in rows]
        known = principals.issuers(reading.connection, keys, (min(times), max(times)), reading.window)
    return lambda key: chains.get(key) or principals.chain(key, known)


def _is_dear(wanted: Filters) -> bool:
    return bool(wanted.resources or wanted.resource_types)


def originals(lake: Lake, wanted: Filters, *, limit: int = 50, newest_first: bool = True) -> Iterator[str]:
    """The exact text of each record that the filters let through, as it stood in its file."""
    with _reading(lake, wanted, newest_first=newest_first) as reading:
        check = _check(wanted)
        texts = (
            stored.text
            for chunk in _chunks(reading, wanted, limit or _LARGEST_CHUNK)
            for stored in chunk.records
            if check is None or check(object_of(stored.text))
        )
        yield from islice(texts, limit) if limit else texts


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
    check = _check(wanted)
    with _reading(lake, wanted, newest_first=True) as reading:
        narrowed = all_of([history_filters.where(reading.connection, wanted), condition])
        chunks = (chunk for window in reading.windows() for chunk in reading.chunks(window, narrowed, 1))
        for stored in chain.from_iterable(chunks):
            event = object_of(stored.text)
            if check is None or check(event):
                return entry(_placed(stored, reading.paths([stored.origin.source])), event)
    return None


def suggestions(lake: Lake, wanted: Filters) -> tuple[str, ...]:
    """Names in the lake that look like those asked for, when nothing was found; at most three for each."""
    with read(lake, ()) as reading:
        names = history_filters.distinct(reading.connection, "eventname") if wanted.event_names else ()
        callers = _callers(reading.connection) if wanted.users else ()
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
