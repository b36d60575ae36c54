"""What a query means and which queries never run: the cases of tests/cases/sql."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.case_files import read_case_file

from clew.errors import QueryError
from clew.lake.schema import TABLES, empty_relation
from clew.lake.sql import guard
from clew.lake.sql.functions import FUNCTIONS
from clew.lake.sql.run import open_query
from clew.report.rows import text

CASES = Path(__file__).parents[1] / "cases" / "sql"
NOW = datetime(2023, 7, 10, 12, tzinfo=UTC)


def load(name: str) -> list[dict[str, object]]:
    """The cases of one file."""
    return list(read_case_file(CASES / f"{name}.yaml"))


DIALECT, REFUSED = load("dialect"), load("refused")


@dataclass(frozen=True)
class EmptyLake:
    """A lake with every table and no rows."""

    def connect(self, *, tables: list[str], memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        """A connection with the raw tables."""
        del tables
        connection = duckdb.connect(config={"memory_limit": f"{memory_limit_mb}MB", "threads": threads})
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in TABLES.items():
            connection.execute(f"CREATE VIEW raw_{name} AS {empty_relation(table)}")
        return connection

    def files(self, table: str) -> tuple[()]:
        """No files."""
        del table
        return ()


def ask(lake: object, query: str) -> tuple[list[str], list[list[object]]]:
    """Names and rows of the answer, nested values decoded and times as text."""
    with open_query(lake, query, now=NOW) as answer:
        rows = [
            [_value(v, nested=deep) for v, deep in zip(row, answer.nested, strict=True)]
            for row in answer.rows
        ]
        return [name for name, _ in answer.columns], rows


def _value(value: object, *, nested: bool) -> object:
    if nested and isinstance(value, str):
        return json.loads(value)
    return (
        float(value)
        if type(value).__name__ == "Decimal"
        else text(value)
        if hasattr(value, "isoformat")
        else value
    )


def same(found: object, expected: object) -> bool:
    """Equality, with inf and floats as they are written in YAML."""
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(same(f, e) for f, e in zip(found, expected, strict=True))
    if isinstance(found, float) and math.isinf(found):
        return found == expected
    if isinstance(found, float) and isinstance(expected, (int, float)):
        return found == pytest.approx(expected, abs=1e-12)
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize("case", DIALECT, ids=[str(c["id"]) for c in DIALECT])
def test_an_expression_means_what_trino_documents(case):
    """A query gives the rows that Trino's documentation promises, or an error that says where and why."""
    if "error" in case:
        with pytest.raises(QueryError) as raised:
            ask(EmptyLake(), case["sql"])
        assert case["error"] in str(raised.value)
        assert "\n" not in str(raised.value)
        return
    names, rows = ask(EmptyLake(), case["sql"])
    assert same(rows, case["rows"]), rows
    assert names == case.get("columns", names)


@pytest.mark.parametrize("case", REFUSED, ids=[str(c["id"]) for c in REFUSED])
def test_an_escape_is_refused(case):
    """No query reaches a file, a setting, another table or a second statement."""
    with pytest.raises(QueryError) as raised:
        guard.check(case["translated"]) if "translated" in case else ask(EmptyLake(), _repeated(case))
    assert case["error"] in str(raised.value)
    assert "\n" not in str(raised.value)


def _repeated(case: dict[str, object]) -> str:
    repeat = case.get("repeat")
    return (
        str(case["sql"]) if repeat is None else str(repeat["text"]) * int(repeat["count"]) + str(case["sql"])
    )


def test_every_function_has_a_case():
    """A function is allowed only with a case that says what it means."""
    written = " ".join(str(c["sql"]).lower() for c in DIALECT if "rows" in c)
    missing = [name for name in FUNCTIONS if f"{name}(" not in written]
    assert not missing


def test_case_ids_are_unique():
    """Each case has a name of its own."""
    ids = [str(c["id"]) for c in DIALECT + REFUSED]
    assert len(ids) == len(set(ids))


_WORDS = """
    SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT 1 2.5 1e3 'a' 'a''b' "x" x y t cloudtrail_logs eventname
    useridentity useridentity.arn ( ) , . * + - / % || = <> < > <= IS NULL NOT AND OR IN BETWEEN LIKE ESCAPE
    CASE WHEN THEN ELSE END CAST AS varchar bigint ARRAY [ ] -> :: UNNEST CROSS JOIN LEFT ON true WITH UNION
    EXCEPT VALUES OVER PARTITION DISTINCT count ( sum ( lower ( substr ( json_extract ( element_at (
    date_add ( now() INTERVAL '1' DAY EXTRACT read_csv ( ; -- /* */ $$ ? @ : { } ` \\ \x00 DATE TIMESTAMP
    TRY_CAST row ( filter ( reduce ( map ( EXISTS LATERAL GROUPING SETS FILTER é 😀
"""


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=25).map(" ".join))
def test_nonsense_is_refused_in_one_line(nonsense):
    """Any words at all give an answer or one line of error, never a failure of another kind."""
    for query in (nonsense, f"SELECT {nonsense}", f"SELECT eventname FROM cloudtrail_logs WHERE {nonsense}"):
        assert "\n" not in _error(query)


def _error(query: str) -> str:
    """The error of the query; empty when it runs."""
    try:
        ask(EmptyLake(), query)
    except QueryError as error:
        return str(error)
    return ""
