"""Which keys of a bucket are wanted: prefix, glob, and the days of the layouts in which AWS delivers logs.

AWS: "Finding your CloudTrail log files" (`AWSLogs/[o-id/]account/CloudTrail/region/yyyy/mm/dd/`), "Flow log files"
(also `year=yyyy/month=mm/day=dd/`), "Amazon S3 server access log format" (`account/region/bucket/yyyy/mm/dd/`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase

from clew.errors import UsageError

# A folder's day is the day of delivery: events may arrive after midnight, never before they happened.
LATE_DAYS = 1
_GLOB = re.compile(r"[*?\[]")
# The folders before the day are part of the pattern: a user's own folder may be named like a year.
_DAY = r"(?:year=)?(20\d\d)/(?:(?:month=)?(\d\d)/(?:(?:day=)?(\d\d)/)?)?"
_DELIVERED = re.compile(rf"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?(?:[^/]+/){{3}}{_DAY}")
_PARTITIONED_ACCESS_LOG = re.compile(rf"(?:^|/|[^0-9])\d{{12}}/[a-z]{{2}}(?:-[a-z]+)+-\d/[^/]+/{_DAY}")
_ACCESS_LOG = re.compile(r"(?:^|[^0-9])(20\d\d)-(\d\d)-(\d\d)-\d\d-\d\d-\d\d-[0-9A-F]{8,}$")
_DIGEST = re.compile(r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?\d{12}/CloudTrail-Digest/")


@dataclass(frozen=True, slots=True)
class Location:
    """A place in S3: bucket, literal prefix to list, and the glob that whole keys must fit (or None)."""

    bucket: str
    prefix: str
    pattern: str | None = None

    @property
    def uri(self) -> str:
        """The location as the user wrote it."""
        return f"s3://{self.bucket}/{self.pattern or self.prefix}"

    def wants(self, key: str) -> bool:
        """Whether this key is at the location: under the prefix, or fitting the glob or under a folder that does."""
        return key.startswith(self.prefix) and self._fits(key.split("/"), complete=True)

    def may_hold(self, folder: str) -> bool:
        """Whether a key under this folder (`a/b/`) could be wanted."""
        if not folder.startswith(self.prefix[: len(folder)]):
            return False
        return self._fits(folder.rstrip("/").split("/"), complete=False)

    def _fits(self, parts: list[str], *, complete: bool) -> bool:
        if self.pattern is None:
            return True
        wanted = self.pattern.rstrip("/").split("/")
        return _matches(parts, wanted, complete=complete)


def _matches(parts: list[str], wanted: list[str], *, complete: bool) -> bool:
    """Segment by segment; `**` stands for any number of folders; what lies under a match is matched too."""
    if not wanted:
        return True
    if not parts:
        return not complete
    if wanted[0] == "**":
        return any(_matches(parts[n:], wanted[1:], complete=complete) for n in range(len(parts) + 1))
    return fnmatchcase(parts[0], wanted[0]) and _matches(parts[1:], wanted[1:], complete=complete)


def parse(uri: str) -> Location:
    """The location that an `s3://bucket/prefix` names; UsageError when it names no bucket.

    >>> parse("s3://trail/AWSLogs/*/CloudTrail/us-*")
    Location(bucket='trail', prefix='AWSLogs/', pattern='AWSLogs/*/CloudTrail/us-*')
    """
    if not uri.startswith("s3://"):
        raise UsageError(f"`{uri}`: expected s3://bucket/prefix")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or _GLOB.search(bucket):
        raise UsageError(f"`{uri}`: expected one bucket name after s3://, without `*`")
    glob = _GLOB.search(key)
    return Location(bucket, key[: glob.start()], key) if glob else Location(bucket, key)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from which events are wanted, both ends included; None leaves an end open. Units: UTC days."""

    since: date | None = None
    until: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether every day is wanted."""
        return self.since is None and self.until is None

    def meets(self, first: date, last: date) -> bool:
        """Whether files delivered from `first` to `last` can hold wanted events."""
        too_early = self.since is not None and last < self.since
        too_late = self.until is not None and first > self.until + timedelta(days=LATE_DAYS)
        return not (too_early or too_late)

    def holds(self, first: date, last: date) -> bool:
        """Whether every file delivered from `first` to `last` can hold wanted events."""
        return self.meets(first, first) and self.meets(last, last)


def period(since: datetime | None, until: datetime | None) -> Period:
    """The period between two moments."""
    return Period(since and since.astimezone(UTC).date(), until and until.astimezone(UTC).date())


def delivery_days(key_or_folder: str) -> tuple[date, date] | None:
    """First and last day on which files at this key or folder were delivered, None when the path does not say.

    >>> delivery_days("AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/")
    (datetime.date(2023, 7, 1), datetime.date(2023, 7, 31))
    """
    found = (
        _DELIVERED.search(key_or_folder)
        or _PARTITIONED_ACCESS_LOG.search(key_or_folder)
        or _ACCESS_LOG.search(key_or_folder)
    )
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None  # noqa: S101 - the pattern's first group is not optional
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if day is not None:
        return first, first
    following = date(year + (month is None or month == 12), 1 if month is None else month % 12 + 1, 1)  # noqa: PLR2004 - December
    return first, following - timedelta(days=1)


def is_digest(key: str) -> bool:
    """Whether the key is a CloudTrail digest (proof of integrity, not events).

    >>> is_digest("x/AWSLogs/o-a1b2/111122223333/CloudTrail-Digest/us-east-1/2023/07/10/f.json.gz")
    True
    """
    return _DIGEST.search(key) is not None
