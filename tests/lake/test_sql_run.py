"""Running a query: its limits, its locks, and what `clew sql` writes."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from clew.cli.main import app
from clew.errors import QueryError
from clew.lake.ingest import ingest
from clew.lake.reader import open_lake
from clew.lake.schema import TABLES, empty_relation
from clew.lake.sql import guard
from clew.lake.sql.run import Limits, explain, open_query

NOW = datetime(2023, 7, 10, 12, tzinfo=UTC)
SAMPLE = Path(__file__).parents[1] / "cases" / "sql" / "lake"
# Ways out of DuckDB that its locks must refuse even if a query reached it unread (measured with DuckDB 2.0).
LOCKED = [
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM glob('/*')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "ATTACH '{folder}/other.db' AS other",
    "EXPORT DATABASE '{folder}/export'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET memory_limit = '100GB'",
    "SET allowed_paths = ['{secret}']",
    "RESET allowed_paths",
]


@dataclass(frozen=True)
class BigLake:
    """A lake with a table of many rows, for queries that never end."""

    def connect(self, *, tables: list[str], memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        """A connection with the raw tables."""
        del tables
        connection = duckdb.connect(config={"memory_limit": f"{memory_limit_mb}MB", "threads": threads})
        connection.execute("SET max_temp_directory_size = '0B'")
        connection.execute(f"CREATE TABLE raw_cloudtrail AS {empty_relation(TABLES['cloudtrail'])}")
        connection.execute(
            "INSERT INTO raw_cloudtrail BY NAME SELECT '2023-07-10'::TIMESTAMPTZ AS eventtime, n::VARCHAR AS eventid,"
            " repeat('x', 50) || n AS useragent FROM range(20_000) AS t(n)"
        )
        return connection

    def files(self, table: str) -> tuple[()]:
        """No files."""
        del table
        return ()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample of the three kinds of log."""
    path = tmp_path_factory.mktemp("ws")
    ingest(path / "lake", [SAMPLE], now=datetime(2024, 1, 1, tzinfo=UTC), workers=1)
    return path


def clew(workspace: Path, *words: str, code: int = 0) -> str:
    """What `clew sql` writes to standard output."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "sql", *words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def failure(workspace: Path, *words: str) -> str:
    """The error of `clew sql`."""
    result = CliRunner().invoke(app, ["-w", str(workspace), "sql", *words])
    assert result.exit_code != 0
    return str(result.exception)


def read_all(query: str, limits: Limits) -> list[tuple[object, ...]]:
    """Every row of the answer."""
    with open_query(BigLake(), query, now=NOW, limits=limits) as answer:
        return list(answer.rows)


def test_a_runaway_query_ends_at_its_deadline():
    """A query that would run for hours is interrupted, and the error names the deadline."""
    runaway = "SELECT count(*) FROM cloudtrail_logs a, cloudtrail_logs b WHERE a.useragent < b.useragent"
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"exceeded the deadline of 0\.5 s"):
        read_all(runaway, Limits(deadline_seconds=0.5))
    assert time.monotonic() - started < 10


def test_a_hungry_query_ends_at_its_memory_limit():
    """A query that needs too much memory fails in one line with advice."""
    hungry = "SELECT array_agg(a.useragent || b.useragent) FROM cloudtrail_logs a, cloudtrail_logs b"
    with pytest.raises(QueryError, match="needs more than 128 MB; narrow it by time"):
        read_all(hungry, Limits(memory_mb=128))


@pytest.mark.parametrize("statement", LOCKED)
def test_the_locks_hold_without_the_guard(workspace, tmp_path, statement):
    """DuckDB's own settings refuse files, extensions and settings, should a query ever get past the guard."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n", encoding="utf-8")
    lake = open_lake(workspace / "lake")
    connection = lake.connect()
    guard.lock(connection, (f.path for f in lake.files("cloudtrail")))
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(secret=secret, folder=tmp_path)).fetchall()
    assert [p.name for p in tmp_path.iterdir()] == ["secret.csv"]
    assert connection.execute("SELECT count(*) FROM raw_cloudtrail").fetchone() == (8,)


def test_the_lake_survives_every_attempt(workspace):
    """COPY over a lake file, the one door that the locks leave open, is shut by the guard."""
    lake = open_lake(workspace / "lake")
    target = Path(lake.files("cloudtrail")[0].path)
    before = target.read_bytes()
    for attempt in (
        f"COPY (SELECT 1) TO '{target}' (use_tmp_file false)",
        f"SELECT 1; COPY (SELECT 1) TO '{target}'",
    ):
        assert "SELECT" in failure(workspace, attempt)
    assert target.read_bytes() == before


