"""Times as people give them on the command line: a length such as `12h`, a moment such as `2023-07-10` or `7d` ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from clew.errors import UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """The length of time that a text like `12h` names; UsageError for anything else.

    >>> duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None:
        raise UsageError(
            f"`{text}` is not a length of time; expected a number and s, m, h, d or w, such as 7d"
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str, now: datetime) -> datetime:
    """The moment that an ISO 8601 date or time (UTC unless it says otherwise), a word or a length of time ago names.

    The words are `now`, `today` and `yesterday` (their first moment, UTC).

    >>> moment("2023-07-10", now=datetime(2024, 1, 1, tzinfo=UTC)).isoformat()
    '2023-07-10T00:00:00+00:00'
    >>> moment("2d", now=datetime(2024, 1, 3, tzinfo=UTC)).isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    word = text.strip().lower()
    if word in _DAYS_AGO:
        return _midnight(now) - timedelta(days=_DAYS_AGO[word])
    try:
        if word == "now" or re.fullmatch(r"[0-9]{1,6}[smhdw]", word):
            return now - (timedelta(0) if word == "now" else duration(word))
        found = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"`{text}` is not a time; expected an ISO 8601 date or time such as 2023-07-10 or 2023-07-10T12:00Z, "
            "`today`, `yesterday`, or a length of time ago such as 7d"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def end(text: str, now: datetime) -> datetime:
    """The moment before which something lies; a whole day (`2023-07-10`, `today`) is included to its end.

    >>> end("2023-07-10", now=datetime(2024, 1, 1, tzinfo=UTC)).isoformat()
    '2023-07-11T00:00:00+00:00'
    >>> end("2023-07-10T12:00Z", now=datetime(2024, 1, 1, tzinfo=UTC)).isoformat()
    '2023-07-10T12:00:00+00:00'
    """
    found = moment(text, now)
    is_day = text.strip().lower() in _DAYS_AGO or re.fullmatch(r"\d{4}-?\d\d-?\d\d", text.strip())
    return found + timedelta(days=1) if is_day else found


_DAYS_AGO = {"today": 0, "yesterday": 1}


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
