"""The JSON values of a source file, one after the other, each with its exact text; damage costs only what is damaged.

A file may hold one value, several (one per line or simply in a row), an array, or an object whose array holds the
records (`{"Records": [...]}`). After damage, reading goes on at the next place where a record can begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.events.json_text import Balance, Damage, balance, decode_at, skip_space
from clew.events.limits import (
    EXCERPT_CHARACTERS,
    MAX_DAMAGED_PLACES,
    PATIENCE_CHARACTERS,
    PATIENCE_FACTOR,
)
from clew.events.record import Reason, excerpt
from clew.events.text import is_damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTAINER_KEY = r'"(?:Records|Events|events|logEvents)"\s*:\s*\['
_CONTAINER = re.compile(r"\{\s*" + _CONTAINER_KEY)
_CONTAINER_INSIDE = re.compile(_CONTAINER_KEY)
_MEMBER = re.compile(r'\s*"((?:[^"\\]++|\\.)*+)"\s*:\s*')
_EVENT_HEAD = re.compile(r'\{\s*"eventVersion"\s*:')
_LINE_HEAD = re.compile(r"\n(?=[{\[])")
_HEAD_SEARCH_CHARACTERS = 65_536
# A search for a head passes over so many characters in the time in which brackets are counted in one.
_SEARCH_IS_CHEAPER = 8


@dataclass(frozen=True, slots=True)
class Value:
    """One decoded JSON value and its exact text; `whole` when nothing else stands in the file."""

    value: object
    text: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece that could not be read; `whole` when nothing else stands in the file."""

    reason: Reason
    detail: str
    excerpt: str
    whole: bool = False


def walk(text: str) -> Iterator[Value | Refused]:
    """Every value of the file in order, damage included; arrays and record containers are opened.

    >>> [piece.text for piece in walk('{"Records": [{"a": 1}, {"b":2}]} {"c": 3}')]
    ['{"a": 1}', '{"b":2}', '{"c": 3}']
    """
    return _Walker(text).values()


def elements(text: str, key: str) -> Iterator[Value | Refused]:
    """The elements of the array that stands under the key in the object which is the text."""
    walker = _Walker(text, skip_space(text, 0) + 1)
    return walker.members(frozenset({key}))


def member(text: str, key: str) -> Value | None:
    """The value under the key in the object which is the text, with its exact text; of several the first."""
    return next((value for name, value in _members(text) if name == key), None)


def leading_members(text: str) -> dict[str, object]:
    """The members of the object which is the text, as far as they are whole.

    >>> leading_members('{"a": 1, "b": [1, 2')
    {'a': 1}
    """
    found: dict[str, object] = {}
    for name, value in _members(text):
        found.setdefault(name, value.value)
    return found


def _members(text: str) -> Iterator[tuple[str, Value]]:
    position = skip_space(text, 0) + 1
    while name := _MEMBER.match(text, position):
        decoded = decode_at(text, name.end())
        if isinstance(decoded, Damage):
            return
        yield name[1], Value(decoded.value, text[name.end() : decoded.end])
        position = skip_space(text, decoded.end) + 1


