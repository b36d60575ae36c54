"""Exactly once: re-runs, overlaps, duplicates, conflicts, and the counts that ingest reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.errors import WorkspaceError, WorkspaceLockedError
from clew.lake import lock
from clew.lake.ingest import dedup, pool, session
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Scene


def test_every_record_is_stored_with_its_exact_text(scene: Scene, event: Callable[..., Any]):
    """The lake holds each record of a log file, its text byte for byte, and its typed columns."""
    events = [event(n) for n in range(20)]
    scene.write("a.json.gz", events)
    report = scene.ingest()
    assert (report.files, report.events, report.stored, report.quarantined) == (1, 20, 20, 0)
    assert scene.texts() == sorted(json.dumps(e, separators=(",", ":"), ensure_ascii=False) for e in events)
    row = scene.sql(
        """SELECT eventname, useridentity.arn, readonly, resources[1].arn, requestparameters->>'bucketName',
            responseelements, strftime(eventtime, '%Y-%m-%dT%H:%M:%SZ'), record_id = eventid, conflict, record_number
        FROM raw_cloudtrail WHERE record_number = 3"""
    )
    who, when = "arn:aws:iam::111122223333:user/u3", events[3]["eventTime"]
    assert row == [("GetObject", who, False, "arn:aws:s3:::b3", "b3", None, when, True, False, 3)]


def test_a_second_run_changes_nothing_and_reports_the_same_events(scene: Scene, event: Callable[..., Any]):
    """Ingesting the same folder again stores nothing, reads nothing, and reports the same number of events."""
    scene.write("a.json.gz", [event(n) for n in range(10)])
    scene.write("b.json", [event(n) for n in range(5, 15)])
    first, second = scene.ingest(), scene.ingest()
    assert (first.events, first.stored, first.duplicates) == (15, 15, 5)
    assert (second.events, second.stored, second.duplicates, second.known_files) == (15, 0, 0, 2)
    assert len(scene.texts()) == 15


def test_a_copied_file_is_known_by_its_content(scene: Scene, event: Callable[..., Any]):
    """The same bytes under another name, or unpacked, are recognised without storing anything."""
    events = [event(n) for n in range(10)]
    scene.ingest(scene.write("a.json.gz", events))
    report = scene.ingest(scene.write("other/b.json", events))
    assert (report.events, report.stored, report.known_files) == (10, 0, 1)
    assert len(scene.texts()) == 10


def test_copies_within_one_run_are_stored_once(scene: Scene, event: Callable[..., Any]):
    """Two names for the same bytes in one run give the records once."""
    for name in ("a.json.gz", "b.json.gz", "c.json"):
        scene.write(name, [event(n) for n in range(4)])
    report = scene.ingest()
    assert (report.files, report.events, report.stored, report.known_files) == (3, 4, 4, 2)
    assert len(scene.texts()) == 4


def test_events_of_a_path_are_counted_even_when_another_path_brought_them(
    scene: Scene, event: Callable[..., Any]
):
    """`events` counts the distinct records of the path, whoever stored them first, on every run."""
    one = scene.write("one.json", [event(n) for n in range(10)])
    two = scene.write("two.json", [event(n) for n in range(5, 12)])
    assert scene.ingest(one).events == 10
    assert [scene.ingest(two).events for _ in range(2)] == [7, 7]
    assert [scene.ingest(one, two).events for _ in range(2)] == [12, 12]


def test_a_changed_file_brings_its_new_records(scene: Scene, event: Callable[..., Any]):
    """A file that grew is read again; only the new records are stored."""
    path = scene.write("a.json", [event(n) for n in range(3)])
    scene.ingest(path)
    report = scene.ingest(scene.write("a.json", [event(n) for n in range(5)]))
    assert (report.events, report.stored, report.duplicates) == (5, 2, 3)


def test_the_same_event_spelled_otherwise_is_a_duplicate(scene: Scene, event: Callable[..., Any]):
    """White space, key order and the envelope it travelled in do not make an event a second one."""
    e = event(1)
    shuffled = dict(reversed(e.items()))
    scene.write("a.json", [e])
    scene.write("b.json", json.dumps({"Records": [shuffled]}, indent=1).encode())
    scene.write("c.json", json.dumps({"Events": [{"CloudTrailEvent": json.dumps(e)}]}).encode())
    scene.write(
        "d.json",
        json.dumps({"version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": e}).encode(),
    )
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates, report.conflicts) == (1, 1, 3, 0)


def test_a_forged_record_is_kept_beside_the_real_one(scene: Scene, event: Callable[..., Any]):
    """The same id with other content is stored, marked and reported, on this run and on later ones."""
    real = event(1)
    scene.ingest(scene.write("real.json", [real, event(2)]))
    forged = scene.write("forged.json", [real | {"sourceIPAddress": "203.0.113.9"}])
    reports = [scene.ingest(forged), scene.ingest(forged), scene.ingest()]
    assert [(r.events, r.conflicts) for r in reports] == [(1, 1), (1, 1), (3, 1)]
    marked = scene.sql("SELECT sourceipaddress FROM raw_cloudtrail WHERE conflict ORDER BY 1")
    assert marked == [("198.51.100.7",), ("203.0.113.9",)]


def test_a_forged_record_on_another_day_is_noticed(scene: Scene, event: Callable[..., Any]):
    """A conflict is found across days: all days are asked for a known id."""
    real = event(1)
    scene.ingest(scene.write("real.json", [real]))
    report = scene.ingest(scene.write("forged.json", [real | {"eventTime": "2023-01-01T00:00:00Z"}]))
    assert (report.conflicts, report.stored) == (1, 1)


def test_conflicts_within_one_run_are_marked_on_both_sides(scene: Scene, event: Callable[..., Any]):
    """Two contents under one id in one run: both are stored and both are marked; a copy of one is still a duplicate."""
    real = event(1)
    forged = real | {"eventName": "DeleteBucket"}
    for name, e in (("a.json", real), ("b.json", forged), ("c.json", forged)):
        scene.write(name, json.dumps({"Records": [e], "z": len(name)}).encode() if name == "c.json" else [e])
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates, report.conflicts) == (2, 2, 1, 1)
    assert scene.sql("SELECT count(*) FROM raw_cloudtrail WHERE conflict") == [(2,)]


def test_many_conflicts_are_still_marked(scene: Scene, event: Callable[..., Any]):
    """More conflicts than fit into one expression are marked through the occurrences table."""
    count = 600
    scene.ingest(scene.write("a.json", [event(n) for n in range(count)]))
    scene.ingest(scene.write("b.json", [event(n, userAgent="forged") for n in range(count)]))
    assert scene.sql("SELECT count(*) FROM raw_cloudtrail WHERE conflict") == [(2 * count,)]


def test_a_record_without_an_id_is_known_by_its_content(scene: Scene, event: Callable[..., Any]):
    """Without eventID a record's identity is a hash of its content, however it is spaced."""
    e = event(1, eventID=...)
    scene.write("a.json", [e, event(2)])
    scene.write("b.json", json.dumps({"Records": [e]}, indent=2).encode())
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates) == (2, 2, 1)
    assert scene.sql("SELECT eventid FROM raw_cloudtrail WHERE record_id LIKE 'sha256:%'") == [(None,)]


