"""An audit as OCSF Compliance Findings (class 2003), as Security Hub, Security Lake and others take them.

Source: OCSF schema 1.5.0, https://schema.ocsf.io/1.5.0/classes/compliance_finding. Plain values, without a library; the
tests hold them to the models of py-ocsf-models.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew import __version__
from clew.audit.model import Verdict
from clew.findings import Severity, finding_id
from clew.report.audit_groups import groups
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from clew.audit.results import Audit
    from clew.findings import Finding
    from clew.report.audit_groups import Group, Item

SCHEMA = "1.5.0"
CLASS, CATEGORY = 2003, 2
_CREATE, _UPDATE, _CLOSE = 1, 2, 3
_SEVERITY = {severity: number for number, severity in enumerate(Severity, start=1)}
_COMPLIANCE = {Verdict.UNKNOWN: (0, "Unknown"), Verdict.PASS: (1, "Pass"), Verdict.FAIL: (3, "Fail")}
_UNKNOWN, _NEW, _SUPPRESSED, _RESOLVED = (0, "Unknown"), (1, "New"), (3, "Suppressed"), (4, "Resolved")
_ACTIVITY = {_CREATE: "Create", _UPDATE: "Update", _CLOSE: "Close"}


def render(audit: Audit) -> str:
    """Every judgement that passes, fails or is unknown, and every finding that is fixed, as a list of events."""
    # One event a line: indented, a large account takes ten times the seconds.
    return "[\n" + ",\n".join(json.dumps(event) for event in events(audit)) + "\n]\n"


def events(audit: Audit) -> Iterator[dict[str, object]]:
    """The events as plain values."""
    for group in groups(audit):
        for item in group.items:
            if item.judgement.verdict in _COMPLIANCE:
                yield _event(audit, group, item)
    for finding in audit.trend.fixed if audit.trend else ():
        yield _fixed(audit, finding)


def _event(audit: Audit, group: Group, item: Item) -> dict[str, object]:
    one, check = item.judgement, group.check
    number, word = _COMPLIANCE[one.verdict]
    is_failure = one.verdict is Verdict.FAIL
    severity = (one.severity or check.severity) if is_failure else Severity.INFORMATIONAL
    uid = item.finding.id if item.finding else finding_id("audit", check.id, item.account, one.resource)
    known_before = audit.trend is not None and uid in audit.trend.still
    first = item.finding.first_seen if item.finding else audit.as_of
    settled = _UNKNOWN if one.verdict is Verdict.UNKNOWN else _RESOLVED
    status = _SUPPRESSED if item.is_suppressed else _NEW if is_failure else settled
    return _whole(
        audit,
        activity=_UPDATE if known_before else _CREATE,
        severity=severity,
        status=status,
        info={
            "uid": uid,
            "title": terminal(group.title if is_failure else check.title),
            "desc": terminal(one.message),
            "created_time": _epoch(first),
            "first_seen_time": _epoch(first),
            "last_seen_time": _epoch(audit.as_of),
            "types": ["Configuration check"],
        },
        compliance={
            "status_id": number,
            "status": word,
            "control": group.label,
            "checks": [{"uid": check.id, "name": check.title, "desc": check.text["Finds"], "standards": []}],
            "standards": sorted({framework for framework, _ in group.controls}),
            "requirements": [f"{framework} {control}" for framework, control in group.controls],
            "status_details": [
                terminal(text) for text in (one.message, *(f"needs {m}" for m in one.missing))
            ],
        },
        remediation=(check.text["Fix"], list(check.references)),
        resource=_resource(one.resource, item.region, {key: terminal(value) for key, value in one.evidence}),
        account=item.account,
        region=item.region,
        comment=item.finding.suppression if item.finding else "",
    )


def _fixed(audit: Audit, finding: Finding) -> dict[str, object]:
    region = finding.regions[0] if finding.regions else ""
    return _whole(
        audit,
        activity=_CLOSE,
        severity=finding.severity,
        status=_RESOLVED,
        info={
            "uid": finding.id,
            "title": terminal(finding.title),
            "desc": terminal(finding.explanation),
            "created_time": _epoch(finding.first_seen),
            "first_seen_time": _epoch(finding.first_seen),
            "last_seen_time": _epoch(finding.last_seen),
            "types": ["Configuration check"],
        },
        compliance={
            "status_id": 1,
            "status": "Pass",
            "control": finding.rule,
            "standards": [framework.id for framework in audit.frameworks],
        },
        remediation=(" ".join(finding.next_steps), list(finding.references)),
        resource=_resource(finding.resources[0], region, {}),
        account=finding.accounts[0] if finding.accounts else "",
        region=region,
        comment="",
    )


def _whole(
    audit: Audit,
    *,
    activity: int,
    severity: Severity,
    status: tuple[int, str],
    info: dict[str, object],
    compliance: dict[str, object],
    remediation: tuple[str, list[str]],
    resource: dict[str, object],
    account: str,
    region: str,
    comment: str,
) -> dict[str, object]:
    found: dict[str, object] = {
        "activity_id": activity,
        "activity_name": _ACTIVITY[activity],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {_ACTIVITY[activity]}",
        "time": _epoch(audit.as_of),
        "severity_id": _SEVERITY[severity],
        "severity": severity.value.capitalize(),
        "status_id": status[0],
        "status": status[1],
        "message": info["desc"],
        "metadata": {
            "version": SCHEMA,
            "product": {"name": "Clew", "vendor_name": "Clew", "version": __version__},
            "profiles": ["cloud"],
        },
        "cloud": {
            "provider": "AWS",
            "account": {"uid": account, "type_id": 10, "type": "AWS Account"},
            **({"region": region} if region else {}),
        },
        "finding_info": info,
        "compliance": compliance,
        "remediation": {"desc": remediation[0], "references": remediation[1]},
        "resources": [resource],
    }
    return found | ({"comment": terminal(comment)} if comment else {})


def _resource(arn: str, region: str, facts: dict[str, str]) -> dict[str, object]:
    parts = arn.split(":", 5)
    is_arn = len(parts) == 6 and parts[0] == "arn"  # noqa: PLR2004  # an ARN has six parts
    return {
        "uid": terminal(arn),
        "name": terminal(parts[5].rpartition("/")[2] if is_arn else arn),
        "type": _type(parts) if is_arn else "account",
        **({"region": region} if region else {}),
        "cloud_partition": parts[1] if is_arn else "aws",
        "data": facts,
    }


def _type(parts: list[str]) -> str:
    """The kind of a resource in the words of its ARN: `iam user`, `s3 bucket`."""
    if parts[2] == "s3":
        return "s3 bucket"
    kind = parts[5].replace(":", "/").split("/", 1)[0]
    return terminal(f"{parts[2]} {kind}" if "/" in parts[5] or ":" in parts[5] else parts[2])


def _epoch(time: datetime) -> int:
    """Milliseconds since 1970, as OCSF counts time."""
    return int(time.timestamp() * 1000)
