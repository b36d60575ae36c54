"""Running a query: translated, checked, locked in, with a memory limit and a deadline."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import duckdb

from clew.errors import QueryError
from clew.lake.schema import TABLES
from clew.lake.sql import guard
from clew.lake.sql.dialect import write
from clew.lake.sql.functions import macro_statements
from clew.lake.sql.translate import translate_query
from clew.lake.sql.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    import pyarrow as pa

    from clew.lake.reader import Lake
    from clew.lake.sql.scope import Columns

Begun = TypeVar("Begun")

_BATCH = 2_000
_OWN_MESSAGE = re.compile(r"Could not convert string 'clew: (.*)' to INT64", re.DOTALL)
_CONVERSION = re.compile(r"Could not convert string '(.*)' to (\w+)", re.DOTALL)
_RELATION = re.compile(r"\b(?:clew_)?(?:" + "|".join(VIEWS) + r")\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take: seconds, megabytes and threads."""

    deadline_seconds: float = 60.0
    memory_mb: int = 1024
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a query as it is read.

    `columns` are names with Trino's types. `rows` can be read once, while the query is open: values are Python's, times
    are zoneless and in UTC, and arrays, maps, rows and JSON are JSON text; `nested` says which columns are such.
    """

    columns: tuple[tuple[str, str], ...]
    nested: tuple[bool, ...]
    rows: Iterator[tuple[object, ...]]


def explain(text: str, now: datetime) -> str:
    """The DuckDB SQL of the query, laid out for reading."""
    query, _ = translate_query(text, now)
    guard.check(write(query))
    return write(query, pretty=True)


@contextmanager
def open_query(lake: Lake, text: str, *, now: datetime, limits: Limits | None = None) -> Iterator[Answer]:
    """The answer of the lake to the query, open for reading inside the `with` block.

    Units: `now` is the moment that `now()` and `current_timestamp` mean.
    Errors: QueryError when the query is refused or fails, takes too long or too much memory.
    """
    limits = limits or Limits()
    columns, sql = _prepared(text, now)

    def start(connection: duckdb.DuckDBPyConnection) -> tuple[bool, ...]:
        shown, nested = _readable(connection, sql, len(columns))
        connection.execute(shown)
        return nested

    with _started(lake, sql, limits, start) as (connection, nested):
        yield Answer(tuple((n, str(t)) for n, t in columns), nested, _rows(connection, limits))


@contextmanager
def open_arrow(
    lake: Lake, text: str, *, now: datetime, limits: Limits | None = None
) -> Iterator[pa.RecordBatchReader]:
    """The answer as Arrow batches, for writing Parquet; JSON is text."""
    limits = limits or Limits()
    columns, sql = _prepared(text, now)

    def start(connection: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
        typed = _storable(connection, sql, [name for name, _ in columns])
        return connection.sql(typed).to_arrow_reader(_BATCH)

    with _started(lake, sql, limits, start) as (_, reader):
        yield reader


@contextmanager
def _started(
    lake: Lake, sql: str, limits: Limits, start: Callable[[duckdb.DuckDBPyConnection], Begun]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Begun]]:
    """A connection on which the query was started, closed at the end; the deadline counts for its reading too."""
    with _failures(limits):
        try:
            connection, begun = _attempt(lake, sql, limits, start, without="")
        except duckdb.InternalException:
            # DuckDB 2.0, ORDER BY … LIMIT with a filter on part of a struct: "Vector::Reference used on vector of
            # different type". Without late materialisation all is well, but top rows of wide queries are slower.
            connection, begun = _attempt(lake, sql, limits, start, without="late_materialization")
        with _deadline(connection, limits.deadline_seconds):
            try:
                yield connection, begun
            finally:
                connection.close()


def _attempt(
    lake: Lake,
    sql: str,
    limits: Limits,
    start: Callable[[duckdb.DuckDBPyConnection], Begun],
    *,
    without: str,
) -> tuple[duckdb.DuckDBPyConnection, Begun]:
    connection = _connect(lake, sql, limits, without)
    try:
        with _deadline(connection, limits.deadline_seconds):
            return connection, start(connection)
    except BaseException:
        connection.close()
        raise


def _prepared(text: str, now: datetime) -> tuple[Columns, str]:
    query, columns = translate_query(text, now)
    sql = write(query)
    guard.check(sql)
    return columns, sql


def _connect(lake: Lake, sql: str, limits: Limits, without: str) -> duckdb.DuckDBPyConnection:
    named = {name.lower() for name in _RELATION.findall(sql)}
    views = [statement for view in VIEWS.values() for statement in view.statements(named)]
    tables = [table for table in TABLES if any(f"raw_{table}" in statement for statement in views)]
    connection = lake.connect(tables=tables, memory_limit_mb=limits.memory_mb, threads=limits.threads)
    connection.execute(f"SET disabled_optimizers = '{without}'")
    for statement in (*views, *macro_statements(sql)):
        connection.execute(statement)
    guard.lock(connection, (file.path for table in TABLES for file in lake.files(table)))
    return connection


def _types(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    # Not a relation's `types`: those objects outlive the connection, and DuckDB complains of it at exit.
    return [str(row[1]) for row in connection.execute(f"DESCRIBE {sql}").fetchall()]


def _readable(connection: duckdb.DuckDBPyConnection, sql: str, count: int) -> tuple[str, tuple[bool, ...]]:
    """The query with each column in a type that Python can hold, and which of them are JSON text."""
    types = _types(connection, sql)
    if not any(_unreadable(t) for t in types):
        return sql, (False,) * count
    names = [f"c{i}" for i in range(len(types))]
    listed = ", ".join(_shown(n, t) for n, t in zip(names, types, strict=True))
    nested = tuple(_is_nested(t) for t in types)
    return f"SELECT {listed} FROM ({sql}) AS answer({', '.join(names)})", nested


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "JSON"))


def _unreadable(type_: str) -> bool:
    return _is_nested(type_) or type_ == "TIMESTAMP WITH TIME ZONE"


def _shown(name: str, type_: str) -> str:
    if _is_nested(type_):
        return f"CAST({name if type_ == 'JSON' else f'to_json({name})'} AS VARCHAR)"
    return f"CAST({name} AS TIMESTAMP)" if _unreadable(type_) else name


def _storable(connection: duckdb.DuckDBPyConnection, sql: str, names: list[str]) -> str:
    types = _types(connection, sql)
    inner = [f"c{i}" for i in range(len(types))]
    casts = {"JSON": "VARCHAR", "HUGEINT": "BIGINT"}
    listed = ", ".join(
        f'{f"CAST({c} AS {casts[t]})" if t in casts else c} AS "{n.replace(chr(34), chr(34) * 2)}"'
        for c, t, n in zip(inner, types, _unique(names), strict=True)
    )
    return f"SELECT {listed} FROM ({sql}) AS answer({', '.join(inner)})"


def _unique(names: list[str]) -> list[str]:
    return [f"{name}_{i}" if name in names[:i] else name for i, name in enumerate(names)]


def _rows(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[tuple[object, ...]]:
    with _failures(limits):
        while batch := connection.fetchmany(_BATCH):
            yield from batch


@contextmanager
def _deadline(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def _failures(limits: Limits) -> Iterator[None]:
    """DuckDB's errors as one line of ours."""
    try:
        yield
    except duckdb.InterruptException:
        raise QueryError(f"the query exceeded the deadline of {limits.deadline_seconds:g} s") from None
    except duckdb.OutOfMemoryException:
        raise QueryError(
            f"the query needs more than {limits.memory_mb} MB; narrow it by time or raise --memory-mb"
        ) from None
    except duckdb.Error as error:
        raise QueryError(_message(str(error))) from None


def _message(text: str) -> str:
    if own := _OWN_MESSAGE.search(text):
        return own.group(1)
    if conversion := _CONVERSION.search(text):
        value, type_ = conversion.groups()
        return f"cannot cast `{value[:80].replace('?', '.')}` to {type_.lower()}; TRY_CAST gives NULL instead"
    first = text.splitlines()[0]
    if "Division by zero" in first:
        return "division by zero; `try(…)` gives NULL instead"
    _, _, what = first.partition("Error: ")
    return f"the query failed: {(what or first)[:300].rstrip('.')}"
