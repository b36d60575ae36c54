"""An audit as JSON-like values: every control with every judgement, and the findings."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from clew.audit.views import told
from clew.report.finding_json import moment, to_dict
from clew.report.json_text import Lines
from clew.report.order import worst_first

if TYPE_CHECKING:
    from clew.audit.model import Judgement
    from clew.audit.results import Audit, Judged, Result, Trend
    from clew.snapshot.credential_report import CredentialReport


# Beyond so many judgements an item stands on a line: the file is for programs then.
MANY = 10_000


def document(audit: Audit) -> dict[str, object]:
    """The whole audit; lists of judgements and findings are `Lines` where there are many of them."""
    is_large = sum(len(each.judgements) for result in audit.results for each in result.judged) > MANY
    findings = (to_dict(finding) for finding in worst_first(audit.findings))
    return {
        "accounts": list(audit.accounts),
        "frameworks": [
            {"id": each.id, "name": each.name, "version": each.version} for each in audit.frameworks
        ],
        "as_of": moment(audit.as_of),
        "now": moment(audit.now),
        "snapshot": asdict(audit.origin) if audit.origin else None,
        "reports": [_report(each) for each in audit.reports],
        "counts": {verdict.value: count for verdict, count in audit.counts.items()},
        "controls": [_control(result, is_large=is_large) for result in audit.results],
        "trend": _trend(audit.trend) if audit.trend else None,
        "not_read": [asdict(each) for each in audit.unread],
        "problems": list(audit.problems),
        "findings": Lines(findings) if is_large else list(findings),
    }


def _report(report: CredentialReport) -> dict[str, object]:
    return {
        "source": report.source,
        "account": report.account,
        "generated_at": moment(report.generated_at),
        "newest_time": moment(report.newest_time),
        "users": len(report.users),
        "has_root": report.root is not None,
        "notes": list(report.notes),
        "problems": list(report.problems),
    }


def _trend(trend: Trend) -> dict[str, object]:
    return {
        "since": moment(trend.since),
        "new": sorted(trend.new),
        "still": sorted(trend.still),
        "fixed": [finding.id for finding in trend.fixed],
        "steps": [
            {"as_of": moment(step.as_of)}
            | {name: step.counts.get(name, 0) for name in ("fail", "pass", "unknown")}
            for step in trend.steps
        ],
    }


def _control(result: Result, *, is_large: bool) -> dict[str, object]:
    judgements = (judgement(each, one) for each in result.judged for one in each.judgements)
    return {
        "framework": result.framework.id,
        "id": result.control.id,
        "title": result.control.title,
        "verdict": result.verdict.value,
        "in_words": told(result.verdict, result.framework),
        "checks": list(result.control.checks),
        "manual": result.control.manual,
        "missing": list(result.missing),
        "judgements": Lines(judgements) if is_large else list(judgements),
    }


def judgement(judged: Judged, one: Judgement) -> dict[str, object]:
    """One judgement."""
    return {
        "check": judged.check.id,
        "account": judged.account,
        "resource": one.resource,
        "verdict": one.verdict.value,
        "severity": (one.severity or judged.check.severity).value,
        "message": one.message,
        "evidence": dict(one.evidence),
        "missing": list(one.missing),
        "line": one.line or None,
    }
