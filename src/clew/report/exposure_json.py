"""Exposure as JSON: our own shape with proofs and unknowns, and the shape of IAM Access Analyzer's findings.

AWS: IAM Access Analyzer API Reference: "FindingSummaryV2", "ExternalAccessDetails", "FindingSource",
"FindingSourceDetail".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_findings import conditions
from clew.analyzer.exposure_model import Through
from clew.findings import Status
from clew.report.finding_json import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.analyzer.exposure_model import Exposure, Report
    from clew.findings import Finding

Value = dict[str, object]
Pair = tuple["Exposure", "Finding"]

STATUS: Final[Mapping[Status, str]] = {
    Status.ACTIVE: "ACTIVE",
    Status.SUPPRESSED: "ARCHIVED",
    Status.RESOLVED: "RESOLVED",
}
"""AWS's words for where a finding stands."""

_OF_AWS: Final = {
    Through.POLICY,
    Through.BUCKET_ACL,
    Through.S3_ACCESS_POINT,
    Through.S3_ACCESS_POINT_ACCOUNT,
}
_ABOUT: Final[Mapping[Through, str]] = {
    Through.S3_ACCESS_POINT: "accessPointArn",
    Through.S3_ACCESS_POINT_ACCOUNT: "accessPointAccount",
}


def render(reports: Sequence[Report], pairs: Sequence[Pair], resolved: Sequence[Finding]) -> str:
    """Everything that is known and not known, as one object of JSON."""
    told: Value = {
        "accounts": [each.account for each in reports],
        "zone_of_trust": reports[0].zone.kind.value if reports else None,
        "resources": sum(len(each.targets) for each in reports),
        "findings": [_finding(*pair) for pair in pairs],
        "resolved": [{"id": each.id, "title": each.title} for each in resolved],
        "unknown": [
            {
                "resource": each.resource,
                "resource_type": each.type,
                "account": each.account,
                "region": each.region,
                "missing": list(each.missing),
                "why": each.why,
            }
            for report in reports
            for each in report.unknown
        ],
        "notes": [note for report in reports for note in report.notes],
    }
    return json.dumps(told, indent=2) + "\n"


def _finding(found: Exposure, kept: Finding) -> Value:
    return {
        "id": kept.id,
        "status": kept.status.value,
        "severity": kept.severity.value,
        "resource": found.resource,
        "resource_type": found.type,
        "account": found.account,
        "region": found.region,
        "principal": {found.kind: found.principal},
        "public": found.is_public,
        "actions": list(found.actions),
        "access_levels": list(found.levels),
        "conditions": [
            {"operator": each.operator, "key": each.key, "values": list(each.values)}
            for each in found.conditions
        ],
        "condition_in_words": conditions(found.conditions),
        "through": found.through.value,
        "access_point": found.about or None,
        "resource_control_policy_restriction": found.restriction.value,
        "undecided": found.may,
        "dormant": found.dormant or None,
        "sources": [
            {"said": each.said, "place": each.place, "call": each.call, "collected_at": each.time}
            for each in found.proofs
        ],
        "suppression": kept.suppression,
    }


def render_aws(pairs: Sequence[Pair], resolved: Sequence[Finding]) -> str:
    """The findings as `GetFindingV2` answers them; what AWS has no word for, grants and sharing, has no `sources`."""
    told = [_aws(*pair) for pair in pairs]
    told += [
        {"id": each.id, "resource": each.resources[0], "status": STATUS[each.status]} for each in resolved
    ]
    return json.dumps({"findings": told}, indent=4) + "\n"


def _aws(found: Exposure, kept: Finding) -> Value:
    details: Value = {
        "action": list(found.actions),
        "condition": {each.key: ",".join(each.values) for each in found.conditions},
        "isPublic": found.is_public,
        "principal": {"AWS" if found.kind == "*" else found.kind: found.principal},
        "resourceControlPolicyRestriction": found.restriction.value,
    }
    if found.through in _OF_AWS:
        source: Value = {"type": found.through.value}
        if found.about:
            source["detail"] = {_ABOUT[found.through]: found.about}
        details["sources"] = [source]
    return {
        "id": kept.id,
        "findingType": "ExternalAccess",
        "resource": found.resource,
        "resourceType": found.type,
        "resourceOwnerAccount": found.account,
        "status": STATUS[kept.status],
        "createdAt": moment(kept.first_seen),
        "analyzedAt": moment(kept.last_seen),
        "updatedAt": moment(kept.last_seen),
        "findingDetails": [{"externalAccessDetails": details}],
    }
