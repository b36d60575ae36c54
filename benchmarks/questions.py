"""Ordinary questions over a lake: as engine time, and as whole process.

Engine time is that of the first question to a DuckDB that was just opened; opening and closing one (20 ms) counts in
the process.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import measure

from clew.lake.history.filters import Filters
from clew.lake.history.search import find, last_root_sign_in
from clew.lake.reader import open_lake
from clew.lake.sql.run import open_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from clew.lake.reader import Lake

RUNS = 5
NOW = datetime(2026, 11, 1, tzinfo=UTC)

SQL = {
    "count": "SELECT count(*) FROM cloudtrail_logs",
    "top principals": "SELECT useridentity.arn, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    "errors by API": "SELECT eventname, errorcode, count(*) FROM cloudtrail_logs WHERE errorcode IS NOT NULL "
    "GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20",
    "one event id": "SELECT eventname FROM cloudtrail_logs WHERE eventid = '7fffffff-ffff-4fff-afff-ffffffffffff'",
    "buckets read": "SELECT json_extract_scalar(requestparameters, '$.bucketName') AS bucket, count(*) "
    "FROM cloudtrail_logs WHERE eventname = 'GetObject' GROUP BY 1",
}
HISTORY = {
    "one key": (Filters(access_keys=("ASIA000000010200EXAM",)), ["--access-key", "ASIA000000010200EXAM"]),
    "one role's writes": (Filters(users=("app-3",), read_only=False), ["--user", "app-3", "--write-only"]),
    "one resource": (Filters(resources=("acme-3-3333",)), ["--resource", "acme-3-3333"]),
    # The question before has kept the words of a lake that is large enough, so this one reads nothing.
    "a resource that nobody used": (
        Filters(resources=("sg-0fedcba987654321f",)),
        ["--resource", "sg-0fedcba987654321f"],
    ),
    "all refused calls": (Filters(denied=True), ["--denied"]),
}


def ask(workspace: Path, clew: Sequence[str], label: str) -> None:
    """Ask each question five times as a process, and five times in the engine; prints medians."""
    lake = open_lake(workspace / "lake")
    print(f"\n## {label}: questions (medians of {RUNS})\n\n{'':<34}{'process s':>10}{'engine ms':>11}")
    command = [*clew, "-w", str(workspace)]
    for name, sql in SQL.items():
        engine = _engine_ms(lake, partial(_sql, text=sql))
        _row(name, [*command, "sql", sql], engine)
    for name, (wanted, words) in HISTORY.items():
        engine = _engine_ms(lake, partial(_find, wanted=wanted))
        _row(name, [*command, "events", *words], engine)
    _row("last root sign-in", [*command, "events", "--last-root-login"], _engine_ms(lake, _root))


def _row(name: str, command: Sequence[str], engine_ms: float) -> None:
    process = statistics.median(measure.run(command).wall for _ in range(RUNS))
    print(f"{name:<34}{process:>10.3f}{engine_ms:>11.0f}")


def _engine_ms(lake: Lake, question: Callable[[Lake], object]) -> float:
    took = []
    for _ in range(RUNS):
        opened = lake.keeping()
        opened.connect().close()
        start = time.perf_counter()
        question(opened)
        took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def _sql(lake: Lake, text: str) -> None:
    with open_query(lake, text, now=NOW) as answer:
        list(answer.rows)


def _find(lake: Lake, wanted: Filters) -> None:
    find(lake, wanted)


def _root(lake: Lake) -> None:
    last_root_sign_in(lake, Filters())
