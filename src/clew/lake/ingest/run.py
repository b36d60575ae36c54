"""One ingest from paths to report.

This module loads nothing heavy: decoding processes start before DuckDB and PyArrow are loaded here, not after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.lake import manifest
from clew.lake.ingest import pool
from clew.lake.ingest.inputs import discover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from clew.lake.ingest.inputs import Inputs
    from clew.lake.ingest.messages import InputFile, Missing, Progress
    from clew.lake.ingest.report import IngestReport, ThisRun


def ingest(
    lake_path: Path,
    paths: Iterable[Path | str | InputFile | Missing],
    *,
    now: datetime,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    begun: Callable[[], object] | None = None,
) -> IngestReport:
    """Take everything the paths stand for into the lake, each record once; the lake is made when missing.

    `begun` is called once the decoding processes of a new lake run, and must not take long.
    Errors: InputError for a path that does not exist, WorkspaceLockedError while another process writes.
    """
    inputs = discover(paths)
    started = _started_early(lake_path, inputs, workers)
    if begun is not None:
        begun()
    try:
        from clew.lake.ingest.session import carry_out

        return carry_out(inputs, lake_path, now=now, workers=workers, progress=progress, started=started)
    finally:
        pool.stop(started)


def _started_early(lake_path: Path, inputs: Inputs, workers: int | None) -> Sequence[pool.Process]:
    """Decoding processes for a new lake; one that holds files may know all of these already."""
    if (lake_path / manifest.CATALOG_NAME).exists():
        return ()
    count = pool.process_count(inputs.files, workers)
    return pool.start(count) if count > 1 else ()


def report_on(
    lake_path: Path, names: Sequence[str], ignored: tuple[str, ...] = (), run: ThisRun | None = None
) -> IngestReport:
    """The report about files that were ingested under these names, in one ingest or in several."""
    from clew.lake.ingest.session import report_on as session_report

    return session_report(lake_path, names, ignored, run)
