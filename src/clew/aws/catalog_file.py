"""The catalogue's file: a line with the format and a checksum, a line of JSON about the contents, compressed blocks.

    clew catalog 1 5a0c11d2
    {"source":{…},"counts":{…},"blocks":{"actions":[0,81234],"s/s3":[…]}}
    …zlib blocks of JSON, one after the other; offsets count from here…

The checksum is the CRC-32 of all that follows its line. Each block is decoded when it is first asked for. The file is
read as a whole (0.3 ms), so replacing it disturbs nobody.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from clew.aws.catalog_types import Source
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC: Final = b"clew catalog 1 "
_CHECKSUM: Final = re.compile(re.escape(MAGIC) + rb"([0-9a-f]{8})\n")
LARGEST_BLOCK_BYTES: Final = 16 << 20


class CatalogError(InputError):
    """A catalogue, or the data it is to be made from, is missing or malformed; located."""


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """The contents of one file: what it says of itself, and its blocks, still compressed."""

    path: Path
    source: Source
    counts: Mapping[str, int]
    blocks: Mapping[str, tuple[int, int]]
    data: bytes

    def __contains__(self, block: str) -> bool:
        return block in self.blocks

    def block(self, name: str) -> object:
        """The decoded JSON of the block; CatalogError when it is missing or damaged."""
        try:
            start, length = self.blocks[name]
            reader = zlib.decompressobj()
            text = reader.decompress(self.data[start : start + length], LARGEST_BLOCK_BYTES)
            if not reader.eof:
                raise CatalogError(f"{self.path}: block `{name}` is cut short or too large; {_ADVICE}")
            return cast("object", json.loads(text))
        except (KeyError, ValueError, zlib.error) as error:
            raise CatalogError(f"{self.path}: block `{name}` is damaged ({error}); {_ADVICE}") from error


_ADVICE: Final = "run `clew catalog update --from-dir DIR`, or delete the file"


def read(path: Path) -> CatalogFile:
    """The catalogue at the path; CatalogError when there is none or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: cannot read the catalogue: {error.strerror}") from error
    return decode(data, path)


def decode(data: bytes, path: Path) -> CatalogFile:
    """The catalogue in the bytes, which errors name by the path; CatalogError when they are damaged."""
    begun = _CHECKSUM.match(data)
    if begun is None:
        raise CatalogError(f"{path}: not a catalogue of this version of clew; {_ADVICE}")
    if int(begun[1], 16) != zlib.crc32(memoryview(data)[begun.end() :]):
        raise CatalogError(f"{path}: the catalogue is damaged; {_ADVICE}")
    end = data.find(b"\n", begun.end()) + 1
    try:
        header = json.loads(data[begun.end() : end])
        source = Source(**{**header["source"], "updated": date.fromisoformat(header["source"]["updated"])})
        blocks = {name: (start + end, length) for name, (start, length) in header["blocks"].items()}
        return CatalogFile(path, source, header["counts"], blocks, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogError(f"{path}: the catalogue's header is damaged ({error}); {_ADVICE}") from error


def encode(source: Source, counts: Mapping[str, int], contents: Mapping[str, object]) -> bytes:
    """The file's bytes; the same contents give the same bytes with the same zlib."""
    blocks: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, content in contents.items():
        packed = zlib.compress(_compact(content), 9)
        blocks[name] = (len(body), len(packed))
        body += packed
    about = {
        "name": source.name,
        "version": source.version,
        "updated": source.updated.isoformat(),
        "licence": source.licence,
        "dependents": source.dependents,
    }
    header = _compact({"source": about, "counts": dict(counts), "blocks": blocks})
    rest = header + b"\n" + bytes(body)
    return b"%s%08x\n%s" % (MAGIC, zlib.crc32(rest), rest)


def _compact(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def write(path: Path, data: bytes) -> None:
    """Put the bytes at the path, whole or not at all; CatalogError when that is not possible."""
    import tempfile  # 5 ms that only writing costs

    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".catalog-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise CatalogError(f"{path}: cannot write the catalogue: {error.strerror}") from error
