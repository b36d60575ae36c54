"""Care of the lake: compaction, expiry, verification and relocation lose nothing and notice everything."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clew.errors import WorkspaceError, WorkspaceLockedError
from clew.lake import lock, manifest
from clew.lake.ingest.write import Writer
from clew.lake.maintenance import merge as merging
from clew.lake.maintenance.compact import compact, plan
from clew.lake.maintenance.expire import expire
from clew.lake.maintenance.info import info
from clew.lake.maintenance.location import moved_from, relative
from clew.lake.maintenance.quarantine import counts, entries
from clew.lake.maintenance.relocate import relocate
from clew.lake.maintenance.verify import verify
from clew.lake.reader import open_lake
from clew.lake.schema import CLOUDTRAIL, QUARANTINE, SOURCES
from clew.lake.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY_US = 86_400_000_000
NOON = datetime(2023, 7, 10, 12, tzinfo=UTC)
LATER = datetime.now(UTC) + timedelta(days=30)


def commit(lake_path: Path, numbers: Sequence[int], *, minutes: int = 7, source: str = "") -> None:
    """One commit of CloudTrail events, event n at noon plus n times seven minutes, with its ledger entry."""
    rows = []
    for place, number in enumerate(numbers):
        moment = NOON + number * timedelta(minutes=minutes)
        identity = f"event-{number:05d}"
        record = {
            "eventVersion": "1.08",
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "eventName": f"Call{number % 5}",
            "eventID": identity,
            "requestParameters": {"number": number},
        }
        text = json.dumps(record)
        rows.append(
            {
                "j": text,
                "eventjson": text,
                "record_id": identity,
                "eventtime_us": round(moment.timestamp() * 1e6),
                "source": source or f"source-{numbers[0]}",
                "record_number": place,
            }
        )
    with lock.exclusive(lake_path):
        store, writer = Store(lake_path), Writer(lake_path)
        days = [
            list(day)
            for _, day in itertools.groupby(rows, key=lambda row: int(row["eventtime_us"]) // DAY_US)
        ]
        parts = [writer.decoded_records(pa.Table.from_pylist(day)) for day in days]
        store.append(CLOUDTRAIL.name, [part.data_file() for part in parts])
        ledger = (
            f"SELECT '{rows[0]['source']}', '/logs/{numbers[0]}.json.gz', 'cloudtrail', {len(rows)}, {len(rows)}, "
            "0, 0, 0, 100, 0, TIMESTAMPTZ '2024-01-01 00:00:00+00'"
        )
        store.append(SOURCES.name, [writer.query(SOURCES, ledger).data_file()])
        writer.close()
        store.derive_manifest()


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of 600 events over four days in 15 commits, each of which may reach into two days."""
    home = tmp_path_factory.mktemp("maintenance")
    for start in range(0, 600, 40):
        commit(home / "workspace" / "lake", range(start, start + 40))
    (home / "workspace").rename(home / "pristine")
    return home


@pytest.fixture
def lake_path(pristine: Path) -> Path:
    """The lake of 600 events, as new, in the place where it was made."""
    shutil.rmtree(pristine / "workspace", ignore_errors=True)
    shutil.copytree(pristine / "pristine", pristine / "workspace")
    return pristine / "workspace" / "lake"


def rows_of(lake_path: Path) -> list[tuple[str, str]]:
    """Every record of the lake as (record id, exact text), in order."""
    connection = open_lake(lake_path).connect()
    return connection.execute("SELECT record_id, eventjson FROM raw_cloudtrail ORDER BY ALL").fetchall()


def codes(lake_path: Path) -> list[str]:
    """The codes of everything that verification finds."""
    return sorted({item.code for item in verify(lake_path).discrepancies})


def test_info_counts_what_is_there(lake_path: Path) -> None:
    """Rows, files, days and snapshots are those of the commits; nothing is unreferenced yet."""
    found = info(lake_path)
    cloudtrail = next(table for table in found.tables if table.name == "cloudtrail")
    assert (cloudtrail.rows, cloudtrail.days, cloudtrail.snapshots) == (600, 4, 15)
    assert (cloudtrail.first_day, cloudtrail.last_day) == ("2023-07-10", "2023-07-13")
    assert cloudtrail.files == cloudtrail.small_files == 18
    assert (found.unreferenced_files, found.moved_from) == (0, None)
    assert found.disk_ratio is not None
    assert found.disk_ratio > 1


