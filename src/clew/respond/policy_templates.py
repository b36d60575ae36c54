"""Policy documents as CloudFormation and Terraform write them.

AWS: "AWS resource and property types reference", AWS::IAM::UserPolicy and the like; the AWS provider of Terraform.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.explain.fix_calls import queue_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.respond.model import Place, Value

    Describe = Callable[[Place, Value], tuple[str, dict[str, Value]]]


def _default(versions: Value) -> Value:
    return next(each["Document"] for each in versions if each["IsDefaultVersion"])


def _last(document: Value) -> Value:
    """The statement that was added to a function's policy."""
    return document["Statement"][-1]


def _who(statement: Value) -> str:
    principal = statement["Principal"]
    return str(next(iter(principal.values())) if isinstance(principal, dict) else principal)


def _inline(kind: str) -> Describe:
    return lambda p, v: (
        f"AWS::IAM::{kind}Policy",
        {f"{kind}Name": p.name, "PolicyName": p.detail, "PolicyDocument": v},
    )


def _of_organization(kind: str) -> Describe:
    return lambda p, v: ("AWS::Organizations::Policy", {"Name": p.name, "Type": kind, "Content": v})


CLOUDFORMATION: Mapping[str, Describe] = MappingProxyType(
    {
        "user-policy": _inline("User"),
        "group-policy": _inline("Group"),
        "role-policy": _inline("Role"),
        "managed-policy": lambda p, v: (
            "AWS::IAM::ManagedPolicy",
            {"ManagedPolicyName": p.name.rpartition("/")[2], "PolicyDocument": _default(v)},
        ),
        "role-trust": lambda p, v: ("AWS::IAM::Role", {"RoleName": p.name, "AssumeRolePolicyDocument": v}),
        "key-policy": lambda _, v: ("AWS::KMS::Key", {"KeyPolicy": v}),
        "topic-policy": lambda p, v: ("AWS::SNS::TopicPolicy", {"Topics": [p.name], "PolicyDocument": v}),
        "queue-policy": lambda p, v: (
            "AWS::SQS::QueuePolicy",
            {"Queues": [queue_url(p.name)], "PolicyDocument": v},
        ),
        "function-policy": lambda p, v: (
            "AWS::Lambda::Permission",
            {"FunctionName": p.name, "Action": _last(v)["Action"], "Principal": _who(_last(v))},
        ),
        "secret-policy": lambda p, v: (
            "AWS::SecretsManager::ResourcePolicy",
            {"SecretId": p.name, "ResourcePolicy": v},
        ),
        "service-control-policy": _of_organization("SERVICE_CONTROL_POLICY"),
        "resource-control-policy": _of_organization("RESOURCE_CONTROL_POLICY"),
    }
)
"""What CloudFormation calls each kind of document, and its properties."""


def _inline_block(kind: str) -> Describe:
    return lambda p, v: (
        f"aws_iam_{kind}_policy",
        {"name": p.detail, kind: p.name, "policy": json.dumps(v)},
    )


def _organization_block(kind: str) -> Describe:
    return lambda p, v: ("aws_organizations_policy", {"name": p.name, "type": kind, "content": json.dumps(v)})


TERRAFORM: Mapping[str, Describe] = MappingProxyType(
    {
        "user-policy": _inline_block("user"),
        "group-policy": _inline_block("group"),
        "role-policy": _inline_block("role"),
        "managed-policy": lambda p, v: (
            "aws_iam_policy",
            {"name": p.name.rpartition("/")[2], "policy": json.dumps(_default(v))},
        ),
        "role-trust": lambda p, v: ("aws_iam_role", {"name": p.name, "assume_role_policy": json.dumps(v)}),
        "key-policy": lambda p, v: ("aws_kms_key_policy", {"key_id": p.name, "policy": json.dumps(v)}),
        "topic-policy": lambda p, v: ("aws_sns_topic_policy", {"arn": p.name, "policy": json.dumps(v)}),
        "queue-policy": lambda p, v: (
            "aws_sqs_queue_policy",
            {"queue_url": queue_url(p.name), "policy": json.dumps(v)},
        ),
        "function-policy": lambda p, v: (
            "aws_lambda_permission",
            {"function_name": p.name, "action": _last(v)["Action"], "principal": _who(_last(v))},
        ),
        "secret-policy": lambda p, v: (
            "aws_secretsmanager_secret_policy",
            {"secret_arn": p.name, "policy": json.dumps(v)},
        ),
        "service-control-policy": _organization_block("SERVICE_CONTROL_POLICY"),
        "resource-control-policy": _organization_block("RESOURCE_CONTROL_POLICY"),
    }
)
"""What Terraform calls each kind of document, and its arguments."""
