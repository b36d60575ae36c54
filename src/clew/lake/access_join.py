"""One S3 request in both logs: the server access line and the CloudTrail record that carry the same request id.

The request id is S3's (`x-amz-request-id`); the host id (`x-amz-id-2`) tells two requests apart that share one.
AWS: "Amazon S3 server access log format", Request ID; "Amazon S3 CloudTrail events", additionalEventData.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from clew.events.json_text import object_of
from clew.events.paths import at
from clew.events.times import of_epoch, parse_time
from clew.lake.history.fields import text
from clew.lake.history.filters import Filters
from clew.lake.history.search import find, originals
from clew.lake.schema import S3_ACCESS_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.lake.history.entries import Entry
    from clew.lake.reader import Lake

_COLUMNS: Final = tuple(column.name for column in S3_ACCESS_FIELDS)


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One line of a server access log: its time (UTC), its fields by Athena's column names, and its exact text.

    Shape: `fields` holds only what the line says (`-` is nothing).
    """

    time: datetime
    fields: Mapping[str, str]
    line: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fact of the request as each log tells it.

    Shape: a text is empty where that log is silent; `agree` is None where one is, or where the two cannot be compared
    (a canonical user id against an ARN).
    """

    fact: str
    access_log: str
    cloudtrail: str
    agree: bool | None


@dataclass(frozen=True, slots=True)
class Presigned:
    """A request authorised by its own query string. Units: `signed_at` is UTC, `expires_seconds` counts from it."""

    signed_at: datetime | None
    expires_seconds: int | None
    access_key: str
    signed_headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request with the records of both logs; either side may be empty, `facts` compares them."""

    request_id: str
    lines: tuple[AccessLine, ...]
    entries: tuple[Entry, ...]
    facts: tuple[Comparison, ...]
    presigned: Presigned | None

    @property
    def disagreements(self) -> tuple[Comparison, ...]:
        """The facts that the logs tell differently."""
        return tuple(fact for fact in self.facts if fact.agree is False)


def join(lake: Lake, request_id: str) -> Request:
    """The request with this id, from both logs; both sides are empty when neither log knows it."""
    wanted = Filters(request_ids=(request_id,))
    entries = find(lake, wanted, limit=0, newest_first=False).entries
    records = [object_of(record) for record in originals(lake, wanted, limit=0, newest_first=False)]
    lines = _lines(lake, request_id)
    record: Mapping[str, object] = _matching(records, lines)
    fields = lines[0].fields if lines else {}
    facts = tuple(fact.compare(fields, record) for fact in _FACTS)
    told = tuple(fact for fact in facts if fact.access_log or fact.cloudtrail)
    return Request(request_id, lines, entries, told, _presigned(fields, record))


def _matching(records: Sequence[Mapping[str, object]], lines: tuple[AccessLine, ...]) -> Mapping[str, object]:
    """The record to compare with the first line: the one with its host id where several share the request id."""
    host_ids = {line.fields.get("hostid") for line in lines}
    same_host = (record for record in records if text(record, _EXTRA, "x-amz-id-2") in host_ids)
    return next(same_host, records[0] if records else {})


def _lines(lake: Lake, request_id: str) -> tuple[AccessLine, ...]:
    if not lake.files("s3_access"):
        return ()
    connection = lake.connect()
    try:
        rows = connection.execute(
            f"SELECT epoch_us(eventtime), rawline, record_id, {', '.join(_COLUMNS)} FROM raw_s3_access"
            " WHERE requestid = ? ORDER BY eventtime, record_id",
            [request_id],
        ).fetchall()
    finally:
        connection.close()
    return tuple(_line(row) for row in rows)


def _line(row: tuple[object, ...]) -> AccessLine:
    micros, raw, record_id, *values = row
    fields = {name: str(v) for name, v in zip(_COLUMNS, values, strict=True) if v is not None and v != "-"}
    when = of_epoch(micros if isinstance(micros, int) else 0)
    return AccessLine(when, fields, str(raw), str(record_id))


# --- the same fact in both logs --------------------------------------------------------------------------------------

