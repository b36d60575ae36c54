"""Unused access in the shape of IAM Access Analyzer's findings, with its recommended steps.

AWS: IAM Access Analyzer API Reference: "GetFindingV2", "UnusedPermissionDetails", "GetFindingRecommendation".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.analyzer.unused_model import Kind
from clew.policy import format as layout
from clew.report.exposure_json import STATUS
from clew.report.finding_json import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.unused_advice import Step
    from clew.analyzer.unused_model import Unused
    from clew.findings import Finding
    from clew.report.unused_text import Pair

Value = dict[str, object]


def render(pairs: Sequence[Pair], resolved: Sequence[Finding]) -> str:
    """The findings as `GetFindingV2` answers them, each of permissions with its `recommendedSteps`."""
    told = [_finding(*pair) for pair in pairs]
    told += [
        {"id": each.id, "resource": each.resources[0], "status": STATUS[each.status]} for each in resolved
    ]
    return json.dumps({"findings": told}, indent=4) + "\n"


def _finding(found: Unused, kept: Finding) -> Value:
    of_user = ":user/" in found.resource
    told: Value = {
        "id": kept.id,
        "findingType": found.kind.value,
        "resource": found.resource,
        "resourceType": "AWS::IAM::User" if of_user else "AWS::IAM::Role",
        "resourceOwnerAccount": found.account,
        "status": STATUS[kept.status],
        "createdAt": moment(kept.first_seen),
        "analyzedAt": moment(kept.last_seen),
        "updatedAt": moment(kept.last_seen),
        "findingDetails": list(_details(found)),
    }
    if found.steps:
        told["recommendationType"] = "UnusedPermissionRecommendation"
        told["recommendedSteps"] = [
            {"unusedPermissionsRecommendedStep": step_document(step)} for step in found.steps
        ]
    return told


def step_document(step: Step) -> Value:
    """One recommended step in AWS's words."""
    told: Value = {"recommendedAction": step.doing.value, "existingPolicyId": step.existing}
    if step.policy is not None:
        told["recommendedPolicy"] = json.dumps(layout.document(step.policy))
    return told


def _details(found: Unused) -> Iterator[Value]:
    last: Value = {"lastAccessed": moment(found.last_used)} if found.last_used else {}
    match found.kind:
        case Kind.ROLE:
            yield {"unusedIamRoleDetails": last}
        case Kind.ACCESS_KEY:
            # The credential report numbers the keys of a user; it does not tell their ids.
            yield {"unusedIamUserAccessKeyDetails": {"accessKeyId": found.item, **last}}
        case Kind.PASSWORD:
            yield {"unusedIamUserPasswordDetails": last}
        case Kind.PERMISSION:
            yield from _permissions(found)


def _permissions(found: Unused) -> Iterator[Value]:
    by_service: dict[str, list[str]] = {name: [] for name in found.services}
    for action in found.actions:
        service, _, name = action.partition(":")
        by_service.setdefault(service, []).append(name)
    for service, names in by_service.items():
        actions: Value = {"actions": [{"action": name} for name in names]} if names else {}
        yield {"unusedPermissionDetails": {"serviceNamespace": service, **actions}}
