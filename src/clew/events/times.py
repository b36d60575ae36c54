"""Times in log records: read strictly, refused with a reason when they cannot be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from clew.events.limits import EARLIEST, LATEST_AHEAD
from clew.events.record import Reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|[ ]?UTC|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)
# Not from the calendar module: that one follows the locale.
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {month: number for number, month in enumerate(_MONTH_NAMES, 1)}
_LOG = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)


def of_epoch(microseconds: int) -> datetime:
    """The moment so many microseconds after the epoch, in UTC.

    >>> of_epoch(1_500_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(microseconds=microseconds)


def event_time(value: object, now: datetime) -> datetime | Reason:
    """The moment a record names, or the reason why it cannot be one.

    Units: UTC. Accepts ISO 8601 (CloudTrail), `2023-07-10 11:42:18.000` (Lake, Athena), `06/Feb/2019:00:00:38 +0000`
    (S3 server access logs) and epoch seconds (VPC flow logs).

    >>> now = datetime(2024, 1, 1, tzinfo=UTC)
    >>> event_time("2023-07-10T11:42:18Z", now)
    datetime.datetime(2023, 7, 10, 11, 42, 18, tzinfo=datetime.timezone.utc)
    >>> event_time("2031-01-01T00:00:00Z", now)
    <Reason.TIME_IN_FUTURE: 'time_in_future'>
    """
    if value is None or value in ("", "-"):
        return Reason.TIME_MISSING
    moment = parse_time(value)
    if moment is None:
        return Reason.TIME_UNPARSEABLE
    if moment < EARLIEST:
        return Reason.TIME_BEFORE_2013
    return Reason.TIME_IN_FUTURE if moment > now + LATEST_AHEAD else moment


def parse_time(value: object) -> datetime | None:
    """The moment in UTC that the value spells, or None when it spells none."""
    try:
        if isinstance(value, str):
            return _iso(value) or _access_log(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except (ValueError, OverflowError):
        return None
    return None


def _iso(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    zone = _zone(match[8], match[9], match[10])
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone).astimezone(UTC)


def _access_log(text: str) -> datetime | None:
    match = _LOG.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    zone = _zone(match[7], match[8], match[9])
    clock = (int(match[4]), int(match[5]), int(match[6]))
    return datetime(int(match[3]), _MONTHS[match[2]], int(match[1]), *clock, tzinfo=zone).astimezone(UTC)


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)
