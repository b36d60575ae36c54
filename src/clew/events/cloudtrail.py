"""CloudTrail records from every spelling in which they arrive.

| spelling | what it looks like |
|---|---|
| log file | `{"Records": [event, …]}`, compact or pretty |
| JSON lines, an array, several objects in a row, one bare event | `event` |
| EventBridge event | `{"detail-type": "AWS API Call via CloudTrail", "detail": event, …}` |
| CloudWatch Logs subscription | `{"messageType": "DATA_MESSAGE", "logEvents": [{"message": "event"}]}` |
| the same, packed for Kinesis or Lambda | `{"awslogs": {"data": "base64 of gzip"}}`, `{"kinesis": {"data": …}}` |
| CloudWatch Logs query (`filter-log-events`, `get-log-events`) | `{"events": [{"message": "event"}]}` |
| CloudWatch Logs export to S3, `aws logs tail` | `2024-07-19T21:12:00.000Z event` |
| CloudWatch Logs Insights | `{"results": [[{"field": "@message", "value": "event"}]]}`, CSV with `@message` |
| a message of SNS or SQS | `{"Sns": {"Message": "event"}}`, `{"body": "event"}` |
| LookupEvents | `{"Events": [{"CloudTrailEvent": "event"}]}` |
| CloudTrail Lake | rows with `eventJson`, rows of lower-case columns, `eventData` wrapper, GetQueryResults output |
| pasted fragment | members of an event without its outer braces |

The text of a record is exactly what stood in the file (the inner string where an event travels as one), with two
exceptions, where no record stood there at all: a fragment gets its braces (and loses commas before a closing
bracket), and a Lake row without `eventJson` is written out again in the record's own spelling.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.events import cloudtrail_lake, envelopes
from clew.events.json_text import Damage, Decoded, decode_at, skip_space
from clew.events.json_walk import Refused, Value, elements, member, walk
from clew.events.paths import at
from clew.events.record import Reason, Record, Rejected, excerpt, printable
from clew.events.text import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, object]
_Piece = Value | Refused
_Open = Callable[[Event, Value], Iterator[_Piece]]

# Not `resources`: an EventBridge envelope has that too. A record cut down to a few fields (`jq`) is still an event.
_EVENT_KEYS = frozenset(
    {
        *("eventVersion", "eventTime", "eventName", "eventSource", "eventID", "userIdentity", "eventType"),
        *("awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestParameters"),
        *("responseElements", "additionalEventData", "requestID", "readOnly", "managementEvent"),
        *("recipientAccountId", "eventCategory", "sharedEventID", "insightDetails", "serviceEventDetails"),
        *("vpcEndpointId", "tlsDetails", "sessionCredentialFromConsole"),
    }
)
_DIGEST_KEYS = frozenset({"digestStartTime", "digestS3Object", "previousDigestHashValue"})
_FIRST_EVENT = re.compile(r'(?:\{\s*"Records"\s*:\s*\[\s*)?\{\s*"eventVersion"')
_FRAGMENT_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*[}\]])')


def decode(data: bytes) -> Iterator[Record | Rejected]:
    """Every CloudTrail record in the bytes of an unpacked source file, and every refusal, numbered in file order.

    >>> [r.fields["eventName"] for r in decode(b'{"Records": [{"eventName": "StopLogging"}]}')]
    ['StopLogging']
    """
    text = read_text(data)
    if isinstance(text, Rejected):
        yield text
        return
    yield from decode_text(text)


def decode_text(text: str) -> Iterator[Record | Rejected]:
    """Every CloudTrail record in the text, and every refusal, numbered in order."""
    number = 0
    for piece in _pieces(text):
        for found in _events(piece):
            yield _numbered(found, number)
            number += 1


def _pieces(text: str) -> Iterator[_Piece]:
    if cloudtrail_lake.is_csv(text):
        return cloudtrail_lake.csv_rows(text)
    return _fragment(text) if text.startswith('"', skip_space(text, 0)) else walk(text)


def _numbered(piece: _Piece, number: int) -> Record | Rejected:
    if isinstance(piece, Refused):
        return Rejected(None if piece.whole else number, piece.reason, piece.detail, piece.excerpt)
    if isinstance(piece.value, dict):
        return Record("cloudtrail", piece.value, piece.text, number)
    return Rejected(
        number, Reason.NOT_AN_OBJECT, "expected an event, found another value", excerpt(piece.text)
    )


def is_digest(value: Mapping[str, object]) -> bool:
    """Whether a JSON object is a digest file: it proves log files and holds no events."""
    return not _DIGEST_KEYS.isdisjoint(value)


def begins_with_event(text: str, position: int) -> bool:
    """Whether an event, or a log file of events, begins at the position."""
    return _FIRST_EVENT.match(text, position) is not None


def time_of(fields: Mapping[str, object]) -> object:
    """The time that the record names: its own, or where the window of an aggregated event begins.

    Source: AWS: "CloudTrail record contents for aggregated events", timeWindow.

    >>> time_of({"timeWindow": {"windowStart": "2025-11-20T08:00:00Z"}})
    '2025-11-20T08:00:00Z'
    """
    own = fields.get("eventTime")
    return at(fields, "timeWindow", "windowStart") if own is None else own


def record_id(fields: Mapping[str, object]) -> str:
    """The eventID, or a hash of the record's content where it has none: the same for the same content, however spaced.

    >>> record_id({"eventID": "e-1"}), record_id({"a": 1})[:15]
    ('e-1', 'sha256:015abd7f')
    """
    identity = fields.get("eventID")
    return identity if isinstance(identity, str) and identity else f"sha256:{content_hash(fields)}"


def content_hash(fields: Mapping[str, object]) -> str:
    """SHA-256, in hexadecimal, of the record's content with keys sorted and white space removed."""
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


