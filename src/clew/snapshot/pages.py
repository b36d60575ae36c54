"""The detail lists in a text of JSON, wherever they stand, each value decoded once and remembered with its place."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.json_place import line_and_column, skip_space

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Source

LISTS = frozenset({"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"})
# Lists and objects by account around the output itself.
_WRAPPERS = 4
_DECODER = JSONDecoder()


@contextmanager
def located(source: Source) -> Iterator[None]:
    """Put the file and the line before what is wrong with its JSON."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise InputError(f"{source.file}:{error.lineno}: not JSON: {error.msg.lower()}") from error
    except (RecursionError, ValueError) as error:
        raise InputError(
            f"{source.file}: nested too deeply, or holds a number that cannot be read"
        ) from error


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a detail list, decoded, and where it stands."""

    value: Mapping[str, object]
    source: Source
    start: int
    list_name: str

    def fault(self, problem: str) -> InputError:
        """The error of an entry that is not as AWS writes it, located."""
        line, _ = line_and_column(self.source.text, self.start)
        return InputError(f"{self.source.file}:{line}: in `{self.list_name}`: {problem}")

    def text(self, name: str) -> str:
        """A member that AWS always writes as text."""
        value = self.value.get(name)
        if not isinstance(value, str) or not value:
            raise self.fault(f"expected `{name}` as text")
        return value

    def objects(self, name: str) -> list[Mapping[str, object]]:
        """A member that is a list of objects; empty where it is missing."""
        value = self.value.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fault(f"expected `{name}` as a list of objects")
        return value


@dataclass(slots=True)
class Page:
    """One output of the command, or one page of it; `truncated` when AWS said that there is more."""

    entries: list[Entry] = field(default_factory=list)
    lists: set[str] = field(default_factory=set)
    truncated: bool = False


def pages(source: Source) -> list[Page]:
    """Every page in the file, in order; errors: `InputError`, located."""
    walk = _Walk(source)
    with located(source):
        position = skip_space(source.text, 0)
        while position < len(source.text):
            position = skip_space(source.text, walk.value(position, _WRAPPERS))
    return walk.found


class _Walk:
    """One pass over a text; `found` are the pages so far."""

    def __init__(self, source: Source) -> None:
        self._source, self._text = source, source.text
        self.found: list[Page] = []

    def value(self, start: int, wrappers: int) -> int:
        """Read the value that begins at `start`; returns where it ends."""
        opening = self._text[start : start + 1]
        if wrappers and opening == "{":
            return self._object(start, wrappers)
        if wrappers and opening == "[":
            return self._list(start, wrappers)
        return _DECODER.raw_decode(self._text, start)[1]

    def _object(self, start: int, wrappers: int) -> int:
        page = Page()
        position = skip_space(self._text, start + 1)
        while self._text[position : position + 1] == '"':
            name, position = _DECODER.raw_decode(self._text, position)
            position = skip_space(self._text, self._expected(":", position))
            if name in LISTS and self._text[position : position + 1] == "[":
                position = self._entries(page, name, position)
            else:
                page.truncated |= name == "IsTruncated" and self._text.startswith("true", position)
                position = self.value(position, wrappers - 1)
            position = self._next(position, "}")
        if page.lists:
            self.found.append(page)
        return self._expected("}", position)

    def _list(self, start: int, wrappers: int) -> int:
        position = skip_space(self._text, start + 1)
        while self._text[position : position + 1] != "]":
            position = self._next(self.value(position, wrappers - 1), "]")
        return position + 1

    def _entries(self, page: Page, name: str, start: int) -> int:
        page.lists.add(name)
        position = skip_space(self._text, start + 1)
        while self._text[position : position + 1] != "]":
            value, end = _DECODER.raw_decode(self._text, position)
            entry = Entry(value if isinstance(value, dict) else {}, self._source, position, name)
            if not isinstance(value, dict):
                raise entry.fault("expected an object")
            page.entries.append(entry)
            position = self._next(end, "]")
        return position + 1

    def _next(self, position: int, closing: str) -> int:
        """Behind the comma that must follow, or at the closing bracket."""
        position = skip_space(self._text, position)
        if self._text[position : position + 1] == closing:
            return position
        following = skip_space(self._text, self._expected(",", position))
        if self._text[following : following + 1] == closing:
            raise json.JSONDecodeError("a value is expected behind the comma", self._text, following)
        return following

    def _expected(self, character: str, position: int) -> int:
        position = skip_space(self._text, position)
        if self._text[position : position + 1] != character:
            raise json.JSONDecodeError(f"expecting '{character}'", self._text, position)
        return position + 1
