"""A simulated month of a live trail: many small deliveries, some twice, some late, then compaction and expiry."""

from __future__ import annotations

import random
import shutil
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import archive

from clew.lake import ingest
from clew.lake.maintenance.compact import compact
from clew.lake.maintenance.expire import expire
from clew.lake.maintenance.info import info

if TYPE_CHECKING:
    from pathlib import Path

DELIVERIES = 240
EVENTS_EACH = 400
NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUARTER = DELIVERIES // 4


def month(scratch: Path) -> None:
    """Ingest the deliveries one by one, then look after the lake; prints latencies and sizes."""
    print(
        f"\n## drip: {DELIVERIES} deliveries of {EVENTS_EACH} events over 30 days, one in five overlaps an older one\n"
    )
    lake, inbox = scratch / "workspace" / "lake", scratch / "inbox"
    latencies = _deliver(lake, inbox)
    for number in range(4):
        part = latencies[number * QUARTER : (number + 1) * QUARTER]
        first, last = number * QUARTER + 1, (number + 1) * QUARTER
        middle, worst = statistics.median(part) * 1000, max(part) * 1000
        print(f"commits {first:>3} to {last:>3}: median {middle:5.0f} ms, worst {worst:5.0f} ms")
    _sizes(lake, "after the month")
    start = time.perf_counter()
    compact(lake)
    print(f"compaction: {time.perf_counter() - start:.2f} s")
    _sizes(lake, "compacted")
    start = time.perf_counter()
    expire(lake, now=datetime.now(UTC) + timedelta(days=1), older_than=timedelta(0))
    print(f"expiry: {time.perf_counter() - start:.2f} s")
    _sizes(lake, "expired")


def _deliver(lake: Path, inbox: Path) -> list[float]:
    source = random.Random(5)
    folders: list[Path] = []
    latencies = []
    for number in range(DELIVERIES):
        folder = inbox / f"{number:04d}"
        archive.write(folder, EVENTS_EACH, per_file=80, days=30, seed=number)
        folders.append(folder)
        if number and source.random() < 0.2:
            shutil.copytree(source.choice(folders[:-1]), folder / "again")
        start = time.perf_counter()
        ingest.ingest(lake, [folder], now=NOW, workers=1)
        latencies.append(time.perf_counter() - start)
    return latencies


def _sizes(lake: Path, when: str) -> None:
    found = info(lake)
    files = sum(table.files for table in found.tables)
    rows = next(table.rows for table in found.tables if table.name == "cloudtrail")
    print(
        f"{when:<16} {rows:,} events, {files:,} data files, {found.disk_bytes / 1e6:.1f} MB on disk, "
        f"{found.disk_bytes / found.referenced_bytes:.2f} times what is referenced"
    )
