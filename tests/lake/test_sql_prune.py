"""Narrowing a relation to an interval of time never changes an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.lake.schema import TABLES, empty_relation
from clew.lake.sql.run import explain, open_query

NOW = datetime(2023, 7, 10, 12, tzinfo=UTC)
START = datetime(2023, 7, 8, 22, tzinfo=UTC)
# A moment every 47 minutes with half seconds, over four days: none of them fits a boundary by chance.
MOMENTS = [START + timedelta(minutes=47 * i, milliseconds=500 * (i % 2)) for i in range(125)]
MOMENTS += [datetime(2023, 7, 10, tzinfo=UTC), datetime(2023, 7, 10, 23, 59, 59, 999_000, tzinfo=UTC)]
ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class TimedLake:
    """CloudTrail events at the moments above."""

    def connect(self, *, tables: list[str], memory_limit_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
        """A connection with the raw tables."""
        del tables, memory_limit_mb, threads
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        rows = ", ".join(f"('{m.isoformat()}'::TIMESTAMPTZ, {i})" for i, m in enumerate(MOMENTS))
        connection.execute(f"CREATE TABLE raw_cloudtrail AS {empty_relation(TABLES['cloudtrail'])}")
        connection.execute(
            "INSERT INTO raw_cloudtrail BY NAME SELECT eventtime, n::VARCHAR AS eventid"
            f" FROM (VALUES {rows}) AS t(eventtime, n)"
        )
        return connection

    def files(self, table: str) -> tuple[()]:
        """No files."""
        del table
        return ()


def ids(condition: str, view: str = "cloudtrail_logs") -> set[int]:
    """The events that the condition lets through."""
    query = f"SELECT eventid FROM {view} WHERE {condition}"
    with open_query(TimedLake(), query, now=NOW) as answer:
        return {int(str(row[0])) for row in answer.rows}


def texts(keep) -> set[int]:
    """The events whose time, as Athena's text, passes the test."""
    return {i for i, m in enumerate(MOMENTS) if keep(m.strftime(ISO))}


OPERATORS = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
}
WRITTEN = st.one_of(
    st.datetimes(datetime(2023, 7, 8), datetime(2023, 7, 14)).map(lambda d: d.strftime(ISO)),  # noqa: DTZ001  # bounds
    st.sampled_from(MOMENTS).map(lambda m: m.strftime(ISO)),
    st.sampled_from(
        ["2023-07-10", "2023-07", "2023-07-10T1", "2023-7-1", "", "zz", "2023-02-30", "2023-07-10T00:00:00"]
    ),
)


@settings(max_examples=25)
@given(operator=st.sampled_from(sorted(OPERATORS)), written=WRITTEN)
def test_a_comparison_of_the_text_is_a_comparison_of_the_text(operator, written):
    """`eventtime >= '…'` compares as text, whatever stands in the quotes and however few files are read for it."""
    assert ids(f"eventtime {operator} '{written}'") == texts(lambda t: OPERATORS[operator](t, written))
    flipped = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}[operator]
    assert ids(f"'{written}' {flipped} eventtime") == texts(lambda t: OPERATORS[operator](t, written))


@settings(max_examples=25)
@given(low=WRITTEN, high=WRITTEN)
def test_between_is_two_comparisons(low, high):
    """BETWEEN includes both ends."""
    assert ids(f"eventtime BETWEEN '{low}' AND '{high}'") == texts(lambda t: low <= t <= high)


DAY = "2023-07-10"


