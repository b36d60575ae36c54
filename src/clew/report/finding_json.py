"""Findings and investigations as JSON values: the shapes that other tools read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.detect.investigation import Investigation
    from clew.findings import Evidence, Finding

Json = dict[str, object]


def to_dict(finding: Finding) -> Json:
    """A finding as JSON: times are ISO 8601 in UTC, `technique` and `event_ids` are lists, worst evidence first."""
    return {
        "id": finding.id,
        "rule": finding.rule,
        "title": finding.title,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "actor": finding.actor,
        "first_seen": moment(finding.first_seen),
        "last_seen": moment(finding.last_seen),
        "technique": list(finding.technique),
        "tactics": list(finding.tactics),
        "event_count": finding.event_count,
        "event_ids": list(finding.event_ids),
        "explanation": finding.explanation,
        "why_it_matters": finding.why_it_matters,
        "next_steps": list(finding.next_steps),
        "false_positives": list(finding.false_positives),
        "references": list(finding.references),
        "accounts": list(finding.accounts),
        "regions": list(finding.regions),
        "source_ips": list(finding.source_ips),
        "access_keys": list(finding.access_keys),
        "resources": list(finding.resources),
        "evidence": [_evidence(evidence) for evidence in finding.evidence],
        "producer": finding.producer,
        "suppression": finding.suppression,
    }


def _evidence(evidence: Evidence) -> Json:
    return {
        "event_id": evidence.event_id,
        "time": moment(evidence.time),
        "summary": evidence.summary,
        "event_source": evidence.event_source,
        "event_name": evidence.event_name,
        "account": evidence.account,
        "region": evidence.region,
        "actor": evidence.actor,
        "source_ip": evidence.source_ip,
        "access_key": evidence.access_key,
        "user_agent": evidence.user_agent,
        "channel": evidence.channel,
        "outcome": evidence.outcome,
        "resources": list(evidence.resources),
        "source": evidence.source,
        "record_number": evidence.record_number,
    }


def investigation(found: Investigation) -> Json:
    """An investigation as JSON, findings worst first."""
    from clew.report.order import worst_first

    return {
        "events": found.events,
        "quarantined": found.quarantined,
        "findings": [to_dict(finding) for finding in worst_first(found.findings)],
        "files": found.files,
        "duplicates": found.duplicates,
        "conflicts": found.conflicts,
        "rules": found.rules,
        "source": found.source,
        "first_event": moment(found.first_event),
        "last_event": moment(found.last_event),
        "accounts": list(found.accounts),
        "regions": list(found.regions),
        "blind_spots": list(found.blind_spots),
        "problems": list(found.problems),
        "unreadable": [
            {"path": r.path, "record_number": r.record_number, "reason": r.reason, "detail": r.detail}
            for r in found.rejections
        ],
    }


def moment(time: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC.

    >>> moment(datetime(2026, 3, 11, 2, 11, 4, tzinfo=UTC))
    '2026-03-11T02:11:04Z'
    """
    if time is None:
        return None
    text = time.astimezone(UTC).isoformat(timespec="microseconds" if time.microsecond else "seconds")
    return text.replace("+00:00", "Z")
