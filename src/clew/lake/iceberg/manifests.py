"""Manifests and manifest lists: which data files a snapshot added, and which manifests it is made of.

Source: Apache Iceberg specification, version 2, "Manifests", "Manifest lists", "Avro" (appendix A).
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from clew.lake import manifest as light
from clew.lake.iceberg import avro, documents
from clew.lake.schema import field_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.lake.iceberg.avro import Block
    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table

_ADDED = 1
_DATA = 0
_SPEC = 0


def _field(name: str, number: int, type_: object, doc: str = "") -> dict[str, Any]:
    return {"name": name, "field-id": number, "type": type_, **({"doc": doc} if doc else {})}


def _optional(name: str, number: int, type_: object, doc: str = "") -> dict[str, Any]:
    found = {"name": name, "field-id": number, "type": ["null", type_], "default": None}
    return {**found, "doc": doc} if doc else found


def _map(name: str, number: int, key: int, value: int, type_: str, doc: str) -> dict[str, Any]:
    # Iceberg's maps with keys that are no strings are arrays of pairs.
    pair = {
        "type": "record",
        "name": f"k{key}_v{value}",
        "fields": [
            {"name": "key", "type": "int", "field-id": key},
            {"name": "value", "type": type_, "field-id": value},
        ],
    }
    return _optional(name, number, {"type": "array", "items": pair, "logicalType": "map"}, doc)


def _record(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "fields": fields, "name": name}


def _longs(element: int) -> dict[str, Any]:
    return {"type": "array", "element-id": element, "items": "long"}


def _entry_schema(table: Table) -> dict[str, Any]:
    day = [_optional("day", documents.DAY_FIELD, {"type": "int", "logicalType": "date"})]
    data_file = [
        _field("content", 134, "int", "File format name: avro, orc, or parquet"),
        _field("file_path", 100, "string", "Location URI with FS scheme"),
        _field("file_format", 101, "string", "File format name: avro, orc, or parquet"),
        _field(
            "partition",
            102,
            _record("r102", day if table.partitioned else []),
            "Partition data tuple, schema based on the partition spec",
        ),
        _field("record_count", 103, "long", "Number of records in the file"),
        _field("file_size_in_bytes", 104, "long", "Total file size in bytes"),
        _map("column_sizes", 108, 117, 118, "long", "Map of column id to total size on disk"),
        _map(
            "value_counts", 109, 119, 120, "long", "Map of column id to total count, including null and NaN"
        ),
        _map("null_value_counts", 110, 121, 122, "long", "Map of column id to null value count"),
        _map(
            "nan_value_counts",
            137,
            138,
            139,
            "long",
            "Map of column id to number of NaN values in the column",
        ),
        _map("lower_bounds", 125, 126, 127, "bytes", "Map of column id to lower bound"),
        _map("upper_bounds", 128, 129, 130, "bytes", "Map of column id to upper bound"),
        _optional("key_metadata", 131, "bytes", "Encryption key metadata blob"),
        _optional("split_offsets", 132, _longs(133), "Splittable offsets"),
        _optional(
            "equality_ids",
            135,
            _longs(136),
            "Field ids used to determine row equality in equality delete files.",
        ),
        _optional("sort_order_id", 140, "int", "ID representing sort order for this file"),
    ]
    fields = [
        _field("status", 0, "int"),
        _optional("snapshot_id", 1, "long"),
        _optional("sequence_number", 3, "long"),
        _optional("file_sequence_number", 4, "long"),
        _field("data_file", 2, _record("r2", data_file)),
    ]
    return _record("manifest_entry", fields)


def _list_schema() -> dict[str, Any]:
    bounds = [
        _field("contains_null", 509, "boolean"),
        _optional("contains_nan", 518, "boolean"),
        _optional("lower_bound", 510, "bytes"),
        _optional("upper_bound", 511, "bytes"),
    ]
    counts = ("added_files_count", "existing_files_count", "deleted_files_count")
    rows = ("added_rows_count", "existing_rows_count", "deleted_rows_count")
    fields = [
        _field("manifest_path", 500, "string", "Location URI with FS scheme"),
        _field("manifest_length", 501, "long"),
        _field("partition_spec_id", 502, "int"),
        _field("content", 517, "int"),
        _field("sequence_number", 515, "long"),
        _field("min_sequence_number", 516, "long"),
        _field("added_snapshot_id", 503, "long"),
        *(_field(name, 504 + place, "int") for place, name in enumerate(counts)),
        *(_field(name, 512 + place, "long") for place, name in enumerate(rows)),
        _optional("partitions", 507, {"type": "array", "element-id": 508, "items": _record("r508", bounds)}),
        _optional("key_metadata", 519, "bytes"),
    ]
    return _record("manifest_file", fields)


def manifest(table: Table, files: Sequence[DataFile], snapshot_id: int) -> bytes:
    """The manifest of the files that a snapshot adds."""
    entries = b"".join(_entry(table, file, snapshot_id) for file in files)
    metadata = {
        "schema": json.dumps(documents.schema(table), separators=(",", ":")),
        "partition-spec": json.dumps(documents.partition_fields(table), separators=(",", ":")),
        "partition-spec-id": str(_SPEC),
        "format-version": "2",
        "content": "data",
        "avro.schema": json.dumps(_entry_schema(table)),
    }
    return avro.container(metadata, [avro.Block(len(files), entries)])


def _entry(table: Table, file: DataFile, snapshot_id: int) -> bytes:
    # A new file inherits its sequence numbers from the manifest list, so they are null here.
    head = avro.long(_ADDED) + avro.SOME + avro.long(snapshot_id) + 2 * avro.NULL
    day = avro.SOME + avro.long(light.epoch_day(file.day)) if file.day is not None else b""
    described = (
        avro.long(_DATA) + avro.text(file.path) + avro.text("PARQUET") + day + avro.long(file.rows)
        + avro.long(file.size_bytes)
    )  # fmt: skip
    column_sizes = nan_value_counts = avro.NULL
    counts = low = high = avro.array(())
    nulls = counts
    if file.day is not None and file.min_time is not None and file.max_time is not None:
        key = avro.long(field_ids(table)["eventtime"].number)
        counts, nulls = avro.array([key + avro.long(file.rows)]), avro.array([key + avro.long(0)])
        low, high = (
            avro.array([key + avro.binary(struct.pack("<q", time))])
            for time in (file.min_time, file.max_time)
        )
    return b"".join((
        head, described, column_sizes, avro.SOME, counts, avro.SOME, nulls, nan_value_counts,
        avro.SOME, low, avro.SOME, high, 4 * avro.NULL,
    ))  # fmt: skip


def manifest_list(
    added: bytes, before: Sequence[Block], snapshot_id: int, parent: int | None, number: int
) -> bytes:
    """The manifests of a snapshot: the one it adds (encoded), and those it takes over as they are."""
    metadata = {
        "snapshot-id": str(snapshot_id),
        "parent-snapshot-id": "null" if parent is None else str(parent),
        "sequence-number": str(number),
        "format-version": "2",
        "avro.schema": _LIST_SCHEMA,
    }
    return avro.container(metadata, [avro.Block(1, added), *before])


def described(
    table: Table, files: Sequence[DataFile], place: tuple[str, int], snapshot_id: int, number: int
) -> bytes:
    """A new manifest as a manifest list tells of it; `place` is its path and its length in bytes."""
    path, length = place
    numbers = (
        length,
        _SPEC,
        _DATA,
        number,
        number,
        snapshot_id,
        len(files),
        0,
        0,
        sum(f.rows for f in files),
        0,
        0,
    )
    days = sorted(light.epoch_day(file.day) for file in files if file.day is not None)
    bounds = [struct.pack("<i", day) for day in (days[0], days[-1])] if table.partitioned else []
    no_null, no_nan = b"\x00", avro.SOME + b"\x00"
    parts = (
        [no_null + no_nan + b"".join(avro.SOME + avro.binary(bound) for bound in bounds)] if bounds else []
    )
    return avro.text(path) + b"".join(map(avro.long, numbers)) + avro.SOME + avro.array(parts) + avro.NULL


def read_list(data: bytes) -> tuple[Block, ...] | None:
    """The manifests that a manifest list names, still encoded; None when it is not written as `manifest_list` does."""
    try:
        metadata, blocks = avro.read(data)
    except avro.NotAvroError:
        return None
    return blocks if metadata.get("avro.schema") == _LIST_SCHEMA else None


_LIST_SCHEMA = json.dumps(_list_schema())
