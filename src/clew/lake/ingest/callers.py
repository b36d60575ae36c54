"""The userIdentity of records: one session calls many times, so each distinct text is taken apart once.

Of 35,000 records 3,400 differ in it; its thirty parts are half of what there is to take apart and a fifth of what there
is to write. They come out as dictionaries, which Parquet writes as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from clew.lake.ingest.parse import Statement, whole
from clew.lake.reader import quoted
from clew.lake.schema import CLOUDTRAIL, Struct, transform_structure

if TYPE_CHECKING:
    import duckdb

COLUMN = CLOUDTRAIL.column("useridentity")


def statement(connection: duckdb.DuckDBPyConnection) -> Statement:
    """What takes identities apart, given as their JSON texts: its answer's column `e`."""
    parts = COLUMN.type.fields if isinstance(COLUMN.type, Struct) else ()
    structure = quoted(transform_structure(parts))
    query = f"SELECT json_transform(j, {structure}) AS e, place FROM identities"
    return Statement(connection, "identities", query)


def taken_apart(identities: Statement, texts: pa.Array) -> pa.StructArray | None:
    """The identities whose JSON texts these are, as DuckDB types them; None when it changed their order."""
    found = identities.answer(pa.chunked_array([texts]))
    return None if found is None else whole(found, "e")


def spread(array: pa.Array, places: pa.Array) -> pa.Array:
    """The array's values at these places (of which some may be null), its texts as dictionaries."""
    if isinstance(array, pa.StructArray):
        parts = [spread(array.field(i), places) for i in range(array.type.num_fields)]
        fields = [array.type.field(i).with_type(part.type) for i, part in enumerate(parts)]
        missing = (
            array.is_null().take(places).fill_null(fill_value=True) if _may_be_null(array, places) else None
        )
        return pa.StructArray.from_arrays(parts, fields=fields, mask=missing)
    if isinstance(array, pa.ExtensionArray):
        return pa.ExtensionArray.from_storage(array.type, array.storage.take(places))
    if array.null_count == len(array):
        return pa.nulls(len(places), array.type)
    encoded = array.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(places), encoded.dictionary)


def _may_be_null(array: pa.Array, places: pa.Array) -> bool:
    return bool(array.null_count or places.null_count)
