"""Outputs of AWS's command line, told apart by the name of their file or by what they hold.

`get-bucket-policy.payroll.json` is the answer about the bucket `payroll`; `describe-trails.json`, or any JSON with
`trailList`, that to DescribeTrails. Before the command may stand its service: `s3api_get-bucket-policy.payroll.json`. A
folder named as a region says which region was asked. AWS CLI command reference.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL, Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Source
    from clew.snapshot.offline.told import Told

# Operations by service; the parameter that says which resource is meant stands behind `:`.
_OPERATIONS = {
    "iam": (
        "GetAccountAuthorizationDetails GetAccountSummary GetAccountPasswordPolicy ListRoles ListVirtualMFADevices "
        "ListAccountAliases ListServerCertificates ListSAMLProviders ListOpenIDConnectProviders GetCredentialReport "
        "GetServiceLastAccessedDetails:Arn"
    ),
    "sts": "GetCallerIdentity",
    "s3": (
        "ListBuckets GetBucketLocation:Bucket GetBucketPolicy:Bucket GetBucketPolicyStatus:Bucket GetBucketAcl:Bucket "
        "GetPublicAccessBlock:Bucket GetBucketOwnershipControls:Bucket GetBucketVersioning:Bucket "
        "GetBucketTagging:Bucket GetBucketLogging:Bucket GetBucketEncryption:Bucket "
        "GetBucketLifecycleConfiguration:Bucket GetBucketNotificationConfiguration:Bucket GetBucketReplication:Bucket "
        "GetObjectLockConfiguration:Bucket HeadBucket:Bucket"
    ),
    "cloudtrail": "DescribeTrails GetTrailStatus:Name GetEventSelectors:TrailName GetInsightSelectors:TrailName",
    "config": (
        "DescribeConfigurationRecorders DescribeConfigurationRecorderStatus DescribeDeliveryChannels "
        "DescribeDeliveryChannelStatus"
    ),
    "logs": "DescribeLogGroups DescribeMetricFilters DescribeResourcePolicies",
    "cloudwatch": "DescribeAlarms",
    "sns": "ListTopics GetTopicAttributes:TopicArn ListSubscriptionsByTopic:TopicArn",
    "sqs": "ListQueues GetQueueAttributes:QueueUrl",
    "lambda": (
        "ListFunctions GetPolicy:FunctionName ListAliases:FunctionName ListVersionsByFunction:FunctionName "
        "ListFunctionUrlConfigs:FunctionName ListLayers"
    ),
    "kms": (
        "ListKeys ListAliases DescribeKey:KeyId GetKeyPolicy:KeyId GetKeyRotationStatus:KeyId ListGrants:KeyId"
    ),
    "secretsmanager": "ListSecrets GetResourcePolicy:SecretId",
    "ec2": (
        "DescribeRegions DescribeInstances DescribeNetworkInterfaces DescribeSecurityGroups DescribeNetworkAcls "
        "DescribeVpcs DescribeSubnets DescribeRouteTables DescribeInternetGateways DescribeNatGateways "
        "DescribeVpcPeeringConnections DescribeVpcEndpoints DescribeFlowLogs DescribeAddresses DescribeKeyPairs "
        "DescribeVolumes DescribeManagedPrefixLists GetEbsEncryptionByDefault GetSnapshotBlockPublicAccessState"
    ),
    "rds": "DescribeDBInstances DescribeDBClusters",
    "guardduty": "ListDetectors",
    "securityhub": "DescribeHub",
    "accessanalyzer": "ListAnalyzers",
    "efs": "DescribeFileSystems DescribeFileSystemPolicy:FileSystemId",
    "dynamodb": "ListTables DescribeTable:TableName",
    "organizations": "DescribeOrganization ListAccounts ListRoots",
    "trustedadvisor": "ListRecommendations ListRecommendationResources:recommendationIdentifier",
}
_WHOLE_ACCOUNT = frozenset({"iam", "sts", "s3", "s3control", "organizations", "trustedadvisor"})
_ALSO_GIVEN = MappingProxyType(
    {"GetKeyPolicy": ("PolicyName", "default"), "GetQueueAttributes": ("AttributeNames", "All")}
)
# Members that only one operation prints.
_MEMBERS = {
    "SummaryMap": "GetAccountSummary",
    "PasswordPolicy": "GetAccountPasswordPolicy",
    "VirtualMFADevices": "ListVirtualMFADevices",
    "UserDetailList": "GetAccountAuthorizationDetails",
    "RoleDetailList": "GetAccountAuthorizationDetails",
    "GroupDetailList": "GetAccountAuthorizationDetails",
    "Buckets": "ListBuckets",
    "trailList": "DescribeTrails",
    "ConfigurationRecorders": "DescribeConfigurationRecorders",
    "logGroups": "DescribeLogGroups",
    "metricFilters": "DescribeMetricFilters",
    "MetricAlarms": "DescribeAlarms",
    "QueueUrls": "ListQueues",
    "KeyMetadata": "DescribeKey",
    "SecretList": "ListSecrets",
    "Reservations": "DescribeInstances",
    "NetworkInterfaces": "DescribeNetworkInterfaces",
    "SecurityGroups": "DescribeSecurityGroups",
    "NetworkAcls": "DescribeNetworkAcls",
    "Vpcs": "DescribeVpcs",
    "Subnets": "DescribeSubnets",
    "RouteTables": "DescribeRouteTables",
    "FlowLogs": "DescribeFlowLogs",
    "Volumes": "DescribeVolumes",
    "DBInstances": "DescribeDBInstances",
    "DBClusters": "DescribeDBClusters",
    "ReportFormat": "GetCredentialReport",
    "recommendationSummaries": "ListRecommendations",
    "ServicesLastAccessed": "GetServiceLastAccessedDetails",
}
# The answer does not say whose it is; a file's name cannot hold an ARN.
_OF_PRINCIPAL = re.compile(r"(user|role|group)[._](.+)")
_NAME = re.compile(
    r"(?:(?P<service>[a-z0-9]+)[._ ])?(?P<command>(?:get|list|describe|head)-[a-z0-9-]+)(?:[._](?P<of>.+))?"
)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ARN = re.compile(r'"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):(\d{12}):')
_CSV_HEADER = "user,arn,user_creation_time"


@dataclass(frozen=True, slots=True)
class Command:
    """One command of AWS's command line; `parameter` says which resource it is about, empty where none."""

    service: str
    operation: str
    parameter: str = ""

    @property
    def name(self) -> str:
        """As it is typed.

        >>> Command("rds", "DescribeDBInstances").name, Command("iam", "ListVirtualMFADevices").name
        ('describe-db-instances', 'list-virtual-mfa-devices')
        """
        parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1-\2", self.operation)
        return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", parted).lower()