def test_a_sound_lake_verifies(lake_path: Path) -> None:
    """A lake as ingest leaves it has no discrepancy, and its identity counts each record once."""
    found = verify(lake_path)
    assert found.discrepancies == ()
    assert (found.identities["cloudtrail"].rows, found.identities["cloudtrail"].distinct) == (600, 600)


def test_compaction_keeps_every_row(lake_path: Path) -> None:
    """Compaction leaves one file a day with the same rows, sorted by time, with Iceberg's ids; verification agrees."""
    before, identity = rows_of(lake_path), verify(lake_path).identities
    done = compact(lake_path)
    assert (done.files_before, done.files_after, done.rows) == (33, 5, 615)
    assert rows_of(lake_path) == before
    assert verify(lake_path).identities == identity
    assert codes(lake_path) == []
    for file in open_lake(lake_path).files("cloudtrail"):
        parquet = pq.ParquetFile(file.path)
        times = parquet.read(columns=["eventtime"])["eventtime"].to_pylist()
        assert times == sorted(times)
        assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
        assert parquet.schema_arrow.field("eventtime").metadata[b"PARQUET:field_id"] == b"3"


def test_compaction_has_an_end(lake_path: Path) -> None:
    """A compacted lake has nothing to compact: no commit, no new file."""
    compact(lake_path)
    assert plan(open_lake(lake_path)) == ()
    assert compact(lake_path).commits == 0


def test_compaction_respects_the_target(lake_path: Path) -> None:
    """Files at or above the target are left alone, and no group exceeds it."""
    sizes = [file.size_bytes for file in open_lake(lake_path).files("cloudtrail")]
    target = max(sizes)
    for group in plan(open_lake(lake_path), target):
        assert group.size_bytes <= target
        assert all(file.size_bytes < target for file in group.files)


