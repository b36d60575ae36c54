"""Findings as CSV, one row each; no cell runs as a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from clew.report.escape import spreadsheet, terminal
from clew.report.finding_json import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.findings import Finding

COLUMNS = (
    "id", "severity", "rule", "title", "status", "actor", "first_seen", "last_seen", "event_count", "technique",
    "accounts", "regions", "source_ips", "access_keys", "resources", "event_ids", "explanation", "next_steps",
)  # fmt: skip
# A cell lists at most this many event ids: spreadsheets cut a cell at 32,767 characters.
_LISTED = 50


def render(findings: Iterable[Finding]) -> str:
    """The findings as CSV with a header line; lists are joined by a space, sentences by a line bar."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding in findings:
        values = to_dict(finding)
        writer.writerow([spreadsheet(_cell(name, values[name])) for name in COLUMNS])
    return out.getvalue()


def _cell(name: str, value: object) -> str:
    if isinstance(value, list):
        joiner = " | " if name == "next_steps" else " "
        more = [f"and {len(value) - _LISTED} more"] if len(value) > _LISTED else []
        return terminal(joiner.join([*map(str, value[:_LISTED]), *more]))
    return terminal(str(value))
