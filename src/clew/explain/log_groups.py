"""Whether somebody may write into a log group: their own policies, and the resource policies of CloudWatch Logs.

AWS: CloudWatch Logs user guide, "Resource-based policies": those of a region count for all its log groups.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.audit.resources import items, text
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from clew.explain.doctor import Patient
    from clew.explain.links import Link
    from clew.snapshot.answers import Answer


def may_write(patient: Patient, name: str, principal: str, action: str, resource: str) -> Link:
    """The link that the action on the log group or stream is allowed."""
    account, region = patient.state.account, resource.split(":")[3]
    said = patient.state.answers.get(account, region, "logs", "DescribeResourcePolicies")
    if said.status.is_known:
        patient = patient.knowing(resource, _document(said))
    return patient.permitted(name, principal, action, resource)


def _document(said: Answer) -> Document | None:
    """All policies of the region as one; None where there is none."""
    statements: list[object] = []
    for each in items(said.body, "resourcePolicies"):
        found = json.loads(text(each, "policyDocument")).get("Statement", [])
        statements += found if isinstance(found, list) else [found]
    if not statements:
        return None
    return Document(
        "resource policies of CloudWatch Logs", {"Version": "2012-10-17", "Statement": statements}
    )
