"""What the words around a refusal say of the call: the action, by its operation; the object, by a URL of S3."""

from __future__ import annotations

import re
from functools import cache

from clew.analyzer.activity import Unmapped, actions
from clew.aws import catalog

_S3 = "s3"
# Services whose operations bear the names of S3's: they speak S3's language.
_LIKE_S3 = frozenset({
    _S3, "s3-outposts", "s3-object-lambda", "s3express", "mediastore", "mediapackagev2", "backup-storage",
})  # fmt: skip
_LABELS = re.compile(r"[^a-z0-9]")
# Where an SDK calls a service by another name than its event source does.
_SDK_NAMES = {
    "cloudwatch": "monitoring",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "states",
    "stepfunctions": "states",
    "cognitoidentityprovider": "cognito-idp",
    "cognitoidentity": "cognito-identity",
    "efs": "elasticfilesystem",
    "emr": "elasticmapreduce",
    "ses": "email",
    "opensearch": "es",
    "elasticloadbalancing": "elasticloadbalancing",
    "securitytokenservice": "sts",
    "identitymanagement": "iam",
}

_S3_URL = re.compile(
    r"\bs3[an]?://(?P<bucket>[\w.-]{3,63})(?:/(?P<key>[^\s\"'<>`;,)]{0,1024}))?"
    r"|https?://(?P<host>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
    r"(?:/(?P<path>[^\s\"'<>`?;,)]{0,1024}))?"
)


def action(service: str | None, operation: str) -> str | None:
    """The action of an operation; None where the service is not said and not clear, or has no such action.

    >>> action("Route 53", "ListHostedZones"), action("S3", "ListObjectsV2"), action(None, "HeadObject")
    ('route53:ListHostedZones', 's3:ListBucket', 's3:GetObject')
    >>> action(None, "TagResource"), action("S3", "Frobnicate")
    (None, None)
    """
    source = _source(service) if service else (_S3 if _is_of_s3_alone(operation) else None)
    if source is None:
        return None
    found = actions({"eventSource": f"{source}.amazonaws.com", "eventName": operation})
    return None if isinstance(found, Unmapped) or not found else found[0].action


def _source(service: str) -> str:
    """The label of the service as SDKs write its name: `Amazon S3`, `AmazonDynamoDBv2`, `Route 53`, `AWSLambda`."""
    label = _LABELS.sub("", service.lower()).removeprefix("amazon").removeprefix("aws").removesuffix("v2")
    return _SDK_NAMES.get(label, label)


@cache
def _is_of_s3_alone(operation: str) -> bool:
    """Whether no service but S3, and those that speak like it, has an action or an operation of that name.

    AWS: S3 user guide, "Troubleshoot access denied (403 Forbidden) errors": only S3 says `Access Denied` alone.
    """
    if isinstance(actions({"eventSource": "s3.amazonaws.com", "eventName": operation}), Unmapped):
        return False
    having = {name.partition(":")[0] for name in catalog.current().actions_matching(f"*:{operation}")}
    return having <= _LIKE_S3


def s3_object(text: str, asked: str) -> str | None:
    """The ARN that the last URL of S3 in the text names: the object, or for actions on buckets the bucket.

    >>> s3_object("upload failed: ./x to s3://artifacts/x", "s3:PutObject")
    'arn:aws:s3:::artifacts/x'
    >>> s3_object("https://logs.s3.eu-west-1.amazonaws.com/?list-type=2", "s3:ListBucket")
    'arn:aws:s3:::logs'
    """
    found = None
    for found in _S3_URL.finditer(text):  # noqa: B007  # the last match is wanted
        pass
    if found is None:
        return None
    bucket, key = found["bucket"] or found["host"], (found["key"] or found["path"] or "").rstrip(".:")
    known = catalog.current().action(asked) if asked else None
    if known is not None and not any(each.name == "object" for each in known.resources):
        return f"arn:aws:s3:::{bucket}"
    return f"arn:aws:s3:::{bucket}/{key}" if key else None
