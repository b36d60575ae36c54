"""The fast path: the texts of CloudTrail records to typed Arrow columns, in the order of their days.

DuckDB parses and takes the records apart. The record's own text, its source and its number go past DuckDB.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clew.lake.ingest import callers
from clew.lake.ingest.files import UNREPEATED, days_of
from clew.lake.ingest.order import grouped, reordered
from clew.lake.ingest.parse import Statement, whole
from clew.lake.ingest.texts import moments, of_length, truths
from clew.lake.ingest.write import IDENTITY_WORD_KEYS, WORD_KEYS
from clew.lake.reader import quoted
from clew.lake.schema import (
    BOOLEAN,
    CLOUDTRAIL,
    JSON,
    TEXT,
    TIME,
    Column,
    FieldId,
    ListOf,
    Struct,
    Type,
    field_ids,
    transform_structure,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb
    from numpy.typing import NDArray

_ID_BYTES = 36
_HYPHENS = (8, 13, 18, 23)


@dataclass(frozen=True, slots=True)
class Typed:
    """The records of a unit as the columns of the table, and the times among them in epoch microseconds."""

    table: pa.Table
    times: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Statements:
    """What takes records, and their callers, apart."""

    records: Statement
    callers: Statement


def statements(connection: duckdb.DuckDBPyConnection) -> Statements:
    """The statements on this connection."""
    return Statements(Statement(connection, "records", _query()), callers.statement(connection))


def typed(asking: Statements, unit: pa.Table, bounds: tuple[int, int]) -> Typed | frozenset[str]:
    """The columns of a unit (j, source, record_number), or the sources that hold a record of another shape than AWS's.

    The records of one day, name and caller stand together. Bounds are of the time, in epoch microseconds. Errors:
    duckdb.Error when a text is no JSON.
    """
    found = asking.records.answer(unit["j"])
    if found is None:
        return _sources(unit)  # rows in another order would get another record's text
    record = whole(found, "e")
    columns = {c.name: _read(c, record.field(c.key)) for c in _PARSED}
    del found, record
    identities = columns.pop(callers.COLUMN.name)
    people = callers.taken_apart(asking.callers, identities.dictionary)
    if people is None:
        return _sources(unit)
    days = days_of(columns["eventtime"].cast(pa.int64()).fill_null(0).to_numpy())
    order = grouped(days, columns["eventname"], people.field("arn"), identities.indices)
    ordered = {c.name: _retyped(columns.pop(c.name).take(order), c.type, _IDS[c.name]) for c in _PLAIN}
    return _typed(ordered, reordered(unit, order), people, identities.indices.take(order), bounds)


def _read(column: Column, array: pa.Array) -> pa.Array:
    """The column from the record's part; a dictionary where few texts stand in many records, written as it is."""
    if column.type == TIME:
        return moments(array)
    if column.type == BOOLEAN:
        return truths(array)
    is_repeated = column == callers.COLUMN or (column.type == TEXT and column.name not in UNREPEATED)
    return array.dictionary_encode() if is_repeated else array


def _typed(
    columns: Mapping[str, pa.Array],
    unit: pa.Table,
    people: pa.StructArray,
    who: pa.Array,
    bounds: tuple[int, int],
) -> Typed | frozenset[str]:
    """As `typed`: of records whose callers are `people` at the places `who`."""
    people = _retyped(people, callers.COLUMN.type, _IDS[callers.COLUMN.name])
    times = columns["eventtime"]
    doubtful = _doubtful(columns, times, bounds) | _taken(_odd_words(people, IDENTITY_WORD_KEYS), who)
    if doubtful.any():
        return _sources(unit.select(["source"]).filter(pa.array(doubtful)))
    own = {
        callers.COLUMN.name: callers.spread(people, who),
        "eventjson": whole(unit, "j"),
        "conflict": pa.array(np.zeros(len(unit), np.bool_)),
        "record_id": columns["eventid"],
        "source": whole(unit, "source"),
        "record_number": whole(unit, "record_number"),
    }
    arrays = [own[c.name] if c.name in own else columns[c.name] for c in CLOUDTRAIL.columns]
    fields = [
        _field(c.name, array.type, _IDS[c.name]) for c, array in zip(CLOUDTRAIL.columns, arrays, strict=True)
    ]
    return Typed(pa.table(arrays, schema=pa.schema(fields)), times.cast(pa.int64()).to_numpy())


