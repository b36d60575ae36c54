"""Which decoding process reads what: each a stretch of the files of its own, and in the end what others leave."""

from __future__ import annotations

import itertools
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.lake.ingest.messages import InputFile

BATCH_PACKED_BYTES = 2 << 20
BATCH_FILES = 400
# So many batches at the end of a stretch are dealt in so many parts.
_LAST_BATCHES = 4
_LAST_PARTS = 4
_GZIP_RATIO = 8
_TYPING_PERCENT = 70
"""How much of the work with a text is left when it is read: to type and to write it."""


def unpacked_guess(file: InputFile) -> int:
    """About how many bytes a file has when it is unpacked."""
    return file.size_bytes * (_GZIP_RATIO if file.path.endswith(".gz") else 1)


class Deal:
    """The files, in the order of their times, in batches for a number of processes; each batch is dealt once.

    A process reads a stretch of time, so that its data files hold few days. When its own stretch is read it takes from
    the far end of the longest. The last batches are small, and whoever holds much that is not written yet leaves them
    to who holds little, so that all are done at about the same time.
    """

    def __init__(self, files: Sequence[InputFile], processes: int) -> None:
        self._lock = Lock()
        batches = list(_batches(files, BATCH_FILES, BATCH_PACKED_BYTES))
        edges = [len(batches) * n // processes for n in range(processes + 1)]
        self._stretches = [
            deque(_smaller_last(batches[start:end])) for start, end in itertools.pairwise(edges)
        ]
        self._left = sum(map(unpacked_guess, files))
        self._held: dict[int, int] = dict.fromkeys(range(processes), 0)

    def next(self, process: int, held_bytes: int) -> Sequence[InputFile] | None:
        """What this process reads next, which holds so much text read and not written; None when it is to end."""
        with self._lock:
            own = self._stretches[process] or max(self._stretches, key=len)
            if not own:
                return None
            is_own = own is self._stretches[process]
            size = sum(map(unpacked_guess, own[0 if is_own else -1]))
            held = held_bytes * _TYPING_PERCENT // 100  # as bytes to be read, typed and written
            others = [work for other, work in self._held.items() if other != process]
            if others and min(others) + self._left <= held + size:
                # Another reads all that is left before this one has read one batch more.
                del self._held[process]
                return None
            self._left -= size
            self._held[process] = held + size
            return own.popleft() if is_own else own.pop()


def _smaller_last(batches: Sequence[Sequence[InputFile]]) -> Iterable[Sequence[InputFile]]:
    """The batches, the last of them in parts."""
    yield from batches[:-_LAST_BATCHES]
    rest = [file for batch in batches[-_LAST_BATCHES:] for file in batch]
    yield from _batches(rest, BATCH_FILES // _LAST_PARTS, BATCH_PACKED_BYTES // _LAST_PARTS)


def _batches(files: Iterable[InputFile], most: int, size_bytes: int) -> Iterator[list[InputFile]]:
    batch: list[InputFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size_bytes
        if size >= size_bytes or len(batch) >= most:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
