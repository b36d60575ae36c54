"""Names in requests that are not yet the resource: what was copied, a secret without its end, a name and its path.

AWS: S3 API reference, "CopyObject": the source is `bucket/key`, URL-encoded, with a version behind `?`, or the ARN of
an object behind an access point. Secrets Manager API reference, "CreateSecret": six random characters end each ARN.
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


def with_path(name: str, values: Mapping[str, tuple[str, ...]]) -> str:
    """The name of what IAM makes behind the path that the request gives it.

    >>> with_path("ci", {"path": ("/app/",)})
    'app/ci'
    """
    return f"{values.get('path', ('/',))[0].strip('/')}/{name}".lstrip("/")
