"""Keys of a batch line that nobody knows: noted, or refused where a gate would silently be missing.

The rule stands in docs/decisions/0007-iam-questions.md, Q48.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

REQUEST_KEYS: Final = frozenset({"principal", "action", "resource", "resource_account", "context"})
LINE_KEYS: Final = frozenset(
    {
        "id",
        "request",
        "identity_policies",
        "resource_policy",
        "permissions_boundaries",
        "session_policies",
        "scps",
        "rcps",
        "vpc_endpoint_policies",
        "block_public_access",
        "management_account",
        "acl",
        "object_ownership",
        "object_owner",
        "grants",
    }
)
SETTINGS: Final = frozenset(
    {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}
)
_BOTH: Final = LINE_KEYS | REQUEST_KEYS
_AWS_NAMES: Final = frozenset({"publicaccessblock", "publicaccessblockconfiguration"})
_SHORT: Final = 2
_MIDDLING: Final = 8
_LONGEST: Final = 64


def meant(key: str, *, settings: bool = False) -> str | None:
    """The known key that the unknown one resembles, None when it resembles none.

    >>> meant("scp"), meant("boundary_policies"), meant("expected"), meant("PublicAccessBlock")
    ('scps', None, None, 'block_public_access')
    """
    found = _reduced(key)
    if not settings and found in _AWS_NAMES:
        return "block_public_access"
    names = sorted(SETTINGS if settings else _BOTH)
    alike = [name for name in names if _resembles(found, _reduced(name))]
    return min(alike, key=lambda name: _edits(found, _reduced(name)), default=None)


def holds_policy(value: object) -> bool:
    """Whether the value is a policy document, as an object or a text, or a list with one."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, list):
            pending += each
        elif isinstance(each, Mapping):
            if "Statement" in each:
                return True
        elif isinstance(each, str) and '"Statement"' in each:
            return True
    return False


@lru_cache(maxsize=256)
def _reduced(key: str) -> str:
    """Lower case, letters and digits only, in the singular."""
    text = "".join(char for char in key.lower() if char.isalnum())
    if text.endswith("ies"):
        return f"{text[:-3]}y"
    return text.removesuffix("s")


def _resembles(text: str, known: str) -> bool:
    most = 0 if len(known) <= _SHORT else 1 if len(known) <= _MIDDLING else 2
    if abs(len(text) - len(known)) > most or len(text) > _LONGEST:
        return False
    return _edits(text, known) <= most


def _edits(one: str, other: str) -> int:
    """How many letters must be inserted, deleted, replaced, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
