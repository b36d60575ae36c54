"""Runs jobs on a lake and dies by SIGKILL at the step that the job names; started as a program by the crash tests.

A step is a call, into Python or C, or a return from C, in the code that writes a lake: ours, PyIceberg's, and where
SQLAlchemy commits. Each job runs in a fork of this process, so that the imports are paid once. One JSON line in, one
out: `{"job": "ingest", "lake": …, "die_at": 17}` → `{"killed": true}`; `die_at` 0 counts the steps.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType


class Steps:
    """Counts the steps and dies at one of them; 0 never comes."""

    def __init__(self, die_at: int) -> None:
        self.die_at = die_at
        self.count = 0
        self.counts: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "return" or not self._counts(frame.f_code):
            return
        self.count += 1
        if self.count == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _counts(self, code: CodeType) -> bool:
        known = self.counts.get(code)
        if known is None:
            known = self.counts[code] = any(part in code.co_filename for part in _WRITERS)
        return known


_WRITERS = (
    "/clew/lake/",
    "/pyiceberg/catalog/",
    "/pyiceberg/io/",
    "/pyiceberg/table/",
    "/sqlalchemy/engine/default",
)


def ingest(task: dict[str, Any]) -> dict[str, Any]:
    """Ingest in commits of few records, in this process or with workers."""
    from clew.lake.ingest import ingest as take_in
    from clew.lake.ingest import pool, session

    session.COMMIT_RECORDS = task["commit_records"]
    if task.get("workers"):
        pool._IN_PROCESS_BYTES = 0
    report = take_in(
        Path(task["lake"]), [Path(task["logs"])], now=datetime.now(UTC), workers=task.get("workers") or 1
    )
    return {"events": report.events, "stored": report.stored}


def compact(task: dict[str, Any]) -> dict[str, Any]:
    """Compact in many commits."""
    from clew.lake.maintenance.compact import compact as merge

    return {"commits": merge(Path(task["lake"]), commit_bytes=1).commits}


def expire(task: dict[str, Any]) -> dict[str, Any]:
    """Expire everything that is not the present state."""
    from clew.lake.maintenance.expire import expire as forget

    later = datetime.now(UTC) + timedelta(days=30)
    return {"files": len(forget(Path(task["lake"]), now=later).files)}


def relocate(task: dict[str, Any]) -> dict[str, Any]:
    """Bring a moved lake home."""
    from clew.lake.maintenance.relocate import relocate as bring_home

    return {"files": bring_home(Path(task["lake"])).files}


JOBS = {"ingest": ingest, "compact": compact, "expire": expire, "relocate": relocate}


def perform(task: dict[str, Any]) -> dict[str, Any]:
    """Run one job in a fork; what it answered and how many steps it took, or that it was killed."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        steps = Steps(task["die_at"])
        sys.setprofile(steps)
        answer = JOBS[task["job"]](task)
        sys.setprofile(None)
        os.write(writable, json.dumps(answer | {"killed": False, "steps": steps.count}).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        answered = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return {"killed": True}
    return json.loads(answered) if answered else {"killed": False, "failed": True}


def main() -> None:
    """Perform the jobs of standard input, one after another."""
    import clew.lake.ingest.commit
    import clew.lake.maintenance.compact
    import clew.lake.maintenance.expire
    import clew.lake.maintenance.relocate  # noqa: F401 - loaded before the forks

    for line in sys.stdin:
        sys.stdout.write(json.dumps(perform(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
