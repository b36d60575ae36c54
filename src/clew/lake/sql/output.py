"""Results as Parquet files, written by Clew and never by the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def write_parquet(reader: pa.RecordBatchReader, path: Path, limit: int | None = None) -> int:
    """Write the batches to the file, up to so many rows; returns their number."""
    from pyarrow import parquet

    rows = 0
    with parquet.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for full in reader:
            batch = full if limit is None else full.slice(0, limit - rows)
            writer.write_batch(batch)
            rows += batch.num_rows
            if rows == limit:
                break
    return rows
