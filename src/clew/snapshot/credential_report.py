"""The IAM credential report: the CSV file, or the JSON that `aws iam get-credential-report` prints, as values.

Columns are found by their names, so reports older and newer than this reader are read alike. What the report does not
say is a `Gap`, never false and never "never": the reader of a gap decides what it means.

Source: IAM user guide, "Getting credential reports for your AWS account".
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.credential_table import Line, Table, printed_by_cli, table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "<root_account>"
"""The name under which the report lists the root user."""

COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
    "access_key_1_last_used_region", "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
    "access_key_2_last_used_region", "access_key_2_last_used_service",
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
    "additional_credentials_info",
)  # fmt: skip
"""Every column that AWS documents, in its order."""

_NEEDED = ("user", "arn")
# Reports came without it until lately.
_MAY_BE_MISSING = frozenset({"additional_credentials_info"})
_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):(root|user/.+)", re.DOTALL)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class Gap(Enum):
    """What stands where there is no value."""

    NOT_APPLICABLE = "N/A"
    NO_INFORMATION = "no_information"
    NOT_SUPPORTED = "not_supported"
    NOT_SAID = "not said"
    UNREADABLE = "unreadable"


Time = datetime | Gap
Flag = bool | Gap
Text = str | Gap

_GAPS = {
    "n/a": Gap.NOT_APPLICABLE,
    "no_information": Gap.NO_INFORMATION,
    "not_supported": Gap.NOT_SUPPORTED,
    "": Gap.NOT_SAID,
}


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One of the two access keys of a row; `last_rotated` is when it was made or its status changed last."""

    number: int
    active: Flag
    last_rotated: Time
    last_used: Time
    last_used_region: Text
    last_used_service: Text


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of the two signing certificates of a row."""

    number: int
    active: Flag
    last_rotated: Time


@dataclass(frozen=True, slots=True)
class Credentials:
    """One row: the root user or an IAM user, with every credential that the report knows.

    Units: times are UTC. `line` is the line of the CSV, from 1. `other` holds columns that Clew does not know.
    """

    user: str
    arn: str
    line: int
    user_creation_time: Time
    password_enabled: Flag
    password_last_used: Time
    password_last_changed: Time
    password_next_rotation: Time
    mfa_active: Flag
    access_keys: tuple[AccessKey, AccessKey]
    certificates: tuple[Certificate, Certificate]
    additional_credentials_info: Text = Gap.NOT_SAID
    other: tuple[tuple[str, str], ...] = ()

    @property
    def is_root(self) -> bool:
        """Whether this is the row of the root user."""
        return self.user == ROOT

    @property
    def has_further_credentials(self) -> bool:
        """Whether AWS says that there are credentials for which the report has no columns."""
        said = self.additional_credentials_info
        return not isinstance(said, Gap) and said.lower() not in {"0", "none", "false"}

    @property
    def times(self) -> tuple[datetime, ...]:
        """Every moment in the past that the row names."""
        keys = chain.from_iterable((key.last_rotated, key.last_used) for key in self.access_keys)
        certificates = (certificate.last_rotated for certificate in self.certificates)
        own = (self.user_creation_time, self.password_last_used, self.password_last_changed)
        return tuple(time for time in (*own, *keys, *certificates) if isinstance(time, datetime))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that cannot be read: whoever it is about, nothing is known of them."""

    line: int
    user: str
    reason: str


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """A credential report as read.

    `generated_at` (UTC) is None for a CSV, which does not say it; `is_undated` where nobody else does either.
    `problems` name, located, what could not be read; `notes` what differs from a report as AWS writes it, without harm.
    """

    source: str
    account: str
    rows: tuple[Credentials, ...]
    damaged: tuple[Damaged, ...] = ()
    generated_at: datetime | None = None
    is_undated: bool = False
    columns: tuple[str, ...] = COLUMNS
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def root(self) -> Credentials | None:
        """The row of the root user; None where the report has none."""
        return next((row for row in self.rows if row.is_root), None)

    @property
    def users(self) -> tuple[Credentials, ...]:
        """The rows of IAM users, in the order of the report."""
        return tuple(row for row in self.rows if not row.is_root)

    @property
    def newest_time(self) -> datetime | None:
        """The newest moment that the report names: it was not made before."""
        return max(chain.from_iterable(row.times for row in self.rows), default=None)


