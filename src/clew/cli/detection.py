"""How `clew detect` runs over the lake, keeps what it finds, and prints it."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import context, times
from clew.cli.investigation import reaches, run_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.detect.catalog import Catalog
    from clew.findings import Finding, Severity
    from clew.store.findings import Outcome


def print_findings(
    catalog: Catalog,
    output: str,
    period: tuple[str | None, str | None],
    min_severity: Severity,
    threshold: Severity | None,
) -> int:
    """Run the rules, keep the findings, print them; the exit code."""
    kept = _run(catalog, period, datetime.now(UTC))
    for suppression in kept.unused_suppressions:
        context.note(f"suppression `{suppression.id}` ({suppression.scope}) fits no finding")
    shown = [f for f in kept.findings if f.severity.rank >= min_severity.rank]
    sys.stdout.write(rendered(shown, output))
    return context.EXIT_FINDINGS if reaches(kept.findings, threshold) else context.EXIT_CLEAN


def rendered(findings: Sequence[Finding], output: str) -> str:
    """The findings as a table, JSON, JSON lines or CSV."""
    from clew.report import finding_csv, finding_json, finding_table

    match output:
        case "json":
            return json.dumps([finding_json.to_dict(finding) for finding in findings], indent=2) + "\n"
        case "jsonl":
            return "".join(json.dumps(finding_json.to_dict(finding)) + "\n" for finding in findings)
        case "csv":
            return finding_csv.render(findings)
        case _:
            return finding_table.render(findings, width=width(), color=context.use_color())


def width() -> int:
    """The columns of the terminal, 100 where there is none, and no more than 120."""
    return min(shutil.get_terminal_size((100, 24)).columns, 120)


def _run(catalog: Catalog, period: tuple[str | None, str | None], now: datetime) -> Outcome:
    from dataclasses import replace

    from clew.lake.reader import open_lake
    from clew.report.order import worst_first

    since, until = period
    asked = (times.moment(since, now) if since else None, times.end(until, now) if until else None)
    workspace = context.workspace()
    result, kept = run_rules(workspace, open_lake(workspace.lake_path), catalog, now, asked)
    for problem in result.problems[len(catalog.problems) :]:
        context.complain(str(problem))
    return replace(kept, findings=tuple(worst_first(kept.findings)))
