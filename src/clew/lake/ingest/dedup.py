"""Exactly once: which new records the lake holds already, or hold each other, and which only pretend to.

Two records with one id are duplicates when their texts are equal, or when their JSON is. Otherwise both are kept and
marked as a conflict: a forged record must not suppress a real one. Texts are compared by MD5 under a key that is new in
each run, so that nobody can prepare two texts that look equal.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clew.events.times import parse_time
from clew.lake.ingest.write import copy_statement, new_file, written
from clew.lake.reader import quoted
from clew.lake.schema import OCCURRENCES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from clew.lake.manifest import DataFile
    from clew.lake.schema import Table


_GROUP_ROWS = 300_000
"""With more suspects than this the new files are taken one group after the other: 1,000,000 at once took 740 MB."""


@dataclass(frozen=True, slots=True)
class Unique:
    """New data files without the records that the lake held already, and what was found.

    `duplicates` and `conflicts` count records by source; `occurrences` are data files of that table;
    `conflict_ids` are the ids under which different contents stand.
    """

    files: tuple[DataFile, ...]
    duplicates: Mapping[str, int]
    conflicts: Mapping[str, int]
    occurrences: tuple[DataFile, ...]
    conflict_ids: tuple[str, ...]


def unique(
    connection: duckdb.DuckDBPyConnection,
    lake_path: Path,
    table: Table,
    new: Sequence[DataFile],
    old: Sequence[DataFile],
) -> Unique:
    """The new data files of a table, each record once; a file that loses records is written anew."""
    found = _find_suspects(connection, new, old)
    if not found:
        return Unique(tuple(new), {}, {}, (), ())
    if found <= _GROUP_ROWS:
        return _resolved(connection, lake_path, table, new, old)
    files: list[DataFile] = []
    results: list[Unique] = []
    for group in _groups(new):
        held = (*old, *files)
        if _find_suspects(connection, group, held):
            results.append(_resolved(connection, lake_path, table, group, held))
            files += results[-1].files
        else:
            files += group
    return _together(files, results)


def _groups(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    group: list[DataFile] = []
    for file in sorted(files, key=lambda f: (f.day or "", f.min_time or 0, f.path)):
        if group and sum(f.rows for f in group) + file.rows > _GROUP_ROWS:
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _together(files: Sequence[DataFile], results: Sequence[Unique]) -> Unique:
    return Unique(
        tuple(files),
        sum((Counter(r.duplicates) for r in results), Counter()),
        sum((Counter(r.conflicts) for r in results), Counter()),
        tuple(file for r in results for file in r.occurrences),
        tuple(sorted({identity for r in results for identity in r.conflict_ids})),
    )


def _resolved(
    connection: duckdb.DuckDBPyConnection,
    lake_path: Path,
    table: Table,
    new: Sequence[DataFile],
    old: Sequence[DataFile],
) -> Unique:
    """As `unique`, when the table `suspects` is made."""
    _register(connection, new, old)
    _read_copies(connection, table, _with_suspects(connection, (*new, *old)))
    if _find_odd(connection):
        _merge_equal_json(connection, _text_column(table))
    _decide(connection)
    return Unique(
        _cleaned(connection, lake_path, table, new),
        _counts(connection, "NOT conflict AND NOT itself"),
        _counts(connection, "conflict"),
        _occurrences(connection, lake_path, table),
        tuple(str(row[0]) for row in connection.execute(_CONFLICT_IDS).fetchall()),
    )


def _with_suspects(connection: duckdb.DuckDBPyConnection, files: Sequence[DataFile]) -> list[DataFile]:
    """The files that hold a suspect: the texts of the others need not be read."""
    ids = _scan(files, "record_id, filename")
    query = f"SELECT DISTINCT filename FROM ({ids}) SEMI JOIN suspects USING (record_id)"
    found = {str(row[0]) for row in connection.execute(query).fetchall()}
    return [file for file in files if file.path in found]


def _register(
    connection: duckdb.DuckDBPyConnection, new: Sequence[DataFile], old: Sequence[DataFile]
) -> None:
    """Make the table `files`: numbers for paths, so that millions of rows hold numbers."""
    rows = [(n, file.path, n >= len(new)) for n, file in enumerate((*new, *old))]
    connection.execute("CREATE OR REPLACE TEMP TABLE files (file INTEGER, filename VARCHAR, is_held BOOLEAN)")
    connection.execute(
        "INSERT INTO files SELECT unnest(?), unnest(?), unnest(?)", [list(c) for c in zip(*rows, strict=True)]
    )


def _scan(files: Sequence[DataFile], columns: str) -> str:
    paths = ", ".join(quoted(file.path) for file in files)
    return f"SELECT {columns} FROM read_parquet([{paths}], hive_partitioning = false, filename = true)"


def _find_suspects(
    connection: duckdb.DuckDBPyConnection, new: Sequence[DataFile], old: Sequence[DataFile]
) -> int:
    """Make the table `suspects` of ids that occur twice, each with a number; how many there are."""
    fresh = _scan(new, "record_id")
    if not old and _are_all_different(connection, fresh):
        return 0
    twice = f"SELECT record_id FROM ({fresh}) GROUP BY record_id HAVING count(*) > 1"
    if old:
        # INVARIANT: all days are asked, not only those of the new records: a forged record may name another day.
        held = _scan(old, "record_id")
        twice += f" UNION SELECT record_id FROM ({fresh}) SEMI JOIN ({held}) USING (record_id)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT row_number() OVER () AS id, record_id FROM ({twice})"
    ).fetchall()
    return _number(connection, "SELECT count(*) FROM suspects")


def _are_all_different(connection: duckdb.DuckDBPyConnection, ids: str) -> bool:
    """Whether no two ids have one hash; sorting a million numbers takes a third of grouping a million texts."""
    found = connection.sql(f"SELECT hash(record_id) AS h FROM ({ids})").to_arrow_table()
    hashes = np.sort(found["h"].to_numpy())
    return not bool((hashes[1:] == hashes[:-1]).any())


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _read_copies(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[DataFile]) -> None:
    """Make the table `copies`: every record, new or held, that has a suspect's id, with a keyed digest of its text.

    Sources are numbered in their order, so that what stays does not depend on the order in which workers finish.
    """
    ordered = (
        "SELECT source, row_number() OVER (ORDER BY source) AS origin FROM (SELECT DISTINCT source FROM ({}))"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE origins AS {ordered.format(_scan(files, 'source'))}"
    ).fetchall()
    key = quoted(secrets.token_hex(16))
    columns = (
        f"record_id, source, record_number, filename, md5_number({key} || {_text_column(table)}) AS digest"
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE copies AS
        SELECT id, origin, record_number, file, is_held, digest FROM ({_scan(files, columns)})
        JOIN suspects USING (record_id) JOIN files USING (filename) JOIN origins USING (source)"""
    ).fetchall()


