"""The rows over which correlations look for windows: counted in SQL, and only where a window could be full enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.lake.detection.near import VALUES, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.lake.detection.scan import Scan

    Counted = tuple[int, int, int, int | float | None, int]
    """key, time, start, value, number of events; times are epoch microseconds."""
    Found = tuple[int, int, int, int | None]
    """key, start, end, and the value that was found, if one was."""

_BATCH = 10_000


def counted(
    scan: Scan, questions: Sequence[int], span: int, counts: str, minimum: float | None
) -> Iterator[Counted]:
    """One row for each key, time and value, in order of key and time.

    `counts` is `events`, `values`, `questions` or `amounts`. With a minimum only rows are given in whose neighbourhood
    it can be reached: a window of one span lies in at most two neighbouring buckets of that length.
    """
    listed = ", ".join(map(str, questions)) or "NULL"
    full = (
        ""
        if minimum is None
        else f"SEMI JOIN ({near(listed, span, counts, minimum)}) n ON m.key = n.key AND m.t // {span} = n.b "
    )
    cursor = scan.connection.execute(
        f"SELECT m.key, t, min(start), {VALUES[counts]} AS v, count(*) FROM marks m {full}"
        f"WHERE question IN ({listed}) GROUP BY m.key, t, v ORDER BY m.key, t, v"
    )
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def first_seen(
    scan: Scan, questions: Sequence[int], scope: Sequence[int], baseline: int, lasting: int
) -> list[Found]:
    """Where a value came that its key had not had for `baseline`, in keys that were known for so long.

    The window lasts for `lasting` after the first event, to hold what the newcomer did next.
    """
    everything = ", ".join(map(str, (*questions, *scope)))
    # Within a bucket no gap is longer than the baseline, so first and last time of each bucket tell every such gap.
    query = f"""
        WITH buckets AS (SELECT key, value, t // {max(baseline, 1)} AS b, min(t) AS lo, max(t) AS hi FROM marks
                         WHERE question IN ({everything}) AND value IS NOT NULL GROUP BY ALL),
        gaps AS (SELECT *, lag(hi) OVER (PARTITION BY key, value ORDER BY b) AS before FROM buckets),
        begun AS (SELECT key, min(t) AS first FROM marks WHERE question IN ({everything}) GROUP BY key)
        SELECT key, lo, lo + {lasting}, value FROM gaps JOIN begun USING (key)
        WHERE (before IS NULL OR lo - before > {baseline}) AND lo - first >= {baseline} ORDER BY key, lo, value
    """
    return scan.connection.execute(query).fetchall()


def per_span(scan: Scan, questions: Sequence[int], span: int) -> Iterator[tuple[int, int, int]]:
    """The number of events for each key and bucket of one span."""
    listed = ", ".join(map(str, questions)) or "NULL"
    cursor = scan.connection.execute(
        f"SELECT key, t // {span} AS b, count(*) FROM marks WHERE question IN ({listed}) GROUP BY ALL ORDER BY ALL"
    )
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def add_occurrences(
    scan: Scan, number: int, found: Sequence[tuple[int, int, int]], inner: Sequence[int], outer: Sequence[int]
) -> None:
    """Mark, as answers to question `number`, where windows (key, start, end) of `inner` questions ended.

    The marks carry the keys that the same records have as answers to the `outer` questions.
    """
    scan.create("occurrences", "key UBIGINT, start BIGINT, t BIGINT", found)
    inner_list, outer_list = (", ".join(map(str, numbers)) for numbers in (inner, outer))
    scan.connection.execute(
        f"INSERT INTO marks SELECT DISTINCT {number}, o.t, o.start, outside.key, NULL::UBIGINT, NULL::DOUBLE, "
        "any_value(outside.file), any_value(outside.number) FROM occurrences o "
        f"JOIN marks inside ON inside.key = o.key AND inside.t = o.t AND inside.question IN ({inner_list}) "
        "JOIN marks outside ON outside.file = inside.file AND outside.number = inside.number "
        f"AND outside.question IN ({outer_list}) GROUP BY o.t, o.start, outside.key"
    )
