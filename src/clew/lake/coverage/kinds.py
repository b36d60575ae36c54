"""Kinds of evidence as data: what each records, what it never does, how soon it arrives and what is promised.

Every row names the AWS page it is taken from, in our own words.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """One kind of evidence, in plain sentences; `pages` are titles of AWS documentation."""

    key: str
    name: str
    records: str
    misses: str
    delay: str
    guarantee: str
    kept: str
    by_default: bool
    pages: tuple[str, ...]


KINDS: Final = (
    EvidenceKind(
        "event_history",
        "CloudTrail event history",
        "management events of the account in each region",
        "data events, Insights events and network activity events; anything older than 90 days",
        "typically about 5 minutes after the call",
        "no time is guaranteed; the history cannot be changed or deleted by the account",
        "90 days",
        by_default=True,
        pages=("Working with CloudTrail event history", "CloudTrail concepts: Event history"),
    ),
    EvidenceKind(
        "trail_management",
        "trail, management events",
        "management events that the trail's selectors keep: reads, writes or both, in one region or all",
        "calls made while logging was stopped; regions that a single-region trail leaves out; reads when the trail "
        "keeps writes only; requests that failed authentication before they reached a service's authorisation",
        "on average about 5 minutes after the call",
        "no time is guaranteed; delivery to an unreachable bucket is retried for 30 days",
        "as long as the bucket keeps the files",
        by_default=False,
        pages=("Getting and viewing your CloudTrail log files", "Logging management events"),
    ),
    EvidenceKind(
        "trail_data",
        "trail, data events",
        "object and item calls (S3 objects, Lambda invocations, DynamoDB items, …) that the trail's selectors name",
        "everything that no selector names; nothing is selected unless somebody did so",
        "on average about 5 minutes after the call",
        "no time is guaranteed",
        "as long as the bucket keeps the files",
        by_default=False,
        pages=("Logging data events", "Getting and viewing your CloudTrail log files"),
    ),
    EvidenceKind(
        "insights",
        "CloudTrail Insights events",
        "unusual rates of calls and of errors (management events; on trails also data events), as start and end",
        "single calls; rates that the seven days before also had",
        "typically within 30 minutes of the unusual activity; the first ones up to 36 hours after Insights is enabled",
        "none: the baseline is a statistic",
        "as long as the bucket keeps the files",
        by_default=False,
        pages=("Working with CloudTrail Insights",),
    ),
    EvidenceKind(
        "network_activity",
        "trail, network activity events",
        "calls through a VPC endpoint to the services that the trail's selectors name, denied ones of foreign "
        "accounts included",
        "calls that do not pass a VPC endpoint; services that no selector names",
        "on average about 5 minutes after the call",
        "no time is guaranteed",
        "as long as the bucket keeps the files",
        by_default=False,
        pages=("Logging network activity events",),
    ),
    EvidenceKind(
        "s3_access",
        "S3 server access logs",
        "requests to the buckets for which logging is on, also refused and anonymous ones and those that failed "
        "authentication; keys of batch deletes; lifecycle transitions and expirations",
        "creation and deletion of the bucket itself; redirects for a wrong region; requests before logging took "
        "effect (up to an hour or more)",
        "most within a few hours",
        "best effort: completeness and time are not guaranteed, so a missing line proves nothing",
        "as long as the target bucket keeps the files",
        by_default=False,
        pages=("Logging requests with server access logging", "Amazon S3 server access log format"),
    ),
    EvidenceKind(
        "vpc_flow",
        "VPC flow logs",
        "IP flows of the network interfaces for which a flow log exists: addresses, ports, bytes, ACCEPT or REJECT",
        "traffic to the Amazon DNS server, Windows licence activation, instance metadata (169.254.169.254), the time "
        "service (169.254.169.123), DHCP, ARP, the VPC router's reserved address, mirrored traffic, traffic between "
        "an endpoint interface and a Network Load Balancer interface; and what was inside the packets",
        "aggregated over at most 10 minutes (or 1; always at most 1 on Nitro instances), then about 5 minutes to "
        "CloudWatch Logs or 10 minutes to S3",
        "best effort: records can be skipped (log status SKIPDATA)",
        "as long as the destination keeps them",
        by_default=False,
        pages=("Flow log records", "Flow log limitations", "Flow logs basics"),
    ),
)
BY_KEY: Final = {kind.key: kind for kind in KINDS}

# Calls that are data events. AWS: "Logging data events", the tables of resource types, and the services' own pages.
_DATA_EVENTS: Final = {
    "s3": """
        AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload DeleteObject DeleteObjects
        DeleteObjectTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention
        GetObjectTagging GetObjectTorrent HeadObject HeadBucket ListObjects ListObjectsV2 ListObjectVersions
        ListMultipartUploads ListParts PostObject PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
        PutObjectTagging RestoreObject SelectObjectContent UploadPart UploadPartCopy
    """,
    "lambda": "Invoke InvokeAsync InvokeWithResponseStream",
    "dynamodb": """
        BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement ExecuteTransaction GetItem
        GetRecords GetShardIterator PutItem Query Scan TransactGetItems TransactWriteItems UpdateItem
    """,
    "sns": "Publish PublishBatch",
    "sqs": """
        ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch ReceiveMessage
        SendMessage SendMessageBatch
    """,
    "kinesis": "GetRecords GetShardIterator PutRecord PutRecords SubscribeToShard",
    "ebs": "CompleteSnapshot GetSnapshotBlock ListChangedBlocks ListSnapshotBlocks PutSnapshotBlock StartSnapshot",
    "cognito-identity": """
        GetCredentialsForIdentity GetId GetOpenIdToken GetOpenIdTokenForDeveloperIdentity UnlinkIdentity
    """,
    "sagemaker": "InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream",
    "monitoring": "GetMetricData GetMetricWidgetImage PutMetricData",
}
DATA_EVENTS: Final = {service: frozenset(names.split()) for service, names in _DATA_EVENTS.items()}
"""First label of the event source → names of its data events."""

# IAM actions that are named otherwise than the calls they allow. AWS: "Actions, resources, and condition keys" of
# Amazon S3, AWS Lambda and Amazon DynamoDB; Amazon S3 user guide, "Required permissions for Amazon S3 API operations".
_ALLOWED_CALLS: Final = {
    "s3": """
        ListBucket ListBucketVersions ListBucketMultipartUploads ListMultipartUploadParts GetObjectVersion
        GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging GetObjectVersionTorrent
        DeleteObjectVersion DeleteObjectVersionTagging PutObjectVersionAcl PutObjectVersionTagging
    """,
    "lambda": "InvokeFunction",
    "dynamodb": "ConditionCheckItem PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate",
}
_DATA_NAMES: Final = {
    service: frozenset(name.lower() for name in (*names, *_ALLOWED_CALLS.get(service, "").split()))
    for service, names in DATA_EVENTS.items()
}

# Services whose calls are management events without exception that concerns us.
_MANAGEMENT: Final = """
    iam sts kms ec2 cloudtrail organizations config guardduty secretsmanager signin securityhub
    access-analyzer cloudformation elasticloadbalancing autoscaling route53 ecr eks rds logs macie2
    inspector2 waf wafv2
"""
_MANAGEMENT_ONLY: Final = frozenset(_MANAGEMENT.split())


def like_a_data_event(service: str, event_name: str) -> str:
    """The data event of the service that a name which is none looks like; empty when it looks like none."""
    if is_data_event(service, event_name):
        return ""
    close = difflib.get_close_matches(event_name, sorted(DATA_EVENTS.get(service, ())), n=1, cutoff=0.9)
    return close[0] if close else ""


def is_data_event(service: str, event_name: str) -> bool | None:
    """Whether the call is a data event, which nobody records unless a trail selects it; None when we do not know.

    Known by the call's name or that of the IAM action that allows it, in any case.

    >>> is_data_event("s3", "GetObject"), is_data_event("s3", "PutBucketPolicy"), is_data_event("newservice", "Do")
    (True, False, None)
    """
    if service in DATA_EVENTS:
        return event_name.lower() in _DATA_NAMES[service]
    return False if service in _MANAGEMENT_ONLY else None
