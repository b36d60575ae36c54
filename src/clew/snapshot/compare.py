"""What differs between two collections, call by call and value by value; the order in AWS's lists does not count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.answers import Answer, Answers, Call

_LABELS = ("Arn", "ARN", "Id", "Name", "Key")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: where in the answer, what it was and what it is, as JSON; empty where it was missing."""

    place: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A call whose answer differs; a status is None where the call was not made. `changes` are those of two bodies."""

    call: Call
    old: Status | None
    new: Status | None
    changes: tuple[Change, ...] = ()


def differences(old: Answers, new: Answers) -> Iterator[Difference]:
    """Every call with another answer, in the order of the calls."""
    for call in sorted({answer.call for answer in old} | {answer.call for answer in new}):
        before = old.of(call) if call in old else None
        after = new.of(call) if call in new else None
        if found := _difference(call, before, after):
            yield found


def _difference(call: Call, old: Answer | None, new: Answer | None) -> Difference | None:
    before = None if old is None else old.status
    after = None if new is None else new.status
    changes: tuple[Change, ...] = ()
    if before is Status.OK and after is Status.OK and old is not None and new is not None:
        changes = tuple(_changes("", old.body, new.body))
    if before == after and not changes:
        return None
    return Difference(call, before, after, changes)


def _changes(place: str, old: object, new: object) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            inner = f"{place}.{name}" if place else name
            if name not in old or name not in new:
                yield Change(inner, _text(old, name), _text(new, name))
            else:
                yield from _changes(inner, old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(place, old, new)
    elif old != new:
        yield Change(place, json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))


def _text(holder: dict[str, object], name: str) -> str:
    return json.dumps(holder[name], sort_keys=True) if name in holder else ""


def _list_changes(place: str, old: list[object], new: list[object]) -> Iterator[Change]:
    """Items that are on one side only; those of one label are compared with each other."""
    before, after = _labelled(old), _labelled(new)
    for label in sorted({*before, *after}):
        where = f"{place}[{label}]"
        if label in before and label in after:
            yield from _changes(where, before[label], after[label])
        else:
            yield Change(where, _text(before, label), _text(after, label))


def _labelled(items: list[object]) -> dict[str, object]:
    """The items by what names them, else by their own text; items that are the same are numbered."""
    found: dict[str, object] = {}
    for item in items:
        label = _label(item)
        number = 1
        name = label
        while name in found:
            number += 1
            name = f"{label} {number}"
        found[name] = item
    return found


def _label(item: object) -> str:
    if isinstance(item, dict):
        for end in _LABELS:
            named = [value for key, value in item.items() if key.endswith(end) and isinstance(value, str)]
            if named:
                return named[0]
    return json.dumps(item, sort_keys=True)
