"""What an ingest tells: the same about the same files, whether this run read them or an earlier one did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.lake.schema import OCCURRENCES, QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from clew.lake.ledger import Entry, Ledger
    from clew.lake.reader import Lake


_MEMORY_LIMIT = "200MB"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of one ingest of some paths.

    The same on every run: `files` (log files found), `events` (distinct readable records in them; a conflict counts as
    a record of its own), `conflicts` (ids in them under which the lake holds different contents), `quarantined_files`
    and `quarantined_records`, `reasons` (how many of each), `digest_files`, `empty_files`, `ignored` (files of the
    folders that are no logs by their names), `sources` (the ledger's entries). Of this run alone: `stored` and
    `duplicates` (records read now), `known_files` (files that were not read again), `stages`
    (CPU seconds of all processes by stage; starting them is not in it).
    """

    files: int = 0
    events: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined_files: int = 0
    quarantined_records: int = 0
    known_files: int = 0
    digest_files: int = 0
    empty_files: int = 0
    ignored: tuple[str, ...] = ()
    reasons: Mapping[str, int] | None = None
    sources: tuple[Entry, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """How many files and single records were refused."""
        return self.quarantined_files + self.quarantined_records


@dataclass(frozen=True, slots=True)
class ThisRun:
    """What only this run knows: records stored and dropped, files not read again, and CPU seconds by stage."""

    stored: int = 0
    duplicates: int = 0
    known_files: int = 0
    stages: Mapping[str, float] = field(default_factory=dict)


def report(
    lake: Lake, ledger: Ledger, paths: Sequence[str], ignored: tuple[str, ...], run: ThisRun
) -> IngestReport:
    """The report about these paths, all of which the ledger holds."""
    import duckdb

    entries = tuple(ledger.by_path[path] for path in paths)
    firsts = {entry.source: ledger.by_source[entry.source] for entry in entries}
    kinds = [entry.kind for entry in firsts.values()]
    with duckdb.connect() as connection:
        connection.execute(
            "SET TimeZone = 'UTC'; SET enable_progress_bar = false; CREATE TEMP TABLE asked (source VARCHAR)"
        )
        if firsts:
            connection.execute("INSERT INTO asked SELECT unnest(?)", [list(firsts)])
        elsewhere, conflicts = _occurrences(connection, lake)
        reasons, whole, single = _refusals(connection, lake)
    return IngestReport(
        files=len(entries),
        events=sum(entry.stored for entry in firsts.values()) + elsewhere,
        stored=run.stored,
        duplicates=run.duplicates,
        conflicts=conflicts,
        quarantined_files=whole,
        quarantined_records=single,
        known_files=run.known_files,
        digest_files=kinds.count("digest"),
        empty_files=kinds.count("empty"),
        ignored=ignored,
        reasons=reasons,
        sources=entries,
        stages=run.stages,
    )


def _occurrences(connection: duckdb.DuckDBPyConnection, lake: Lake) -> tuple[int, int]:
    """How many records of the asked sources are stored as records of other sources; how many ids are in conflict."""
    files = [file.path for file in lake.files(OCCURRENCES.name)]
    if not files:
        return 0, 0
    from clew.lake.reader import relation

    query = f"""WITH o AS NOT MATERIALIZED ({relation(OCCURRENCES, files)}),
        kept AS (
            SELECT count(DISTINCT kept_record_number) AS records FROM o SEMI JOIN asked USING (source)
            WHERE NOT conflict AND kept_source NOT IN (SELECT source FROM asked) GROUP BY kept_source
        )
        SELECT (SELECT coalesce(sum(records), 0) FROM kept),
            (SELECT count(DISTINCT record_id) FROM (SELECT * FROM o SEMI JOIN asked USING (source))
             WHERE record_id IN (SELECT record_id FROM o WHERE conflict))"""
    row = connection.execute(query).fetchall()[0]
    return int(row[0]), int(row[1])


def _refusals(connection: duckdb.DuckDBPyConnection, lake: Lake) -> tuple[dict[str, int], int, int]:
    """How many refusals of the asked sources there are by reason, of whole files, and of single records."""
    files = [file.path for file in lake.files(QUARANTINE.name)]
    if not files:
        return {}, 0, 0
    from clew.lake.reader import relation

    query = f"""SELECT reason, count(*) FILTER (record_number IS NULL), count(record_number)
        FROM (SELECT DISTINCT source, record_number, reason FROM ({relation(QUARANTINE, files)})
              SEMI JOIN asked USING (source))
        GROUP BY reason ORDER BY reason"""
    rows = connection.execute(query).fetchall()
    reasons = {str(reason): int(whole) + int(single) for reason, whole, single in rows}
    return reasons, sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
