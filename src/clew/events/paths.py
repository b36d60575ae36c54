"""Values picked out of decoded records, where any part may be missing or of another type than AWS documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def at(event: Mapping[str, object], *path: str) -> object:
    """What stands at the path; None when a part of it is missing or is no object.

    >>> at({"userIdentity": {"type": "Root"}}, "userIdentity", "type"), at({"a": "text"}, "a", "b")
    ('Root', None)
    """
    value: object = event
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(event: Mapping[str, object], *path: str) -> str:
    """The string at the path; empty when there is none.

    >>> text_at({"eventName": "StopLogging"}, "eventName"), text_at({"eventName": 3}, "eventName")
    ('StopLogging', '')
    """
    value = at(event, *path)
    return value if isinstance(value, str) else ""
