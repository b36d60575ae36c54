"""Which data files can hold a resource's name: kept beside the lake, so that the others need not be read.

A question for a resource reads three open-ended columns and the list of resources, the most of a lake after the exact
texts. So the first such question of a large lake is followed by a look at every word in them. For each data file the
beginnings of its words are kept as a Bloom filter, which may take a word for held that is not, and never the reverse. A
data file never changes; one of which nothing is kept is read. Losing the file of words costs time only.

A word is a run of letters, digits, `_`, `.` and `-`. It is kept by its first 8, 11 and 16 bytes, as far as it is so
long; names shorter than 8 are not looked up.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from isal import isal_zlib  # its crc32 is that of zlib, in a tenth of the time: 7 ms of a million events

from clew.lake.history import resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from clew.lake.manifest import DataFile
    from clew.lake.reader import Lake

FILE_NAME: Final = "words.bin"
VERSION: Final = 1
BEGINNINGS: Final = ((8, 0), (11, 3), (16, 8))
"""How long a kept beginning is, and where in it its second eight bytes stand."""

LEAST_ROWS: Final = 200_000
"""Of fewer records a question takes less time than looking at their words."""
MOST_ROWS: Final = 10_000_000
"""Of more records the filters would take more memory than a question may: 7 MB for a million."""

FACTORS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93)
SHIFT: Final = 32
_MASK: Final = (1 << 64) - 1


def places(word: bytes, bits: int) -> Iterator[int]:
    """The places in a filter of 2 to the `bits` that are set where a text holds the word."""
    for length, second in BEGINNINGS:
        if len(word) >= length:
            first_part = int.from_bytes(word[:8], "little")
            second_part = int.from_bytes(word[second : second + 8], "little")
            mixed = (first_part * FACTORS[0] ^ (second_part + length) * FACTORS[1]) & _MASK
            mixed = ((mixed ^ mixed >> SHIFT) * FACTORS[2]) & _MASK
            yield mixed >> (64 - bits)
            yield (mixed & ((1 << SHIFT) - 1)) >> (SHIFT - bits)


def read(lake_path: Path) -> Mapping[tuple[str, int, int], bytes]:
    """The filters that are kept, by the data file's path in the lake, rows and bytes; empty where none can be read."""
    try:
        head, _, body = (lake_path / FILE_NAME).read_bytes().partition(b"\n")
        document = json.loads(head)
        if document["version"] != VERSION:
            return {}
        found = {}
        for path, rows, size_bytes, start, end, checksum in document["files"]:
            kept = body[start:end]
            if len(kept) == end - start > 0 and isal_zlib.crc32(kept) == checksum:
                found[str(path), int(rows), int(size_bytes)] = kept
    except (OSError, ValueError, KeyError, TypeError):
        # Only a memory: without it everything is read.
        return {}
    return found


def key(file: DataFile) -> tuple[str, int, int]:
    """What a filter is kept under; of a file as the manifest lists it."""
    return file.path, file.rows, file.size_bytes


def is_worth_keeping(lake: Lake) -> bool:
    """Whether words are kept of a lake of this size, can be written, and are not kept of all its files."""
    files = lake.manifest.files.get("cloudtrail", ())
    if not LEAST_ROWS <= sum(file.rows for file in files) <= MOST_ROWS or not os.access(lake.path, os.W_OK):
        return False
    kept = read(lake.path)
    return not all(key(file) in kept for file in files)


def may_concern(lake: Lake, wanted: Sequence[str]) -> tuple[DataFile, ...]:
    """The CloudTrail data files, as the manifest lists them, that may hold a record about one of the resources."""
    files = lake.manifest.files.get("cloudtrail", ())
    groups = [resources.whole_words(resources.term(name)) for name in wanted]
    if not files or not wanted or not all(groups):
        return files
    alternatives = [[word.encode() for word in words] for group in groups for words in group]
    kept = read(lake.path)
    return tuple(file for file in files if _may_hold(kept.get(key(file)), alternatives))


def _may_hold(kept: bytes | None, alternatives: Iterable[Iterable[bytes]]) -> bool:
    if kept is None:
        return True
    bits = (len(kept) * 8).bit_length() - 1
    return any(
        all(kept[place >> 3] >> (place & 7) & 1 for word in words for place in places(word, bits))
        for words in alternatives
    )
