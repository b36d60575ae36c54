"""An audit in the AWS Security Finding Format, as `aws securityhub batch-import-findings` takes it, 100 at a time.

Source: AWS Security Hub user guide, "AWS Security Finding Format (ASFF)", required top-level attributes, and
"Resources", types.
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

# What is global, such as IAM, Security Hub keeps in this region.
_REGION = "us-east-1"
_MOST_TITLE, _MOST_DESCRIPTION, _MOST_REMEDIATION, _MOST_ID = 256, 1024, 512, 512
_TYPE = "Software and Configuration Checks/Industry and Regulatory Standards/CIS AWS Foundations Benchmark"
_OTHER_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
# By service and kind as ARNs name them.
_RESOURCES = {
    "cloudtrail trail": "AwsCloudTrailTrail",
    "ec2 instance": "AwsEc2Instance",
    "ec2 network-acl": "AwsEc2NetworkAcl",
    "ec2 route-table": "AwsEc2RouteTable",
    "ec2 security-group": "AwsEc2SecurityGroup",
    "ec2 subnet": "AwsEc2Subnet",
    "ec2 vpc": "AwsEc2Vpc",
    "elasticfilesystem file-system": "AwsEfsFileSystem",
    "iam group": "AwsIamGroup",
    "iam policy": "AwsIamPolicy",
    "iam role": "AwsIamRole",
    "iam user": "AwsIamUser",
    "kms key": "AwsKmsKey",
    "lambda function": "AwsLambdaFunction",
    "rds db": "AwsRdsDbInstance",
    "rds snapshot": "AwsRdsDbSnapshot",
    "secretsmanager secret": "AwsSecretsManagerSecret",
}
_WHOLE = {"s3": "AwsS3Bucket", "sns": "AwsSnsTopic", "sqs": "AwsSqsQueue"}


def render(audit: Audit) -> str:
    """The findings of the audit as a list of ASFF objects; those that are fixed since the run before are archived."""
    found = [*worst_first(audit.findings), *(audit.trend.fixed if audit.trend else ())]
    return json.dumps([_finding(audit, finding) for finding in found], indent=2) + "\n"


def _finding(audit: Audit, finding: Finding) -> dict[str, object]:
    subject = finding.resources[0]
    partition = subject.split(":")[1] if subject.startswith("arn:") else "aws"
    account = finding.accounts[0] if finding.accounts else audit.account
    region = finding.regions[0] if finding.regions else _REGION
    controls = [text for text in finding.references if ", control " in text]
    is_fixed = finding.status is Status.RESOLVED
    is_cis = any(text.startswith("CIS") for text in controls)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"clew/{account}/{finding.id}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"clew/{finding.rule}",
        "AwsAccountId": account,
        "Region": region,
        "Types": [_TYPE if is_cis else _OTHER_TYPE],
        "CreatedAt": moment(finding.first_seen),
        "UpdatedAt": moment(max(audit.now, finding.first_seen)),
        "Severity": {"Label": finding.severity.value.upper()},
        "Title": terminal(finding.title)[:_MOST_TITLE],
        "Description": terminal(finding.explanation)[:_MOST_DESCRIPTION],
        "Remediation": {"Recommendation": {"Text": " ".join(finding.next_steps)[:_MOST_REMEDIATION]}},
        "Resources": [_resource(subject, partition, finding)],
        "Compliance": {"Status": "PASSED" if is_fixed else "FAILED", "RelatedRequirements": controls[:32]},
        "Workflow": {"Status": _WORKFLOW[finding.status]},
        "RecordState": "ARCHIVED" if is_fixed else "ACTIVE",
    }


_WORKFLOW = {Status.ACTIVE: "NEW", Status.SUPPRESSED: "SUPPRESSED", Status.RESOLVED: "RESOLVED"}


def _resource(subject: str, partition: str, finding: Finding) -> dict[str, object]:
    found: dict[str, object] = {
        "Type": _type(subject),
        "Id": terminal(subject)[:_MOST_ID],
        "Partition": partition,
    }
    if finding.regions:
        found["Region"] = finding.regions[0]
    if finding.tags:
        found["Tags"] = {terminal(key): terminal(value) for key, value in finding.tags}
    return found


def _type(subject: str) -> str:
    parts = subject.split(":", 5)
    if len(parts) < 6 or parts[5] in {"root", "account"}:  # noqa: PLR2004  # an ARN has six parts
        return "AwsAccount"
    kind = parts[5].replace(":", "/").split("/", 1)[0]
    return _WHOLE.get(parts[2]) or _RESOURCES.get(f"{parts[2]} {kind}", "Other")
