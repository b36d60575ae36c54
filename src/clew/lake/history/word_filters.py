"""Makes the file of words: every word of the columns in which a resource can be named, data file by data file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np
from isal import isal_zlib

from clew.errors import WorkspaceError
from clew.lake.history import words
from clew.lake.history.resources import COLUMNS
from clew.lake.reader import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from clew.lake.manifest import DataFile
    from clew.lake.reader import Lake

_BATCH_ROWS: Final = 50_000
# So many bits for each record: a filter of 35,000 records has 256 kB, of which a tenth is set.
_BITS_PER_ROW: Final = 32
_FEWEST_BITS, _MOST_BITS = 13, 30

_IN_A_WORD: Final = np.zeros(256, np.bool_)
_IN_A_WORD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] = True
_ROOM: Final = 32


def remember(lake: Lake) -> bool:
    """Keep the words of all data files, as far as they are not kept; whether they are now.

    Takes 2.5 s for a million events. What cannot be read or written is left as it is: only time is lost.
    """
    files = lake.manifest.files.get("cloudtrail", ())
    kept = words.read(lake.path)
    made = {words.key(file): kept.get(words.key(file), b"") for file in files}
    try:
        with lake.connect() as connection:
            for file in files:
                made[words.key(file)] = made[words.key(file)] or _filter(connection, lake.path, file)
        _write(lake.path, made)
    except (WorkspaceError, duckdb.Error, OSError):
        return False
    return True


def _write(lake_path: Path, made: Mapping[tuple[str, int, int], bytes]) -> None:
    listed, end = [], 0
    for key, kept in made.items():
        listed.append((*key, end, end + len(kept), isal_zlib.crc32(kept)))
        end += len(kept)
    temporary = lake_path / f".{words.FILE_NAME}.{os.getpid()}"
    try:
        with temporary.open("wb") as stream:
            stream.write(json.dumps({"version": words.VERSION, "files": listed}).encode() + b"\n")
            stream.writelines(made.values())
        temporary.replace(lake_path / words.FILE_NAME)
    finally:
        temporary.unlink(missing_ok=True)


def _filter(connection: duckdb.DuckDBPyConnection, lake_path: Path, file: DataFile) -> bytes:
    """The filter of one data file; its length in bits is a power of two."""
    bits = min(max((file.rows * _BITS_PER_ROW).bit_length(), _FEWEST_BITS), _MOST_BITS)
    marked = np.zeros(1 << bits, np.bool_)
    for texts in _texts(connection, f"read_parquet({quoted(str(lake_path / file.path))})"):
        for place in _places(texts, bits):
            marked[place] = True
    return np.packbits(marked, bitorder="little").tobytes()


def _texts(connection: duckdb.DuckDBPyConnection, source: str) -> Iterator[pa.Array]:
    """The texts of a data file in which a resource can be named."""
    arns = ("arn", "arnprefix")
    listed = [f"SELECT DISTINCT r.{part} FROM (SELECT unnest(resources) AS r FROM {source})" for part in arns]
    for query in (f"SELECT {', '.join(COLUMNS)} FROM {source}", *listed):
        for batch in connection.sql(query).to_arrow_reader(_BATCH_ROWS):
            yield from batch.columns


def _places(texts: pa.Array, bits: int) -> Iterator[NDArray[np.uint64]]:
    """As `words.places`, of every word of the texts."""
    data, begins, lengths = _words(texts)
    parts = np.ndarray((len(data) - 8,), np.uint64, data, strides=(1,))
    factors = [np.uint64(factor) for factor in words.FACTORS]
    for length, second in words.BEGINNINGS:
        long = begins[lengths >= length]
        mixed = parts[long] * factors[0] ^ (parts[long + second] + np.uint64(length)) * factors[1]
        mixed = (mixed ^ mixed >> np.uint64(words.SHIFT)) * factors[2]
        yield mixed >> np.uint64(64 - bits)
        yield (mixed & np.uint64((1 << words.SHIFT) - 1)) >> np.uint64(words.SHIFT - bits)


def _words(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    r"""The bytes of all texts, and where in them words begin and how long they are.

    A word also begins after a percent-encoding and after an escape: in `%2Fname`, `\nname` and `\u002Fname`.
    """
    offsets, data = _content(texts)
    inside = _IN_A_WORD[data]
    at = (inside[1:-_ROOM] & ~inside[: -_ROOM - 1]).nonzero()[0] + 1
    ends = (inside[:-1] & ~inside[1:]).nonzero()[0] + 1
    before = data[at - 1]
    is_encoded, is_escaped = before == ord("%"), before == ord("\\")
    is_numbered = is_escaped & (data[at] == ord("u"))
    # A text begins anew, whatever the one before ended with.
    first = offsets[:-1][inside[offsets[:-1]]]
    begins = [at, at[is_encoded] + 2, at[is_escaped] + 1, at[is_numbered] + 5, first]
    stops = [ends, ends[is_encoded], ends[is_escaped], ends[is_numbered]]
    stops.append(ends[np.searchsorted(ends, first, "right")])
    where = np.concatenate(begins)
    return data, where, np.concatenate(stops) - where


def _content(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each text begins in the bytes of all, and those, between a byte and some more that belong to no word."""
    _, offsets, data = texts.buffers()
    count = len(texts)
    where = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + count + 1].astype(np.int64)
    content = np.zeros(int(where[-1] - where[0]) + 1 + _ROOM, np.uint8)
    if data is not None:
        content[1:-_ROOM] = np.frombuffer(data, np.uint8)[where[0] : where[-1]]
    return where - where[0] + 1, content