_Fields = Mapping[str, str]
_Event = Mapping[str, object]
_EXTRA: Final = "additionalEventData"
_CLOCK_SKEW: Final = timedelta(seconds=5)
_CANONICAL_ID: Final = re.compile(r"[0-9a-f]{64}")


def _equal(access_log: str, cloudtrail: str) -> bool | None:
    return access_log == cloudtrail


@dataclass(frozen=True, slots=True)
class _Fact:
    """A fact, where each log tells it, and how the two are compared."""

    name: str
    access_log: Callable[[_Fields], str]
    cloudtrail: Callable[[_Event], str]
    same: Callable[[str, str], bool | None] = _equal

    def compare(self, fields: _Fields, event: _Event) -> Comparison:
        """Both logs' words on the fact, and whether they agree."""
        left, right = self.access_log(fields), self.cloudtrail(event)
        return Comparison(self.name, left, right, self.same(left, right) if left and right else None)


def _column(name: str) -> Callable[[_Fields], str]:
    return lambda fields: fields.get(name, "")


def _path(*path: str) -> Callable[[_Event], str]:
    return lambda event: text(event, *path)


def _silent(_: Mapping[str, object]) -> str:
    return ""


def _count(*path: str) -> Callable[[_Event], str]:
    """A count of bytes, which CloudTrail writes as `353.0`."""

    def read(event: _Event) -> str:
        value = at(event, *path)
        return str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) else ""

    return read


def _agent(event: _Event) -> str:
    """The user agent without the brackets that S3's CloudTrail records put around it."""
    agent = text(event, "userAgent")
    return agent[1:-1] if agent.startswith("[") and agent.endswith("]") else agent


def _principal(event: _Event) -> str:
    return text(event, "userIdentity", "arn") or text(event, "userIdentity", "principalId")


def _received(fields: _Fields) -> str:
    """What came in: the object's size, for uploads only (a download's size went out)."""
    is_upload = any(word in fields.get("operation", "") for word in (".PUT.", ".POST."))
    return fields.get("objectsize", "") if is_upload else ""


def _signing_key(fields: _Fields) -> str:
    return _query(fields).get("X-Amz-Credential", "").partition("/")[0] or _query(fields).get(
        "AWSAccessKeyId", ""
    )


def _at_once(access_log: str, cloudtrail: str) -> bool | None:
    one, other = parse_time(access_log), parse_time(cloudtrail)
    return abs(one - other) <= _CLOCK_SKEW if one and other else None


def _same_key(access_log: str, cloudtrail: str) -> bool | None:
    return cloudtrail in {access_log, unquote(access_log), unquote(unquote(access_log))}


def _same_caller(access_log: str, cloudtrail: str) -> bool | None:
    if _CANONICAL_ID.fullmatch(access_log):
        return None
    return access_log.replace(" ", "") == cloudtrail.replace(" ", "")


def _same_call(access_log: str, cloudtrail: str) -> bool | None:
    known = _CALLS.get(access_log)
    return cloudtrail in known if known else None


def _same_word(access_log: str, cloudtrail: str) -> bool | None:
    return access_log.lower() == cloudtrail.lower()


