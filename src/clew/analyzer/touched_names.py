"""Names in requests that are not yet the resource: what was copied, a secret without its end, a name and its path.

AWS: S3 API reference, "CopyObject": the source is `bucket/key`, URL-encoded, with a version behind `?`, or the ARN of
an object behind an access point. Secrets Manager API reference, "CreateSecret": six random characters end each ARN.
CloudWatch Logs API reference, "LogGroup": policies name a group with `:*`, but for tags. Systems Manager API reference,
"CreateDocument": names that begin with `aws` or `amazon` are AWS's, whose ARNs have no account.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from clew.aws.partitions import partition_of
from clew.events.paths import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Event = Mapping[str, object]

COPIED: Final = "x-amz-copy-source"
"""The parameter that names what is copied, and not what the call writes."""

_COPIES: Final = frozenset({"CopyObject", "UploadPartCopy"})
OF_GROUP: Final = ":log-stream:"
"""What stands behind a log group's ARN where permission is asked for the group and no stream."""

_GROUP: Final = re.compile(r"(arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:*]+)(?::\*)?")
_OF_TAGS: Final = re.compile(r"logs:(?:tag|untag|listtags)", re.IGNORECASE)
_DOCUMENT: Final = re.compile(r"(arn:[^:]+:ssm:[^:]*:)\d*(:document/(?:aws|amazon|amzn).*)", re.IGNORECASE)
_ANY_END: Final = "-??????"
_HAS_END: Final = re.compile(r"-[A-Za-z0-9]{6}")
_END: Final = len(_ANY_END)


def is_of_source(event: Event, action: str) -> bool:
    """Whether the action is what a copy does to its source, of which the request's own bucket and key say nothing."""
    return text_at(event, "eventName") in _COPIES and action.lower().startswith("s3:get")


def source(event: Event) -> Iterator[str]:
    """The ARN of what was copied, where the request tells it.

    >>> list(source({"requestParameters": {"x-amz-copy-source": "/logs/a%2Fb?versionId=v1"}}))
    ['arn:aws:s3:::logs/a/b']
    """
    told = unquote(text_at(event, "requestParameters", COPIED).partition("?versionId=")[0])
    if told.startswith("arn:"):
        yield told
    elif told.lstrip("/").partition("/")[2]:
        yield f"arn:{partition_of(text_at(event, 'awsRegion')) or 'aws'}:s3:::{told.lstrip('/')}"


def is_without_end(arn: str) -> bool:
    """Whether a secret's ARN lacks the six characters that AWS puts behind its name.

    >>> is_without_end("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db")
    True
    """
    return ":secretsmanager:" in arn and ":secret:" in arn and not _HAS_END.fullmatch(arn[-_END:])


def with_any_end(arn: str) -> str:
    """The ARN with a pattern for the six characters."""
    return f"{arn}{_ANY_END}"


def asked_for(arn: str, action: str) -> str:
    """The ARN for which permission is asked, where it is not the one that name and type make.

    >>> asked_for("arn:aws:logs:eu-west-1:111122223333:log-group:app", "logs:FilterLogEvents")
    'arn:aws:logs:eu-west-1:111122223333:log-group:app:log-stream:'
    >>> asked_for("arn:aws:ssm:eu-west-1:111122223333:document/AWS-RunShellScript", "ssm:SendCommand")
    'arn:aws:ssm:eu-west-1::document/AWS-RunShellScript'
    """
    if (group := _GROUP.fullmatch(arn)) and not _OF_TAGS.match(action):
        return f"{group[1]}{OF_GROUP}"
    return _DOCUMENT.sub(r"\1\2", arn)


def with_path(name: str, values: Mapping[str, tuple[str, ...]]) -> str:
    """The name of what IAM makes behind the path that the request gives it.

    >>> with_path("ci", {"path": ("/app/",)})
    'app/ci'
    """
    return f"{values.get('path', ('/',))[0].strip('/')}/{name}".lstrip("/")
