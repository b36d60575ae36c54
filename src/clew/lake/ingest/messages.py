"""What travels between the ingesting process and its workers: files in, data files and outcomes back."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from clew.events.record import Rejected
    from clew.lake.manifest import DataFile


@dataclass(frozen=True, slots=True)
class InputFile:
    """A local file to read; `name` is what reports call it (its path, or the `s3://` URI it was fetched from).

    Units: `modified_ns` is nanoseconds since the epoch; 0 when there is no such time.
    """

    path: str
    name: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that could not be fetched or opened: quarantined whole, so that nothing is passed over silently."""

    name: str
    detail: str
    size_bytes: int = 0


UNREADABLE = "unreadable"
"""The kind of a file that could not be opened or unpacked: read again by every ingest, for it may be mended."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What one input file was found to be.

    `source` is the SHA-256 of its unpacked bytes (`packed:` and that of the file as it lies, when it cannot be
    unpacked); `records` counts its readable records; `known` says that the ledger held this source already.
    """

    file: InputFile
    source: str
    kind: str
    records: int = 0
    refusals: tuple[Rejected, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Staged:
    """A finished Parquet file that no commit names yet; its path is absolute."""

    table: str
    file: DataFile


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker has finished since it last answered: a file's rows are all in `staged` when it is in `read`.

    Units: `stages` is CPU seconds by stage; `held_bytes` is how much text is read and not written.
    """

    read: tuple[ReadFile, ...] = ()
    staged: tuple[Staged, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    held_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: files and their bytes on disk, done and in all, and the records found so far."""

    files: int
    files_total: int
    size_bytes: int
    size_bytes_total: int
    events: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What a worker must know: where to write, which sources are known, and what time it is (epoch microseconds)."""

    lake_path: str
    now_us: int
    known: frozenset[str] = frozenset()


def send(stream: BinaryIO, message: object) -> None:
    """Write one message and let it go at once."""
    pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
    stream.flush()