class _Walker:
    """A position in a text, moved on by each method that reads there."""

    def __init__(self, text: str, position: int = 0) -> None:
        self._text = text
        self._position = position
        self._damaged = 0
        self._cut = False
        # How many characters may still be read in vain: hostile input costs bounded time.
        self._patience = PATIENCE_FACTOR * len(text) + PATIENCE_CHARACTERS

    def values(self) -> Iterator[Value | Refused]:
        while self._peek():
            damaged = self._damaged
            yield from self._value()
            if self._peek() == "," and damaged == self._damaged:
                self._position += 1  # records cut out of an array, commas and all

    def _peek(self) -> str:
        """The next character that is not white space, empty at the end."""
        self._position = skip_space(self._text, self._position)
        return self._text[self._position : self._position + 1]

    def _value(self) -> Iterator[Value | Refused]:
        container = _CONTAINER.match(self._text, self._position)
        if container:
            self._position = container.end()
            yield from self._elements()
            yield from self.members(_CONTAINERS)
        elif self._peek() == "[":
            self._position += 1
            yield from self._elements()
        else:
            yield from self._one()

    def _one(self) -> Iterator[Value | Refused]:
        decoded = decode_at(self._text, self._position)
        if not isinstance(decoded, Damage):
            yield self._taken(decoded.value, decoded.end, whole=self._is_whole(decoded.end))
            return
        inside = self._container_inside(decoded)
        if inside is None:
            yield self._refused(decoded)
            return
        self._position = inside
        yield from self._elements()
        yield from self.members(_CONTAINERS)

    def _container_inside(self, damage: Damage) -> int | None:
        """Where a damaged object's array of records begins, so that what is whole in it can be kept."""
        if not damage.structural or self._peek() != "{":
            return None
        found = _CONTAINER_INSIDE.search(self._text, self._position, self._position + _HEAD_SEARCH_CHARACTERS)
        return found.end() if found and not _EVENT_HEAD.match(self._text, self._position) else None

    def _taken(self, value: object, end: int, *, whole: bool = False) -> Value:
        start, self._position = self._position, end
        return Value(value, self._text[start:end], whole)

    def _is_whole(self, end: int) -> bool:
        text = self._text
        return self._position == skip_space(text, 0) and skip_space(text, end) == len(text)

    def _elements(self) -> Iterator[Value | Refused]:
        """The elements up to the closing bracket; the position is inside the array, past the opening one."""
        while (character := self._peek()) != "]":
            if not character:
                yield from self._cut_off("an array of records")
                return
            decoded = decode_at(self._text, self._position)
            yield (
                self._refused(decoded)
                if isinstance(decoded, Damage)
                else self._taken(decoded.value, decoded.end)
            )
            if self._peek() == ",":
                self._position += 1
                if self._peek() == "]":
                    yield Refused(Reason.NOT_JSON, "a comma before the end of the array", ",")
        self._position += 1

    def members(self, keys: frozenset[str]) -> Iterator[Value | Refused]:
        """The elements of the named arrays among the object's members; the position is inside the object."""
        while (character := self._peek()) != "}":
            if not character:
                yield from self._cut_off("an object")
                return
            self._position += character == ","
            member = _MEMBER.match(self._text, self._position)
            if member is None:
                yield self._refused(Damage(Reason.NOT_JSON, f"expected a key at character {self._position}"))
                return
            self._position = member.end()
            if member[1] in keys and self._peek() == "[":
                self._position += 1
                yield from self._elements()
                continue
            decoded = decode_at(self._text, self._position)
            if isinstance(decoded, Damage):
                yield self._refused(decoded)
                return
            self._position = decoded.end
        self._position += 1

    def _cut_off(self, what: str) -> Iterator[Refused]:
        """Say once that the end is missing, at the innermost place."""
        if not self._cut:
            self._cut = True
            yield Refused(Reason.TRUNCATED, f"the text ends inside {what}", "")

    def _refused(self, damage: Damage) -> Refused:
        self._damaged += 1
        start, end = self._position, self._resume(damage)
        whole = self._is_whole(end)
        self._position, self._cut = end, end == len(self._text)
        shown = self._text[start : min(end, start + EXCERPT_CHARACTERS)]
        if is_damaged(shown):
            damage = Damage(Reason.WRONG_ENCODING, "not UTF-8 text")
        return Refused(damage.reason, damage.detail, excerpt(shown), whole)

    def _resume(self, damage: Damage) -> int:
        """Where the next record can begin."""
        text, start = self._text, self._position
        if self._damaged >= MAX_DAMAGED_PLACES or self._patience <= 0:
            return len(text)
        closed = balance(text, start) if text.startswith(("{", "["), start) else Balance(None, start)
        self._patience -= max(closed.reach, damage.reach) - start
        if closed.end is not None and not damage.structural:
            return closed.end
        event, line = _EVENT_HEAD.search(text, start + 1), _LINE_HEAD.search(text, start + 1)
        starts = (event.start() if event else len(text), line.end() if line else len(text))
        self._patience -= (sum(starts) - 2 * start) // _SEARCH_IS_CHEAPER
        return min(*starts, closed.end or len(text))


_CONTAINERS = frozenset({"Records", "Events", "events", "logEvents"})
