"""An audit as SARIF 2.1.0: each finding with the file, and the line of the credential report, that proves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew import __version__
from clew.findings import Severity, Status
from clew.report.escape import terminal
from clew.report.order import worst_first

if TYPE_CHECKING:
    from clew.audit.results import Audit
    from clew.findings import Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFORMATIONAL: "note",
}


def render(audit: Audit) -> str:
    """The findings of the audit as one run of SARIF."""
    rules: dict[str, Finding] = {}
    findings = worst_first(audit.findings)
    for finding in findings:
        rules.setdefault(finding.rule, finding)
    driver = {"name": "clew", "version": __version__, "rules": [_rule(finding) for finding in rules.values()]}
    run = {"tool": {"driver": driver}, "results": [_result(audit, finding) for finding in findings]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.rule,
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.why_it_matters},
        "help": {"text": " ".join(finding.next_steps)},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
    }


def _result(audit: Audit, finding: Finding) -> dict[str, object]:
    subject = terminal(finding.resources[0])
    location: dict[str, object] = {"logicalLocations": [{"fullyQualifiedName": subject}]}
    if place := _place(audit, finding):
        location["physicalLocation"] = place
    found: dict[str, object] = {
        "ruleId": finding.rule,
        "level": _LEVEL[finding.severity],
        "message": {"text": terminal(f"{finding.resources[0]}: {finding.explanation}")},
        "partialFingerprints": {"clewFinding/v1": finding.id},
        "locations": [location],
    }
    if audit.trend is not None and audit.trend.since is not None:
        found["baselineState"] = "new" if finding.id in audit.trend.new else "unchanged"
    if finding.status is Status.SUPPRESSED:
        found["suppressions"] = [{"kind": "external", "justification": terminal(finding.suppression)}]
    return found


def _place(audit: Audit, finding: Finding) -> dict[str, object]:
    """Where the proof stands: the line of the credential report, else the snapshot; readers want a file."""
    proof = finding.evidence[0]
    if proof.record_number and audit.origin is None:
        return {"artifactLocation": {"uri": proof.source}, "region": {"startLine": proof.record_number}}
    return (
        {"artifactLocation": {"uri": audit.origin.file}, "region": {"startLine": 1}} if audit.origin else {}
    )
