"""From a file on disk to its unpacked bytes and their SHA-256, within stated limits.

A gzip file may have several members (all are read); anything else after a member makes the file invalid.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isal import isal_zlib
from isal.igzip_lib import IsalError

from clew.events.limits import MAX_RATIO, MAX_UNPACKED_BYTES, RATIO_FREE_BYTES
from clew.events.record import Reason, Rejected, excerpt

if TYPE_CHECKING:
    from clew.lake.ingest.messages import InputFile
    from clew.lake.ingest.stages import Stages

GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The bytes of a log file and the SHA-256 that names them."""

    data: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that cannot be unpacked: named by the SHA-256 of what lies there, refused whole."""

    source: str
    refusal: Rejected


def unpack(file: InputFile, stages: Stages) -> Unpacked | Unreadable:
    """The unpacked file, or why it cannot be."""
    if file.size_bytes > MAX_UNPACKED_BYTES:
        detail = f"{file.size_bytes} bytes, more than {MAX_UNPACKED_BYTES}"
        return _refused(file.name.encode(), Reason.TOO_LARGE, detail)
    with stages.stage("unpack"):
        data = _content(file)
    if not isinstance(data, bytes):
        return data
    with stages.stage("hash"):
        return Unpacked(data, hashlib.sha256(data).hexdigest())


def _content(file: InputFile) -> bytes | Unreadable:
    try:
        with open(file.path, "rb") as stream:  # noqa: PTH123 - a third faster than Path.read_bytes on tiny files
            packed = stream.read(MAX_UNPACKED_BYTES + 1)
    except OSError as error:
        return _refused(file.name.encode(), Reason.UNREADABLE, error.strerror or "cannot be read")
    data = _gunzip(packed) if packed[:2] == GZIP else packed
    if isinstance(data, Rejected):
        return Unreadable(f"packed:{hashlib.sha256(packed).hexdigest()}", data)
    return data


def _refused(identity: bytes, reason: Reason, detail: str, head: str = "") -> Unreadable:
    source = f"packed:{hashlib.sha256(identity).hexdigest()}"
    return Unreadable(source, Rejected(None, reason, detail, head))


def _gunzip(packed: bytes) -> bytes | Rejected:
    members: list[bytes] = []
    by_ratio = max(RATIO_FREE_BYTES, len(packed) * MAX_RATIO)
    limit = min(MAX_UNPACKED_BYTES, by_ratio)
    room = limit
    rest = packed
    while rest:
        if rest[:2] != GZIP:
            if not rest.strip(b"\0"):
                break  # padding after the last member, which gzip itself allows
            detail = f"{len(rest)} bytes after the last gzip member"
            return Rejected(
                None, Reason.TRAILING_DATA, detail, excerpt(rest[:200].decode("utf-8", "replace"))
            )
        member = _member(rest, room)
        if isinstance(member, Rejected):
            return member
        data, rest = member
        room -= len(data)
        if room < 0:
            reason = Reason.GZIP_BOMB if by_ratio < MAX_UNPACKED_BYTES else Reason.TOO_LARGE
            return Rejected(None, reason, f"{len(packed)} bytes unpack to more than {limit}")
        members.append(data)
    return members[0] if len(members) == 1 else b"".join(members)


def _member(packed: bytes, room: int) -> tuple[bytes, bytes] | Rejected:
    """The first member's content, one byte more than there is room for at most, and what follows it."""
    stream = isal_zlib.decompressobj(_GZIP_WINDOW)
    try:
        data = stream.decompress(packed, room + 1)
    except IsalError as error:  # type: ignore[misc]  # isal's stubs call it a value
        return Rejected(None, Reason.TRUNCATED_GZIP, f"damaged gzip: {error}")
    if not stream.eof and len(data) <= room:
        return Rejected(None, Reason.TRUNCATED_GZIP, f"the gzip stream ends early, after {len(data)} bytes")
    return data, stream.unused_data