def _taken(flags: NDArray[np.bool_], places: pa.Array) -> NDArray[np.bool_]:
    """The flags at these places, false where there is none."""
    taken: NDArray[np.bool_] = (
        pa.array(flags).take(places).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    )
    return taken


def _sources(unit: pa.Table) -> frozenset[str]:
    return frozenset(pc.unique(unit["source"].cast(pa.string())).to_pylist())


_IDS = field_ids(CLOUDTRAIL)
_PARSED = tuple(c for c in CLOUDTRAIL.columns if c.key)
_PLAIN = tuple(c for c in _PARSED if c != callers.COLUMN)


def _query() -> str:
    # The record as it comes, not its parts one by one: 93 ms a unit for 107, and 2 for 5 before the first record.
    structure = quoted(transform_structure((replace(callers.COLUMN, type=JSON), *_PLAIN)))
    return f"SELECT json_transform(j, {structure}) AS e, place FROM records"


def _doubtful(columns: Mapping[str, pa.Array], times: pa.Array, bounds: tuple[int, int]) -> NDArray[np.bool_]:
    """Which records lack an id or time of AWS's spelling, or a name, or have no word in a column of words.

    Of the callers' words `_odd_words` is asked apart.
    """
    moments = times.cast(pa.int64()).fill_null(bounds[0] - 1).to_numpy()
    doubtful = _odd_ids(columns["eventid"])
    doubtful |= (moments < bounds[0]) | (moments > bounds[1])
    for name in ("eventname", "eventsource"):
        doubtful |= columns[name].is_null().to_numpy(zero_copy_only=False)
    return doubtful | _odd_words(columns, WORD_KEYS)


def _odd_words(columns: Mapping[str, pa.Array] | pa.StructArray, keys: Iterable[str]) -> NDArray[np.bool_]:
    """Where one of these columns of words holds something else."""
    words = [_part(columns, key.lower()) for key in keys]
    found = np.zeros(len(words[0]), np.bool_)
    for column in words:
        encoded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        odd = np.array([not is_word(value) for value in encoded.dictionary.to_pylist()], np.bool_)
        if odd.any():
            found |= _taken(odd, encoded.indices)
    return found


def _part(columns: Mapping[str, pa.Array] | pa.StructArray, name: str) -> pa.Array:
    return columns.field(name) if isinstance(columns, pa.StructArray) else columns[name]


def is_word(value: str) -> bool:
    """Whether the text is a string that begins with a letter; numbers, lists, objects and truth values are texts too.

    >>> is_word("GetObject"), is_word('{"a": 1}'), is_word("12"), is_word("true")
    (True, False, False, False)
    """
    return value[:1].isascii() and value[:1].isalpha() and value not in {"true", "false"}


def _odd_ids(ids: pa.Array) -> NDArray[np.bool_]:
    """Which ids are not 36 characters with hyphens where a UUID has them, beginning with neither `[` nor `{`."""
    texts, odd = of_length(ids, _ID_BYTES)
    for place in _HYPHENS:
        odd |= texts[:, place] != ord("-")
    first = texts[:, 0]
    odd |= (first >= ord("g")) | ((first >= ord("[")) & (first < ord("a")))
    return odd


def _retyped(array: pa.Array, type_: Type, identity: FieldId) -> pa.Array:
    """The same data under the table's names and field ids; DuckDB spells the parts of structs as the record does."""
    if isinstance(type_, ListOf):
        element = _retyped(array.values, type_.element, identity.parts["element"])
        field = _field("element", element.type, identity.parts["element"])
        return pa.ListArray.from_buffers(
            pa.list_(field), len(array), array.buffers()[:2], array.null_count, array.offset, [element]
        )
    if isinstance(type_, Struct):
        parts = [_retyped(array.field(i), c.type, identity.parts[c.name]) for i, c in enumerate(type_.fields)]
        fields = [
            _field(c.name, part.type, identity.parts[c.name])
            for c, part in zip(type_.fields, parts, strict=True)
        ]
        return pa.StructArray.from_buffers(
            pa.struct(fields), len(array), array.buffers()[:1], array.null_count, 0, parts
        )
    return pa.ExtensionArray.from_storage(pa.json_(array.type), array) if type_ == JSON else array


def _field(name: str, type_: pa.DataType, identity: FieldId) -> pa.Field:
    return pa.field(name, type_, metadata={"PARQUET:field_id": str(identity.number)})
