"""The lake's writing side: the Iceberg catalogue, its tables, and commits of finished data files.

Loads PyIceberg and SQLAlchemy: readers use `clew.lake.reader` instead. Every writing function expects the caller to
hold `clew.lake.lock.exclusive`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import sqlalchemy
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.conversions import from_bytes, to_bytes
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.manifest import DataFile as IcebergFile
from pyiceberg.manifest import DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Transaction
from pyiceberg.transforms import DayTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (
    BooleanType,
    IcebergType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from clew.errors import WorkspaceError
from clew.lake import manifest
from clew.lake.maintenance.location import require_in_place
from clew.lake.manifest import DataFile, Manifest
from clew.lake.schema import (
    BIGINT,
    BOOLEAN,
    JSON,
    NAMESPACE,
    OCCURRENCES,
    TABLES,
    TEXT,
    TIME,
    ListOf,
    Struct,
    Table,
    Type,
    field_ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyiceberg.table import Table as IcebergTable
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate

    from clew.lake.schema import FieldId

_PRIMITIVES: dict[str, type[IcebergType]] = {
    TEXT: StringType,
    JSON: StringType,
    BOOLEAN: BooleanType,
    BIGINT: LongType,
    TIME: TimestamptzType,
}
_PROPERTIES = {
    # PyIceberg's retry re-appends a stale batch: on a conflict the anti-join must be done again, so never retry.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}


class _Transaction(Transaction):
    """A transaction that reckons the table's metadata once for each state.

    PyIceberg copies all of it, with every snapshot there was, each time it looks: fifteen times for an append, which
    takes the most of a small one when there are many snapshots.
    """

    _reckoned: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata as it will be; not to be changed."""
        base, updates, held = self._table.metadata, self._updates, self._reckoned
        if held is None or held[0] is not base or held[1] is not updates:
            held = self._reckoned = (base, updates, super().table_metadata)
        return held[2]


def catalog_uri(database: Path) -> str:
    """The database as SQLAlchemy's URI, whatever signs its path has.

    >>> catalog_uri(Path("/a/b?c#d/catalog.db"))
    'sqlite:////a/b%3Fc%23d/catalog.db'
    """
    return sqlalchemy.URL.create("sqlite", database=str(database)).render_as_string()


class Store:
    """The Iceberg tables of one lake directory."""

    def __init__(self, lake_path: Path) -> None:
        self.path = lake_path

    @cached_property
    def catalog(self) -> SqlCatalog:
        """The catalogue, made when missing; WorkspaceError when the lake was moved."""
        if (self.path / manifest.CATALOG_NAME).exists():
            require_in_place(self.path)
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        uri = catalog_uri(self.path / manifest.CATALOG_NAME)
        catalog = SqlCatalog(NAMESPACE, uri=uri, warehouse=str(self.path))
        catalog.create_namespace_if_not_exists(NAMESPACE)
        return catalog

    def table(self, name: str) -> IcebergTable:
        """The Iceberg table, made when missing; WorkspaceError when its columns are not ours."""
        try:
            table = self.catalog.load_table((NAMESPACE, name))
        except NoSuchTableError:
            return self._create(TABLES[name])
        ours = iceberg_schema(TABLES[name])
        if table.schema().as_struct() != ours.as_struct():
            raise WorkspaceError(
                f"{self.path}: table `{name}` was made by another version of Clew; ingest anew"
            )
        return table

    def _create(self, table: Table) -> IcebergTable:
        schema = iceberg_schema(table)
        spec = PartitionSpec()
        if table.partitioned:
            time = schema.find_field("eventtime").field_id
            spec = PartitionSpec(PartitionField(time, 1000, DayTransform(), "day"))
        location = str(self.path / table.name)
        return self.catalog.create_table(
            (NAMESPACE, table.name), schema, location, partition_spec=spec, properties=_PROPERTIES
        )

    def planned(self, name: str) -> tuple[DataFile, ...]:
        """The data files of the table's current snapshot, with absolute paths; empty when there is no table."""
        try:
            table = self.catalog.load_table((NAMESPACE, name))
        except NoSuchTableError:
            return ()
        return tuple(_described(TABLES[name], task.file) for task in table.scan().plan_files())

    def append(
        self, name: str, files: Sequence[DataFile], properties: Mapping[str, str] | None = None
    ) -> IcebergTable:
        """Add finished data files to the table in one commit; returns the table as it is then."""
        table = self.table(name)
        with _Transaction(table) as transaction:
            update = transaction.update_snapshot(snapshot_properties=dict(properties or {}))
            with update.merge_append() as snapshot:
                for file in files:
                    snapshot.append_data_file(iceberg_file(TABLES[name], file))
        return table

    def derive_manifest(self) -> Manifest:
        """The light manifest, made from the catalogue and written."""
        pointers = manifest.pointers(self.path) if (self.path / manifest.CATALOG_NAME).exists() else {}
        files = {name: tuple(map(self.relative, self.planned(name))) for name in TABLES if name in pointers}
        return self.write_manifest(Manifest(pointers, files, self._conflicts(files)))

    def write_manifest(self, made: Manifest) -> Manifest:
        """Write the manifest and return it."""
        manifest.write(self.path, made)
        return made

    def _conflicts(self, files: Mapping[str, Iterable[DataFile]]) -> tuple[str, ...]:
        paths = [str(self.path / file.path) for file in files.get(OCCURRENCES.name, ())]
        if not paths:
            return ()
        query = "SELECT DISTINCT record_id FROM read_parquet(?) WHERE conflict ORDER BY 1"
        with duckdb.connect() as connection:
            return tuple(str(row[0]) for row in connection.execute(query, [paths]).fetchall())

    def relative(self, file: DataFile) -> DataFile:
        """The data file with its path relative to the lake, as manifests keep it."""
        return replace(file, path=os.path.relpath(file.path, self.path))

    def orphans(self) -> tuple[Path, ...]:
        """Parquet files in the lake that no table's current snapshot names: left by a kill, or replaced."""
        known = {Path(file.path) for name in TABLES for file in self.planned(name)}
        found = (path for name in TABLES for path in (self.path / name).glob("data/**/*.parquet"))
        return tuple(sorted(path for path in found if path not in known))