def test_compaction_in_several_commits_is_the_same(lake_path: Path) -> None:
    """However many commits it takes, the rows are the same."""
    before = rows_of(lake_path)
    assert compact(lake_path, commit_bytes=1).commits >= 5
    assert rows_of(lake_path) == before
    assert codes(lake_path) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM ({query}) LIMIT 5",
        "SELECT * REPLACE (upper(eventname) AS eventname) FROM ({query})",
        "SELECT * FROM ({query}) UNION ALL (SELECT * FROM ({query}) LIMIT 1)",
        "SELECT * REPLACE (eventtime + INTERVAL 1 DAY AS eventtime) FROM ({query})",
        "SELECT no_such_column FROM ({query})",
    ],
)
def test_compaction_that_would_change_anything_changes_nothing(
    lake_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """A merged file that lacks, doubles or changes a row is refused: the lake and its files are as before."""
    before = rows_of(lake_path)
    files = set(lake_path.rglob("*.parquet"))
    original = merging._written
    monkeypatch.setattr(
        merging, "_written", lambda writer, table, whole: original(writer, table, query.format(query=whole))
    )
    with pytest.raises(WorkspaceError, match=r"or other content; nothing was changed|cannot merge"):
        compact(lake_path)
    assert set(lake_path.rglob("*.parquet")) == files
    assert rows_of(lake_path) == before


def test_compaction_sorts_in_slices(lake_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are too many to sort at once are sorted in slices of time: one file, sorted, no slice left."""
    before = rows_of(lake_path)
    monkeypatch.setattr(merging, "SLICE_ROWS", 25)
    compact(lake_path)
    expire(lake_path, now=LATER)
    assert rows_of(lake_path) == before
    assert codes(lake_path) == []
    files = open_lake(lake_path).files("cloudtrail")
    assert len(files) == 4
    for file in files:
        times = pq.ParquetFile(file.path).read(columns=["eventtime"])["eventtime"].to_pylist()
        assert times == sorted(times)
    assert info(lake_path).unreferenced_files == 0


def test_compaction_waits_for_nobody(lake_path: Path) -> None:
    """While another process writes, compaction and expiry end with one line."""
    with lock.exclusive(lake_path):
        with pytest.raises(WorkspaceLockedError):
            compact(lake_path)
        with pytest.raises(WorkspaceLockedError):
            expire(lake_path, now=LATER)


def test_a_reader_survives_compaction(lake_path: Path) -> None:
    """A lake that was opened before a compaction still reads its files after it."""
    opened = open_lake(lake_path)
    compact(lake_path)
    expire(lake_path, now=datetime.now(UTC))
    assert opened.connect().execute("SELECT count(*) FROM raw_cloudtrail").fetchall() == [(600,)]


def test_expiry_removes_what_nothing_needs(lake_path: Path) -> None:
    """After compaction and expiry exactly the referenced data files are there, and the rows are the same."""
    before = rows_of(lake_path)
    compact(lake_path)
    done = expire(lake_path, now=LATER)
    assert done.snapshots == 15 * 2
    assert {str(path) for path in lake_path.rglob("*.parquet")} == {
        file.path for table in ("cloudtrail", "sources") for file in open_lake(lake_path).files(table)
    }
    assert rows_of(lake_path) == before
    assert codes(lake_path) == []
    found = info(lake_path)
    assert found.unreferenced_files == 0
    assert {table.snapshots for table in found.tables} == {1}


def test_expiry_keeps_what_was_replaced_lately(lake_path: Path) -> None:
    """A snapshot that was replaced within the period is kept with its files, however old it is itself."""
    compact(lake_path)
    files = set(lake_path.rglob("*.parquet"))
    done = expire(lake_path, now=datetime.now(UTC) + timedelta(days=6))
    assert (done.snapshots, done.files) == (0, ())
    assert set(lake_path.rglob("*.parquet")) == files


def test_a_dry_run_of_expiry_says_the_same_and_does_nothing(lake_path: Path) -> None:
    """A dry run names the files that a run removes (but for the metadata that expiry itself replaces)."""
    compact(lake_path)
    files = {path for path in lake_path.rglob("*") if path.is_file()}
    planned = expire(lake_path, now=LATER, dry_run=True)
    assert {path for path in lake_path.rglob("*") if path.is_file()} == files
    done = expire(lake_path, now=LATER)
    assert planned.snapshots == done.snapshots
    data = {file.path for file in done.files if file.path.suffix == ".parquet"}
    assert {file.path for file in planned.files if file.path.suffix == ".parquet"} == data
    assert len(data) == 33


def test_files_that_a_kill_left_are_removed_after_an_hour(lake_path: Path) -> None:
    """A data file that no snapshot names goes when it is an hour old, and stays while it is younger."""
    orphan = lake_path / "cloudtrail" / "data" / "left.parquet"
    orphan.write_bytes(b"PAR1")
    assert expire(lake_path, now=datetime.now(UTC)).kept_young == 1
    old = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    os.utime(orphan, (old, old))
    assert [file.path for file in expire(lake_path, now=datetime.now(UTC)).files] == [orphan]
    assert not orphan.exists()
    assert codes(lake_path) == []


def test_a_lake_can_be_written_after_all_of_it(lake_path: Path) -> None:
    """Compaction, expiry, new commits and compaction again lose nothing."""
    for round_ in range(3):
        commit(lake_path, range(600 + round_ * 10, 610 + round_ * 10))
        compact(lake_path)
        expire(lake_path, now=LATER, older_than=timedelta())
    assert [record for record, _ in rows_of(lake_path)] == [f"event-{number:05d}" for number in range(630)]
    assert codes(lake_path) == []


def test_a_moved_lake_answers_and_verifies_as_moved(lake_path: Path, tmp_path: Path) -> None:
    """A moved lake answers questions at once; verification names the move; writing is refused with what to run."""
    before = rows_of(lake_path)
    moved = tmp_path / "elsewhere"
    shutil.move(lake_path.parent, moved)
    assert rows_of(moved / "lake") == before
    assert codes(moved / "lake") == ["moved"]
    assert moved_from(moved / "lake") == lake_path
    with pytest.raises(
        WorkspaceError, match=r"was moved here from `.*workspace/lake`; run `clew lake relocate`"
    ):
        compact(moved / "lake")


def test_a_relocated_lake_is_whole_and_writable(lake_path: Path, tmp_path: Path) -> None:
    """After relocation a moved lake verifies, takes commits, compacts and expires, and names its old place nowhere."""
    before = rows_of(lake_path)
    moved = tmp_path / "elsewhere"
    shutil.move(lake_path.parent, moved)
    done = relocate(moved / "lake")
    assert (done.origin, done.tables, done.files) == (lake_path, 2, 33)
    assert codes(moved / "lake") == []
    commit(moved / "lake", range(600, 610))
    compact(moved / "lake")
    expire(moved / "lake", now=LATER)
    assert rows_of(moved / "lake")[:600] == before
    assert len(rows_of(moved / "lake")) == 610
    assert codes(moved / "lake") == []
    assert not lake_path.parent.exists()
    for path in (moved / "lake").rglob("*"):
        if path.is_file() and path.suffix in {".json", ".avro"}:
            assert str(lake_path).encode() not in path.read_bytes()


def test_a_copy_does_not_touch_its_original(lake_path: Path, tmp_path: Path) -> None:
    """A copied lake, relocated, is a lake of its own: what is written to it does not appear in the original."""
    copied = tmp_path / "copy"
    shutil.copytree(lake_path.parent, copied)
    with pytest.raises(WorkspaceError, match=r"run `clew lake relocate`"):
        expire(copied / "lake", now=LATER)
    with pytest.raises(WorkspaceError, match=r"run `clew lake relocate`"):
        commit(copied / "lake", range(600, 605))
    relocate(copied / "lake")
    commit(copied / "lake", range(600, 605))
    assert len(rows_of(copied / "lake")) == 605
    assert len(rows_of(lake_path)) == 600
    assert codes(lake_path) == []


def test_a_moved_lake_without_its_manifest_relocates(lake_path: Path, tmp_path: Path) -> None:
    """The light manifest is a cache: without it a moved lake says what to run, and relocation finds all files."""
    before = rows_of(lake_path)
    moved = tmp_path / "elsewhere"
    shutil.move(lake_path.parent, moved)
    (moved / "lake" / manifest.FILE_NAME).unlink()
    with pytest.raises(WorkspaceError, match=r"run `clew lake relocate`"):
        open_lake(moved / "lake")
    relocate(moved / "lake")
    assert rows_of(moved / "lake") == before


def test_relocation_twice_is_once(lake_path: Path) -> None:
    """A lake at home is left as it is."""
    pointers = manifest.pointers(lake_path)
    assert relocate(lake_path).origin is None
    assert manifest.pointers(lake_path) == pointers


def test_a_lake_behind_a_link_is_at_home(lake_path: Path, tmp_path: Path) -> None:
    """A workspace that is reached through a symbolic link was not moved."""
    (tmp_path / "link").symlink_to(lake_path.parent)
    assert moved_from(tmp_path / "link" / "lake") is None


def test_relocation_refuses_an_incomplete_copy(lake_path: Path, tmp_path: Path) -> None:
    """A copy that lacks a data file is refused by name, and stays as it is."""
    moved = tmp_path / "elsewhere"
    shutil.move(lake_path.parent, moved)
    lost = open_lake(moved / "lake").files("cloudtrail")[3].path
    Path(lost).unlink()
    with pytest.raises(WorkspaceError, match=rf"1 of 33 data files did not come along, `{lost}`"):
        relocate(moved / "lake")
    assert moved_from(moved / "lake") == lake_path


def test_relative_finds_the_place_inside_the_lake() -> None:
    """Only the last part of a path that looks like a lake's counts: a lake may lie in a folder named like its own."""
    assert relative("/cloudtrail/data/w/lake/sources/metadata/x.avro") == "sources/metadata/x.avro"
    with pytest.raises(WorkspaceError, match=r"`/etc/passwd` is not the path of a file of a lake"):
        relative("/etc/passwd")


def damage_remove(path: Path) -> None:
    """The file is gone."""
    path.unlink()


def damage_truncate(path: Path) -> None:
    """The file ends early."""
    path.write_bytes(path.read_bytes()[:-50])


def damage_bytes(path: Path) -> None:
    """A stretch in the middle of the file is other bytes."""
    data = bytearray(path.read_bytes())
    data[200:1200] = bytes(1000)
    path.write_bytes(data)


def damage_rows(path: Path) -> None:
    """The file has lost a row, all else as it was."""
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(1), path, compression="zstd")


def damage_duplicate(path: Path) -> None:
    """A row is there twice, in place of another."""
    table = pq.read_table(path, partitioning=None)
    pq.write_table(
        pa.concat_tables([table.slice(0, 1), table.slice(0, len(table) - 1)]), path, compression="zstd"
    )


def damage_text(path: Path) -> None:
    """A record says another name than its column."""
    table = pq.read_table(path, partitioning=None)
    index = table.schema.get_field_index("eventname")
    names = pa.array(["ConsoleLogin"] * len(table), table.schema.field(index).type)
    pq.write_table(table.set_column(index, table.schema.field(index), names), path, compression="zstd")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (damage_remove, {"missing_file", "ledger_differs"}),
        (damage_truncate, {"wrong_size", "unreadable_file", "ledger_differs"}),
        (damage_bytes, {"unreadable_file", "ledger_differs"}),
        (damage_rows, {"wrong_size", "wrong_rows", "wrong_bounds", "ledger_differs"}),
        (damage_duplicate, {"wrong_size", "wrong_bounds", "duplicate"}),
        (damage_text, {"wrong_size", "text_differs"}),
    ],
)
def test_verification_names_every_damage(lake_path: Path, damage: object, expected: set[str]) -> None:
    """Each kind of damage to a data file is found and the file is named."""
    victim = lake_path / "cloudtrail" / "data"
    path = max(victim.rglob("*.parquet"), key=lambda file: file.stat().st_size)
    assert callable(damage)
    damage(path)
    found = verify(lake_path).discrepancies
    assert {item.code for item in found} == expected
    assert any(item.where == str(path) for item in found)


