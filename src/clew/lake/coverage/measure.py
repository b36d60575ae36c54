"""What the lake holds, counted: accounts, regions, hours, categories, buckets, interfaces, and its own gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from clew.events.times import of_epoch
from clew.lake.coverage.kinds import DATA_EVENTS
from clew.lake.coverage.remembered import answers
from clew.lake.history.conditions import all_of, among, at_times
from clew.lake.principals import CALLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.lake.coverage.remembered import Answers
    from clew.lake.reader import Lake

_HOUR: Final = timedelta(hours=1)
TRAIL_CHANGES: Final = (
    "StopLogging",
    "StartLogging",
    "DeleteTrail",
    "CreateTrail",
    "UpdateTrail",
    "PutEventSelectors",
    "PutInsightSelectors",
    "DeleteEventDataStore",
    "StopEventDataStoreIngestion",
    "DeleteFlowLogs",
    "PutBucketLogging",
)
"""Calls that change what is recorded."""

_SHOWN_QUARANTINE: Final = 50


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last record, and how many. Units: UTC."""

    first: datetime
    last: datetime
    records: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Whole hours without a record between hours with records; `hours` of them from `start` (UTC).

    No records: that logging was off, or simply that nobody called, looks the same. `account_active` says whether the
    account had records in other regions meanwhile.
    """

    start: datetime
    hours: int
    account_active: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The CloudTrail records of one account in one region."""

    account: str
    region: str
    span: Span
    hours_with_records: int
    gaps: tuple[Gap, ...]

    @property
    def hours(self) -> int:
        """Hours from the first to the last record, both counted."""
        return self.hours_with_records + sum(gap.hours for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Category:
    """CloudTrail records of one account in one category.

    Shape: `name` is `management`, `data`, `Insight` or `NetworkActivity`; `service` is the event source of data events,
    "" otherwise; `read_only` None where the records do not say.
    """

    account: str
    name: str
    service: str
    read_only: bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Watched:
    """A bucket or a network interface with the records about it."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class TrailChange:
    """A call that changed what is recorded, as the lake itself holds it."""

    time: datetime
    event_name: str
    who: str
    account: str
    region: str
    error_code: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a record in it, that could not be read."""

    path: str
    record_number: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the lake holds. Shape: places and categories are sorted; `unread` lists at most 50 of `unread_count`."""

    span: Span | None
    places: tuple[Place, ...]
    categories: tuple[Category, ...]
    data_buckets: tuple[Watched, ...]
    access_log_buckets: tuple[Watched, ...]
    flow_log_interfaces: tuple[Watched, ...]
    trail_changes: tuple[TrailChange, ...]
    unread: tuple[Unread, ...]
    unread_count: int

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts with CloudTrail records."""
        return tuple(sorted({place.account for place in self.places}))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions with CloudTrail records."""
        return tuple(sorted({place.region for place in self.places}))


def measure(lake: Lake, *, things: bool = True) -> Coverage:
    """Count what the lake holds; without `things`, buckets and interfaces are left out.

    A bucket's name stands in the requests' JSON: of a million events reading it takes as long as all the rest.
    """
    held = answers(lake)
    try:
        places = _places(held)
        unread, unread_count = _unread(held)
        return Coverage(
            span=_whole([place.span for place in places]),
            places=places,
            categories=_categories(held),
            data_buckets=_watched(held, _DATA_BUCKETS) if things else (),
            access_log_buckets=_watched(held, _LOGGED_BUCKETS) if things else (),
            flow_log_interfaces=_watched(held, _INTERFACES) if things else (),
            trail_changes=_trail_changes(held),
            unread=unread,
            unread_count=unread_count,
        )
    finally:
        held.close()


def _whole(spans: Sequence[Span]) -> Span | None:
    if not spans:
        return None
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    return Span(first, last, sum(span.records for span in spans))


def _span(first: int, last: int, records: int) -> Span:
    return Span(of_epoch(first), of_epoch(last), records)


_ARN_ACCOUNT: Final = "nullif(split_part(useridentity.arn, ':', 5), '')"
_ACCOUNT: Final = f"coalesce(recipientaccountid, useridentity.accountid, {_ARN_ACCOUNT}, 'unknown')"


def _is_data() -> str:
    """SQL: the record is a data event, also where it is too old to say so itself."""
    names = sorted(
        (f"{service}.amazonaws.com", name) for service, group in DATA_EVENTS.items() for name in group
    )
    listed = ", ".join(f"'{source}/{name}'" for source, name in names)
    # A CASE stops at the first answer, which is the category's in nearly every record.
    return (
        "CASE WHEN eventcategory IS NOT NULL THEN eventcategory = 'Data' WHEN managementevent = false THEN true "
        f"ELSE coalesce(eventsource || '/' || eventname IN ({listed}), false) END"
    )


# Only a record that names no account of its own is asked who called.
_CALLER: Final = (
    "CASE WHEN recipientaccountid IS NULL THEN "
    "{'arn': useridentity.arn, 'accountid': useridentity.accountid} END AS useridentity"
)


def _tallied(keys: str) -> str:
    """SQL: the records of each account and of these columns, with the first and last time (epoch microseconds).

    Grouped as the columns stand first: what is reckoned of a group need not be reckoned of each record.
    """
    return (
        f"(SELECT * REPLACE ({_ACCOUNT} AS account) FROM (SELECT '' AS account, recipientaccountid, {_CALLER}, {keys}, "
        "min(epoch_us(eventtime)) AS first, max(epoch_us(eventtime)) AS last, count(*) AS records "
        "FROM raw_cloudtrail GROUP BY ALL))"
    )


def _places(held: Answers) -> tuple[Place, ...]:
    hour = _HOUR // timedelta(microseconds=1)
    rows = held.rows(
        f"""
        SELECT account, coalesce(awsregion, 'unknown'), hour * {hour}, min(first), max(last), sum(records)::BIGINT
        FROM {_tallied(f"awsregion, epoch_us(eventtime) // {hour} AS hour")} GROUP BY ALL ORDER BY ALL
        """
    )
    hours: dict[tuple[str, str], list[datetime]] = {}
    spans: dict[tuple[str, str], list[Span]] = {}
    for account, region, hour, first, last, records in rows:
        hours.setdefault((account, region), []).append(of_epoch(hour))
        spans.setdefault((account, region), []).append(_span(first, last, records))
    active = _active_hours(hours)
    return tuple(
        Place(*key, span, len(seen), tuple(_gaps(seen, active[key[0]])))
        for key, seen in hours.items()
        if (span := _whole(spans[key])) is not None
    )


def _active_hours(hours: Mapping[tuple[str, str], list[datetime]]) -> Mapping[str, frozenset[datetime]]:
    accounts = {account for account, _ in hours}
    return {
        account: frozenset(hour for key, seen in hours.items() if key[0] == account for hour in seen)
        for account in accounts
    }


def _gaps(seen: Sequence[datetime], active: frozenset[datetime]) -> Iterator[Gap]:
    for before, after in pairwise(seen):
        missing = (after - before) // _HOUR - 1
        if missing > 0:
            start = before + _HOUR
            meanwhile = any(start + _HOUR * number in active for number in range(missing))
            yield Gap(start, missing, meanwhile)


def _categories(held: Answers) -> tuple[Category, ...]:
    rows = held.rows(
        f"""
        SELECT account,
            CASE WHEN is_data THEN 'data' ELSE coalesce(nullif(eventcategory, 'Management'), 'management') END,
            CASE WHEN is_data THEN coalesce(eventsource, '') ELSE '' END, readonly,
            min(first), max(last), sum(records)::BIGINT
        FROM {_tallied(f"{_is_data()} AS is_data, eventcategory, eventsource, readonly")} GROUP BY ALL ORDER BY ALL
        """
    )
    return tuple(Category(row[0], row[1], row[2], row[3], _span(*row[4:])) for row in rows)


_DATA_BUCKETS: Final = f"""
    SELECT json_extract_string(requestparameters, '$.bucketName') AS name, epoch_us(min(eventtime)),
        epoch_us(max(eventtime)), count(*)
    FROM raw_cloudtrail WHERE eventsource = 's3.amazonaws.com' AND {_is_data()} GROUP BY name ORDER BY name
"""
_LOGGED_BUCKETS: Final = """
    SELECT bucket_name, epoch_us(min(eventtime)), epoch_us(max(eventtime)), count(*)
    FROM raw_s3_access GROUP BY bucket_name ORDER BY bucket_name
"""
_INTERFACES: Final = """
    SELECT interface_id, epoch_us(min(eventtime)), epoch_us(max(eventtime)), count(*)
    FROM raw_vpc_flow GROUP BY interface_id ORDER BY interface_id
"""


def _watched(held: Answers, query: str) -> tuple[Watched, ...]:
    return tuple(Watched(row[0], _span(*row[1:])) for row in held.rows(query) if row[0])


def _trail_changes(held: Answers) -> tuple[TrailChange, ...]:
    is_change = among("eventname", TRAIL_CHANGES)
    # Times first: there are few, and who called stays unread everywhere else (1,000,000 events: 100 ms before, 30 ms).
    times = held.rows(
        f"SELECT DISTINCT epoch_us(eventtime) FROM raw_cloudtrail WHERE {is_change.sql}", is_change.parameters
    )
    if not times:
        return ()
    chosen = all_of([at_times([row[0] for row in times]), is_change])
    rows = held.rows(
        f"""
        SELECT epoch_us(eventtime), eventname, {CALLER}, {_ACCOUNT}, coalesce(awsregion, 'unknown'),
            coalesce(errorcode, ''), record_id
        FROM raw_cloudtrail WHERE {chosen.sql} ORDER BY eventtime, record_id
        """,
        chosen.parameters,
    )
    return tuple(TrailChange(of_epoch(row[0]), *row[1:]) for row in rows)


def _unread(held: Answers) -> tuple[tuple[Unread, ...], int]:
    count = held.rows("SELECT count(*) FROM raw_quarantine")[0][0]
    rows = held.rows(
        "SELECT path, record_number, reason FROM raw_quarantine ORDER BY path, record_number LIMIT ?",
        [_SHOWN_QUARANTINE],
    )
    return tuple(Unread(*row) for row in rows), int(count)
