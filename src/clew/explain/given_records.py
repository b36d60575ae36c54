"""CloudTrail records as people have them: one event of the console, a log file, `lookup-events`, EventBridge, lines.

AWS: CloudTrail user guide, "CloudTrail record contents"; EventBridge user guide, "AWS service events delivered via AWS
CloudTrail" (`detail` holds the record); CloudTrail API reference, "LookupEvents" (`CloudTrailEvent` holds its text).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Event = Mapping[str, object]


def records(text: str) -> tuple[Event, ...]:
    """The records that the text is made of; empty where it is none, or holds something else beside.

    >>> [each["eventName"] for each in records('{"Records": [{"eventName": "A", "eventSource": "s"}]}')]
    ['A']
    >>> records("AccessDenied: no")
    ()
    """
    values = _values(text)
    found = [list(_in(value)) for value in values]
    return tuple(each for one in found for each in one) if found and all(found) else ()


def _values(text: str) -> list[Any]:
    if not text.lstrip().startswith(("{", "[")):
        return []
    whole = _decoded(text)
    if whole is not None:
        return [whole]
    return [_decoded(line) for line in text.splitlines() if line.strip()]


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _in(value: Any) -> Iterator[Event]:
    if isinstance(value, list):
        for each in value:
            yield from _in(each)
    elif not isinstance(value, dict):
        return
    elif isinstance(value.get("eventName"), str):
        yield value
    elif isinstance(value.get("CloudTrailEvent"), str):
        yield from _in(_decoded(value["CloudTrailEvent"]))
    else:
        for name in ("Records", "Events", "detail"):
            yield from _in(value.get(name))
