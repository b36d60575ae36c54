"""From marks to findings: events of one rule and subject, parted where they pause, with their numbers and evidence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.lake.detection.scan import ACCOUNT_SQL
from clew.lake.summary import ACTOR_SQL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.lake.detection.rows import Found
    from clew.lake.detection.scan import Scan

MOST_EVENT_IDS = 1_000
MOST_EVIDENCE = 50
_MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """One record of a finding: its text, and the file and record number where it stands."""

    text: str
    record_id: str
    path: str
    record_number: int


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one rule and subject without a pause longer than the gap.

    Units: `first` and `last` are epoch microseconds. Shape: `actors`, `accounts`, `regions`, `source_ips` and
    `access_keys` are in order of use, most used first, then by name.
    """

    rule: int
    subject: int
    count: int
    first: int
    last: int
    actors: tuple[str, ...]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    source_ips: tuple[str, ...]
    access_keys: tuple[str, ...]
    event_ids: tuple[str, ...]
    proofs: list[Proof] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Members:
    """Which marks make findings of a rule: all of its questions, or those inside the windows."""

    rule: int
    questions: tuple[int, ...]
    windows: Sequence[Found] | None = None


def gather(scan: Scan, members: Sequence[Members], gap: int) -> list[Group]:
    """The groups of every rule, in order of rule, subject and time."""
    scan.create("members", "rule INTEGER, subject UBIGINT, t BIGINT, file UBIGINT, number BIGINT", ())
    _collect_all(scan, [one for one in members if one.windows is None])
    for one in members:
        if one.windows:
            _collect_inside(scan, one, one.windows)
    _describe(scan, gap)
    groups = _groups(scan)
    _prove(scan, groups)
    return list(groups.values())


def _collect_all(scan: Scan, members: Sequence[Members]) -> None:
    """Every mark of these rules is a member."""
    pairs = [(question, one.rule) for one in members for question in one.questions]
    scan.create("rule_of", "question INTEGER, rule INTEGER", pairs)
    scan.connection.execute(
        "INSERT INTO members SELECT rule, key, t, file, number FROM marks JOIN rule_of USING (question)"
    )


def _collect_inside(scan: Scan, members: Members, windows: Sequence[Found]) -> None:
    """The marks inside the windows are members, each once."""
    questions = ", ".join(map(str, members.questions)) or "NULL"
    scan.create("windows", "key UBIGINT, start BIGINT, stop BIGINT, value UBIGINT", windows)
    scan.connection.execute(
        f"INSERT INTO members SELECT DISTINCT {members.rule}, m.key, m.t, m.file, m.number FROM marks m "
        "JOIN windows w ON m.key = w.key AND m.t BETWEEN w.start AND w.stop "
        f"AND (w.value IS NULL OR w.value = m.value) WHERE m.question IN ({questions})"
    )


def _describe(scan: Scan, gap: int) -> None:
    """Make `placed`: each member with what its columns say and its place in its group."""
    scan.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE details AS SELECT d.file, d.number, record_id, {ACTOR_SQL} AS actor, "
        f"{ACCOUNT_SQL} AS account, awsregion AS region, sourceipaddress AS ip, useridentity.accesskeyid AS access_key "
        f"FROM {scan.source} e JOIN (SELECT DISTINCT file, number FROM members) d "
        "ON e.file_index = d.file AND e.file_row_number = d.number"
        if not scan.empty
        else "CREATE OR REPLACE TEMP TABLE details (file UBIGINT, number BIGINT, record_id VARCHAR, actor VARCHAR, "
        "account VARCHAR, region VARCHAR, ip VARCHAR, access_key VARCHAR)"
    )
    # The order within a second must not depend on how the files lie in the lake, hence the record's own id.
    scan.connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE placed AS
        WITH parted AS (
            SELECT m.*, d.* EXCLUDE (file, number),
                coalesce((t - lag(t) OVER one > {gap})::INTEGER, 1) AS begins
            FROM members m JOIN details d USING (file, number)
            WINDOW one AS (PARTITION BY rule, subject ORDER BY t, record_id, file, number)),
        numbered AS (
            SELECT *, sum(begins) OVER (PARTITION BY rule, subject ORDER BY t, record_id, file, number) AS part
            FROM parted)
        SELECT *, row_number() OVER (PARTITION BY rule, subject, part ORDER BY t, record_id, file, number) AS place,
            count(*) OVER (PARTITION BY rule, subject, part) AS size
        FROM numbered"""
    )


def _groups(scan: Scan) -> dict[tuple[int, int, int], Group]:
    columns = ", ".join(_most_used(name) for name in ("actor", "account", "region", "ip", "access_key"))
    rows = scan.connection.execute(
        f"SELECT rule, subject, part::BIGINT, count(*), min(t), max(t), {columns}, "
        f"list(record_id ORDER BY place) FILTER (place <= {MOST_EVENT_IDS}) "
        "FROM placed GROUP BY rule, subject, part ORDER BY rule, min(t), subject"
    ).fetchall()
    return {
        (row[0], row[1], row[2]): Group(
            row[0], row[1], *row[3:6], *(tuple(filter(None, v or ())) for v in row[6:])
        )
        for row in rows
    }


def _most_used(column: str) -> str:
    counted = f"map_entries(histogram({column}))"
    ordered = f"list_sort(list_transform({counted}, lambda e: {{'n': -(e.value::BIGINT), 'v': e.key}}))"
    return f"list_transform({ordered}[1:{_MOST_NAMED}], lambda e: e.v)"


def _prove(scan: Scan, groups: Mapping[tuple[int, int, int], Group]) -> None:
    """Add to each group its first and last records."""
    if not groups:
        return
    half = MOST_EVIDENCE // 2
    scan.connection.execute(
        "CREATE OR REPLACE TEMP TABLE proofs AS SELECT rule, subject, part::BIGINT AS part, place, record_id, "
        f"file, number FROM placed WHERE place <= {half} OR place > size - {half}"
    )
    paths: dict[object, str] = dict(
        scan.connection.execute("SELECT source, min(path) FROM raw_sources GROUP BY 1").fetchall()
    )
    found: dict[tuple[int, int, int], list[tuple[int, Proof]]] = defaultdict(list)
    columns = "d.rule, d.subject, d.part, d.place, d.record_id"
    for (rule, subject, part, place, record_id), text, source, number in scan.records("proofs", columns):
        proof = Proof(text, str(record_id), paths.get(source, source), number)
        found[rule, subject, part].append((place, proof))
    for key, proofs in found.items():
        groups[key].proofs.extend(proof for _, proof in sorted(proofs, key=lambda pair: pair[0]))
