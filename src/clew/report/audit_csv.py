"""An audit as CSV: one row for each judgement under each control that asks for it, one for each manual control."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from clew.audit.credentials import written
from clew.audit.views import told
from clew.report.audit_groups import groups
from clew.report.escape import spreadsheet, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.results import Audit, Result
    from clew.report.audit_groups import Item

COLUMNS = (
    "framework", "control", "title", "verdict", "severity", "check", "account", "region", "resource", "message",
    "evidence", "missing", "finding", "standing", "change", "as_of",
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
    items = {(group.check.id, group.thresholds): group.items for group in groups(audit)}
    for result in audit.results:
        if not result.judged:
            blank = ("",) * 2
            named = (*_named(result), told(result.verdict, result.framework), *blank, audit.account, *blank)
            yield (*named, result.control.manual, *("",) * 5, as_of)
        for check, thresholds in dict.fromkeys((each.check.id, each.thresholds) for each in result.judged):
            default = next(each.check.severity for each in result.judged if each.check.id == check)
            for item in items[check, thresholds]:
                severity = (item.judgement.severity or default).value
                yield (*_named(result), *_row(result, item, check, severity), as_of)


def _named(result: Result) -> tuple[str, str, str]:
    return result.framework.id, result.control.id, result.control.title


def _row(result: Result, item: Item, check: str, severity: str) -> tuple[str, ...]:
    one, finding = item.judgement, item.finding
    facts = " | ".join(f"{name}={value}" for name, value in one.evidence)
    known = (finding.id, finding.status.value, "new" if item.is_new else "") if finding else ("", "", "")
    verdict = told(one.verdict, result.framework)
    return (
        *(verdict, severity, check, item.account, item.region, one.resource, one.message, facts),
        *(" ".join(one.missing), *known),
    )