def _commands() -> Iterator[Command]:
    for service, operations in _OPERATIONS.items():
        for each in operations.split():
            operation, _, parameter = each.partition(":")
            yield Command(service, operation, parameter)


COMMANDS: Mapping[str, Command] = MappingProxyType({each.name: each for each in _commands()})
"""The commands whose outputs are read, by name."""
_OF_ACCOUNT = Command("s3control", "GetPublicAccessBlock", "AccountId")
_BY_OPERATION = {each.operation: each for each in COMMANDS.values()}


def command(source: Source) -> Command | None:
    """The command that printed the file: by its name, else by what it holds; None for anything else."""
    found = _NAME.fullmatch(_stem(source))
    if found and found["service"] == "s3control" and found["command"] == _OF_ACCOUNT.name:
        return _OF_ACCOUNT
    if found and found["command"] in COMMANDS:
        return COMMANDS[found["command"]]
    if source.text.lstrip("\ufeff").startswith(_CSV_HEADER):
        return _BY_OPERATION["GetCredentialReport"]
    try:
        content = json.loads(source.text)
    except (ValueError, RecursionError):
        return None
    members = content if isinstance(content, dict) else {}
    if {"UserId", "Account", "Arn"} <= members.keys():
        return _BY_OPERATION["GetCallerIdentity"]
    return next((_BY_OPERATION[name] for member, name in _MEMBERS.items() if member in members), None)


