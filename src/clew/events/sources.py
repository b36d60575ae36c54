"""The sources that Clew reads, in one table: how each is told, how it is decoded, where its time stands."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.events import cloudtrail, s3_access, vpc_flow
from clew.events.cloudtrail_lake import is_csv
from clew.events.json_text import Damage, decode_at, skip_space
from clew.events.json_walk import Value, leading_members, walk
from clew.events.record import Reason, Record, Rejected, excerpt
from clew.events.text import read_text
from clew.events.times import event_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

UNKNOWN: Final = "unknown"
"""The kind of a file that no source recognises."""

_SNIFFED_BYTES: Final = 65_536
# One damaged line at the beginning must not hide what a file is.
_SNIFFED_LINES: Final = 10
_ENVELOPE = re.compile(r'"(?:logEvents|events)"\s*:\s*\[')
_MESSAGE = re.compile(r'"message"\s*:\s*(?=")')


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of log: `sniff` answers from the first lines, or the first JSON object; `decode` reads a whole file.

    Shape: `time_field` names the field of a record that holds its time, empty where a kind has none.
    """

    kind: str
    sniff: Callable[[First], bool]
    decode: Callable[[bytes], Iterator[Record | Rejected]]
    time_field: str


@dataclass(frozen=True, slots=True)
class First:
    """How a file begins: its first lines, and its first JSON object (empty where it begins with none)."""

    lines: tuple[str, ...]
    value: Mapping[str, object]


def _is_json(first: First) -> bool:
    return first.lines[0].startswith(("{", "[", '"')) or is_csv(first.lines[0] + "\n")


def _is_s3_access(first: First) -> bool:
    return s3_access.is_structured(first.value) or any(map(s3_access.looks_like, first.lines))


def _is_vpc_flow(first: First) -> bool:
    return any(map(vpc_flow.looks_like, first.lines))


# The first whose `sniff` says yes counts; CloudTrail takes all other JSON, so that its refusals say what it is.
SOURCES: Final[dict[str, Source]] = {
    source.kind: source
    for source in (
        Source("digest", lambda first: cloudtrail.is_digest(first.value), cloudtrail.decode, ""),
        Source("s3_access", _is_s3_access, s3_access.decode, "requestdatetime"),
        Source("vpc_flow", _is_vpc_flow, vpc_flow.decode, "start_time"),
        Source("cloudtrail", _is_json, cloudtrail.decode, "eventTime"),
    )
}


def kind_of(data: bytes) -> str:
    r"""The kind of the source file with these unpacked bytes, or `unknown`.

    >>> kind_of(b'{"Records": []}'), kind_of(b"version account-id\n2 111122223333"), kind_of(b"<html>")
    ('cloudtrail', 'vpc_flow', 'unknown')
    """
    head = data if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else data[:_SNIFFED_BYTES]
    text = read_text(head)
    if isinstance(text, Rejected):
        return UNKNOWN
    return _kind(_first(text))


def _kind(first: First) -> str:
    return next((kind for kind, source in SOURCES.items() if source.sniff(first)), UNKNOWN)


def decode(data: bytes) -> Iterator[Record | Rejected]:
    """Every record in the bytes of an unpacked source file of any kind, and every refusal, numbered in file order."""
    source = SOURCES.get(kind_of(data))
    if source is not None:
        yield from source.decode(data)
        return
    text = read_text(data)
    if isinstance(text, Rejected):
        yield text
    else:
        detail = "neither JSON nor lines of an S3 server access log or a VPC flow log"
        yield Rejected(None, Reason.UNKNOWN_FORMAT, detail, excerpt(text.lstrip()))


def record_time(record: Record, now: datetime) -> datetime | Rejected:
    """The moment of a record in UTC, or its refusal when it names none that can be."""
    field = SOURCES[record.kind].time_field
    is_event = record.kind == "cloudtrail"
    value = cloudtrail.time_of(record.fields) if is_event else record.fields.get(field)
    moment = event_time(value, now)
    if isinstance(moment, Reason):
        return Rejected(record.number, moment, f"`{field}` is `{excerpt(str(value))}`", excerpt(record.text))
    return moment


def _first(text: str) -> First:
    start = skip_space(text, 0)
    if not text.startswith(("{", "["), start):
        lines = text[start:].split("\n", _SNIFFED_LINES)[:_SNIFFED_LINES]
        return First(tuple(line.rstrip("\r") for line in lines), {})
    message = _first_message(text, start)
    if message is not None and _kind(inner := _first(message)) != UNKNOWN:
        return inner
    opening = (text[start],)
    piece = next(walk(text[start:]), None)
    if isinstance(piece, Value) and isinstance(piece.value, dict):
        return First(opening, piece.value)
    # The object may reach beyond what is looked at, as a digest of a busy hour does.
    return First(opening, leading_members(text[start:]) if opening == ("{",) else {})


def _first_message(text: str, start: int) -> str | None:
    """The first message in a CloudWatch Logs envelope that is not CloudWatch's own."""
    envelope = _ENVELOPE.search(text, start)
    if envelope is None or cloudtrail.begins_with_event(text, start):
        return None
    for message in _MESSAGE.finditer(text, envelope.end()):
        decoded = decode_at(text, message.end())
        if isinstance(decoded, Damage) or not isinstance(decoded.value, str):
            return None
        if decoded.value.strip() and not decoded.value.startswith("CWL CONTROL MESSAGE"):
            return decoded.value
    return None
