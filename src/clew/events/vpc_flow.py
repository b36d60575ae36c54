"""VPC flow logs: default and custom formats, every version, files and CloudWatch Logs.

AWS: "Flow log records", available fields. A file in S3 begins with a header line that names its fields; without one the
records must have the default format. Columns are AWS's names with `_` for `-`; `start` and `end` are `start_time` and
`end_time`, because SQL reserves `end`. A `-` is None. Fields that AWS adds later are kept in `extra`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.events.json_walk import Refused, Value
from clew.events.log_lines import lines, malformed, rejected
from clew.events.record import Reason, Record, Rejected, excerpt, printable
from clew.events.text import is_damaged, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIELDS_BY_VERSION: Final = {
    2: "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status",
    3: "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr",
    4: "region az-id sublocation-type sublocation-id",
    5: "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path",
    7: "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
    "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id",
    8: "reject-reason",
    9: "resource-id",
    10: "encryption-status",
}
"""AWS's fields by the version that brought them (6 belongs to transit gateway flow logs)."""

DEFAULT_FIELDS: Final = tuple(FIELDS_BY_VERSION[2].split())
FIELDS: Final = tuple(field for names in FIELDS_BY_VERSION.values() for field in names.split())
NUMBERS: Final = frozenset(
    {
        "version",
        "srcport",
        "dstport",
        "protocol",
        "packets",
        "bytes",
        "start",
        "end",
        "tcp-flags",
        "traffic-path",
    }
    | {"encryption-status"}
)
"""Fields that are integers; the others are text."""

_RENAMED: Final = {"start": "start_time", "end": "end_time"}
_MAX_DIGITS: Final = 18


def column(field: str) -> str:
    """The lake's column for an AWS field, in text (`az-id`) and Parquet (`az_id`) spelling alike.

    >>> column("pkt-srcaddr"), column("start"), column("az_id")
    ('pkt_srcaddr', 'start_time', 'az_id')
    """
    return _RENAMED.get(field, field.replace("-", "_"))


COLUMNS: Final = tuple(column(field) for field in FIELDS)
"""Every documented column, in the order of AWS's table; `extra` (field → value) follows."""

INTEGER_COLUMNS: Final = frozenset(column(field) for field in NUMBERS)
_BY_COLUMN: Final = {column(field): field for field in FIELDS}


def decode(data: bytes) -> Iterator[Record | Rejected]:
    """Every flow log record in the bytes of an unpacked source file, and every refusal, numbered in file order.

    The header line has no number: it is no record.
    """
    text = read_text(data)
    if isinstance(text, Rejected):
        yield text
        return
    header: tuple[str, ...] = ()
    number = 0
    for line in lines(text):
        if isinstance(line, str) and is_header(line):
            header = tuple(printable(line).split())
            continue
        yield _decoded(line, header, number)
        number += 1


def is_header(line: str) -> bool:
    """Whether the line names fields instead of giving values.

    >>> is_header("version account-id vpc-id"), is_header("2 111122223333 eni-1")
    (True, False)
    """
    names = line.split()
    known = sum(column(name) in _BY_COLUMN for name in names)
    return (
        known > 0 and known * 2 >= len(names) and not any(name.isdecimal() or name == "-" for name in names)
    )


def _decoded(line: str | Value | Refused, header: Sequence[str], number: int) -> Record | Rejected:
    if isinstance(line, Refused):
        return rejected(line, number)
    if isinstance(line, Value):
        return Rejected(
            number, Reason.NOT_AN_EVENT, "a JSON value; expected a flow log line", excerpt(line.text)
        )
    if is_damaged(line):
        return Rejected(number, Reason.WRONG_ENCODING, "holds bytes that are not UTF-8", excerpt(line))
    fields = parse_line(line, header)
    return (
        malformed(number, fields, line)
        if isinstance(fields, str)
        else Record("vpc_flow", fields, line, number)
    )


def parse_line(line: str, header: Sequence[str] = ()) -> dict[str, object] | str:
    """The columns of a line under a header (none: the default format), or what is wrong with it.

    >>> row = parse_line("2 111122223333 eni-1 - - - - - - - 1431280876 1431280934 - NODATA")
    >>> row["start_time"], row["srcaddr"], row["log_status"]
    (1431280876, None, 'NODATA')
    """
    values = line.split()
    names = header or DEFAULT_FIELDS
    if len(values) != len(names):
        what = "the header names" if header else "without a header line the default format has"
        return f"{len(values)} fields; {what} {len(names)}"
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    extra: dict[str, str] = {}
    for name, value in zip(names, values, strict=True):
        field = _BY_COLUMN.get(column(name))
        if field is None:
            extra[name] = value
        elif value != "-":
            typed = _typed(field, value)
            if typed is None:
                return f"`{name}` is `{value[:40]}`; expected a number"
            row[column(field)] = typed
    return row | {"extra": extra}


def _typed(field: str, value: str) -> int | str | None:
    if field not in NUMBERS:
        return value
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS else None


def looks_like(line: str) -> bool:
    """Whether the line is a header of flow logs, or gives values that only a flow log gives.

    >>> looks_like("2 111122223333 eni-1 - - - - - - - 1431280876 1431280934 - NODATA"), looks_like("hello world")
    (True, False)
    """
    if is_header(line):
        return True
    values = line.split()
    return values[:1] != [] and values[0].isdecimal() and not _TELLING.isdisjoint(values)


_TELLING: Final = frozenset({"ACCEPT", "REJECT", "NODATA", "SKIPDATA"})
