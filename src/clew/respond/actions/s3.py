"""Buckets: closed to the public, versioned, logged, and reached by TLS only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.actions.bucket_policy import with_statements
from clew.respond.aspects.s3 import (
    ACCOUNT_PUBLIC_ACCESS_BLOCK,
    BUCKET_LOGGING,
    BUCKET_POLICY,
    BUCKET_PUBLIC_ACCESS_BLOCK,
    BUCKET_VERSIONING,
)
from clew.respond.model import Action, Options, Place, State, Step, Target

if TYPE_CHECKING:
    from clew.respond.model import Aspect

_BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def _block_bucket(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    return state.to(BUCKET_PUBLIC_ACCESS_BLOCK, target.place, _BLOCK)


def _block_account(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    return state.to(ACCOUNT_PUBLIC_ACCESS_BLOCK, target.place, _BLOCK)


def _version(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    found = state.of(BUCKET_VERSIONING, target.place)
    return state.to(BUCKET_VERSIONING, target.place, {**found, "Status": "Enabled"})


def _log_places(target: Target, options: Options) -> tuple[tuple[Aspect, Place], ...]:
    name = options.get("target-bucket", "")
    if not name:
        raise ChangeError("which bucket takes the logs? give `--set target-bucket=NAME`")
    if name == target.place.name:
        raise ChangeError(f"bucket `{name}` cannot log into itself: each log written would be logged")
    return (BUCKET_POLICY, _log_bucket(target, name)), (BUCKET_LOGGING, target.place)


def _log_bucket(target: Target, name: str) -> Place:
    place = target.place
    return Place(place.account, place.region, name, place.partition)


def _log(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    """AWS: "Permissions for log delivery": the statement for the logging service, then logging itself."""
    place, name = target.place, options["target-bucket"]
    prefix = options.get("prefix", f"{place.name}/")
    arn = f"arn:{place.partition}:s3:::"
    statement = {
        "Sid": "AccessLogsOf" + "".join(c for c in place.name if c.isalnum()),
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{arn}{name}/{prefix}*",
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"{arn}{place.name}"},
            "StringEquals": {"aws:SourceAccount": place.account},
        },
    }
    bucket = _log_bucket(target, name)
    policy = with_statements(state.of(BUCKET_POLICY, bucket), statement)
    kept = state.of(BUCKET_LOGGING, place) or {}
    logging = {**kept, "TargetBucket": name, "TargetPrefix": prefix}
    return (*state.to(BUCKET_POLICY, bucket, policy), *state.to(BUCKET_LOGGING, place, logging))


def _require_tls(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    """AWS: "Security best practices for Amazon S3": enforce encryption of data in transit."""
    arn = f"arn:{target.place.partition}:s3:::{target.place.name}"
    statement = {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = with_statements(state.of(BUCKET_POLICY, target.place), statement)
    return state.to(BUCKET_POLICY, target.place, policy)


BLOCK_PUBLIC_ACCESS = Action(
    "block-public-access",
    "Block public access to a bucket",
    "bucket",
    "websites, downloads and other accounts that reach the bucket because it is public are refused",
    lambda target, _: ((BUCKET_PUBLIC_ACCESS_BLOCK, target.place),),
    _block_bucket,
)
BLOCK_PUBLIC_ACCESS_OF_ACCOUNT = Action(
    "block-public-access-of-account",
    "Block public access to every bucket of the account",
    "account",
    "websites, downloads and other accounts that reach any bucket because it is public are refused",
    lambda target, _: ((ACCOUNT_PUBLIC_ACCESS_BLOCK, target.place),),
    _block_account,
)
ENABLE_VERSIONING = Action(
    "enable-versioning",
    "Keep every version of a bucket's objects",
    "bucket",
    "old versions are stored and paid for; versioning can be suspended later, never removed",
    lambda target, _: ((BUCKET_VERSIONING, target.place),),
    _version,
)
ENABLE_ACCESS_LOGGING = Action(
    "enable-access-logging",
    "Log requests to a bucket into another bucket",
    "bucket",
    "logs are stored and paid for; the target must be in the same account and region, without Object Lock default",
    _log_places,
    _log,
    {
        "target-bucket": "the bucket that takes the logs",
        "prefix": "what log names begin with; BUCKET/ by default",
    },
)
REQUIRE_TLS = Action(
    "require-tls",
    "Refuse requests to a bucket without TLS",
    "bucket",
    "clients that still use plain HTTP are refused",
    lambda target, _: ((BUCKET_POLICY, target.place),),
    _require_tls,
)