def test_each_data_file_holds_one_day(scene: Scene, event: Callable[..., Any]):
    """A file over midnight becomes data files of one day each, whose bounds are right."""
    scene.write("a.json", [event(n, eventTime=f"2024-05-0{1 + n // 2}T23:59:5{n}Z") for n in range(6)])
    scene.ingest()
    files = open_lake(scene.lake).files("cloudtrail")
    assert [(f.day, f.rows) for f in files] == [("2024-05-01", 2), ("2024-05-02", 2), ("2024-05-03", 2)]
    bounds = scene.sql(
        """SELECT epoch_us(min(eventtime)), epoch_us(max(eventtime)) FROM raw_cloudtrail
        GROUP BY eventtime::DATE ORDER BY 1"""
    )
    assert [(f.min_time, f.max_time) for f in files] == bounds


def test_two_processes_make_the_lake_that_one_makes(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """Decoding in worker processes stores the same records and reports the same."""
    monkeypatch.setattr(pool, "_IN_PROCESS_BYTES", 0)
    for n in range(6):
        scene.write(f"{n}.json.gz", [event(i) for i in range(n * 10, n * 10 + 15)])
    scene.write("bad.json.gz", b"\x1f\x8bnot gzip")
    report = scene.ingest(workers=2)
    assert (report.events, report.stored, report.duplicates, report.quarantined_files) == (65, 65, 25, 1)


def test_many_suspects_are_resolved_group_by_group(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """Duplicates and conflicts across the groups of one commit come out as in one group."""
    monkeypatch.setattr(dedup, "_GROUP_ROWS", 7)
    for n in range(4):
        scene.write(f"{n}.json", [event(i) for i in range(n * 5, n * 5 + 12)])
    scene.write("forged.json", [event(i, userAgent="forged") for i in range(3)])
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates, report.conflicts) == (30, 30, 21, 3)
    assert scene.ingest().events == 30
    assert scene.sql("SELECT count(*), count(*) FILTER (conflict) FROM raw_cloudtrail") == [(30, 6)]


def test_large_inputs_are_committed_in_portions(
    scene: Scene, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """Several commits in one ingest give the lake that one commit gives, overlaps between portions included."""
    monkeypatch.setattr(session, "COMMIT_RECORDS", 1)
    for n in range(4):
        scene.write(f"{n}.json", [event(i) for i in range(n * 5, n * 5 + 8)])
    report = scene.ingest()
    assert (report.events, report.stored, report.duplicates) == (23, 23, 9)
    assert scene.sql("SELECT count(*), sum(stored) FROM raw_sources") == [(4, 23)]


def test_a_lost_data_file_is_said_so(scene: Scene, event: Callable[..., Any]):
    """A lake that lost a data file names it and the command that says what is gone."""
    scene.write("a.json", [event(1)])
    scene.ingest()
    lake = open_lake(scene.lake)
    Path(lake.files("cloudtrail")[0].path).unlink()
    with pytest.raises(WorkspaceError, match=r"a data file cannot be read: .*run `clew lake verify`"):
        lake.connect()


def test_one_writer_at_a_time(scene: Scene, event: Callable[..., Any]):
    """While another process writes, an ingest is refused and names that process."""
    path = scene.write("a.json", [event(1)])
    with lock.exclusive(scene.lake), pytest.raises(WorkspaceLockedError, match=r"pid \d+"):
        scene.ingest(path)
    assert scene.ingest(path).stored == 1


def test_a_missing_lake_is_an_error_with_advice(scene: Scene):
    """Opening a lake that is not there says what to do."""
    with pytest.raises(WorkspaceError, match="run `clew ingest PATH` first"):
        open_lake(scene.lake)


@settings(max_examples=5)
@given(data=st.data())
def test_any_split_over_files_and_runs_gives_the_same_lake(
    new_scene: Callable[[], Scene], event: Callable[..., Any], data: st.DataObject
):
    """However events are spread, repeated and re-ingested, the lake holds each of them once."""
    scene = new_scene()
    numbers = st.lists(st.integers(0, 30), min_size=1, max_size=12)
    runs = data.draw(st.lists(st.lists(numbers, min_size=1, max_size=3), min_size=1, max_size=3))
    everything: set[int] = set()
    for r, files in enumerate(runs):
        paths = [scene.write(f"{r}-{i}.json", [event(n) for n in held]) for i, held in enumerate(files)]
        mine = {n for held in files for n in held}
        everything |= mine
        assert [scene.ingest(*paths).events for _ in range(2)] == [len(mine)] * 2
    assert scene.sql(
        "SELECT count(*), count(DISTINCT record_id), count(*) FILTER (conflict) FROM raw_cloudtrail"
    ) == [(len(everything), len(everything), 0)]
