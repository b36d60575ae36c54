"""What a change makes of a resource, as CloudFormation and Terraform write it: for those who keep their state in code.

Snippets, to be merged into what describes the resource already; only aspects that both tools, or one, can describe.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.respond import policy_templates
from clew.respond.hcl import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.respond.model import Place, Step, Value

Described = dict[str, "Value"]


def cloudformation(steps: tuple[Step, ...]) -> Described:
    """The resources of a template, by logical id; empty where CloudFormation describes none of it."""
    found: Described = {}
    for step in steps:
        describe = _CLOUDFORMATION.get(step.aspect.name)
        if describe is not None and step.after is not None:
            kind, properties = describe(step.place, step.after)
            found[_logical(kind, step.place)] = {"Type": kind, "Properties": properties}
    return found


def terraform(steps: tuple[Step, ...]) -> str:
    """The resources in Terraform's language; empty where its AWS provider describes none of it."""
    return "\n".join(_blocks(steps))


def _blocks(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        describe = _TERRAFORM.get(step.aspect.name)
        if describe is not None and step.after is not None:
            kind, arguments = describe(step.place, step.after)
            yield resource(kind, _label(step.place.name), arguments)


def _logical(kind: str, place: Place) -> str:
    return kind.rpartition("::")[2] + "".join(c for c in place.name.title() if c.isalnum() and c.isascii())


def _label(name: str) -> str:
    cut = "".join(c if c.isalnum() and c.isascii() else "_" for c in name.rpartition("/")[2])
    return cut if cut[:1].isalpha() else f"r_{cut}"


def _bucket(place: Place, **properties: Value) -> tuple[str, Described]:
    return "AWS::S3::Bucket", {"BucketName": place.name, **properties}


def _log_file(value: Value) -> Described:
    return {"DestinationBucketName": value["TargetBucket"], "LogFilePrefix": value["TargetPrefix"]}


def _trail(_: Place, value: Value) -> tuple[str, Described]:
    named = {
        "EnableLogFileValidation": "LogFileValidationEnabled",
        "IsMultiRegionTrail": "IsMultiRegionTrail",
        "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    }
    return "AWS::CloudTrail::Trail", {name: value[said] for name, said in named.items()}


def _rotation(_: Place, value: Value) -> tuple[str, Described]:
    days = value.get("RotationPeriodInDays")
    period = {"RotationPeriodInDays": days} if days else {}
    return "AWS::KMS::Key", {"EnableKeyRotation": value["KeyRotationEnabled"], **period}


def _flow_log(place: Place, value: Value) -> tuple[str, Described]:
    log = {name: each for name, each in value[-1].items() if name != "FlowLogId"}
    return "AWS::EC2::FlowLog", {"ResourceType": "VPC", "ResourceId": place.name, **log}


def _recorder(_: Place, value: Value) -> tuple[str, Described]:
    group = value["recordingGroup"]
    all_of = {
        "AllSupported": group.get("allSupported"),
        "IncludeGlobalResourceTypes": group.get("includeGlobalResourceTypes"),
    }
    return "AWS::Config::ConfigurationRecorder", {"RoleARN": value["roleARN"], "RecordingGroup": all_of}


_CLOUDFORMATION: Mapping[str, Callable[[Place, Value], tuple[str, Described]]] = MappingProxyType(
    {
        **policy_templates.CLOUDFORMATION,
        "bucket-public-access-block": lambda p, v: _bucket(p, PublicAccessBlockConfiguration=v),
        "bucket-versioning": lambda p, v: _bucket(p, VersioningConfiguration={"Status": v["Status"]}),
        "bucket-logging": lambda p, v: _bucket(p, LoggingConfiguration=_log_file(v)),
        "bucket-policy": lambda p, v: (
            "AWS::S3::BucketPolicy",
            {"Bucket": p.name, "PolicyDocument": json.loads(v)},
        ),
        "trail-logging": lambda _, v: ("AWS::CloudTrail::Trail", {"IsLogging": v}),
        "trail-settings": _trail,
        "key-rotation": _rotation,
        "vpc-flow-logs": _flow_log,
        "log-group": lambda p, v: (
            "AWS::Logs::LogGroup",
            {"LogGroupName": p.name, "RetentionInDays": v["retentionInDays"]},
        ),
        "config-recorder": _recorder,
        "delivery-channel": lambda _, v: (
            "AWS::Config::DeliveryChannel",
            {"S3BucketName": v["s3BucketName"]},
        ),
        "external-access-analyzers": lambda _, v: (
            "AWS::AccessAnalyzer::Analyzer",
            {"AnalyzerName": v[-1]["analyzerName"], "Type": "ACCOUNT"},
        ),
    }
)


def _flags(value: Value) -> Described:
    return {
        "block_public_acls": value["BlockPublicAcls"],
        "block_public_policy": value["BlockPublicPolicy"],
        "ignore_public_acls": value["IgnorePublicAcls"],
        "restrict_public_buckets": value["RestrictPublicBuckets"],
    }


def _passwords(_: Place, value: Value) -> tuple[str, Described]:
    named = {
        "minimum_password_length": "MinimumPasswordLength",
        "require_symbols": "RequireSymbols",
        "require_numbers": "RequireNumbers",
        "require_uppercase_characters": "RequireUppercaseCharacters",
        "require_lowercase_characters": "RequireLowercaseCharacters",
        "allow_users_to_change_password": "AllowUsersToChangePassword",
        "password_reuse_prevention": "PasswordReusePrevention",
        "max_password_age": "MaxPasswordAge",
    }
    return "aws_iam_account_password_policy", {n: value[said] for n, said in named.items() if said in value}


def _trail_block(place: Place, value: Value) -> tuple[str, Described]:
    return "aws_cloudtrail", {
        "name": place.name.rpartition("/")[2],
        "enable_log_file_validation": value["LogFileValidationEnabled"],
        "is_multi_region_trail": value["IsMultiRegionTrail"],
        "include_global_service_events": value["IncludeGlobalServiceEvents"],
    }


def _flow_log_block(place: Place, value: Value) -> tuple[str, Described]:
    log = value[-1]
    return "aws_flow_log", {
        "vpc_id": place.name,
        "traffic_type": log["TrafficType"],
        "log_destination": f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{log['LogGroupName']}",
        "iam_role_arn": log["DeliverLogsPermissionArn"],
    }


_TERRAFORM: Mapping[str, Callable[[Place, Value], tuple[str, Described]]] = MappingProxyType(
    {
        **policy_templates.TERRAFORM,
        "bucket-public-access-block": lambda p, v: (
            "aws_s3_bucket_public_access_block",
            {"bucket": p.name, **_flags(v)},
        ),
        "account-public-access-block": lambda _, v: ("aws_s3_account_public_access_block", _flags(v)),
        "bucket-versioning": lambda p, v: (
            "aws_s3_bucket_versioning",
            {"bucket": p.name, "versioning_configuration": [{"status": v["Status"]}]},
        ),
        "bucket-logging": lambda p, v: (
            "aws_s3_bucket_logging",
            {"bucket": p.name, "target_bucket": v["TargetBucket"], "target_prefix": v["TargetPrefix"]},
        ),
        "bucket-policy": lambda p, v: ("aws_s3_bucket_policy", {"bucket": p.name, "policy": v}),
        "password-policy": _passwords,
        "trail-logging": lambda p, v: (
            "aws_cloudtrail",
            {"name": p.name.rpartition("/")[2], "enable_logging": v},
        ),
        "trail-settings": _trail_block,
        "key-rotation": lambda _, v: ("aws_kms_key", {"enable_key_rotation": v["KeyRotationEnabled"]}),
        "vpc-flow-logs": _flow_log_block,
        "log-group": lambda p, v: (
            "aws_cloudwatch_log_group",
            {"name": p.name, "retention_in_days": v["retentionInDays"]},
        ),
        "config-recorder": lambda _, v: (
            "aws_config_configuration_recorder",
            {
                "name": v["name"],
                "role_arn": v["roleARN"],
                "recording_group": [{"all_supported": v["recordingGroup"].get("allSupported")}],
            },
        ),
        "delivery-channel": lambda _, v: (
            "aws_config_delivery_channel",
            {"name": v["name"], "s3_bucket_name": v["s3BucketName"]},
        ),
        "external-access-analyzers": lambda _, v: (
            "aws_accessanalyzer_analyzer",
            {"analyzer_name": v[-1]["analyzerName"], "type": "ACCOUNT"},
        ),
    }
)
