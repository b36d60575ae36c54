"""An audit as CSV: one row for each judgement, one for each manual control."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from clew.audit.credentials import written
from clew.report.escape import spreadsheet, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.results import Audit

COLUMNS = (
    "framework", "control", "title", "verdict", "severity", "check", "account", "resource", "message", "evidence",
    "missing", "as_of",
)  # fmt: skip


def render(audit: Audit) -> str:
    """The audit as CSV with a header line; no cell runs as a formula in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(audit):
        writer.writerow([spreadsheet(terminal(cell)) for cell in row])
    return out.getvalue()


def _rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    as_of = written(audit.as_of)
    for result in audit.results:
        named = (result.framework.id, result.control.id, result.control.title)
        if not result.judged:
            yield (
                *named,
                result.verdict.value,
                "",
                "",
                audit.account,
                "",
                result.control.manual,
                "",
                "",
                as_of,
            )
        for each in result.judged:
            for one in each.judgements:
                facts = " | ".join(f"{name}={value}" for name, value in one.evidence)
                severity = each.check.severity.value
                what = (one.verdict.value, severity, each.check.id, each.account, one.resource, one.message)
                yield (*named, *what, facts, " ".join(one.missing), as_of)
