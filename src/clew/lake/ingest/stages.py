"""Where an ingest spends its CPU seconds."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NAMES = ("unpack", "hash", "split", "decode", "write", "dedup", "commit")
"""Gunzip; SHA-256; records found in the bytes; JSON to columns; Parquet; what is known already; tables and ledger."""


class Stages:
    """CPU seconds by stage; a stage within another is not counted twice."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._within: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within as this stage."""
        self._charge()
        self._within.append(name)
        try:
            yield
        finally:
            self._charge()
            self._within.pop()

    def _charge(self) -> None:
        now = self._clock()
        if self._within:
            self._seconds[self._within[-1]] += now - self._since
        self._since = now

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what was counted elsewhere."""
        for name, spent in seconds.items():
            self._seconds[name] += spent

    def drain(self) -> dict[str, float]:
        """The seconds by stage, in the order of the work, once."""
        seconds, self._seconds = self._seconds, defaultdict(float)
        return {name: seconds[name] for name in NAMES if name in seconds}
