"""Envelopes in which services pass log messages on: packed for Kinesis, Firehose and Lambda; rows of Logs Insights.

AWS: "Real-time processing of log data with subscriptions" (base64 of gzip), "Using Lambda with CloudWatch Logs",
"Using Lambda to process records from Kinesis Data Streams", "GetRecords", "GetQueryResults" of CloudWatch Logs.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, Final

from clew.events.json_walk import Refused
from clew.events.limits import MAX_RATIO, MAX_RECORD_BYTES
from clew.events.paths import text_at
from clew.events.record import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATHS: Final = (("awslogs", "data"), ("kinesis", "data"), ("Data",), ("data",))
_GZIP: Final = b"\x1f\x8b"
# How base64 of gzip, and of a JSON object, begins.
_BEGINNINGS: Final = ("H4sI", "eyJ", "ewo", "eyA", "ewk")
_WITH_GZIP_HEAD: Final = zlib.MAX_WBITS | 16


def packed(envelope: Mapping[str, object]) -> str | None:
    """The base64 text in which the envelope holds its messages, or None when it is no such envelope.

    >>> packed({"awslogs": {"data": "H4sIAAAA"}}), packed({"data": "plain"})
    ('H4sIAAAA', None)
    """
    texts = (text_at(envelope, *path) for path in _PATHS)
    return next((text for text in texts if text.startswith(_BEGINNINGS)), None)


def unpacked(text: str) -> str | Refused:
    """The text behind base64, with or without gzip; a refusal when it is damaged or unpacks to too much.

    >>> unpacked("eyJhIjogMX0=")
    '{"a": 1}'
    """
    try:
        data = base64.b64decode(text, validate=True)
        return (_gunzip(data) if data.startswith(_GZIP) else data).decode("utf-8", "surrogateescape")
    except binascii.Error:
        return Refused(Reason.NOT_JSON, "`data` is no base64 text", "")
    except EOFError:
        return Refused(Reason.TRUNCATED, "the gzip data in `data` ends early", "")
    except zlib.error as error:
        return Refused(Reason.NOT_JSON, f"the gzip data in `data` is damaged: {error}", "")
    except OverflowError:
        return Refused(Reason.TOO_LARGE, "the gzip data in `data` unpacks to more than a record may hold", "")


def _gunzip(data: bytes) -> bytes:
    """All members of the gzip data, within the limits."""
    limit = min(MAX_RATIO * len(data), MAX_RECORD_BYTES)
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(_WITH_GZIP_HEAD)
        parts.append(member.decompress(data, limit + 1))
        limit -= len(parts[-1])
        if limit < 0:
            raise OverflowError
        if not member.eof:
            raise EOFError
        data = member.unused_data
    return b"".join(parts)


def insights_messages(results: Mapping[str, object]) -> Iterator[str | None]:
    """The message of each row of a CloudWatch Logs Insights answer, None for a row that asked for other fields.

    >>> list(insights_messages({"results": [[{"field": "@message", "value": "m"}], [{"field": "n", "value": "1"}]]}))
    ['m', None]
    """
    rows = results.get("results")
    for row in rows if isinstance(rows, list) else []:
        cells = [cell for cell in row if isinstance(cell, dict)] if isinstance(row, list) else []
        fields = {text_at(cell, "field"): text_at(cell, "value") for cell in cells}
        yield fields.get("@message")
