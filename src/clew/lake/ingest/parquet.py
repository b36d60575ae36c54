"""Logs as Parquet, which AWS delivers beside text: VPC flow logs (names with `_` for `-`), S3 server access logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from clew.events import s3_access, vpc_flow
from clew.events.record import Kind, Reason, Record, Rejected
from clew.events.sources import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAGIC = b"PAR1"
_BATCH_ROWS = 10_000
_TIME = pa.timestamp("us", tz="UTC")


def kind_and_records(data: bytes) -> tuple[str, Iterator[Record | Rejected]]:
    """The kind of a Parquet file, and every row as a record; its text is the row as JSON, for no text stood there."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        return UNKNOWN, iter([_damaged(error)])
    names = file.schema_arrow.names
    if _is_flow(names):
        columns = {name: vpc_flow.column(name) for name in names}
        return "vpc_flow", _rows(file, "vpc_flow", lambda row: _flow(row, columns))
    if s3_access.is_structured(dict.fromkeys(names)):
        return "s3_access", _rows(file, "s3_access", s3_access.from_structured)
    detail = (
        f"Parquet with columns `{', '.join(names[:5])}`; expected fields of VPC flow logs or S3 access logs"
    )
    return UNKNOWN, iter([Rejected(None, Reason.UNKNOWN_FORMAT, detail)])


def _is_flow(names: list[str]) -> bool:
    columns = [vpc_flow.column(name) for name in names]
    known = sum(column in vpc_flow.COLUMNS for column in columns)
    return 2 * known >= len(names) and "start_time" in columns


def _damaged(error: Exception) -> Rejected:
    return Rejected(None, Reason.TRUNCATED, f"damaged Parquet: {str(error).partition(chr(10))[0]}")


def _rows(
    file: pq.ParquetFile, kind: Kind, fields: Callable[[dict[str, object]], dict[str, object]]
) -> Iterator[Record | Rejected]:
    number = 0
    try:
        for batch in file.iter_batches(_BATCH_ROWS):
            for row in _readable(batch).to_pylist():
                text = json.dumps(row, default=str, separators=(",", ":"))
                yield Record(kind, fields(row), text, number)
                number += 1
    except (pa.ArrowException, OSError) as error:
        yield _damaged(error)


def _readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its times in microseconds of UTC: Python has no finer ones."""
    arrays = [c.cast(_TIME, safe=False) if pa.types.is_timestamp(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _flow(row: dict[str, object], columns: dict[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in row.items():
        column = columns[name]
        if column not in vpc_flow.COLUMNS:
            extra[name] = value
        else:
            fields[column] = value if column in vpc_flow.INTEGER_COLUMNS or value is None else str(value)
    return fields | ({"extra": extra} if extra else {})
