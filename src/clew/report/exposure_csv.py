"""Exposure as CSV, with the columns that IAM Access Analyzer for S3 shows in their order, for every type of resource.

AWS: S3 User Guide: "Reviewing bucket access using IAM Access Analyzer for S3", Information provided by IAM Access
Analyzer for S3 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-analyzer.html): the downloaded report
includes the same information as the page; AWS documents no header line.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_findings import conditions, who
from clew.report.escape import spreadsheet, terminal
from clew.report.exposure_json import STATUS
from clew.report.finding_json import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.analyzer.exposure_model import Report
    from clew.report.exposure_json import Pair

COLUMNS: Final = (
    "Resource",
    "Resource type",
    "Region",
    "Discovered by Access Analyzer",
    "Shared through",
    "Status",
    "Access level",
    "External principal",
    "Resource control policy (RCP) restriction",
    "Public",
    "Condition",
    "Source",
    "Finding ID",
)
"""The header line."""


def render(reports: Sequence[Report], pairs: Iterable[Pair]) -> str:
    """One row for each finding, and one with the status `UNKNOWN` for each resource that could not be judged."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for found, kept in pairs:
        row = (
            found.resource,
            found.type,
            found.region,
            moment(kept.first_seen) or "",
            f"{found.through} {found.about}".strip(),
            STATUS[kept.status],
            ", ".join(found.levels),
            who(found),
            found.restriction.value,
            "yes" if found.is_public else "no",
            conditions(found.conditions),
            "; ".join(f"{each.said} ({each.place})" for each in found.proofs),
            kept.id,
        )
        writer.writerow([spreadsheet(terminal(cell)) for cell in row])
    for each in (one for report in reports for one in report.unknown):
        row = (each.resource, each.type, each.region, "", "", "UNKNOWN", "", "", "", "", "", each.why, "")
        writer.writerow([spreadsheet(terminal(cell)) for cell in row])
    return out.getvalue()