# --- spellings -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way in which events arrive: how to tell it, and how to get at the events."""

    name: str
    is_it: Callable[[Event], bool]
    events: _Open


def _events(piece: _Piece) -> Iterator[_Piece]:
    """The events that a JSON value of the file stands for."""
    if isinstance(piece, Refused) or not isinstance(piece.value, dict):
        yield piece
        return
    event: Event = piece.value
    for spelling in _SPELLINGS:
        if spelling.is_it(event):
            yield from spelling.events(event, piece)
            return
    keys = ", ".join(sorted(str(key) for key in event)[:5])
    detail = f"no CloudTrail event: its keys are `{printable(keys)}`" if keys else "an empty object"
    yield Refused(Reason.NOT_AN_EVENT, detail, excerpt(piece.text), piece.whole)


def _one(_: Event, piece: Value) -> Iterator[_Piece]:
    yield piece


def _refuse(reason: Reason, detail: str) -> _Open:
    def refuse(_: Event, piece: Value) -> Iterator[_Piece]:
        yield Refused(reason, detail, excerpt(piece.text), piece.whole)

    return refuse


def _nothing(_: Event, __: Value) -> Iterator[_Piece]:
    return iter(())


def _under(key: str) -> _Open:
    """The events in the array under a key, each with its own slice of the text."""

    def under(_: Event, piece: Value) -> Iterator[_Piece]:
        for element in elements(piece.text, key):
            yield from _events(element)

    return under


def _inside(key: str) -> _Open:
    """The event that is the object under a key, with its own slice of the text."""

    def inside(_: Event, piece: Value) -> Iterator[_Piece]:
        found = member(piece.text, key)
        if found is None:
            yield Refused(Reason.NOT_AN_EVENT, f"no event under `{key}`", excerpt(piece.text), piece.whole)
        else:
            yield from _events(found)

    return inside


def _string(*keys: str) -> _Open:
    """The event that travels as a string under one of the keys: the inner text is its text."""

    def string(event: Event, _: Value) -> Iterator[_Piece]:
        inner = next(value for key in keys if isinstance(value := event.get(key), str))
        yield from _inner(inner)

    return string


def _inner(text: str) -> Iterator[_Piece]:
    start = skip_space(text, 0)
    decoded = decode_at(text, start)
    if isinstance(decoded, Damage):
        yield Refused(decoded.reason, f"the enclosed event: {decoded.detail}", excerpt(text))
    elif skip_space(text, decoded.end) != len(text):
        yield Refused(Reason.NOT_JSON, "the enclosed event is followed by other text", excerpt(text))
    else:
        yield from _events(Value(decoded.value, text[start : decoded.end]))


def _packed(event: Event, piece: Value) -> Iterator[_Piece]:
    """The events of the file that travels as base64, packed or not."""
    text = envelopes.unpacked(envelopes.packed(event) or "")
    if isinstance(text, Refused):
        yield replace(text, excerpt=excerpt(piece.text))
        return
    for inner in walk(text):
        # Damage in one message is not damage of the whole file.
        yield from _events(replace(inner, whole=False))


def _messages(event: Event, _: Value) -> Iterator[_Piece]:
    for message in envelopes.insights_messages(event):
        if message is None:
            yield Refused(Reason.NO_EVENT_TEXT, "a row without `@message`; ask for `fields @message`", "")
        else:
            yield from _inner(message)


def _notified(event: Event, piece: Value) -> Iterator[_Piece]:
    inner = member(piece.text, "Sns")
    yield from _string("Message")(event["Sns"], inner) if inner and isinstance(event["Sns"], dict) else ()


