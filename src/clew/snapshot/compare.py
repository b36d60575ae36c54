"""What differs between two collections, call by call and value by value; the order in AWS's lists does not count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.snapshot import json_diff
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.answers import Answer, Answers, Call


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
        changes = tuple(_told(found) for found in json_diff.changes(old.body, new.body))
    if before == after and not changes:
        return None
    return Difference(call, before, after, changes)


def _told(found: json_diff.Change) -> Change:
    return Change(found.place, _text(found.old), _text(found.new))


def _text(value: object) -> str:
    return "" if value is json_diff.ABSENT else json.dumps(value, sort_keys=True)
