"""An audit in the AWS Security Finding Format, as `aws securityhub batch-import-findings` takes it.

Source: AWS Security Hub user guide, "AWS Security Finding Format (ASFF)", required top-level attributes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.findings import Status
from clew.report.escape import terminal
from clew.report.finding_json import moment
from clew.report.order import worst_first

if TYPE_CHECKING:
    from clew.audit.results import Audit
    from clew.findings import Finding

# IAM is global; Security Hub keeps its findings in this region.
_REGION = "us-east-1"
_MOST_TITLE, _MOST_DESCRIPTION, _MOST_REMEDIATION = 256, 1024, 512
_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"


def render(audit: Audit) -> str:
    """The findings of the audit as a list of ASFF objects."""
    return json.dumps([_finding(audit, finding) for finding in worst_first(audit.findings)], indent=2) + "\n"


def _finding(audit: Audit, finding: Finding) -> dict[str, object]:
    parts = finding.resources[0].split(":")
    partition = parts[1] if parts[0] == "arn" else "aws"
    control = finding.references[0]
    product = f"arn:{partition}:securityhub:{_REGION}:{audit.account}:product/{audit.account}/default"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"clew/{audit.account}/{finding.id}",
        "ProductArn": product,
        "GeneratorId": f"clew/{finding.rule}",
        "AwsAccountId": audit.account,
        "Types": [_TYPE],
        "CreatedAt": moment(finding.first_seen),
        "UpdatedAt": moment(max(audit.now, finding.first_seen)),
        "Severity": {"Label": finding.severity.value.upper()},
        "Title": terminal(finding.title)[:_MOST_TITLE],
        "Description": terminal(finding.explanation)[:_MOST_DESCRIPTION],
        "Remediation": {"Recommendation": {"Text": " ".join(finding.next_steps)[:_MOST_REMEDIATION]}},
        "Resources": [
            {"Type": _resource(finding), "Id": terminal(finding.resources[0])[:512], "Partition": partition}
        ],
        "Compliance": {"Status": "FAILED", "RelatedRequirements": [control]},
        "Workflow": {"Status": "SUPPRESSED" if finding.status is Status.SUPPRESSED else "NEW"},
        "RecordState": "ACTIVE",
    }


def _resource(finding: Finding) -> str:
    resource = finding.resources[0].rpartition(":")[2]
    kinds = {"user": "AwsIamUser", "policy": "AwsIamPolicy"}
    return kinds.get(resource.split("/", 1)[0], "AwsAccount")
