"""VPC flow logs as Parquet files, which AWS delivers beside text: rows with AWS's field names, `_` for `-`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from clew.events import vpc_flow
from clew.events.record import Reason, Record, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"PAR1"
PARQUET = "vpc_flow"
_BATCH_ROWS = 10_000


def flow_records(data: bytes) -> Iterator[Record | Rejected]:
    """Every row of a Parquet file as a flow log record; its text is the row as JSON, for no text stood there."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        yield Rejected(None, Reason.TRUNCATED, f"damaged Parquet: {str(error).partition(chr(10))[0]}")
        return
    names = file.schema_arrow.names
    columns = {name: vpc_flow.column(name) for name in names}
    known = [name for name in names if columns[name] in vpc_flow.COLUMNS]
    if 2 * len(known) < len(names) or "start_time" not in columns.values():
        listed = ", ".join(names[:5])
        yield Rejected(
            None, Reason.UNKNOWN_FORMAT, f"Parquet with columns `{listed}`; expected VPC flow log fields"
        )
        return
    yield from _rows(file, columns)


def _rows(file: pq.ParquetFile, columns: dict[str, str]) -> Iterator[Record | Rejected]:
    number = 0
    try:
        for batch in file.iter_batches(_BATCH_ROWS):
            for row in batch.to_pylist():
                text = json.dumps(row, default=str, separators=(",", ":"))
                yield Record("vpc_flow", _fields(row, columns), text, number)
                number += 1
    except (pa.ArrowException, OSError) as error:
        yield Rejected(None, Reason.TRUNCATED, f"damaged Parquet: {str(error).partition(chr(10))[0]}")


def _fields(row: dict[str, object], columns: dict[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, value in row.items():
        column = columns[name]
        if column not in vpc_flow.COLUMNS:
            extra[name] = value
        else:
            fields[column] = value if column in vpc_flow.INTEGER_COLUMNS or value is None else str(value)
    return fields | ({"extra": extra} if extra else {})
