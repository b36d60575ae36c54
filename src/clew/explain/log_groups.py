"""Whether somebody may use a log group: their own policies, and the resource policies of CloudWatch Logs.

AWS: CloudWatch Logs user guide, "Resource-based policies": those of a region count for all its log groups; "Using
identity-based policies (IAM policies) for CloudWatch Logs": a group may be named with and without `:*` at its end.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.audit.resources import items, text
from clew.explain.links import Verdict
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.explain.doctor import Patient
    from clew.explain.links import Link
    from clew.snapshot.answers import Answer

_OF_GROUP: Final = ":log-stream:"


def may_use(patient: Patient, name: str, principal: str, action: str, resource: str) -> Link:
    """The link that the action on the log group or stream is allowed; a group counts by either form of its ARN."""
    account, region = patient.state.account, resource.split(":")[3]
    said = patient.state.answers.get(account, region, "logs", "DescribeResourcePolicies")
    document = _document(said) if said.status.is_known else None

    def asked(place: str) -> Link:
        known = patient.knowing(place, document) if said.status.is_known else patient
        return known.permitted(name, principal, action, place)

    found = asked(resource)
    if found.verdict is not Verdict.HOLDS and resource.endswith(_OF_GROUP):
        bare = asked(resource.removesuffix(_OF_GROUP))
        return bare if bare.verdict is Verdict.HOLDS else found
    return found


def trail_role(patient: Patient, trail: Mapping[str, object]) -> Iterator[Link]:
    """The links that the role of a trail brings its events into its log group.

    AWS: CloudTrail user guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring".
    """
    role, group = text(trail, "CloudWatchLogsRoleArn"), text(trail, "CloudWatchLogsLogGroupArn")
    yield patient.trusted("log-role-trust", role, "cloudtrail.amazonaws.com")
    account, region = patient.state.account, group.split(":")[3]
    stream = f"{group.removesuffix(':*')}:log-stream:{account}_CloudTrail_{region}"
    for name, action in (("log-stream", "logs:CreateLogStream"), ("log-events", "logs:PutLogEvents")):
        yield may_use(patient, name, role, action, stream)


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
