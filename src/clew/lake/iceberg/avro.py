"""Avro object container files, as far as Iceberg's manifests need them.

Source: Apache Avro specification, "Binary encoding" and "Object container files".
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_RAW_DEFLATE = -15

NULL = b"\x00"
"""The first branch of a union, which is null in every union of Iceberg's."""
SOME = b"\x02"
"""The second branch of a union: the value follows."""
END = b"\x00"
"""The end of an array or a map."""


class NotAvroError(ValueError):
    """The bytes are no container file that this module reads."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some objects of a container file: how many, and their bytes one after another."""

    count: int
    content: bytes


def long(value: int) -> bytes:
    r"""An int or a long.

    >>> long(0), long(-1), long(64)
    (b'\x00', b'\x01', b'\x80\x01')
    """
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def binary(value: bytes) -> bytes:
    """Bytes, with their length before them."""
    return long(len(value)) + value


def text(value: str) -> bytes:
    """A string."""
    return binary(value.encode())


def array(items: Iterable[bytes]) -> bytes:
    r"""An array of encoded items.

    >>> array([]), array([long(1), long(2)])
    (b'\x00', b'\x04\x02\x04\x00')
    """
    listed = list(items)
    return (long(len(listed)) + b"".join(listed) if listed else b"") + END


def container(metadata: Mapping[str, str], blocks: Iterable[Block]) -> bytes:
    """A container file, its blocks deflated; `metadata` holds the schema as `avro.schema`."""
    sync = os.urandom(_SYNC_BYTES)
    pairs = {**metadata, "avro.codec": "deflate"}
    out = [_MAGIC, array(text(key) + text(value) for key, value in pairs.items()), sync]
    for block in blocks:
        packed = _deflated(block.content)
        out += [long(block.count), binary(packed), sync]
    return b"".join(out)


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    return packer.compress(content) + packer.flush()


def read(data: bytes) -> tuple[dict[str, str], tuple[Block, ...]]:
    """The metadata and the blocks of a container file; NotAvroError when it is damaged or packed otherwise."""
    try:
        return _read(data)
    except (IndexError, ValueError, zlib.error) as error:
        raise NotAvroError(str(error)) from error


def _read(data: bytes) -> tuple[dict[str, str], tuple[Block, ...]]:
    if not data.startswith(_MAGIC):
        raise ValueError("no container file")
    place, metadata = len(_MAGIC), dict[str, str]()
    count, place = _long(data, place)
    while count:
        for _ in range(count):
            key, place = _binary(data, place)
            value, place = _binary(data, place)
            metadata[key.decode()] = value.decode()
        count, place = _long(data, place)
    sync = data[place : place + _SYNC_BYTES]
    place += _SYNC_BYTES
    if metadata.get("avro.codec") != "deflate":
        raise ValueError("not deflated")
    blocks = []
    while place < len(data):
        count, place = _long(data, place)
        packed, place = _binary(data, place)
        if data[place : place + _SYNC_BYTES] != sync:
            raise ValueError("a block ends elsewhere")
        place += _SYNC_BYTES
        blocks.append(Block(count, zlib.decompress(packed, _RAW_DEFLATE)))
    return metadata, tuple(blocks)


def _long(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no high bit
            return (value >> 1) ^ -(value & 1), place


def _binary(data: bytes, place: int) -> tuple[bytes, int]:
    length, place = _long(data, place)
    if length < 0 or place + length > len(data):
        raise ValueError("it ends early")
    return data[place : place + length], place + length
