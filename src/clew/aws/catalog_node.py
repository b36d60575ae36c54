"""JSON of others, read with every expectation checked and every failure located."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from clew.aws.catalog_file import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST: Final = 500
_Kind = TypeVar("_Kind", dict[str, object], list[object], str, bool)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the package's JSON and where it stands."""

    value: object
    place: str

    @classmethod
    def of_file(cls, path: Path) -> Node:
        """The file's JSON; CatalogError when it cannot be read or is none."""
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")), str(path))
        except OSError as error:
            raise CatalogError(f"{path}: cannot read the data: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise CatalogError(f"{path}: not JSON: {error}") from error

    def __getitem__(self, key: str) -> Node:
        value = self._as(dict, "an object").get(key)
        if value is None:
            raise self.error(f"`{key}` is missing")
        return Node(value, f"{self.place} /{key}")

    def optional(self, key: str) -> Node | None:
        """The member of this name; None where it is missing or null."""
        value = self._as(dict, "an object").get(key)
        return None if value is None else Node(value, f"{self.place} /{key}")

    def members(self) -> Iterator[Node]:
        """The values of an object, in the order of its keys."""
        found = self._as(dict, "an object")
        return (Node(found[key], f"{self.place} /{key}") for key in sorted(found))

    def entries(self) -> Iterator[Node]:
        """The members of a list."""
        found = self._as(list, "a list")
        return (Node(value, f"{self.place} /{index}") for index, value in enumerate(found))

    def text(self) -> str:
        """The value, which must be text."""
        return self._as(str, "text")

    def texts(self) -> list[str]:
        """The members of a list, which must all be text."""
        return [entry.text() for entry in self.entries()]

    def flag(self) -> bool:
        """The value, which must be true or false."""
        return self._as(bool, "true or false")

    def one_of(self, choices: dict[str, str]) -> str:
        """What the choices make of the text, which must be one of them."""
        found = choices.get(self.text())
        if found is None:
            raise self.error(f"expected one of {', '.join(choices)}; found `{self.text()}`")
        return found

    def error(self, message: str) -> CatalogError:
        """The error that says this of the value."""
        line = f"{self.place}: {message}"[:_LONGEST]
        return CatalogError("".join(char if char.isprintable() else "?" for char in line))

    def _as(self, kind: type[_Kind], words: str) -> _Kind:
        if not isinstance(self.value, kind):
            raise self.error(f"expected {words}; found `{json.dumps(self.value)[:40]}`")
        return self.value
