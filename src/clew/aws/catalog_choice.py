"""Which catalogue this process asks: the built-in one unless another is named. Small, for every command sets it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILT_IN: Final = Path(__file__).parent / "data" / "catalog.bin"


@dataclass(frozen=True, slots=True)
class Choice:
    """A catalogue's file; with `unless_older` the built-in catalogue is taken instead where its facts are newer."""

    path: Path = BUILT_IN
    unless_older: bool = False


_chosen: list[Choice] = [Choice()]


def use(path: Path | None, *, unless_older: bool = False) -> None:
    """Let the catalogue at the path apply from now on, the built-in one with None; nothing is read yet.

    `unless_older` is for a catalogue that was refreshed once and may have been overtaken by a newer Clew.
    """
    _chosen[0] = Choice() if path is None else Choice(path, unless_older)


def chosen() -> Choice:
    """The choice that applies."""
    return _chosen[0]
