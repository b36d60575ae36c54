"""Times on the command line: one spelling for lengths, ISO 8601 or a length ago for moments, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clew.cli.times import duration, moment
from clew.errors import UsageError

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["7", "d", "-1d", "1y", "7 d", "1e3s", "\u0667d", ""])
def test_a_wrong_length_of_time_is_refused(text: str) -> None:
    """A length of time is a number and a unit, nothing else."""
    with pytest.raises(UsageError, match="is not a length of time"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-07-10", datetime(2023, 7, 10, tzinfo=UTC)),
        ("2023-07-10T12:30", datetime(2023, 7, 10, 12, 30, tzinfo=UTC)),
        ("2023-07-10 12:30:05Z", datetime(2023, 7, 10, 12, 30, 5, tzinfo=UTC)),
        ("2023-07-10T12:30+02:00", datetime(2023, 7, 10, 10, 30, tzinfo=UTC)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(days=14)),
        ("0s", NOW),
    ],
)
def test_a_moment_is_iso_or_a_length_ago(text: str, expected: datetime) -> None:
    """A moment without an offset is UTC; a length of time is that long ago."""
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["tomorrow", "2023-13-01", "10/07/2023", "", "-7d"])
def test_a_wrong_moment_is_refused(text: str) -> None:
    """Anything else is refused with the spellings that are understood."""
    with pytest.raises(UsageError, match="is not a time; expected an ISO 8601"):
        moment(text, NOW)