def _text_column(table: Table) -> str:
    return "eventjson" if table.name == "cloudtrail" else "rawline"


def _find_odd(connection: duckdb.DuckDBPyConnection) -> int:
    """Make the table `odd`: one copy of each text of the ids under which several texts stand; how many there are."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE odd AS
        SELECT id, digest, any_value((file, origin, record_number)) AS place FROM copies
        SEMI JOIN (SELECT id FROM copies GROUP BY id HAVING min(digest) <> max(digest)) USING (id)
        GROUP BY id, digest"""
    ).fetchall()
    return _number(connection, "SELECT count(*) FROM odd")


def _merge_equal_json(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Give copies whose texts differ but whose JSON is equal the same digest."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE canonicals (id BIGINT, digest UHUGEINT, canonical VARCHAR)"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE same (id BIGINT, digest UHUGEINT, first UHUGEINT)")
    for file, path in connection.execute(
        "SELECT file, filename FROM files WHERE file IN (SELECT place[1] FROM odd) ORDER BY file"
    ).fetchall():
        _add_canonical(connection, text, int(file), str(path))
    connection.execute(
        """INSERT INTO same SELECT id, digest, min(digest) OVER (PARTITION BY id, canonical) FROM canonicals;
        UPDATE copies SET digest = same.first FROM same
        WHERE copies.id = same.id AND copies.digest = same.digest AND same.digest <> same.first"""
    )


def _add_canonical(connection: duckdb.DuckDBPyConnection, text: str, file: int, path: str) -> None:
    """Add to the table `canonicals` the digest of the canonical JSON of the odd copies in one file."""
    query = f"""SELECT id, digest::VARCHAR, {text} FROM (
            SELECT {text}, origin, record_number
            FROM read_parquet({quoted(path)}, hive_partitioning = false) JOIN origins USING (source)
        ) JOIN odd ON place = ({file}, origin, record_number)"""
    rows = connection.execute(query).fetchall()
    columns = [[r[0] for r in rows], [r[1] for r in rows], [_canonical(str(r[2])) for r in rows]]
    connection.execute("INSERT INTO canonicals SELECT unnest(?), unnest(?)::UHUGEINT, unnest(?)", columns)


def _canonical(text: str) -> str:
    """SHA-256 of what the JSON says, however it is spelled; of the text where that is no JSON or ambiguous.

    White space, the order of keys, null members and the spelling of the time are no content: a row of CloudTrail Lake
    says the same as the record that it was made of.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys)
        if isinstance(content, dict) and (moment := parse_time(content.get("eventTime"))):
            content["eventTime"] = moment.isoformat()
        text = json.dumps(content, sort_keys=True)
    except (ValueError, RecursionError):
        text = f"text:{text}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # A repeated key would let a forged record equal the real one here and say another thing in its columns.
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return {key: value for key, value in found.items() if value is not None}


def _decide(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `verdicts`: new records to drop, with the copy that stays; and all records in conflict.

    Of equal copies the one the lake holds stays, else the first by source and number.
    """
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE verdicts AS
        WITH ranked AS (
            SELECT id, origin, record_number, file, is_held, row_number() OVER same AS place,
                first_value(origin) OVER same AS kept_origin, first_value(record_number) OVER same AS kept_number
            FROM copies
            WINDOW same AS (PARTITION BY id, digest ORDER BY is_held DESC, origin, record_number, file)
        ), contents AS (
            SELECT id, arg_min((origin, record_number), (NOT is_held, origin, record_number)) AS first
            FROM ranked WHERE place = 1 GROUP BY id HAVING count(*) > 1
        )
        SELECT id, origin, record_number, file, false AS conflict, kept_origin, kept_number,
            (origin, record_number) = (kept_origin, kept_number) AS itself
        FROM ranked WHERE NOT is_held AND place > 1
        UNION ALL
        SELECT id, origin, record_number, file, true, first[1], first[2], (origin, record_number) = first
        FROM ranked JOIN contents USING (id) WHERE place = 1"""
    ).fetchall()


_CONFLICT_IDS = "SELECT DISTINCT record_id FROM verdicts JOIN suspects USING (id) WHERE conflict ORDER BY 1"


def _counts(connection: duckdb.DuckDBPyConnection, condition: str) -> dict[str, int]:
    query = (
        f"SELECT source, count(*) FROM verdicts JOIN origins USING (origin) WHERE {condition} GROUP BY source"
    )
    return {str(source): int(count) for source, count in connection.execute(query).fetchall()}


def _cleaned(
    connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table, new: Sequence[DataFile]
) -> tuple[DataFile, ...]:
    """The files without their duplicates and with their conflicts marked; files of which nothing is left go."""
    query = "SELECT file, count(*) FILTER (NOT conflict), count(*) FROM verdicts GROUP BY file"
    touched = {
        int(file): (int(dropped), int(all_)) for file, dropped, all_ in connection.execute(query).fetchall()
    }
    kept: list[DataFile] = []
    for number, file in enumerate(new):
        dropped, verdicts = touched.get(number, (0, 0))
        if not verdicts:
            kept.append(file)
            continue
        if dropped < file.rows:
            kept.append(_rewritten(connection, lake_path, table, number, file))
        Path(file.path).unlink()
    return tuple(kept)


def _rewritten(
    connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table, number: int, file: DataFile
) -> DataFile:
    verdicts = f"SELECT source, record_number, conflict FROM verdicts JOIN origins USING (origin) WHERE file = {number}"
    conflict = "r.conflict OR coalesce(v.conflict, false)"
    columns = [f"{conflict if c.name == 'conflict' else f'r.{c.name}'}" for c in table.columns]
    query = f"""SELECT {", ".join(columns)} FROM read_parquet({quoted(file.path)}, hive_partitioning = false) r
        LEFT JOIN ({verdicts}) v ON (r.source, r.record_number) = (v.source, v.record_number)
        WHERE v.conflict IS NULL OR v.conflict"""
    path = new_file(lake_path, table)
    return written(str(path), connection.execute(copy_statement(table, query, path)).fetchall()).data_file()


def _occurrences(
    connection: duckdb.DuckDBPyConnection, lake_path: Path, table: Table
) -> tuple[DataFile, ...]:
    query = f"""SELECT {quoted(table.name)}, record_id, o.source, record_number, k.source, kept_number, conflict
        FROM verdicts JOIN suspects USING (id) JOIN origins o USING (origin) JOIN origins k ON k.origin = kept_origin
        WHERE conflict OR NOT itself"""
    path = new_file(lake_path, TABLES[OCCURRENCES.name])
    answer = connection.execute(copy_statement(OCCURRENCES, query, path)).fetchall()
    file = written(str(path), answer).data_file()
    if file.rows:
        return (file,)
    path.unlink()
    return ()
