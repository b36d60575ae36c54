"""The history of resources from their configuration items: states over time, differences, deletions, timelines.

Pure over `Item` values, wherever they come from. A part that nobody could read is never taken for one that changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.snapshot.items import COLLECT, Status
from clew.snapshot.json_diff import Change, applied, canonical, changes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.snapshot.items import Item, Key

_GONE = frozenset({Status.DELETED, Status.NOT_RECORDED})


@dataclass(frozen=True, slots=True)
class Step:
    """One item of a resource's timeline with the one before it, and what differs between them.

    `previous` is None for the first item: before it nothing is known.
    """

    item: Item
    previous: Item | None
    changes: tuple[Change, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that changed, each once: `configuration`, a supplement such as `BucketPolicy`, `tags` …."""
        return tuple(dict.fromkeys(str(change.path[0]) for change in self.changes if change.path))


@dataclass(frozen=True, slots=True)
class Difference:
    """A resource that differs between two moments; an item is None where the resource was not there."""

    key: Key
    old: Item | None
    new: Item | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one look at an account covered: every resource of this type, of one region or (None) of all."""

    account: str
    region: str | None
    type: str

    def covers(self, key: Key) -> bool:
        """Whether a resource of that key would have been seen."""
        seen = (key.recorder, key.account, key.type) == (COLLECT, self.account, self.type)
        return seen and self.region in {None, key.region}


def in_order(items: Iterable[Item]) -> list[Item]:
    """The items by time; those of one resource and one moment stay in the order given."""
    return sorted(items, key=lambda item: (item.captured_at, item.key))


def by_resource(items: Iterable[Item]) -> dict[Key, list[Item]]:
    """The items of each resource, by time."""
    found: dict[Key, list[Item]] = {}
    for item in in_order(items):
        found.setdefault(item.key, []).append(item)
    return found


def timeline(items: Iterable[Item]) -> tuple[Step, ...]:
    """The steps of one resource's history, the first first; an item that says nothing new makes no step."""
    steps: list[Step] = []
    previous: Item | None = None
    for item in in_order(items):
        known = item if previous is None else filled(item, previous)
        found = tuple(between(previous, known))
        if previous is None or found or previous.status in _GONE or item.status in _GONE - {previous.status}:
            steps.append(Step(known, previous, found))
        previous = known
    return tuple(steps)


def filled(item: Item, previous: Item) -> Item:
    """The item with the parts that it does not know as they were last known; they stay named in `unknown`."""
    if item.status in _GONE or previous.status in _GONE:
        return item
    kept = {name: previous.supplements[name] for name in item.unknown if name in previous.supplements}
    configuration = previous.configuration if "configuration" in item.unknown else item.configuration
    return replace(item, configuration=configuration, supplements={**item.supplements, **kept})


def between(old: Item | None, new: Item | None) -> Iterator[Change]:
    """What differs between two items, leaving out the parts that either does not know."""
    before, after = _content(old), _content(new)
    for name in {*_open(old), *_open(new)}:
        before.pop(name, None)
        after.pop(name, None)
    yield from changes(before, after)


def _open(item: Item | None) -> Iterator[str]:
    """The parts of which nothing is known, neither now nor from before."""
    for name in item.unknown if item else ():
        if name == "configuration" and item is not None and item.configuration is not None:
            continue
        if item is not None and name not in item.supplements:
            yield name


def _content(item: Item | None) -> dict[str, object]:
    if item is None or item.status in _GONE:
        return {}
    return {name: value for name, value in item.content.items() if value not in (None, [], {})}


def rebuilt(old: Item | None, found: Iterable[Change]) -> str:
    """The content that the changes make of an item's, as canonical JSON; the law: it is that of the new item."""
    return canonical(applied(_content(old), found))


def state_at(items: Iterable[Item], time: datetime) -> dict[Key, Item]:
    """What is known to have been there at that moment: the last item of each resource, deleted ones left out."""
    latest: dict[Key, Item] = {}
    for item in in_order(items):
        if item.captured_at <= time:
            previous = latest.get(item.key)
            latest[item.key] = item if previous is None else filled(item, previous)
    return {key: item for key, item in latest.items() if item.status not in _GONE}


def differences(old: Mapping[Key, Item], new: Mapping[Key, Item]) -> Iterator[Difference]:
    """The resources that differ between two states, in the order of their keys."""
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        found = tuple(between(before, after))
        if found or before is None or after is None:
            yield Difference(key, before, after, found)


def news(
    known: Mapping[Key, Item], seen: Sequence[Item], scopes: Collection[Scope], time: datetime
) -> Iterator[Item]:
    """The items that a new look adds to what is known: new and changed resources, and those that are gone.

    `scopes` say what was looked at: what is known there and was not seen is deleted; elsewhere nothing is concluded.
    """
    for item in seen:
        before = known.get(item.key)
        if before is None:
            yield replace(item, status=Status.DISCOVERED)
        elif any(between(before, filled(item, before))):
            yield replace(item, status=Status.CHANGED)
    present = {item.key for item in seen}
    for key in sorted(known.keys() - present):
        if any(scope.covers(key) for scope in scopes):
            gone = known[key]
            yield replace(
                gone,
                captured_at=time,
                status=Status.DELETED,
                configuration=None,
                supplements={},
                relationships=(),
                tags={},
                unknown=(),
                events=(),
            )
