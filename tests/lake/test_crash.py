"""Killed at any moment, the lake is as before a commit or as after it; resumed, it holds every record once."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clew.errors import WorkspaceLockedError
from clew.lake import lock, manifest
from clew.lake.ingest import ingest
from clew.lake.maintenance.compact import compact
from clew.lake.maintenance.expire import expire
from clew.lake.maintenance.info import info
from clew.lake.maintenance.location import moved_from
from clew.lake.maintenance.verify import verify
from clew.lake.reader import open_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 32
EVENTS_OF_A_FILE = 50
# By the sizes of the files, these logs are three commits.
COMMIT_RECORDS = 80
# How many steps each job takes on these logs, about; a number too large only means that fewer runs are killed.
STEPS = {
    "ingest": 48_000,
    "ingest with workers": 31_000,
    "compact": 34_000,
    "expire": 9_000,
    "relocate": 23_000,
}
Contents = frozenset[tuple[str, str]]
Perform = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Logs:
    """A folder of log files, and what each of them (in the order of ingest) adds: (event id, exact text)."""

    path: Path
    contents: tuple[Contents, ...]

    @property
    def all(self) -> Contents:
        """Everything that the lake must hold in the end."""
        return frozenset().union(*self.contents)

    def is_prefix(self, held: Contents) -> bool:
        """Whether these records are those of the first files, none, or all of them: never a part of a file."""
        growing: set[tuple[str, str]] = set()
        return not held or any(growing == held for part in self.contents if growing.update(part) is None)


def write_logs(path: Path, seed: int, files: int = FILES, events: int = EVENTS_OF_A_FILE) -> Logs:
    """Files over two days; one event in ten comes again in a later file, some come a day late, one id is forged."""
    chance = random.Random(seed)  # noqa: S311 - reproducible data
    path.mkdir()
    start = datetime(2023, 7, 10, 18, tzinfo=UTC)
    texts: list[str] = []
    contents = []
    for number in range(files):
        chosen = []
        for _ in range(events):
            late = timedelta(days=chance.random() < 0.02)
            moment = start + timedelta(minutes=15 * number, seconds=chance.randrange(900)) - late
            texts.append(event(len(texts), moment, "ListBuckets"))
            chosen.append(texts[-1])
        chosen += chance.choices(texts[: -events or None], k=events // 10) if number else []
        if number == files // 2:
            chosen.append(event(3, start, "DeleteTrail"))
        chance.shuffle(chosen)
        name = f"{start + timedelta(minutes=15 * number):%Y%m%dT%H%MZ}_{number:04d}.json.gz"
        data = f'{{"Records":[{",".join(chosen)}]}}'.encode()
        (path / name).write_bytes(gzip.compress(data, 1, mtime=0))
        contents.append(frozenset((json.loads(text)["eventID"], text) for text in chosen))
    return Logs(path, tuple(contents))


def event(number: int, moment: datetime, name: str) -> str:
    """The exact text of one event."""
    return json.dumps(
        {
            "eventVersion": "1.08",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/u{number % 7}"},
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "s3.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "requestParameters": {"number": number},
            "eventID": f"00000000-0000-4000-8000-{number:012d}",
            "eventType": "AwsApiCall",
        },
        separators=(",", ":"),
    )


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """1,600 events in 32 files, with overlaps, late events and a forged one."""
    return write_logs(tmp_path_factory.mktemp("crash") / "logs", seed=7)


@pytest.fixture(scope="module")
def perform() -> Iterator[Perform]:
    """Runs a job in a process of its own, which is killed at a step; see `crashing.py`."""
    command = [sys.executable, str(Path(__file__).with_name("crashing.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pipes = process.stdin, process.stdout

        def ask(job: str, lake: Path, die_at: int = 0, **options: object) -> dict[str, Any]:
            pipes[0].write(json.dumps({"job": job, "lake": str(lake), "die_at": die_at} | options) + "\n")
            pipes[0].flush()
            answer: dict[str, Any] = json.loads(pipes[1].readline())
            assert "failed" not in answer, f"{job} failed by itself"
            return answer

        yield ask
        process.stdin.close()


def held(lake: Path) -> list[tuple[str, str]]:
    """Every record of the lake; none when there is no lake yet."""
    if not (lake / manifest.CATALOG_NAME).exists():
        return []
    connection = open_lake(lake).connect()
    rows = connection.execute("SELECT record_id, eventjson FROM raw_cloudtrail ORDER BY ALL").fetchall()
    connection.close()
    return rows


def assert_exact(lake: Path, logs: Logs) -> None:
    """The lake holds what the logs hold, each record once, text for text, and is whole."""
    rows = held(lake)
    assert len(rows) == len(logs.all)
    assert frozenset(rows) == logs.all
    assert verify(lake).discrepancies == ()


def ingest_with_kills(perform: Perform, lake: Path, logs: Logs, kills: int, seed: int, workers: int) -> None:
    """Kill ingests that many times at random steps, look at the lake after each, and resume; done, begin anew."""
    chance = random.Random(seed)  # noqa: S311 - reproducible moments
    options = {"logs": str(logs.path), "commit_records": COMMIT_RECORDS, "workers": workers}
    steps = STEPS["ingest with workers" if workers else "ingest"]
    before: Contents = frozenset()
    killed = 0
    while killed < kills:
        if not perform("ingest", lake, chance.randint(1, steps), **options)["killed"]:
            assert_exact(lake, logs)
            shutil.rmtree(lake)
            before = frozenset()
            continue
        killed += 1
        rows = held(lake)
        assert len(rows) == len(set(rows)), "a record is there twice"
        assert logs.is_prefix(frozenset(rows)), "a part of a commit is there"
        assert before <= frozenset(rows), "a committed record is gone"
        before = frozenset(rows)
    last = perform("ingest", lake, **options)
    assert last["events"] == len(logs.all)
    assert_exact(lake, logs)
    assert perform("ingest", lake, **options)["stored"] == 0


@pytest.mark.parametrize(("workers", "kills"), [(0, 2), (2, 1)])
def test_a_killed_ingest_resumes_exactly(
    perform: Perform, tmp_path: Path, logs: Logs, workers: int, kills: int
) -> None:
    """Killed again and again and resumed, ingest stores each record once, with and without worker processes."""
    ingest_with_kills(perform, tmp_path / "w" / "lake", logs, kills=kills, seed=11 + workers, workers=workers)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_kills(perform: Perform, tmp_path: Path, logs: Logs, seed: int) -> None:
    """A hundred kills over ten runs and more lose nothing and double nothing."""
    workers = 2 * (seed % 2)
    ingest_with_kills(perform, tmp_path / "w" / "lake", logs, kills=10, seed=100 + seed, workers=workers)


@pytest.fixture(scope="module")
def full(perform: Perform, tmp_path_factory: pytest.TempPathFactory, logs: Logs) -> Path:
    """A lake of all logs in many commits, as it was made; `lake` puts a copy in its place."""
    home = tmp_path_factory.mktemp("full")
    perform("ingest", home / "w" / "lake", logs=str(logs.path), commit_records=COMMIT_RECORDS)
    assert {table.snapshots for table in info(home / "w" / "lake").tables} == {3}
    shutil.move(home / "w", home / "pristine")
    return home


def renew(full: Path) -> Path:
    """The lake of all logs, as new, in the place where it was made."""
    shutil.rmtree(full / "w", ignore_errors=True)
    shutil.copytree(full / "pristine", full / "w")
    return full / "w" / "lake"


def care_with_kills(perform: Perform, full: Path, logs: Logs, kills: int, seed: int) -> None:
    """Kill compactions and expiries at random steps: the records are never touched, and what is resumed is done."""
    chance = random.Random(seed)  # noqa: S311 - reproducible moments
    for job in ("compact", "expire"):
        killed = 0
        lake = renew(full)
        if job == "expire":
            compact(lake)
        for _ in range(kills):
            killed += perform(job, lake, chance.randint(1, STEPS[job]))["killed"]
            rows = held(lake)
            assert len(rows) == len(logs.all)
            assert frozenset(rows) == logs.all
        perform(job, lake)
        assert_exact(lake, logs)
        assert killed, job
    assert info(lake).unreferenced_files == 0


def test_killed_care_changes_nothing_or_all(perform: Perform, full: Path, logs: Logs) -> None:
    """Killed in the middle, compaction and expiry leave every record; in the end only what is needed is there."""
    care_with_kills(perform, full, logs, kills=2, seed=5)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_kills_of_care(perform: Perform, full: Path, logs: Logs, seed: int) -> None:
    """Five kills each of compaction and expiry, ten times over."""
    care_with_kills(perform, full, logs, kills=5, seed=seed)


def relocate_with_kills(perform: Perform, lake: Path, logs: Logs, kills: int, seed: int) -> None:
    """Kill relocations of a moved lake at random steps: it answers all the time, and can be relocated in the end."""
    chance = random.Random(seed)  # noqa: S311 - reproducible moments
    for _ in range(kills):
        perform("relocate", lake, chance.randint(1, STEPS["relocate"]))
        assert frozenset(held(lake)) == logs.all
    perform("relocate", lake)
    assert moved_from(lake) is None
    assert_exact(lake, logs)


def test_a_killed_relocation_can_be_repeated(
    perform: Perform, full: Path, logs: Logs, tmp_path: Path
) -> None:
    """Killed before it is done, relocation leaves a lake that answers and can be relocated."""
    shutil.copytree(full / "pristine", tmp_path / "moved")
    relocate_with_kills(perform, tmp_path / "moved" / "lake", logs, kills=2, seed=9)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_kills_of_relocation(
    perform: Perform, full: Path, logs: Logs, tmp_path: Path, seed: int
) -> None:
    """Five kills of each of ten relocations."""
    shutil.copytree(full / "pristine", tmp_path / "moved")
    relocate_with_kills(perform, tmp_path / "moved" / "lake", logs, kills=5, seed=seed)


def test_the_command_killed_at_a_random_time_resumes(tmp_path: Path, logs: Logs) -> None:
    """`clew ingest`, killed from outside at random times, leaves a lake that the next run completes."""
    chance = random.Random(3)  # noqa: S311 - reproducible moments
    command = [sys.executable, "-m", "clew", "--workspace", str(tmp_path / "w"), "ingest", str(logs.path)]
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(timeout=chance.uniform(0.2, 1.5))
            except subprocess.TimeoutExpired:
                process.kill()
        assert logs.is_prefix(frozenset(held(tmp_path / "w" / "lake")))
    done = subprocess.run([*command, "--output", "json"], check=True, capture_output=True)
    assert json.loads(done.stdout)["events"] == len(logs.all)
    assert_exact(tmp_path / "w" / "lake", logs)


def test_a_catalogue_without_tables_is_an_empty_lake(tmp_path: Path, logs: Logs) -> None:
    """Killed while the catalogue is being made, the lake is empty and readable, and the next ingest fills it."""
    lake = tmp_path / "w" / "lake"
    lake.mkdir(parents=True)
    (lake / manifest.CATALOG_NAME).touch()
    assert held(lake) == []
    ingest(lake, [logs.path], now=datetime.now(UTC), workers=1)
    assert_exact(lake, logs)


def test_a_second_writer_is_refused_in_one_line(tmp_path: Path, logs: Logs) -> None:
    """While one process writes, another ends with exit code 2 and the writer's process id, and changes nothing."""
    command = [sys.executable, "-m", "clew", "--workspace", str(tmp_path / "w"), "ingest", str(logs.path)]
    with lock.exclusive(tmp_path / "w" / "lake"):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        with pytest.raises(WorkspaceLockedError):
            ingest(tmp_path / "w" / "lake", [logs.path], now=datetime.now(UTC))
    assert done.returncode == 2
    assert f"another Clew process (pid {os.getpid()}) is writing" in done.stderr
    assert done.stderr.count("\n") == 1
    assert held(tmp_path / "w" / "lake") == []