def read(content: bytes, source: str = "credential report") -> CredentialReport:
    """The report that a CSV file, or the JSON answer of `GetCredentialReport`, holds.

    Errors: `InputError`, located, for what is no credential report, has a column twice, mixes accounts, or is damaged
    so that its rows cannot be told apart. A row that is damaged by itself stands under `damaged`.
    """
    inner, generated_at = printed_by_cli(content, source)
    found = table(inner, source)
    _check_columns(found)
    reading = _Reading(found)
    rows = tuple(row for line in found.lines if (row := reading.row(line)) is not None)
    if not rows and not reading.damaged:
        raise InputError(f"{source}: a header and no rows; a credential report lists at least the root user")
    return CredentialReport(
        source=source,
        account=_account(rows, source),
        rows=rows,
        damaged=tuple(reading.damaged),
        generated_at=generated_at,
        columns=found.columns,
        problems=tuple(reading.problems),
        notes=tuple(chain(found.notes, _column_notes(found.columns), _row_notes(rows, source))),
    )


def _check_columns(found: Table) -> None:
    place = f"{found.source}:{found.header_line}"
    missing = [name for name in _NEEDED if name not in found.columns]
    if missing:
        raise InputError(
            f"{place}: no column `{missing[0]}`; expected the credential report as AWS writes it"
        )
    twice = [name for name, count in Counter(found.columns).items() if count > 1]
    if twice:
        raise InputError(f"{place}: column `{twice[0][:80]}` stands there more than once")


def _column_notes(columns: tuple[str, ...]) -> Iterator[str]:
    missing = [name for name in COLUMNS if name not in columns and name not in _MAY_BE_MISSING]
    extra = [name for name in columns if name not in COLUMNS]
    if missing:
        yield f"no column {_listed(missing)}: what depends on it is unknown"
    if extra:
        yield f"further columns, not judged: {_listed(extra)}"


def _row_notes(rows: tuple[Credentials, ...], source: str) -> Iterator[str]:
    if not any(row.is_root for row in rows):
        yield f"no row `{ROOT}`: what it would say about the root user is unknown"
    for arn, count in Counter(row.arn for row in rows).items():
        if count > 1:
            lines = ", ".join(str(row.line) for row in rows if row.arn == arn)
            yield f"{source}: `{arn[:200]}` stands there {count} times, on lines {lines}; each is judged"
    others = [row.user for row in rows if row.has_further_credentials]
    if others:
        yield f"further credentials than the report lists, of {_listed(others)}: see `additional_credentials_info`"


def _account(rows: tuple[Credentials, ...], source: str) -> str:
    accounts = {_account_of(row.arn): row.line for row in reversed(rows)}
    if len(accounts) > 1:
        (first, _), (other, line) = sorted(accounts.items(), key=lambda item: item[1])[:2]
        raise InputError(
            f"{source}:{line}: account `{other}` in a report of `{first}`; give one report at a time"
        )
    return next(iter(accounts), "")


def _account_of(arn: str) -> str:
    found = _ARN.fullmatch(arn)
    return found[2] if found else ""