# Operation of the access log → calls as CloudTrail names them. AWS: "Amazon S3 server access log format", Operation.
_CALLS: Final = {
    "REST.GET.OBJECT": {"GetObject"},
    "REST.HEAD.OBJECT": {"HeadObject"},
    "REST.PUT.OBJECT": {"PutObject", "CopyObject"},
    "REST.POST.OBJECT": {"PostObject", "PutObject"},
    "REST.COPY.OBJECT": {"CopyObject"},
    "REST.DELETE.OBJECT": {"DeleteObject"},
    "REST.POST.MULTI_OBJECT_DELETE": {"DeleteObjects"},
    "REST.POST.UPLOADS": {"CreateMultipartUpload"},
    "REST.PUT.PART": {"UploadPart", "UploadPartCopy"},
    "REST.POST.UPLOAD": {"CompleteMultipartUpload"},
    "REST.GET.BUCKET": {"ListObjects", "ListObjectsV2", "ListBucket"},
    "REST.HEAD.BUCKET": {"HeadBucket"},
    "REST.GET.VERSIONING": {"GetBucketVersioning"},
    "REST.PUT.VERSIONING": {"PutBucketVersioning"},
    "REST.GET.BUCKETPOLICY": {"GetBucketPolicy"},
    "REST.PUT.BUCKETPOLICY": {"PutBucketPolicy"},
    "REST.DELETE.BUCKETPOLICY": {"DeleteBucketPolicy"},
}
_FACTS: Final = (
    _Fact("time", _column("requestdatetime"), _path("eventTime"), _at_once),
    _Fact("operation", _column("operation"), _path("eventName"), _same_call),
    _Fact("bucket", _column("bucket_name"), _path("requestParameters", "bucketName")),
    _Fact("key", _column("key"), _path("requestParameters", "key"), _same_key),
    _Fact("caller", _column("requester"), _principal, _same_caller),
    _Fact("access key", _signing_key, _path("userIdentity", "accessKeyId")),
    _Fact("source address", _column("remoteip"), _path("sourceIPAddress")),
    _Fact("user agent", _column("useragent"), _agent),
    _Fact("host id", _column("hostid"), _path(_EXTRA, "x-amz-id-2")),
    _Fact("status", _column("httpstatus"), _silent),
    _Fact("error", _column("errorcode"), _path("errorCode")),
    _Fact("authentication", _column("authtype"), _path(_EXTRA, "AuthenticationMethod")),
    _Fact("signature", _column("sigv"), _path(_EXTRA, "SignatureVersion")),
    _Fact("TLS version", _column("tlsversion"), _path("tlsDetails", "tlsVersion"), _same_word),
    _Fact("cipher", _column("ciphersuite"), _path(_EXTRA, "CipherSuite")),
    _Fact("host", _column("endpoint"), _path("requestParameters", "Host")),
    _Fact("bytes received", _received, _count(_EXTRA, "bytesTransferredIn")),
    _Fact("bytes sent", _column("bytessent"), _count(_EXTRA, "bytesTransferredOut")),
    _Fact("total time (ms)", _column("totaltime"), _silent),
    _Fact("turn-around time (ms)", _column("turnaroundtime"), _silent),
    _Fact("referrer", _column("referrer"), _silent),
    _Fact("version id", _column("versionid"), _path("responseElements", "x-amz-version-id")),
    _Fact("MFA", _silent, _path("userIdentity", "sessionContext", "attributes", "mfaAuthenticated")),
    _Fact("account", _silent, _path("recipientAccountId")),
    _Fact("ACL", _silent, _path("requestParameters", "x-amz-acl")),
    _Fact("storage class", _silent, _path("requestParameters", "x-amz-storage-class")),
)


# --- pre-signed requests ---------------------------------------------------------------------------------------------


def _query(fields: _Fields) -> Mapping[str, str]:
    """The query parameters of the access line's request, decoded."""
    target = fields.get("request_uri", "").split(" ")
    if len(target) < _METHOD_AND_TARGET:
        return {}
    try:
        return dict(parse_qsl(urlsplit(target[1]).query, keep_blank_values=True))
    except ValueError:
        return {}


_METHOD_AND_TARGET: Final = 2


def _presigned(fields: _Fields, event: _Event) -> Presigned | None:
    """What the signature in the query string says; None when the request was not signed so."""
    told = {
        key: text(event, "requestParameters", key)
        for key in ("X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
    }
    query = {key: value for key, value in told.items() if value} | dict(_query(fields))
    is_query = "QueryString" in {fields.get("authtype", ""), text(event, _EXTRA, "AuthenticationMethod")}
    if not is_query and "X-Amz-Date" not in query:
        return None
    headers = query.get("X-Amz-SignedHeaders", "")
    return Presigned(
        signed_at=_signed_at(query.get("X-Amz-Date", "")),
        expires_seconds=int(query["X-Amz-Expires"]) if query.get("X-Amz-Expires", "").isdecimal() else None,
        access_key=_signing_key(fields) or text(event, "userIdentity", "accessKeyId"),
        signed_headers=tuple(header for header in headers.split(";") if header),
    )


def _signed_at(stamp: str) -> datetime | None:
    """The moment of `20201203T024116Z`.

    >>> _signed_at("20201203T024116Z").isoformat()
    '2020-12-03T02:41:16+00:00'
    """
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
