"""How an investigation is carried out: read, judge, keep the findings, put everything together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.cli import context
from clew.errors import InputError, UsageError
from clew.findings import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor
    from datetime import datetime
    from pathlib import Path

    from clew.collect.session import Account
    from clew.detect.catalog import Catalog
    from clew.detect.investigation import Investigation, Reckoned
    from clew.detect.run import Result
    from clew.findings import Finding
    from clew.lake.ingest import IngestReport
    from clew.lake.reader import Lake
    from clew.store.findings import Outcome
    from clew.store.workspace import Workspace


def carry_out(
    workspace: Workspace,
    path: str,
    *,
    rules: Sequence[Path],
    workers: int | None,
    now: datetime,
    account: Account | None = None,
) -> Investigation:
    """Take the path into the workspace's lake, run every rule, keep the findings; everything that a report says."""
    from concurrent.futures import ThreadPoolExecutor

    from clew.cli.intake import take_in

    settings = context.config()
    catalogs: list[Future[Catalog]] = []
    with ThreadPoolExecutor(1) as beside:
        read = take_in(
            workspace,
            [path],
            now=now,
            workers=workers or settings.workers,
            account=account,
            begun=lambda: catalogs.append(beside.submit(_load_rules, [*map(str, rules), *settings.rules])),
        )
        if not read.files:
            others = f"; {len(read.ignored)} other files are none" if read.ignored else ""
            raise InputError(f"`{path}` holds no log files{others}")
        return _judge(workspace, _resolved(path), read, catalogs[0].result(), now, beside)


# What judging and telling take to load, 0.3 s; when all is read a processor would wait for it.
_NEEDED_LATER = (
    *("clew.detect.run", "clew.lake.detection.scan", "clew.lake.detection.gather"),
    *("clew.lake.coverage.blind_spots", "clew.store.findings", "clew.report.html"),
)


def _load_rules(rules: Sequence[str]) -> Catalog:
    """The rules, and all that is needed to judge by them, loaded while other processes decode."""
    from importlib import import_module
    from pathlib import Path

    from clew.detect import catalog
    from clew.report import html

    found = catalog.load([Path(rule) for rule in rules])
    for name in _NEEDED_LATER:
        import_module(name)
    html.template()
    return found


def _judge(
    workspace: Workspace,
    source: str,
    read: IngestReport,
    catalog: Catalog,
    now: datetime,
    beside: ThreadPoolExecutor,
) -> Investigation:
    """Run the rules; what the lake tells beside them is asked when they leave a processor idle, above all at the end.

    The lake is opened once: of 41 files that takes 25 ms, and as long again whatever is asked first.
    """
    from clew.detect.investigation import Judged, assemble, blind_spots, reckon
    from clew.lake.reader import open_lake

    lake = open_lake(workspace.lake_path).keeping()
    lake.connect(memory_limit_mb=context.config().memory_limit_mb).close()
    spots = beside.submit(blind_spots, lake)
    reckoned: list[Future[Reckoned]] = []
    result, kept = run_rules(
        workspace,
        lake,
        catalog,
        now,
        gathered=lambda actors: reckoned.append(beside.submit(reckon, lake, actors)),
    )
    judged = Judged(
        findings=kept.findings,
        rules=len(result.rules),
        problems=tuple(str(problem) for problem in result.problems if not problem.skipped),
        blind_spots=spots.result(),
    )
    for problem in judged.problems:
        context.complain(problem)
    return assemble(source, lake, read, judged, reckoned[0].result(), now)


def run_rules(
    workspace: Workspace,
    lake: Lake,
    catalog: Catalog,
    now: datetime,
    period: tuple[datetime | None, datetime | None] = (None, None),
    *,
    gathered: Callable[[Sequence[str]], object] | None = None,
) -> tuple[Result, Outcome]:
    """Run the rules over the events from the period's first moment until before its second; keep what they find.

    `gathered` is called with the findings' actors, once they are known.
    """
    from clew.detect.run import run
    from clew.store.database import Database
    from clew.store.findings import upsert

    since, until = period
    limit = context.config().memory_limit_mb
    result = run(lake, catalog, since=since, until=until, memory_limit_mb=limit, gathered=gathered)
    # Only a run over everything may say that what it did not find is gone.
    covered = [] if since or until else [rule.id for rule in result.rules]
    with Database(workspace.state_path) as database:
        return result, upsert(database, result.findings, now, covered=covered)


def _resolved(path: str) -> str:
    from pathlib import Path

    return path if path.startswith("s3://") or path == "-" else str(Path(path).expanduser().resolve())


def exit_code(found: Investigation, fail_on: str | None) -> int:
    """1 for an active finding at or above the threshold, else 3 when something could not be read or used, else 0."""
    threshold = severity(fail_on or context.config().fail_on)
    if reaches(found.findings, threshold):
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if found.quarantined or found.problems else context.EXIT_CLEAN


def reaches(findings: Iterable[Finding], threshold: Severity | None) -> bool:
    """Whether an active finding is at least that severe; never without a threshold."""
    active = (f for f in findings if f.status is Status.ACTIVE)
    return threshold is not None and any(f.severity.rank >= threshold.rank for f in active)


def severity(name: str | None) -> Severity | None:
    """The severity of that name; UsageError for any other word."""
    if name is None:
        return None
    try:
        return Severity(name.lower())
    except ValueError:
        known = ", ".join(Severity)
        raise UsageError(f"`{name}` is not a severity; known are {known}") from None
