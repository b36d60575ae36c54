"""Whatever a command names as its input, into a lake: local paths, standard input, `s3://` prefixes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from clew.collect.s3 import Batch
    from clew.collect.s3_layout import Period
    from clew.collect.s3_listing import S3Object
    from clew.collect.session import Account
    from clew.lake.ingest import IngestReport, InputFile, Progress
    from clew.store.workspace import Workspace

STDIN = "-"
_COPY_BYTES = 1 << 20


def take_in(
    workspace: Workspace,
    paths: Sequence[str],
    *,
    now: datetime,
    workers: int | None,
    quiet: bool = False,
    account: Account | None = None,
    period: Period | None = None,
    begun: Callable[[], object] | None = None,
) -> IngestReport:
    """Ingest everything that the paths name into the workspace's lake; shows progress on a terminal.

    `account` and `period` say with whose credentials and from which days S3 objects are fetched. `begun` is called
    once, when other processes have begun to decode.
    """
    remote = [path for path in paths if path.startswith("s3://")]
    local = [path for path in paths if not path.startswith("s3://")]
    with _named(local, workspace.scratch_path) as files, progress_bar(quiet) as progress:
        from clew.lake import ingest

        report = ingest.ingest(
            workspace.lake_path, files, now=now, workers=workers, progress=progress, begun=begun
        )
        if not remote:
            return report
        from clew.collect import s3

        batches = partial(s3.fetch, remote, directory=workspace.scratch_path, account=account, period=period)
        return _with_objects(workspace, report, batches, now, workers, progress)


def _with_objects(
    workspace: Workspace,
    report: IngestReport,
    fetch: Callable[..., Iterator[Batch]],
    now: datetime,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> IngestReport:
    """The report about local files and S3 objects together; objects come, are ingested and go batch by batch."""
    from clew.collect import seen
    from clew.lake import ingest

    digests = 0
    names = [entry.path for entry in report.sources]
    run = ingest.ThisRun(report.stored, report.duplicates, report.known_files, report.stages)
    with seen.seen_objects(workspace.lake_path) as held:

        def known(item: S3Object) -> bool:
            if not held.known(item):
                return False
            names.append(item.uri)
            return True

        for batch in fetch(known=known):
            digests += batch.digests
            files = [replace(ingest.input_file(str(f.path), f.uri), modified_ns=0) for f in batch.files]
            missing = [
                ingest.Missing(o.uri, f"{o.reason}: {o.detail}", o.size_bytes or 0) for o in batch.unreadable
            ]
            part = ingest.ingest(
                workspace.lake_path, [*files, *missing], now=now, workers=workers, progress=progress
            )
            held.add(batch.files)
            names += [entry.path for entry in part.sources]
            run = ingest.ThisRun(
                run.stored + part.stored,
                run.duplicates + part.duplicates,
                run.known_files + part.known_files + batch.known,
                {**run.stages, **{name: run.stages.get(name, 0) + s for name, s in part.stages.items()}},
            )
    together = ingest.report_on(workspace.lake_path, names, report.ignored, run)
    return replace(together, digest_files=together.digest_files + digests)


@contextmanager
def _named(paths: Sequence[str], scratch: Path) -> Iterator[list[str | InputFile]]:
    """The paths, with standard input as a file of that name."""
    if STDIN not in paths:
        yield list(paths)
        return
    if sys.stdin.isatty():
        raise UsageError("`-` reads standard input, which is a terminal here; pipe a file into it")
    from clew.lake.ingest import input_file

    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=scratch, prefix="stdin-") as file:
        while block := sys.stdin.buffer.read(_COPY_BYTES):
            file.write(block)
        file.flush()
        stdin = replace(input_file(file.name, "standard input"), modified_ns=0)
        yield [stdin if path == STDIN else path for path in paths]


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A callback that draws files, events, rate and time left on stderr; None unless stderr is a terminal."""
    if quiet or context.options().quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.fields[files]} files, {task.fields[events]} events"),
        BarColumn(),
        TextColumn("{task.fields[rate]} events/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, no_color=not context.use_color(sys.stderr))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("ingest", total=None, files="0", events="0", rate="0")

        def advance(done: Progress) -> None:
            elapsed = bar.tasks[task].elapsed or 1.0
            bar.update(
                task,
                total=max(done.size_bytes_total, 1),
                completed=done.size_bytes,
                files=f"{done.files:,}/{done.files_total:,}",
                events=f"{done.events:,}",
                rate=f"{done.events / elapsed:,.0f}",
            )

        yield advance