@pytest.mark.parametrize(
    ("condition", "keep"),
    [
        ("eventtime LIKE '2023-07-10T1%'", lambda t: t.startswith("2023-07-10T1")),
        ("eventtime LIKE '2023-07-1_T10%'", lambda t: t[:9] == "2023-07-1" and t[10:13] == "T10"),
        ("from_iso8601_timestamp(eventtime) > timestamp '2023-07-10 10:00:00'", lambda t: t > "2023-07-10T10:00:00Z"),
        ("from_iso8601_timestamp(eventtime) <= timestamp '2023-07-10 10:00:00 UTC'",
         lambda t: t <= "2023-07-10T10:00:00Z"),
        ("from_iso8601_timestamp(eventtime) >= now() - INTERVAL '1' DAY", lambda t: t >= "2023-07-09T12:00:00Z"),
        ("date(from_iso8601_timestamp(eventtime)) = date '2023-07-10'", lambda t: t[:10] == DAY),
        ("date(from_iso8601_timestamp(eventtime)) <= date '2023-07-10'", lambda t: t[:10] <= DAY),
        ("date(from_iso8601_timestamp(eventtime)) > date '2023-07-10'", lambda t: t[:10] > DAY),
        ("CAST(from_iso8601_timestamp(eventtime) AS date) < date '2023-07-10'", lambda t: t[:10] < DAY),
        ("date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') < timestamp '2023-07-10 00:00:00'", lambda t: t[:10] < DAY),
        ("timestamp = '2023/07/10'", lambda t: t[:10] == DAY),
        ("timestamp > '2023/07/09' AND timestamp <= '2023/07/10'", lambda t: t[:10] == DAY),
        ("timestamp BETWEEN '2023/07/09' AND '2023/07/10'", lambda t: "2023-07-09" <= t[:10] <= DAY),
        ("timestamp >= '2023/7/1'", lambda _: False),
        ("year = '2023' AND month = '07' AND day = '10'", lambda t: t[:10] == DAY),
        ("year = '2023' AND month = '07'", lambda _: True),
        ("year = '2022'", lambda _: False),
        ("year = '2023' AND month = '7'", lambda _: False),
        ("day = '10'", lambda t: t[8:10] == "10"),
        ("eventtime > '2023-07-10T00:00:00Z' OR day = '09'", lambda t: t > "2023-07-10T00:00:00Z" or t[8:10] == "09"),
        ("NOT (eventtime > '2023-07-10T00:00:00Z')", lambda t: t <= "2023-07-10T00:00:00Z"),
        ("(eventtime > '2023-07-09T00:00:00Z' AND (eventtime < '2023-07-10T00:00:00Z'))",
         lambda t: "2023-07-09T00:00:00Z" < t < "2023-07-10T00:00:00Z"),
    ],
)  # fmt: skip
def test_conditions_on_time_mean_what_they_say(condition, keep):
    """Partitions, functions of the text and combinations give the rows that a scan of everything gives."""
    assert ids(condition) == texts(keep)


@settings(max_examples=25)
@given(
    operator=st.sampled_from(sorted(OPERATORS)), moment=st.sampled_from(MOMENTS), offset=st.integers(-2, 2)
)
def test_the_lake_view_compares_instants(operator, moment, offset):
    """CloudTrail Lake's eventtime is a timestamp with all its digits."""
    bound = moment + timedelta(milliseconds=500 * offset)
    written = bound.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    expected = {i for i, m in enumerate(MOMENTS) if OPERATORS[operator](m, bound)}
    assert ids(f"eventtime {operator} '{written}'", "cloudtrail_lake") == expected
    assert ids(f"eventtime {operator} timestamp '{written}'", "cloudtrail_lake") == expected


@pytest.mark.parametrize(
    "condition",
    [
        "eventtime >= '2023-07-10T00:00:00Z'",
        "eventtime BETWEEN '2023-07-10' AND '2023-07-11'",
        "timestamp = '2023/07/10'",
        "year = '2023' AND month = '07' AND day = '10'",
        "from_iso8601_timestamp(eventtime) > now() - INTERVAL '1' DAY",
    ],
)
def test_a_condition_on_time_narrows_what_is_read(condition):
    """The files of other days are not read."""
    assert "CLEW_CLOUDTRAIL_LOGS(" in explain(f"SELECT eventid FROM cloudtrail_logs WHERE {condition}", NOW)


def test_an_outer_join_keeps_its_rows():
    """Narrowing one side of an outer join does not invent or lose rows of the other."""
    query = (
        "SELECT count(*), count(b.eventid) FROM cloudtrail_logs a LEFT JOIN cloudtrail_logs b ON a.eventid = b.eventid"
        " AND b.eventtime > '2023-07-10T00:00:00Z' WHERE a.eventtime >= '2023-07-09T00:00:00Z'"
    )
    with open_query(TimedLake(), query, now=NOW) as answer:
        assert next(answer.rows) == (
            len(texts(lambda t: t >= "2023-07-09T00:00:00Z")),
            len(texts(lambda t: t > "2023-07-10T00:00:00Z")),
        )


def test_a_condition_on_the_optional_side_removes_the_unmatched():
    """WHERE on the right side of a LEFT JOIN drops rows without a match, as without narrowing."""
    query = (
        "SELECT count(*) FROM cloudtrail_logs a LEFT JOIN cloudtrail_logs b ON a.eventid = b.eventid"
        " WHERE b.eventtime >= '2023-07-10T00:00:00Z'"
    )
    with open_query(TimedLake(), query, now=NOW) as answer:
        assert next(answer.rows) == (len(texts(lambda t: t >= "2023-07-10T00:00:00Z")),)
