"""Unused access as text and as JSON: findings with their recommendation, and what could not be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.analyzer.unused_findings import explanation
from clew.findings import Status
from clew.report.escape import terminal
from clew.report.finding_json import moment
from clew.report.unused_aws import step_document
from clew.report.wrapping import facts, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.unused_model import Judged, Unused
    from clew.findings import Finding

Pair = tuple["Unused", "Finding"]


def render(
    judged: Sequence[Judged], pairs: Sequence[Pair], resolved: Sequence[Finding], *, width: int = 100
) -> str:
    """The report as text, ending with a line break."""
    lines: list[str] = []
    for each in judged:
        window = f"{each.window.since:%Y-%m-%d} to {each.window.until:%Y-%m-%d}"
        lines.append(f"Account {each.account}: {each.looked_at} roles and users, {window}")
        counted = [f"{len(each.unused)} unused", f"{len(each.open)} not known"]
        lines.append(f"{', '.join(counted)}, {len(each.young)} younger than the window and not judged")
    for found, kept in pairs:
        lines += ["", *_told(found, kept, width)]
    if resolved:
        lines += ["", "Resolved since the run before:", *(f"  {terminal(each.title)}" for each in resolved)]
    unknown = [each for one in judged for each in one.open]
    if unknown:
        lines += ["", "Not known:"]
    for one in unknown:
        text = f"{one.kind} {one.subject}".rstrip() + f": {one.why}; would tell: {', '.join(one.missing)}"
        lines += wrapped(text, indent="  - ", further="    ", width=width)
    return "\n".join(lines) + "\n"


def _told(found: Unused, kept: Finding, width: int) -> Iterator[str]:
    archived = " (archived)" if kept.status is Status.SUPPRESSED else ""
    yield f"{kept.severity.value.upper():<9} {terminal(kept.title)}{archived}"
    rows = (
        ("why", explanation(found)),
        ("do", found.recommendation),
        ("archived", kept.suppression),
        ("finding", kept.id),
    )
    yield from facts(rows, width)


def as_json(judged: Sequence[Judged], pairs: Sequence[Pair], resolved: Sequence[Finding]) -> str:
    """The report as one object of JSON."""
    told = {
        "accounts": [each.account for each in judged],
        "since": moment(judged[0].window.since) if judged else None,
        "until": moment(judged[0].window.until) if judged else None,
        "findings": [_finding(*pair) for pair in pairs],
        "resolved": [{"id": each.id, "title": each.title} for each in resolved],
        "not_judged": [each for one in judged for each in one.young],
        "unknown": [
            {
                "type": each.kind.value,
                "account": each.account,
                "resource": each.resource,
                "item": each.item,
                "why": each.why,
                "missing": list(each.missing),
            }
            for one in judged
            for each in one.open
        ],
    }
    return json.dumps(told, indent=2) + "\n"


def _finding(found: Unused, kept: Finding) -> dict[str, object]:
    return {
        "id": kept.id,
        "status": kept.status.value,
        "type": found.kind.value,
        "severity": kept.severity.value,
        "resource": found.resource,
        "item": found.item,
        "account": found.account,
        "created": moment(found.created),
        "last_used": moment(found.last_used),
        "unused_services": list(found.services),
        "unused_actions": list(found.actions),
        "told_by": found.told,
        "recommendation": found.recommendation,
        "steps": [step_document(step) | {"of": step.holder} for step in found.steps],
        "suppression": kept.suppression,
    }