def drip(tmp_path: Path, commits: int, events: int) -> None:
    """Many small commits with overlaps and late events, care in between, everything exact throughout."""
    logs = write_logs(tmp_path / "logs", seed=21, files=commits, events=events)
    lake = tmp_path / "w" / "lake"
    later = datetime.now(UTC) + timedelta(days=30)
    for number, path in enumerate(sorted(logs.path.iterdir())):
        ingest(lake, [path], now=datetime.now(UTC), workers=1)
        if number % (commits // 3) == commits // 6:
            compact(lake)
            expire(lake, now=later)
    compact(lake)
    expire(lake, now=later)
    assert_exact(lake, logs)
    cared = info(lake)
    assert cared.unreferenced_files == 0
    days = {table.name: table.days for table in cared.tables}
    assert {table.name: table.files for table in cared.tables} == {name: n or 1 for name, n in days.items()}
    again = ingest(lake, [logs.path], now=datetime.now(UTC), workers=1)
    assert (again.stored, again.events) == (0, len(logs.all))


def test_a_drip_of_small_commits_stays_exact(tmp_path: Path) -> None:
    """A day of small deliveries with overlaps and late events, compacted and expired on the way, is exact."""
    drip(tmp_path, commits=3, events=40)


@pytest.mark.long
def test_a_month_of_drip_stays_exact(tmp_path: Path) -> None:
    """A month of deliveries every few hours is exact."""
    drip(tmp_path, commits=240, events=50)