def test_a_table_is_written_plainly(workspace):
    """The default output is a table with AWS's column names."""
    lines = clew(
        workspace, "SELECT eventname, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    assert lines.splitlines() == ["eventname  _col1", "---------  -----", "GetObject  2"]


def test_json_keeps_types_and_nesting(workspace):
    """JSON output has numbers, booleans and objects, not their text."""
    columns = "eventtime, readonly, resources, requestparameters, 1.5 AS n"
    query = f"SELECT {columns} FROM cloudtrail_lake WHERE eventname = 'AssumeRole'"
    (row,) = json.loads(clew(workspace, query, "-o", "json"))
    assert row["eventtime"] == "2019-07-07T08:00:01Z"
    assert row["readonly"] is True
    assert row["n"] == 1.5
    assert row["requestparameters"]["roleSessionName"] == "bob"
    assert row["resources"][0]["type"] == "AWS::IAM::Role"
    assert clew(workspace, "SELECT 1 WHERE false", "-o", "json") == "[]\n"
    assert clew(workspace, "SELECT 1 AS a, NULL AS b", "-o", "jsonl") == '{"a": 1, "b": null}\n'


def test_csv_runs_no_formula(workspace):
    """A cell that a spreadsheet would run is made text."""
    written = clew(workspace, "SELECT '=1+1' AS a, '@x' AS b, -5 AS c, ARRAY[1] AS d", "-o", "csv")
    assert list(csv.reader(io.StringIO(written))) == [["a", "b", "c", "d"], ["'=1+1", "'@x", "-5", "[1]"]]


def test_a_table_drives_no_terminal(workspace):
    """Escape codes in the data come out inert."""
    assert "\x1b" not in clew(workspace, "SELECT chr(27) || '[31mred' AS a")


def test_parquet_is_written_by_clew(workspace, tmp_path):
    """A Parquet file holds the typed rows, and an existing file is left alone without --force."""
    target = tmp_path / "out.parquet"
    columns = "eventtime, eventname, count(*) AS n, arbitrary(requestparameters) AS p"
    query = f"SELECT {columns} FROM cloudtrail_lake GROUP BY 1, 2"
    clew(workspace, query, "-o", "parquet", "--out", str(target))
    table = parquet.read_table(target)
    assert table.num_rows == 8
    assert str(table.schema.field("eventtime").type) == "timestamp[us]"
    assert str(table.schema.field("n").type) == "int64"
    assert "exists; add `--force`" in failure(workspace, query, "-o", "parquet", "--out", str(target))
    clew(workspace, "SELECT 1 AS a", "-o", "parquet", "--out", str(target), "--force")
    assert parquet.read_table(target).to_pylist() == [{"a": 1}]


def test_a_failed_query_leaves_no_file(workspace, tmp_path):
    """Nothing appears under the name of the output file unless the whole answer is in it."""
    failure(workspace, "SELECT 1/0", "-o", "csv", "--out", str(tmp_path / "x.csv"))
    failure(workspace, "SELECT 1/0", "-o", "parquet", "--out", str(tmp_path / "x.parquet"))
    assert not list(tmp_path.iterdir())


def test_a_query_is_read_from_a_file(workspace, tmp_path):
    """`--file` runs the query that the file holds, and one of file and argument must be given."""
    query = tmp_path / "q.sql"
    query.write_text("-- how many\nSELECT count(*) AS n FROM cloudtrail_logs;\n", encoding="utf-8")
    assert clew(workspace, "--file", str(query), "-o", "jsonl") == '{"n": 8}\n'
    assert "give the query" in failure(workspace)
    assert "give the query" in failure(workspace, "SELECT 1", "--file", str(query))
    assert "cannot read" in failure(workspace, "--file", str(tmp_path / "none.sql"))


def test_rows_can_be_limited(workspace):
    """--max-rows stops early, for every output."""
    assert (
        clew(workspace, "SELECT eventid FROM cloudtrail_logs", "-o", "jsonl", "--max-rows", "2").count("\n")
        == 2
    )


def test_the_translation_can_be_seen(workspace):
    """--explain shows the SQL for DuckDB and runs nothing."""
    assert 'CLEW_DIVIDE(7, 2) AS "_col0"' in clew(workspace, "SELECT 7/2", "--explain")
    assert explain("SELECT 1", NOW) == 'SELECT\n  1 AS "_col0"'


def test_functions_are_listed_with_their_review(workspace):
    """--functions says which functions are reviewed and what differs."""
    listed = clew(workspace, "--functions")
    assert "greatest" in listed
    assert "NULL when any argument is NULL" in listed


def test_no_lake_is_one_clear_line(tmp_path):
    """Without a lake the user is told how to make one."""
    assert "run `clew ingest PATH` first" in failure(tmp_path, "SELECT 1")
