"""Files of JSON lines that are too large to be held at once: read block by block, twice.

The first reading hashes the file and proves that it can be read to its end; the second hands out portions that end
between two records, so that a portion decodes as a file of its own would.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from isal import igzip
from isal.igzip_lib import IsalError

from clew.events.limits import MAX_RATIO, MAX_RECORD_BYTES, RATIO_FREE_BYTES
from clew.events.record import Reason, Rejected
from clew.lake.ingest.unpack import GZIP

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK_BYTES = 4 << 20
_PORTION_BYTES = 24 << 20
_BOUNDARY = b"}\n{"


class NotReadableError(Exception):
    """The file cannot be read to its end; carries the refusal."""

    def __init__(self, refusal: Rejected) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def is_lines(path: str) -> bool:
    """Whether the file begins with a line that is one whole JSON object."""
    try:
        line, newline, _ = next(_blocks(path), b"").partition(b"\n")
        return line.startswith(b"{") and newline != b"" and "Records" not in json.loads(line)
    except (OSError, ValueError, RecursionError, NotReadableError):
        return False


def source_of(path: str) -> str:
    """The SHA-256 of the unpacked file; NotReadableError when it ends early, is damaged or is a bomb."""
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def portions(path: str) -> Iterator[bytes]:
    """The file in portions of whole records; a record that is larger than the limit stands with its neighbours."""
    held: list[bytes] = []
    size = 0
    for block in _blocks(path):
        held.append(block)
        size += len(block)
        if size < _PORTION_BYTES:
            continue
        data = b"".join(held)
        end = data.rfind(_BOUNDARY) + 2
        if end < 2 and size > _PORTION_BYTES + 2 * MAX_RECORD_BYTES:  # noqa: PLR2004 - nothing found
            end = len(data)
        if end >= 2:  # noqa: PLR2004 - found
            yield data[:end]
            data = data[end:]
        held, size = [data], len(data)
    if size:
        yield b"".join(held)


def _blocks(path: str) -> Iterator[bytes]:
    with open(path, "rb") as stream:  # noqa: PTH123 - as in unpack
        is_packed = stream.read(len(GZIP)) == GZIP
        limit = max(RATIO_FREE_BYTES, os.fstat(stream.fileno()).st_size * MAX_RATIO)
    return _unpacked(path, limit) if is_packed else _plain(path)


def _plain(path: str) -> Iterator[bytes]:
    with open(path, "rb") as stream:  # noqa: PTH123 - as in unpack
        while block := stream.read(_BLOCK_BYTES):
            yield block


def _unpacked(path: str, limit: int) -> Iterator[bytes]:
    """The unpacked blocks of a gzip file of any number of members."""
    made = 0
    try:
        with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]  # isal has no types here
            while block := stream.read(_BLOCK_BYTES):
                made += len(block)
                if made > limit:
                    raise NotReadableError(
                        Rejected(None, Reason.GZIP_BOMB, f"unpacks to more than {limit} bytes")
                    )
                yield block
    except (EOFError, OSError, IsalError) as error:  # type: ignore[misc]  # isal's stubs call it a value
        detail = f"damaged gzip after {made} bytes: {error}"
        raise NotReadableError(Rejected(None, Reason.TRUNCATED_GZIP, detail)) from error
