"""What each snapshot covered, kept as items of their own, so that a change is placed between the looks around it.

A look that shows nothing new adds no item of a resource. That it was made, and what it could not read, still says that
the resource was as before: without it a change would be looked for since the last item, which may be months old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL
from clew.snapshot.items import Item, Key, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from clew.snapshot.collected_items import Look
    from clew.snapshot.history import Step

TYPE = "Clew::Collection"
"""The type of these items; their id is the account."""

_ALL = "*"


def recorded(look: Look, source: str) -> Iterator[Item]:
    """An item for each account: what the look covered, and which parts of which resources it could not read."""
    for account in sorted({scope.account for scope in look.scopes}):
        scopes = sorted([each.type, each.region or ""] for each in look.scopes if each.account == account)
        of_account = [item for item in look.items if item.key.account == account]
        yield Item(
            key=Key(account, GLOBAL, TYPE, account),
            captured_at=look.time,
            status=Status.CHANGED,
            configuration={"scopes": scopes, "unread": _unread(of_account)},
            source=source,
        )


def _unread(items: list[Item]) -> dict[str, dict[str, list[str]]]:
    """The unread parts by type: under `*` those of all its resources, under an id those of one alone."""
    found: dict[str, dict[str, list[str]]] = {}
    for type_ in sorted({item.key.type for item in items if item.unknown}):
        parts = {item.key.id: frozenset(item.unknown) for item in items if item.key.type == type_}
        common = frozenset.intersection(*parts.values())
        rest = {name: sorted(unknown - common) for name, unknown in parts.items() if unknown - common}
        found[type_] = {_ALL: sorted(common), **rest}
    return found


def last_as_before(step: Step, looks: Iterable[Item]) -> datetime | None:
    """When a look last showed the resource as it was before the step; None where only the item before says so.

    Before the first item of a resource that is: when a complete list did not show it.
    """
    key, previous = step.item.key, step.previous
    between = [
        look
        for look in looks
        if look.key.account == key.account
        and look.captured_at < step.item.captured_at
        and (previous is None or look.captured_at > previous.captured_at)
        and _covers(look, key)
        and not (set(step.parts) & _parts_unread(look, key) and step.item.status is not Status.DELETED)
    ]
    return max((look.captured_at for look in between), default=None)


def _covers(look: Item, key: Key) -> bool:
    scopes = (look.configuration or {}).get("scopes")
    return isinstance(scopes, list) and any(
        each in scopes for each in ([key.type, key.region], [key.type, ""])
    )


def _parts_unread(look: Item, key: Key) -> set[str]:
    unread = (look.configuration or {}).get("unread")
    of_type = unread.get(key.type) if isinstance(unread, dict) else None
    by_id = of_type if isinstance(of_type, dict) else {}
    return {part for name in (_ALL, key.id) for part in by_id.get(name, ())}
