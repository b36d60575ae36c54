"""The lines of a text log, whether they stand in a file, in a CloudWatch Logs envelope, or as JSON objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.events.json_text import skip_space
from clew.events.json_walk import Refused, Value, elements, walk
from clew.events.record import Reason, Rejected, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = str | Value | Refused
"""A line of text, a JSON object in place of a line, or a refusal."""

_MESSAGE_LISTS = ("logEvents", "events")


def lines(text: str) -> Iterator[Line]:
    r"""Every line that is not blank; CloudWatch Logs envelopes are opened.

    >>> list(lines('a b\r\n\nc d')), list(lines('{"events": [{"message": "a b"}]}'))
    (['a b', 'c d'], ['a b'])
    """
    if text.startswith(("{", "["), skip_space(text, 0)):
        return (line for piece in walk(text) for line in _opened(piece))
    return (stripped for line in text.split("\n") if (stripped := line.rstrip("\r")).strip())


def _opened(piece: Value | Refused) -> Iterator[Line]:
    if isinstance(piece, Refused) or not isinstance(piece.value, dict):
        yield piece
        return
    if piece.value.get("messageType") == "CONTROL_MESSAGE":
        return
    key = next((key for key in _MESSAGE_LISTS if isinstance(piece.value.get(key), list)), None)
    if key is not None:
        for element in elements(piece.text, key):
            yield from _opened(element)
        return
    message = piece.value.get("message")
    if isinstance(message, str) and message.strip():
        # A refusal of one message is not one of the whole file.
        yield from (line if isinstance(line, str) else replace(line, whole=False) for line in lines(message))
    else:
        yield piece


def rejected(piece: Refused, number: int) -> Rejected:
    """The refusal with its number in the file."""
    return Rejected(None if piece.whole else number, piece.reason, piece.detail, piece.excerpt)


def malformed(number: int, detail: str, line: str) -> Rejected:
    """The refusal of a line that does not have the form it should."""
    return Rejected(number, Reason.MALFORMED_LINE, detail, excerpt(line))