def _listed(names: list[str], most: int = 10) -> str:
    shown = ", ".join(f"`{name[:80]}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


class _Reading:
    """The rows of one report while they are read, with what was wrong."""

    def __init__(self, found: Table) -> None:
        self._table = found
        self._known = frozenset(COLUMNS)
        self.problems: list[str] = []
        self.damaged: list[Damaged] = []

    def row(self, line: Line) -> Credentials | None:
        """The credentials of one line; None, and a note of the damage, where it cannot be read."""
        reason = self._damage(line)
        cells = dict(zip(self._table.columns, line.cells, strict=False))
        if reason:
            self.damaged.append(Damaged(line.number, cells.get("user", "")[:200], reason))
            self.problems.append(f"{self._table.source}:{line.number}: {reason}")
            return None
        return self._credentials(cells, line.number)

    def _damage(self, line: Line) -> str:
        expected, found = len(self._table.columns), len(line.cells)
        if found != expected:
            return f"{found} fields where the header has {expected}"
        cells = dict(zip(self._table.columns, line.cells, strict=True))
        arn = _ARN.fullmatch(cells["arn"])
        if arn is None:
            return f"`{cells['arn'][:200]}` is no ARN of a user or of the root user"
        named = ROOT if arn[3] == "root" else arn[3].rpartition("/")[2]
        if cells["user"] and cells["user"] != named:
            return f"user `{cells['user'][:80]}` with the ARN `{cells['arn'][:200]}`"
        if not cells["user"]:
            return "no user name"
        return ""

    def _credentials(self, cells: dict[str, str], line: int) -> Credentials:
        first, second = (self._key(cells, line, number) for number in (1, 2))
        return Credentials(
            user=cells["user"],
            arn=cells["arn"],
            line=line,
            user_creation_time=self._time(cells, line, "user_creation_time"),
            password_enabled=self._flag(cells, line, "password_enabled"),
            password_last_used=self._time(cells, line, "password_last_used"),
            password_last_changed=self._time(cells, line, "password_last_changed"),
            password_next_rotation=self._time(cells, line, "password_next_rotation"),
            mfa_active=self._flag(cells, line, "mfa_active"),
            access_keys=(first, second),
            certificates=(self._certificate(cells, line, 1), self._certificate(cells, line, 2)),
            additional_credentials_info=_text(cells, "additional_credentials_info"),
            other=tuple((name, value) for name, value in cells.items() if name not in self._known),
        )

    def _key(self, cells: dict[str, str], line: int, number: int) -> AccessKey:
        key = f"access_key_{number}"
        return AccessKey(
            number,
            self._flag(cells, line, f"{key}_active"),
            self._time(cells, line, f"{key}_last_rotated"),
            self._time(cells, line, f"{key}_last_used_date"),
            _text(cells, f"{key}_last_used_region"),
            _text(cells, f"{key}_last_used_service"),
        )

    def _certificate(self, cells: dict[str, str], line: int, number: int) -> Certificate:
        name = f"cert_{number}"
        active = self._flag(cells, line, f"{name}_active")
        return Certificate(number, active, self._time(cells, line, f"{name}_last_rotated"))

    def _time(self, cells: dict[str, str], line: int, name: str) -> Time:
        text = _text(cells, name)
        if isinstance(text, Gap):
            return text
        found = _moment(text)
        if found is None:
            return self._unreadable(line, name, text, "a time as AWS writes it, 2026-03-11T02:11:04Z")
        return found

    def _flag(self, cells: dict[str, str], line: int, name: str) -> Flag:
        text = _text(cells, name)
        if isinstance(text, Gap):
            return text
        # AWS documents upper case and writes lower case.
        found = {"true": True, "false": False}.get(text.lower())
        return self._unreadable(line, name, text, "true or false") if found is None else found

    def _unreadable(self, line: int, name: str, text: str, expected: str) -> Gap:
        self.problems.append(
            f"{self._table.source}:{line}: `{name}` is `{text[:80]}`; expected {expected}, or N/A"
        )
        return Gap.UNREADABLE


def _text(cells: dict[str, str], name: str) -> Text:
    value = cells.get(name, "").strip()
    return _GAPS.get(value.lower(), value)


def _moment(text: str) -> datetime | None:
    """The moment in UTC, which a time without a zone is in; None for what is no time in ISO 8601."""
    if not _TIME.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
