"""Settings of buckets, and Block Public Access of the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.errors import IrreversibleError
from clew.respond.aspects.reading import collected
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping


def _bucket(place: Place) -> dict[str, Value]:
    # AWS: "Verifying bucket ownership with bucket owner condition": another account's bucket is refused.
    return {"Bucket": place.name, "ExpectedBucketOwner": place.account}


def _account(place: Place) -> dict[str, Value]:
    return {"AccountId": place.account}


def _write(place: Place, operation: str, action: str, **parameters: Value) -> tuple[Write, ...]:
    return (Write("s3", operation, {**_bucket(place), **parameters}, (action,)),)


def _change_block(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    action = "s3:PutBucketPublicAccessBlock"
    if wanted is None:
        return _write(place, "DeletePublicAccessBlock", action)
    return _write(place, "PutPublicAccessBlock", action, PublicAccessBlockConfiguration=wanted)


def _change_account_block(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    actions = ("s3:PutAccountPublicAccessBlock",)
    if wanted is None:
        return (Write("s3control", "DeletePublicAccessBlock", _account(place), actions),)
    parameters = {**_account(place), "PublicAccessBlockConfiguration": wanted}
    return (Write("s3control", "PutPublicAccessBlock", parameters, actions),)


def _block(body: Mapping[str, Value], _: Place) -> Value:
    return body["PublicAccessBlockConfiguration"]


def _versioning(body: Mapping[str, Value], _: Place) -> Value:
    return {name: body[name] for name in ("Status", "MFADelete") if name in body}


def _change_versioning(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    # AWS: "PutBucketVersioning": with MFA delete on, each change needs a code of the root user's device.
    if "Enabled" in {current.get("MFADelete"), wanted.get("MFADelete")}:
        raise IrreversibleError(f"bucket `{place.name}` has MFA delete on: only the root user may change it")
    if current == _nearest_versioning(wanted):
        return ()
    status = _nearest_versioning(wanted)["Status"]
    return _write(
        place, "PutBucketVersioning", "s3:PutBucketVersioning", VersioningConfiguration={"Status": status}
    )


def _nearest_versioning(value: Value) -> Value:
    """AWS: "Using versioning in S3 buckets": a bucket that was versioned once can only be suspended."""
    return value if value.get("Status") else {"Status": "Suspended"}


def _change_logging(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    status = {"LoggingEnabled": wanted} if wanted else {}
    return _write(place, "PutBucketLogging", "s3:PutBucketLogging", BucketLoggingStatus=status)


def _change_policy(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return _write(place, "DeleteBucketPolicy", "s3:DeleteBucketPolicy")
    return _write(place, "PutBucketPolicy", "s3:PutBucketPolicy", Policy=wanted)


def _policy_meaning(text: Value) -> Value:
    # S3 lays the text out anew; what counts is what it says.
    return None if text is None else json.loads(text)


BUCKET_PUBLIC_ACCESS_BLOCK = Aspect(
    "bucket-public-access-block", collected("s3:GetPublicAccessBlock"), _bucket, _block, _change_block
)
ACCOUNT_PUBLIC_ACCESS_BLOCK = Aspect(
    "account-public-access-block",
    collected("s3control:GetPublicAccessBlock"),
    _account,
    _block,
    _change_account_block,
)
BUCKET_VERSIONING = Aspect(
    "bucket-versioning",
    collected("s3:GetBucketVersioning"),
    _bucket,
    _versioning,
    _change_versioning,
    nearest=_nearest_versioning,
)
BUCKET_LOGGING = Aspect(
    "bucket-logging",
    collected("s3:GetBucketLogging"),
    _bucket,
    lambda body, _: body.get("LoggingEnabled"),
    _change_logging,
)
BUCKET_POLICY = Aspect(
    "bucket-policy",
    collected("s3:GetBucketPolicy"),
    _bucket,
    lambda body, _: body["Policy"],
    _change_policy,
    canonical=_policy_meaning,
)
