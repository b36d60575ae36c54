"""Run a command and say what it cost: wall and CPU seconds, and peak memory summed over its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAMPLE_SECONDS = 0.1
_PAGE = resource.getpagesize()
# As installed: what was compiled once is kept, or every run compiles Clew anew (0.15 s).
_SURROUNDINGS = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Units: seconds; `peak_mb` is the largest sum over the process tree, `largest_mb` the largest single process."""

    wall: float
    cpu: float
    peak_mb: float
    largest_mb: float
    output: str
    code: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run the command to its end; its own exit code is reported, not judged."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**_SURROUNDINGS, **(environment or {})},
    )
    peaks = [0.0, 0.0]
    watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    wall = time.perf_counter() - start
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peaks[0], peaks[1], output, process.returncode)


def _watch(process: subprocess.Popen[str], peaks: list[float]) -> None:
    while process.poll() is None:
        sizes = [_resident_mb(pid) for pid in _tree(process.pid)]
        peaks[0] = max(peaks[0], sum(sizes))
        peaks[1] = max(peaks[1], *sizes, 0.0)
        time.sleep(_SAMPLE_SECONDS)


def _tree(root: int) -> list[int]:
    found, stack = [], [root]
    while stack:
        pid = stack.pop()
        found.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                stack += map(int, (task / "children").read_text(encoding="ascii").split())
        except OSError:
            continue
    return found


def _resident_mb(pid: int) -> float:
    """Proportional set size: pages shared by the processes of the tree are counted once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration, IndexError):
        return 0.0
