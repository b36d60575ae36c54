"""The objects at a location of S3: paged, and pruned by day and glob before they are listed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from clew.collect.s3_layout import Location, Period, delivery_days
from clew.collect.session import FATAL_CODES, credential_failure, error_code, error_message, sdk_failure
from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ListObjectsV2RequestTypeDef

# A folder with more children than this is listed flat, unless they are accounts: asking each would cost more calls.
_FAN_OUT = 400
_DEPTH = 14
_ACCOUNT = re.compile(r"(?:^|[/=])\d{12}/$")


@dataclass(frozen=True, slots=True)
class S3Object:
    """One listed object. `etag` is without its quotes."""

    bucket: str
    key: str
    etag: str
    size_bytes: int

    @property
    def uri(self) -> str:
        """The object as `s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


# An object, or a location that turned out to hold none.
Listed: TypeAlias = S3Object | Location


def check(client: S3Client, location: Location) -> None:
    """Ask for one key, so that a wrong name or a missing permission shows before the work begins; InputError."""
    page = _page(client, location, location.prefix, limit=1)
    if not page.get("KeyCount"):
        raise InputError(
            f"`{location.uri}`: no object has the prefix `{location.prefix}`; check the spelling"
        )


def listing(
    client: S3Client, location: Location, period: Period, before: tuple[Location, ...]
) -> Iterator[Listed]:
    """The wanted objects in key order, without those of the locations `before`; the location itself if none is."""
    others = [other for other in before if other.bucket == location.bucket]
    found = False
    for item in _walk(client, location, period):
        found = True
        if not any(other.wants(item.key) for other in others):
            yield item
    if not found:
        yield location


def _walk(client: S3Client, location: Location, period: Period) -> Iterator[S3Object]:
    depth = 0 if period.is_open and location.pattern is None else _DEPTH
    for item in _folder(client, location, period, location.prefix, depth):
        days = delivery_days(item.key)
        in_period = days is None or period.meets(*days)
        if location.wants(item.key) and in_period and not item.key.endswith("/"):
            yield item


def _folder(
    client: S3Client, location: Location, period: Period, folder: str, depth: int
) -> Iterator[S3Object]:
    if depth == 0 or _is_inside(location, period, folder):
        yield from _objects(client, location, folder)
        return
    objects, children = _children(client, location, folder)
    if len(children) > _FAN_OUT and not all(_ACCOUNT.search(child) for child in children):
        yield from _objects(client, location, folder)
        return
    yield from objects
    for child in children:
        days = delivery_days(child)
        if location.may_hold(child) and (days is None or period.meets(*days)):
            yield from _folder(client, location, period, child, depth - 1)


def _is_inside(location: Location, period: Period, folder: str) -> bool:
    """Whether looking closer cannot prune anything: all days are wanted and the glob is used up."""
    days = delivery_days(folder)
    all_days = period.is_open or (days is not None and period.holds(*days))
    return all_days and (location.pattern is None or location.wants(folder.rstrip("/")))


def _children(client: S3Client, location: Location, folder: str) -> tuple[list[S3Object], list[str]]:
    objects: list[S3Object] = []
    children: list[str] = []
    for page in _pages(client, location, folder, delimiter="/"):
        objects.extend(_contents(location, page))
        children.extend(child["Prefix"] for child in page.get("CommonPrefixes", ()) if "Prefix" in child)
    return objects, children


def _objects(client: S3Client, location: Location, prefix: str) -> Iterator[S3Object]:
    for page in _pages(client, location, prefix):
        yield from _contents(location, page)


def _contents(location: Location, page: ListObjectsV2OutputTypeDef) -> Iterator[S3Object]:
    for item in page.get("Contents", ()):
        yield S3Object(
            location.bucket, item.get("Key", ""), item.get("ETag", "").strip('"'), item.get("Size", 0)
        )


def _pages(
    client: S3Client, location: Location, prefix: str, delimiter: str = ""
) -> Iterator[ListObjectsV2OutputTypeDef]:
    token = ""
    while True:
        page = _page(client, location, prefix, delimiter=delimiter, token=token)
        yield page
        token = page.get("NextContinuationToken", "")
        if not token:
            return


def _page(
    client: S3Client,
    location: Location,
    prefix: str,
    *,
    delimiter: str = "",
    token: str = "",
    limit: int = 1000,
) -> ListObjectsV2OutputTypeDef:
    from botocore.exceptions import BotoCoreError, ClientError

    wanted: ListObjectsV2RequestTypeDef = {
        "Bucket": location.bucket,
        "Prefix": prefix,
        "Delimiter": delimiter,
        "MaxKeys": limit,
    }
    if token:
        wanted["ContinuationToken"] = token
    try:
        return client.list_objects_v2(**wanted)
    except ClientError as error:
        raise _refused(client, location, error) from error
    except BotoCoreError as error:
        raise sdk_failure(f"`{location.uri}`", error) from error


def _refused(client: S3Client, location: Location, error: ClientError) -> InputError:
    code = error_code(error)
    where = f"`{location.uri}`"
    if code in FATAL_CODES:
        return credential_failure(where, error)
    if code == "NoSuchBucket":
        return InputError(
            f"{where}: NoSuchBucket: no bucket is named `{location.bucket}`; check the spelling"
        )
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed"}:
        return InputError(f"{where}: {code}: {error_message(error)}; name the bucket's region with --region")
    arn = f"arn:{client.meta.partition}:s3:::{location.bucket}"
    advice = f"; the credentials need `s3:ListBucket` on `{arn}`" if code == "AccessDenied" else ""
    return InputError(f"{where}: {code}: {error_message(error)}{advice}")
