"""S3 server access logs: text lines of every generation, and the JSON form delivered through CloudWatch Logs.

AWS: "Amazon S3 server access log format" and "Log format in CloudWatch Logs". Fields were only ever added at the end,
so a short line is an older one: its missing columns are None. A `-` stays as it is in text columns (as in Athena) and
is None in numbers. The three quoted fields lose their quotes. Fields that a later generation adds are kept in `extra`.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from clew.events.json_walk import Refused, Value
from clew.events.log_lines import lines, malformed, rejected
from clew.events.record import Reason, Record, Rejected, excerpt
from clew.events.text import is_damaged, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEAD_COLUMNS: Final = (
    "bucketowner", "bucket_name", "requestdatetime", "remoteip", "requester", "requestid", "operation", "key",
)  # fmt: skip
MIDDLE_COLUMNS: Final = (
    "httpstatus", "errorcode", "bytessent", "objectsize", "totaltime", "turnaroundtime",
)  # fmt: skip
TAIL_COLUMNS: Final = (
    "versionid", "hostid", "sigv", "ciphersuite", "authtype", "endpoint", "tlsversion", "accesspointarn",
    "aclrequired", "sourceregion",
)  # fmt: skip
COLUMNS: Final = (*HEAD_COLUMNS, "request_uri", *MIDDLE_COLUMNS, "referrer", "useragent", *TAIL_COLUMNS)
"""Every documented column in the order of the line; `extra` (a tuple of further fields) follows."""

NUMBERS: Final = frozenset({"bytessent", "objectsize", "totaltime", "turnaroundtime"})

_HEAD = re.compile(r"(\S+) (\S+) \[([^\]]*)\] (\S+) (\S+) (\S+) (\S+) (\S+) ")
# The request line may hold quotes of its own: it ends where status, error code and four numbers follow.
_URI_END = re.compile(r'"? (\d{3}|-) (\S+) (\d+|-) (\d+|-) (\d+|-) (\d+|-)(?: |$)')
_STATUS = re.compile(r"\d{3}|-")

# The JSON form's names, without underscores (AWS gives the first eleven and `key_name`; the rest follow its pattern).
_STRUCTURED: Final = {
    "bucketownerid": "bucketowner", "bucketowner": "bucketowner", "bucketname": "bucket_name", "bucket": "bucket_name",
    "requesttime": "requestdatetime", "time": "requestdatetime", "remoteip": "remoteip", "requester": "requester",
    "requestid": "requestid", "operation": "operation", "keyname": "key", "key": "key", "requesturi": "request_uri",
    "httpstatus": "httpstatus", "httpstatuscode": "httpstatus", "errorcode": "errorcode", "bytessent": "bytessent",
    "objectsize": "objectsize", "totaltime": "totaltime", "totaltimems": "totaltime",
    "turnaroundtime": "turnaroundtime", "turnaroundtimems": "turnaroundtime", "referer": "referrer",
    "referrer": "referrer", "useragent": "useragent", "versionid": "versionid", "hostid": "hostid",
    "signatureversion": "sigv", "sigv": "sigv", "ciphersuite": "ciphersuite", "authenticationtype": "authtype",
    "authtype": "authtype", "hostheader": "endpoint", "endpoint": "endpoint", "tlsversion": "tlsversion",
    "accesspointarn": "accesspointarn", "aclrequired": "aclrequired", "sourceregion": "sourceregion",
}  # fmt: skip


def decode(data: bytes) -> Iterator[Record | Rejected]:
    """Every access log record in the bytes of an unpacked source file, and every refusal, numbered in file order."""
    text = read_text(data)
    if isinstance(text, Rejected):
        yield text
        return
    for number, line in enumerate(lines(text)):
        yield _decoded(line, number)


def _decoded(line: str | Value | Refused, number: int) -> Record | Rejected:
    if isinstance(line, Refused):
        return rejected(line, number)
    if isinstance(line, Value):
        return _structured(line, number)
    if is_damaged(line):
        return Rejected(number, Reason.WRONG_ENCODING, "holds bytes that are not UTF-8", excerpt(line))
    fields = parse_line(line)
    return (
        malformed(number, fields, line)
        if isinstance(fields, str)
        else Record("s3_access", fields, line, number)
    )


def parse_line(line: str) -> dict[str, object] | str:
    """The columns of a line, or what is wrong with it."""
    head = _HEAD.match(line)
    if head is None:
        return "does not begin with owner, bucket, [time], address, requester, request id, operation and key"
    middle = _URI_END.search(line, head.end())
    if middle is None:
        return "no request line followed by status, error code and four numbers"
    uri = line[head.end() : middle.start()]
    row: dict[str, object] = dict(zip(HEAD_COLUMNS, head.groups(), strict=True))
    row["request_uri"] = uri.removeprefix('"')
    row |= zip(MIDDLE_COLUMNS, middle.groups(), strict=True)
    referrer, agent, tail = _quoted_pair(line[middle.end() :])
    return _typed(row | {"referrer": referrer, "useragent": agent}, tail)


def _quoted_pair(rest: str) -> tuple[str | None, str | None, list[str]]:
    """Referrer, user agent and the fields after them. No later field holds a quote: the last one closes the agent."""
    referrer, rest = _first_quoted(rest)
    if not rest.startswith('"'):
        agent, _, tail = rest.partition(" ")
        return referrer, agent or None, tail.split()
    close = rest.rfind('"')
    if close == 0:
        return referrer, rest[1:], []
    return referrer, rest[1:close], rest[close + 1 :].split()


def _first_quoted(rest: str) -> tuple[str | None, str]:
    if not rest.startswith('"'):
        first, _, after = rest.partition(" ")
        return first or None, after
    close = min((at for at in (rest.find('" "'), rest.find('" -')) if at > 0), default=rest.find('"', 1))
    return (rest[1:close], rest[close + 2 :]) if close > 0 else (rest[1:], "")


def _typed(row: dict[str, object], tail: list[str]) -> dict[str, object]:
    row |= {column: tail[i] if i < len(tail) else None for i, column in enumerate(TAIL_COLUMNS)}
    row |= {column: _integer(row[column]) for column in NUMBERS}
    row["extra"] = tuple(tail[len(TAIL_COLUMNS) :])
    return row


def _integer(value: object) -> int | None:
    if isinstance(value, int):
        return value
    # More digits than any size or time has would overflow the lake's 64-bit column.
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= _MAX_DIGITS else None


_MAX_DIGITS: Final = 18


def is_structured(value: Mapping[str, object]) -> bool:
    """Whether a JSON object is an access log record.

    >>> is_structured({"bucket_name": "b", "operation": "REST.GET.OBJECT", "request_id": "R"})
    True
    """
    names = {key.replace("_", "").lower() for key in value}
    return bool(names & {"bucketname", "bucketarn", "bucket"}) and bool(names & {"requesturi", "operation"})


def _structured(piece: Value, number: int) -> Record | Rejected:
    if not isinstance(piece.value, dict) or not is_structured(piece.value):
        return Rejected(number, Reason.NOT_AN_EVENT, "no server access log record", excerpt(piece.text))
    return Record("s3_access", from_structured(piece.value), piece.text, number)


def from_structured(record: Mapping[str, object]) -> dict[str, object]:
    """The columns of a record in the structured form, from JSON or from a Parquet row; unknown fields in `extra`."""
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    extra: list[str] = []
    for name, value in record.items():
        column = _STRUCTURED.get(name.replace("_", "").lower())
        if column is None:
            extra.append(f"{name}={_text(value)}")
        else:
            row[column] = _integer(value) if column in NUMBERS else _text(value)
    return row | {"extra": tuple(extra)}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)


def looks_like(line: str) -> bool:
    """Whether the line begins like an access log record.

    >>> looks_like("79a5 bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57 REST.GET.ACL - -"), looks_like("2 1 eni")
    (True, False)
    """
    return _HEAD.match(line) is not None
