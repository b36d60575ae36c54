"""A table's metadata as Iceberg spells it, for tables that we made and only ever append to.

Source: Apache Iceberg specification, version 2, "Table metadata fields", "Snapshots", "Schemas" (appendix C, JSON).
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from clew.lake.schema import BIGINT, BOOLEAN, JSON, TEXT, TIME, ListOf, Struct, field_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.lake.manifest import DataFile
    from clew.lake.schema import FieldId, Table, Type

    Document = dict[str, Any]

PROPERTIES = {
    # PyIceberg's retry re-appends a stale batch: on a conflict the anti-join must be done again, so never retry.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}
DAY_FIELD = 1000
"""The id of the first partition field."""
_PRIMITIVES = {TEXT: "string", JSON: "string", BOOLEAN: "boolean", BIGINT: "long", TIME: "timestamptz"}
_TOTALS = {"files": "total-data-files", "rows": "total-records", "bytes": "total-files-size"}
_NO_DELETES = ("total-delete-files", "total-position-deletes", "total-equality-deletes")


def schema(table: Table) -> Document:
    """The table's columns with their field ids."""
    fields = list(_fields(Struct(table.columns), field_ids(table)))
    return {"type": "struct", "fields": fields, "schema-id": 0, "identifier-field-ids": []}


def _fields(struct: Struct, ids: Mapping[str, FieldId]) -> Iterator[Document]:
    for column in struct.fields:
        field = ids[column.name]
        yield {
            "id": field.number,
            "name": column.name,
            "type": _type(column.type, field.parts),
            "required": False,
        }


def _type(type_: Type, ids: Mapping[str, FieldId]) -> object:
    if isinstance(type_, ListOf):
        element = ids["element"]
        inner = {"type": "struct", "fields": list(_fields(type_.element, element.parts))}
        return {"type": "list", "element-id": element.number, "element": inner, "element-required": False}
    if isinstance(type_, Struct):
        return {"type": "struct", "fields": list(_fields(type_, ids))}
    return _PRIMITIVES[type_]


def partition_fields(table: Table) -> list[Document]:
    """How the table is parted: by the day of its time, or not at all."""
    if not table.partitioned:
        return []
    time = field_ids(table)["eventtime"].number
    return [{"source-id": time, "field-id": DAY_FIELD, "transform": "day", "name": "day"}]


def new(table: Table, location: str) -> Document:
    """The metadata of a table that holds nothing yet."""
    return {
        "location": location,
        "table-uuid": str(uuid.uuid4()),
        "last-updated-ms": 0,
        "last-column-id": max(_numbers(field_ids(table))),
        "schemas": [schema(table)],
        "current-schema-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": partition_fields(table)}],
        "default-spec-id": 0,
        "last-partition-id": DAY_FIELD if table.partitioned else DAY_FIELD - 1,
        "properties": dict(PROPERTIES),
        "snapshots": [],
        "snapshot-log": [],
        "metadata-log": [],
        "sort-orders": [{"order-id": 0, "fields": []}],
        "default-sort-order-id": 0,
        "refs": {},
        "statistics": [],
        "partition-statistics": [],
        "format-version": 2,
        "last-sequence-number": 0,
    }


def _numbers(ids: Mapping[str, FieldId]) -> Iterator[int]:
    for field in ids.values():
        yield field.number
        yield from _numbers(field.parts)


def is_plain(document: Document, table: Table) -> bool:
    """Whether the metadata says of the table only what `new` and `appended` say."""
    expected = new(table, document.get("location", ""))
    same = (
        *("schemas", "current-schema-id", "partition-specs", "default-spec-id", "properties", "sort-orders"),
        *("default-sort-order-id", "statistics", "partition-statistics", "format-version"),
    )
    if any(document.get(key) != expected[key] for key in same) or document.keys() - expected.keys() - {
        "current-snapshot-id"
    }:
        return False
    head = current(document)
    if head is None:
        return not document["refs"] and not document["snapshots"]
    branch = {"main": {"snapshot-id": head["snapshot-id"], "type": "branch"}}
    counted = head["summary"]
    return (
        document["refs"] == branch
        and all(counted.get(name, "").isdecimal() for name in _TOTALS.values())
        and all(counted.get(name) == "0" for name in _NO_DELETES)
    )


def current(document: Document) -> Document | None:
    """The table's current snapshot, None while it has none."""
    wanted = document.get("current-snapshot-id")
    return next((each for each in document["snapshots"] if each["snapshot-id"] == wanted), None)


def new_snapshot_id() -> int:
    """A number for a snapshot; positive and of 63 bits."""
    return secrets.randbits(62) + 1


def appended(
    document: Document, files: Sequence[DataFile], snapshot_id: int, manifest_list: str, now_ms: int
) -> Document:
    """The metadata after a commit that adds these files.

    Units: `now_ms` is epoch milliseconds; a clock that was set back does not go below the last commit's.
    """
    head = current(document)
    number = document["last-sequence-number"] + 1
    moment = max(now_ms, document["last-updated-ms"])
    snapshot = {
        "snapshot-id": snapshot_id,
        **({} if head is None else {"parent-snapshot-id": head["snapshot-id"]}),
        "sequence-number": number,
        "timestamp-ms": moment,
        "manifest-list": manifest_list,
        "summary": _summary(files, {} if head is None else head["summary"]),
        "schema-id": 0,
    }
    return {
        **document,
        "last-updated-ms": moment,
        "last-sequence-number": number,
        "current-snapshot-id": snapshot_id,
        "snapshots": [*document["snapshots"], snapshot],
        "snapshot-log": [*document["snapshot-log"], {"snapshot-id": snapshot_id, "timestamp-ms": moment}],
        "refs": {"main": {"snapshot-id": snapshot_id, "type": "branch"}},
    }


def _summary(files: Sequence[DataFile], before: Mapping[str, str]) -> dict[str, str]:
    added = {
        "files": len(files),
        "rows": sum(f.rows for f in files),
        "bytes": sum(f.size_bytes for f in files),
    }
    days = {file.day for file in files} - {None}
    return {
        "operation": "append",
        "added-files-size": str(added["bytes"]),
        "added-data-files": str(added["files"]),
        "added-records": str(added["rows"]),
        **({"changed-partition-count": str(len(days))} if days else {}),
        **{name: str(int(before.get(name, "0")) + added[what]) for what, name in _TOTALS.items()},
        **dict.fromkeys(_NO_DELETES, "0"),
    }


def logged(document: Document, previous: str, previous_ms: int) -> tuple[Document, list[str]]:
    """The metadata with the file it replaces in its log, and the files that leave the log: nobody needs them then."""
    log = [*document["metadata-log"], {"metadata-file": previous, "timestamp-ms": previous_ms}]
    kept = int(PROPERTIES["write.metadata.previous-versions-max"])
    gone = [entry["metadata-file"] for entry in log[:-kept]]
    return {**document, "metadata-log": log[-kept:]}, gone