def test_verification_finds_a_wrong_manifest(lake_path: Path) -> None:
    """A light manifest that is not what the catalogue says is found, though its pointers are right."""
    held = manifest.read(lake_path)
    assert held is not None
    fewer = {**held.files, "cloudtrail": held.files["cloudtrail"][1:]}
    manifest.write(lake_path, manifest.Manifest(held.pointers, fewer, held.conflicts))
    assert "manifest_differs" in codes(lake_path)


def test_quarantine_lists_file_record_and_reason(lake_path: Path) -> None:
    """Each entry has path, record, reason, detail and excerpt; reasons are counted, and can be chosen."""
    rows = " UNION ALL ".join(
        f"SELECT {path}, 's', {number}, {reason}, 'why', {excerpt}, 10, TIMESTAMPTZ '2024-01-02 03:04:05+00'"
        for path, number, reason, excerpt in (
            ("'b.json'", 7, "'bad_time'", "'=1+1'"),
            ("'a.json'", "NULL", "'truncated_gzip'", "''"),
            ("'b.json'", 2, "'bad_time'", "'\x1b[31m'"),
        )
    )
    with lock.exclusive(lake_path):
        writer, store = Writer(lake_path), Store(lake_path)
        store.append(QUARANTINE.name, [writer.query(QUARANTINE, rows).data_file()])
        writer.close()
        store.derive_manifest()
    found = list(entries(lake_path))
    assert [(entry.path, entry.record_number) for entry in found] == [
        ("a.json", None),
        ("b.json", 2),
        ("b.json", 7),
    ]
    assert found[1].found_at == "2024-01-02T03:04:05Z"
    assert counts(lake_path) == {"bad_time": 2, "truncated_gzip": 1}
    assert len(list(entries(lake_path, "bad_time"))) == 2


def test_an_empty_quarantine_is_empty(lake_path: Path) -> None:
    """A lake in which everything was read has no entries."""
    assert list(entries(lake_path)) == []
    assert counts(lake_path) == {}
