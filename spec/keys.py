"""The keys that a line may carry, and what becomes of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spec.context import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE = (
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
)
REQUEST = ("principal", "action", "resource", "resource_account", "context")
PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
OTHER_NAMES = ("public_access_block", "public_access_block_configuration")
NO_EDITS_UP_TO, ONE_EDIT_UP_TO = 2, 8


def unread(line: dict[str, Any]) -> tuple[str, ...]:
    """Notes on the keys of a line that nobody reads; `UnreadableError` when a gate may hide in one (0007 Q48)."""
    both, settings = (*LINE, *REQUEST, *OTHER_NAMES), line.get("block_public_access")
    return (
        *_unread(line, LINE, resembling=both),
        *_unread(line["request"], REQUEST, resembling=both),
        *(_unread(settings, PUBLIC_ACCESS, resembling=PUBLIC_ACCESS) if isinstance(settings, dict) else ()),
    )


def _unread(given: dict[str, Any], known: Iterable[str], *, resembling: Iterable[str]) -> Iterator[str]:
    for key, value in given.items():
        if key in known:
            continue
        meant = next((name for name in resembling if resembles(key, name)), None)
        if meant:
            raise UnreadableError(f"unknown key `{key}` resembles `{meant}`")
        if holds_policy(value):
            raise UnreadableError(f"unknown key `{key}` holds a policy")
        yield f"key `{key}` is not known and not read"


def resembles(key: str, known: str) -> bool:
    """Whether the key looks like the known one: but for case, separators, the plural, and few edits (0007 Q48)."""
    ours = reduced(known)
    edits = 0 if len(ours) <= NO_EDITS_UP_TO else 1 if len(ours) <= ONE_EDIT_UP_TO else 2
    return is_within(edits, reduced(key), ours)


def reduced(key: str) -> str:
    """Letters and digits in lower case, without the plural."""
    text = "".join(character for character in key.lower() if character.isalnum())
    return text.removesuffix("ies") + "y" if text.endswith("ies") else text.removesuffix("s")


def is_within(edits: int, one: str, other: str) -> bool:
    """Whether that many edits (insert, delete, replace, swap neighbours) make one text the other."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    if one == other:
        return True
    if not edits:
        return False
    swapped = one[1:2] + one[:1] + one[2:]
    nearer = [(one[1:], other), (one, other[1:]), (one[1:], other[1:]), (swapped, other)]
    return any(is_within(edits - 1, left, right) for left, right in nearer)


def holds_policy(value: object) -> bool:
    """Whether a value is a policy document or its text, or a list with one."""
    if isinstance(value, list):
        return any(holds_policy(item) for item in value)
    if isinstance(value, str):
        return '"Statement"' in value
    return isinstance(value, dict) and "Statement" in value