def iceberg_schema(table: Table) -> Schema:
    """The table's Iceberg schema, with the field ids that data files carry."""
    return Schema(*_fields(Struct(table.columns), field_ids(table)))


def _fields(struct: Struct, ids: Mapping[str, FieldId]) -> Iterator[NestedField]:
    for column in struct.fields:
        field = ids[column.name]
        yield NestedField(field.number, column.name, _type(column.type, field.parts), required=False)


def _type(type_: Type, ids: Mapping[str, FieldId]) -> IcebergType:
    if isinstance(type_, ListOf):
        element = ids["element"]
        return ListType(
            element.number, StructType(*_fields(type_.element, element.parts)), element_required=False
        )
    if isinstance(type_, Struct):
        return StructType(*_fields(type_, ids))
    return _PRIMITIVES[type_]()


def iceberg_file(table: Table, file: DataFile) -> IcebergFile:
    """The data file as Iceberg's manifests describe it: rows, size, day, and bounds of the event time.

    Reading the footer of each file, as PyIceberg's add_files does, would cost about 10 ms a file.
    """
    lower: dict[int, bytes] = {}
    upper: dict[int, bytes] = {}
    counts: dict[int, int] = {}
    if file.day is not None and file.min_time is not None and file.max_time is not None:
        time = field_ids(table)["eventtime"].number
        lower[time] = to_bytes(TimestamptzType(), file.min_time)
        upper[time] = to_bytes(TimestamptzType(), file.max_time)
        counts[time] = file.rows
    return IcebergFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=Record(manifest.epoch_day(file.day)) if file.day is not None else Record(),
        record_count=file.rows,
        file_size_in_bytes=file.size_bytes,
        value_counts=counts,
        null_value_counts=dict.fromkeys(counts, 0),
        spec_id=0,
        lower_bounds=lower,
        upper_bounds=upper,
    )


def _described(table: Table, file: IcebergFile) -> DataFile:
    if not table.partitioned:
        return DataFile(file.file_path, None, file.record_count, file.file_size_in_bytes, None, None)
    time = field_ids(table)["eventtime"].number
    low, high = (
        int(from_bytes(TimestamptzType(), bounds[time])) for bounds in (file.lower_bounds, file.upper_bounds)
    )
    day = manifest.iso_day(file.partition[0])
    return DataFile(file.file_path, day, file.record_count, file.file_size_in_bytes, low, high)
