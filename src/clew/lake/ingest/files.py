"""Typed records to Parquet files of one UTC day each.

Arrow writes them, which costs it half of what DuckDB's COPY takes.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clew.lake.ingest.write import Written, new_file
from clew.lake.schema import CLOUDTRAIL, JSON, ListOf, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_DAY_US = 86_400_000_000
UNREPEATED = ("eventjson", "eventid", "requestid", "record_id", "requestparameters")
"""Columns whose texts seldom stand in two records."""
# Where a file's least and greatest value, or having none at all, can spare a question the file. Those of the other
# columns span everything in a file of any size; finding them took a tenth of the writing.
_BOUNDED = (
    *("eventtime", "awsregion", "errorcode", "readonly", "managementevent", "recipientaccountid"),
    *("vpcendpointid", "eventcategory", "conflict"),
)
# All of one length: 13 ms a unit where plain texts take 18, files 1 % smaller, and a quarter quicker to read.
_IDENTIFIERS = ("eventid", "requestid", "record_id")
# zstd's level for the exact text, which is half of what there is to pack: 24 ms a unit less than level 1, for files a
# quarter larger until `clew lake compact` packs them well.
_QUICK = -5
# Where nearly all bytes are. A zstd context costs 45 us before it packs anything: for sixty columns more than half of
# what a small data file takes. The others are packed by Snappy, which needs none.
_PACKED = (
    *("eventjson", *_IDENTIFIERS, "source", "resources.list.element.arn"),
    *(c.name for c in CLOUDTRAIL.columns if c.type == JSON),
)
# Dictionaries of no more texts are written as they are.
_FEW = 64


def days_of(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The UTC days, since the epoch, of times in epoch microseconds."""
    return times // _DAY_US


def write_days(lake_path: Path, table: pa.Table, times: NDArray[np.int64]) -> list[Written]:
    """Write one data file for each UTC day of the records, which stand in the order of their days.

    Times are those of the records, in epoch microseconds.
    """
    edges = [0, *(np.flatnonzero(np.diff(days_of(times))) + 1).tolist(), len(times)]
    return [
        _write(lake_path, _part(table, start, end), times[start:end])
        for start, end in itertools.pairwise(edges)
    ]


def _part(table: pa.Table, start: int, end: int) -> pa.Table:
    """These rows, with the texts that stand in them: Parquet writes a dictionary whole, whatever is used of it."""
    if (start, end) == (0, len(table)):
        return table
    arrays = [_own(column.chunk(0)) for column in table.slice(start, end - start).columns]
    return pa.table(arrays, schema=table.schema)


def _own(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.StructArray):
        parts = [_own(array.field(i)) for i in range(array.type.num_fields)]
        missing = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(parts, fields=list(array.type), mask=missing)
    if not isinstance(array, pa.DictionaryArray) or len(array.dictionary) <= _FEW:
        return array
    used = array.indices.unique().drop_null()
    indices = pc.index_in(array.indices, used, skip_nulls=True)
    return pa.DictionaryArray.from_arrays(indices, array.dictionary.take(used))


def _write(lake_path: Path, table: pa.Table, times: NDArray[np.int64]) -> Written:
    path = new_file(lake_path, CLOUDTRAIL)
    paths = _leaves()
    try:
        pq.write_table(
            table,
            path,
            row_group_size=len(table),
            compression={p: "zstd" if p in _PACKED else "snappy" for p in paths},
            compression_level={p: _QUICK if p == "eventjson" else 1 for p in _PACKED},
            use_dictionary=[p for p in paths if p not in UNREPEATED],
            column_encoding=dict.fromkeys(_IDENTIFIERS, "DELTA_LENGTH_BYTE_ARRAY"),
            write_statistics=list(_BOUNDED),
            store_schema=False,
        )
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return Written(str(path), len(table), path.stat().st_size, int(times.min()), int(times.max()))


@lru_cache(maxsize=1)
def _leaves() -> tuple[str, ...]:
    """The columns of the Parquet file, by their paths."""
    return tuple(_paths(Struct(CLOUDTRAIL.columns), ""))


def _paths(type_: Type, path: str) -> Iterator[str]:
    if isinstance(type_, ListOf):
        yield from _paths(type_.element, f"{path}.list.element")
    elif isinstance(type_, Struct):
        for column in type_.fields:
            yield from _paths(column.type, f"{path}.{column.name}" if path else column.name)
    else:
        yield path
