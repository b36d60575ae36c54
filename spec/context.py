"""The request context: each key is present, absent or unknown."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Missing(Enum):
    """Why a context key has no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


Found = str | tuple[str, ...] | Missing
"""A single value, a list of values (of a multivalued key), or why there is none."""


class UnreadableError(ValueError):
    """Something in the line cannot be read; the text says what."""


@dataclass(frozen=True)
class Context:
    """The context keys of one request, by lower-case name."""

    values: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    others_unknown: bool = False

    def lookup(self, key: str) -> Found:
        """Rules 22 and 37: names of context keys are compared without case, the tag part too.

        IAM user guide, "IAM JSON policy elements: Condition", section "Condition key name". 0007 Q22.
        """
        name = key.lower()
        if name in self.values:
            return self.values[name]
        return Missing.UNKNOWN if self.others_unknown or name in self.unknown else Missing.ABSENT


def read_context(given: object, *, unknown: frozenset[str], others_unknown: bool) -> Context:
    """The context of a line: texts, booleans, numbers, and lists of them (0007 Q22)."""
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise UnreadableError("`context` must be an object")
    values = {str(key).lower(): _request_value(key, value) for key, value in given.items()}
    return Context(values, frozenset(key.lower() for key in unknown), others_unknown)


def _request_value(key: object, value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_single(key, item) for item in value)
    return _single(key, value)


def _single(key: object, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise UnreadableError(f"context key `{key}` must be a string, boolean, number or a list of them")