def _stem(source: Source) -> str:
    return PurePath(source.file).name.removesuffix(".gz").rpartition(".")[0]


def tell(told: Told, source: Source, of: Command, account: str, region: str) -> bool:
    """Take in the output; False, with a note, where it cannot be placed."""
    body = _body(source)
    if body is None:
        told.notes.append(f"{source.file}: no output of `aws {of.service} {of.name}`; it is left out")
        return False
    given: list[tuple[str, str]] = [_ALSO_GIVEN[of.operation]] if of.operation in _ALSO_GIVEN else []
    if of.parameter:
        about = account if of == _OF_ACCOUNT else _about(of, body, source)
        if of.parameter == "Arn":
            about = _principal(about, account)
        if not about:
            which = "role.NAME" if of.parameter == "Arn" else of.parameter.upper()
            told.notes.append(f"{source.file}: about which? name the file {of.name}.{which}.json")
            return False
        given.append((of.parameter, about))
    where = GLOBAL if of.service in _WHOLE_ACCOUNT or of.operation == "DescribeRegions" else region
    told.extends(Call(account, where, of.service, of.operation, tuple(sorted(given))), body, source.file)
    return True


def _body(source: Source) -> dict[str, object] | None:
    if source.text.lstrip("\ufeff").startswith(_CSV_HEADER):
        content = base64.b64encode(source.text.encode()).decode()
        return {"Content": content, "ReportFormat": "text/csv"}
    try:
        found = json.loads(source.text or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _about(of: Command, body: Mapping[str, object], source: Source) -> str:
    """The resource that the answer is about: as the answer names it, else as the file's name does."""
    attributes = body.get("Attributes")
    inner = attributes if isinstance(attributes, dict) else {}
    metadata = body.get("KeyMetadata")
    said = {
        "TopicArn": inner.get("TopicArn"),
        "QueueUrl": _queue(str(inner.get("QueueArn") or "")),
        "TrailName": body.get("TrailARN"),
        "KeyId": metadata.get("KeyId") if isinstance(metadata, dict) else None,
        "SecretId": body.get("ARN"),
    }
    if said.get(of.parameter):
        return str(said[of.parameter])
    found = _NAME.fullmatch(_stem(source))
    return (found["of"] or "") if found else ""


def _principal(name: str, account: str) -> str:
    """The ARN of `role.ci`, without its path, which the file's name leaves out; empty for anything else.

    >>> _principal("role.ci", "111122223333"), _principal("ci", "111122223333")
    ('arn:aws:iam::111122223333:role/ci', '')
    """
    found = _OF_PRINCIPAL.fullmatch(name)
    return f"arn:aws:iam::{account}:{found[1]}/{found[2]}" if found else ""


def _queue(arn: str) -> str:
    parts = arn.split(":")
    return f"https://sqs.{parts[3]}.amazonaws.com/{parts[4]}/{parts[5]}" if len(parts) == 6 else ""  # noqa: PLR2004  # an ARN


def region_of(source: Source) -> str:
    """The region that was asked: a folder's name, else the first region in an ARN of the output; empty for none."""
    for part in PurePath(source.file).parts[:-1]:
        if _REGION.fullmatch(part):
            return part
    return next((match[1] for match in _ARN.finditer(source.text) if match[1]), "")


def accounts_in(source: Source) -> Iterator[str]:
    """The accounts in the ARNs of an output, in its order."""
    yield from (match[2] for match in _ARN.finditer(source.text))
    for line in source.text.splitlines()[1:] if source.text.lstrip("\ufeff").startswith(_CSV_HEADER) else ():
        parts = line.split(":")
        if len(parts) > 4:  # noqa: PLR2004  # an ARN's account
            yield parts[4]
