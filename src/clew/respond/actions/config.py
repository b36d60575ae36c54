"""AWS Config recording everything in a region, with the role, the channel and the bucket's policy that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.actions.bucket_policy import with_statements
from clew.respond.aspects.config import CONFIG_RECORDER, DELIVERY_CHANNEL, RECORDING
from clew.respond.aspects.iam import SERVICE_LINKED_ROLE
from clew.respond.aspects.s3 import BUCKET_POLICY
from clew.respond.model import Action, Options, Place, State, Step, Target
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from clew.respond.model import Aspect, Value

_SERVICE = "config.amazonaws.com"
_ROLE = "AWSServiceRoleForConfig"


def _needs(target: Target, options: Options) -> tuple[tuple[Aspect, Place], ...]:
    place = target.place
    own = ((CONFIG_RECORDER, place), (DELIVERY_CHANNEL, place), (RECORDING, place))
    bucket = ((BUCKET_POLICY, _bucket(place, options)),) if "bucket" in options else ()
    return (*own, (SERVICE_LINKED_ROLE, _role(place)), *bucket)


def _bucket(place: Place, options: Options) -> Place:
    return Place(place.account, GLOBAL, options["bucket"], place.partition)


def _role(place: Place) -> Place:
    return Place(place.account, GLOBAL, _ROLE, place.partition, _SERVICE)


def _record(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    place = target.place
    recorder = _recorder(place, state.of(CONFIG_RECORDER, place))
    return (
        *_delivery(place, options, state),
        *_recorder_steps(place, recorder, state),
        *_channel_steps(place, options, state),
        *state.to(RECORDING, place, {"name": recorder["name"], "recording": True}),
    )


def _recorder(place: Place, found: Value) -> Value:
    """AWS: "PutConfigurationRecorder", recordingGroup: everything that the region supports, global types too."""
    arn = f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/{_SERVICE}/{_ROLE}"
    own = found or {"name": "default", "roleARN": arn}
    group = own.get("recordingGroup") or {}
    if found and group.get("allSupported"):
        return found
    everything = {
        "allSupported": True,
        "includeGlobalResourceTypes": True,
        "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
    }
    return {**own, "recordingGroup": everything}


def _recorder_steps(place: Place, recorder: Value, state: State) -> tuple[Step, ...]:
    role = _role(place)
    is_new = state.of(CONFIG_RECORDER, place) is None
    made = state.to(SERVICE_LINKED_ROLE, role, {"AWSServiceName": _SERVICE}) if is_new else ()
    return (*made, *state.to(CONFIG_RECORDER, place, recorder))


def _channel_steps(place: Place, options: Options, state: State) -> tuple[Step, ...]:
    if state.of(DELIVERY_CHANNEL, place) is not None:
        return ()
    if "bucket" not in options:
        raise ChangeError("which bucket takes the configuration history? give `--set bucket=NAME`")
    prefix = {"s3KeyPrefix": options["prefix"]} if options.get("prefix") else {}
    return state.to(DELIVERY_CHANNEL, place, {"name": "default", "s3BucketName": options["bucket"], **prefix})


def _delivery(place: Place, options: Options, state: State) -> tuple[Step, ...]:
    """AWS: "Permissions for the Amazon S3 bucket for the AWS Config delivery channel"."""
    if state.of(DELIVERY_CHANNEL, place) is not None or "bucket" not in options:
        return ()
    arn = f"arn:{place.partition}:s3:::{options['bucket']}"
    prefix = f"{options['prefix'].rstrip('/')}/" if options.get("prefix") else ""
    account = {"aws:SourceAccount": place.account}

    def allow(sid: str, action: str, resource: str, condition: Value) -> Value:
        principal = {"Service": _SERVICE}
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": action,
            "Resource": resource,
            "Condition": {"StringEquals": condition},
        }

    delivered = f"{arn}/{prefix}AWSLogs/{place.account}/Config/*"
    owned = {"s3:x-amz-acl": "bucket-owner-full-control", **account}
    bucket = _bucket(place, options)
    policy = with_statements(
        state.of(BUCKET_POLICY, bucket),
        allow("AWSConfigBucketPermissionsCheck", "s3:GetBucketAcl", arn, account),
        allow("AWSConfigBucketExistenceCheck", "s3:ListBucket", arn, account),
        allow("AWSConfigBucketDelivery", "s3:PutObject", delivered, owned),
    )
    return state.to(BUCKET_POLICY, bucket, policy)


RECORD_CONFIGURATION = Action(
    "record-configuration",
    "Record the configuration of a region with AWS Config",
    "region",
    "each configuration item is paid for",
    _needs,
    _record,
    {
        "bucket": "the bucket that takes the history; needed where there is no delivery channel",
        "prefix": "what names in the bucket begin with",
    },
)
