"""What differs between two JSON values, and the second again from the first and the differences.

Lists of AWS have no order that means anything: their items are told apart by what names them (an ARN, id, name or key),
else by their own text. `ordered` gives values that are equal in this sense one form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_LABELS = (("Arn", "ARN"), ("Id",), ("Name",), ("Key",), ("Sid",))


class Absent(Enum):
    """The value where there is none."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Label:
    """A step into a list: the item of that label."""

    text: str


Step = str | Label
"""A member of an object, or an item of a list."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs, with the steps that lead to it; `ABSENT` where it was or is missing."""

    path: tuple[Step, ...]
    old: object
    new: object

    @property
    def place(self) -> str:
        """The steps as people write them.

        >>> Change(("Grants", Label("Owner"), "Permission"), "READ", ABSENT).place
        'Grants[Owner].Permission'
        """
        return place(self.path)


def place(path: Iterable[Step]) -> str:
    """Steps as people write them, such as `Tags[team].Value`."""
    written = "".join(f".{step}" if isinstance(step, str) else f"[{step.text}]" for step in path)
    return written.removeprefix(".")


def changes(old: object, new: object, path: tuple[Step, ...] = ()) -> Iterator[Change]:
    """Every value that differs, in the order of members and labels.

    >>> [(each.place, each.old, each.new) for each in changes({"a": [1], "b": 1}, {"a": [1, 2], "b": 1})]
    [('a[2]', <Absent.ABSENT: 'absent'>, 2)]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_parts(old, new, lambda name: (*path, name))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_parts(labelled(old), labelled(new), lambda label: (*path, Label(label)))
    elif not same(old, new):
        yield Change(path, old, new)


def _of_parts(
    old: Mapping[str, object], new: Mapping[str, object], path: Callable[[str], tuple[Step, ...]]
) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is ABSENT or after is ABSENT:
            yield Change(path(name), before, after)
        else:
            yield from changes(before, after, path(name))


def same(old: object, new: object) -> bool:
    """Whether two scalars of JSON are equal; `true` is not 1."""
    return type(old) is type(new) and old == new


def labelled(items: Sequence[object]) -> dict[str, object]:
    """The items of a list by label; those of one label are numbered in the order of their texts."""
    found: dict[str, object] = {}
    for item in sorted(items, key=canonical):
        label = _label(item)
        name, number = label, 1
        while name in found:
            number += 1
            name = f"{label} {number}"
        found[name] = item
    return found


def _label(item: object) -> str:
    """What names an item; of several ARNs that of the shortest member, as others are of what it works with.

    >>> _label({"CloudWatchLogsLogGroupArn": "arn:log", "TrailARN": "arn:trail"})
    'arn:trail'
    """
    if isinstance(item, dict):
        for ends in _LABELS:
            named = [key for key in item if key.endswith(ends) and isinstance(item[key], str)]
            if named:
                return str(item[min(named, key=lambda key: (len(key), key))])
    return canonical(item)


def canonical(value: object) -> str:
    """The JSON text of a value; equal for values that differ in the order of members and list items alone."""
    return json.dumps(ordered(value), sort_keys=True, separators=(",", ":"), default=str)


def ordered(value: object) -> object:
    """The value with each list in the order of its items' texts.

    >>> ordered({"b": ["z", "a"]})
    {'b': ['a', 'z']}
    """
    if isinstance(value, dict):
        return {name: ordered(part) for name, part in value.items()}
    if isinstance(value, list):
        return sorted((ordered(item) for item in value), key=_text)
    return value


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def applied(old: object, found: Iterable[Change]) -> object:
    """The new value, `ordered`: the old one with these changes made; ABSENT when nothing is left.

    >>> applied({"a": [1]}, changes({"a": [1]}, {"a": [2, 1]}))
    {'a': [1, 2]}
    """
    return ordered(_applied(old, [(change.path, change.new) for change in found]))


def _applied(value: object, found: Sequence[tuple[tuple[Step, ...], object]]) -> object:
    """All changes below one value at once: the labels are those of the old list."""
    groups: dict[Step, list[tuple[tuple[Step, ...], object]]] = {}
    for path, new in found:
        if not path:
            return new
        groups.setdefault(path[0], []).append((path[1:], new))
    if not groups:
        return value
    if isinstance(next(iter(groups)), Label):
        parts = labelled(value if isinstance(value, list) else [])
        return list(_with(parts, groups).values())
    return _with(value if isinstance(value, dict) else {}, groups)


def _with(
    parts: Mapping[str, object], groups: Mapping[Step, Sequence[tuple[tuple[Step, ...], object]]]
) -> dict[str, object]:
    made = dict(parts)
    for step, found in groups.items():
        name = step.text if isinstance(step, Label) else step
        made[name] = _applied(made.get(name, ABSENT), found)
    return {name: part for name, part in made.items() if part is not ABSENT}
