"""What every decoder returns: records, and refusals with their reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from clew.events.limits import EXCERPT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SURROGATE = re.compile("[\ud800-\udfff]")

Kind = Literal["cloudtrail", "s3_access", "vpc_flow"]


class Reason(StrEnum):
    """Why a file or a record was refused: stable codes, shown by `clew lake quarantine`."""

    EMPTY = "empty"
    MARKUP = "html_or_xml"
    NOT_JSON = "not_json"
    TRUNCATED = "truncated"
    WRONG_ENCODING = "wrong_encoding"
    DIGEST = "digest_file"
    UNKNOWN_FORMAT = "unknown_format"
    NOT_AN_OBJECT = "not_an_object"
    NOT_AN_EVENT = "not_an_event"
    NO_EVENT_TEXT = "no_event_text"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    MALFORMED_LINE = "malformed_line"
    TIME_MISSING = "time_missing"
    TIME_UNPARSEABLE = "time_unparseable"
    TIME_BEFORE_2013 = "time_before_2013"
    TIME_IN_FUTURE = "time_in_future"
    # These four are found while a file is opened, before any decoder sees it.
    TRUNCATED_GZIP = "truncated_gzip"
    GZIP_BOMB = "gzip_bomb"
    TRAILING_DATA = "trailing_data"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Record:
    """One log record: its decoded fields and its exact text.

    Shape: `fields` holds decoded JSON for CloudTrail, the columns of the lake for the other kinds. `text` is what stood
    in the file, character for character (its UTF-8 encoding is byte for byte, for UTF-8 files). `number` counts the
    records and refusals of a file from 0.
    """

    kind: Kind
    fields: Mapping[str, object]
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record, or the whole file when `number` is None, that was refused, with the reason and its beginning."""

    number: int | None
    reason: Reason
    detail: str
    excerpt: str = ""


def excerpt(text: str) -> str:
    r"""The beginning of the text that a refusal quotes; what is not valid text shows as `\ufffd`.

    >>> excerpt("x" * 300) == "x" * 200
    True
    """
    return printable(text[:EXCERPT_CHARACTERS])


def printable(text: str) -> str:
    """The text with each lone surrogate replaced, so that it can be encoded."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
