"""The binary operator: bytes written in base64, compared byte for byte.

Source: AWS, "IAM JSON policy elements: Condition operators", Binary condition operators.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from clew.policy.pattern import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.pattern import Matcher


def read(text: str) -> bytes | None:
    """The bytes that the base64 text spells, None when it is no base64.

    >>> read("QmluYXJ5"), read("not base64")
    (b'Binary', None)
    """
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None


def equal(values: Sequence[str]) -> Matcher:
    """Whether the text spells the same bytes as one of the values."""
    listed = frozenset(data for data in map(read, values) if data is not None)
    return (lambda text: read(text) in listed) if listed else nothing