def _rows(event: Event, _: Value) -> Iterator[_Piece]:
    for row in cloudtrail_lake.query_rows(event):
        yield from _events(Value(row, json.dumps(row)))


def _lake_row(event: Event, _: Value) -> Iterator[_Piece]:
    spelled = cloudtrail_lake.spelled(event)
    yield Value(spelled, json.dumps(spelled, separators=(",", ":"), ensure_ascii=False))


def _has_list(key: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event.get(key), list)


def _has_string(*keys: str) -> Callable[[Event], bool]:
    return lambda event: any(isinstance(event.get(key), str) for key in keys)


def _has_any(keys: frozenset[str]) -> Callable[[Event], bool]:
    return lambda event: not keys.isdisjoint(event)


def _is_notification(event: Event) -> bool:
    source = event.get("eventSource")
    return isinstance(source, str) and source.startswith("aws:")


def _is_sns(event: Event) -> bool:
    notice = event.get("Sns")
    return isinstance(notice, dict) and isinstance(notice.get("Message"), str)


_EVENT_JSON = ("eventJson", "eventjson", "eventJSON", "event_json")
_NO_TEXT = "a LookupEvents entry without `CloudTrailEvent`; ask for the entries whole, without `--query`"
_DIGEST = "a digest file: it proves log files, it holds no events"
_NOTIFICATION = "a notification of another service, no CloudTrail event"
_HISTORY = "a row of event history's CSV, which leaves the record out; download event history as JSON"

# The first that fits counts. A lake row may carry its event's columns beside the event's text: the text wins.
_SPELLINGS = (
    _Spelling("lake row with its text", _has_string(*_EVENT_JSON), _string(*_EVENT_JSON)),
    _Spelling("packed for Lambda or Kinesis", lambda event: envelopes.packed(event) is not None, _packed),
    _Spelling("message of SQS", lambda event: _is_notification(event) and "body" in event, _string("body")),
    _Spelling("notification", _is_notification, _refuse(Reason.NOT_AN_EVENT, _NOTIFICATION)),
    _Spelling("message of SNS", _is_sns, _notified),
    _Spelling("event", _has_any(_EVENT_KEYS), _one),
    _Spelling("digest", is_digest, _refuse(Reason.DIGEST, _DIGEST)),
    _Spelling("log file", _has_list("Records"), _under("Records")),
    _Spelling("Firehose", _has_list("records"), _under("records")),
    _Spelling("log query results", _has_list("results"), _messages),
    _Spelling("row of a log query", _has_string("@message"), _string("@message")),
    _Spelling("event history", _has_string("Event ID"), _refuse(Reason.NO_EVENT_TEXT, _HISTORY)),
    _Spelling("control message", lambda event: event.get("messageType") == "CONTROL_MESSAGE", _nothing),
    _Spelling("subscription", _has_list("logEvents"), _under("logEvents")),
    _Spelling("LookupEvents", _has_list("Events"), _under("Events")),
    _Spelling("log events", _has_list("events"), _under("events")),
    _Spelling("LookupEvents entry", _has_string("CloudTrailEvent"), _string("CloudTrailEvent")),
    _Spelling(
        "LookupEvents entry without text", _has_string("EventId"), _refuse(Reason.NO_EVENT_TEXT, _NO_TEXT)
    ),
    _Spelling("EventBridge", lambda event: isinstance(event.get("detail"), dict), _inside("detail")),
    _Spelling("log message", _has_string("message"), _string("message")),
    _Spelling("lake query results", _has_list("QueryResultRows"), _rows),
    _Spelling("event data as text", _has_string("eventData", "eventdata"), _string("eventData", "eventdata")),
    _Spelling("event data", lambda event: isinstance(event.get("eventData"), dict), _inside("eventData")),
    _Spelling("lake row", _has_any(cloudtrail_lake.COLUMNS), _lake_row),
)


def _fragment(text: str) -> Iterator[_Piece]:
    """The event whose members were pasted without the outer braces."""
    body = text.strip().rstrip(",").rstrip()
    for candidate in (f"{{{body}}}", f"{{{body}"):
        cleaned = _FRAGMENT_COMMA.sub(lambda found: found[1] or "", candidate)
        for attempt in dict.fromkeys((candidate, cleaned)):
            decoded = decode_at(attempt, 0)
            if isinstance(decoded, Decoded) and decoded.end == len(attempt):
                yield Value(decoded.value, attempt)
                return
    detail = "neither JSON nor the members of an event pasted without braces"
    yield Refused(Reason.NOT_JSON, detail, excerpt(body), whole=True)
