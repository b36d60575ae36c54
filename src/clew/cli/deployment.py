"""The CloudFormation template of the daily audit: two roles, the function, its schedule, and the topic.

The function's role may assume the auditor role, publish to the topic and write its own log, nothing else. The auditor
role reads what the chosen checks need, and trusts the function's role alone.
"""

from __future__ import annotations

from typing import Any

import yaml

from clew.audit import check_calls
from clew.collect.permissions import policy
from clew.collect.reads import Read, Scope
from clew.collect.table import named

Part = dict[str, Any]
HANDLER = "clew.handlers.audit.handler"
RUNTIME = "python3.13"
_LOG_DAYS = 90


def template(*, account: bool) -> str:
    """The template as YAML; `account`: the whole audit, else the credential report alone."""
    return yaml.safe_dump(document(account=account), sort_keys=False, width=100)


def document(*, account: bool) -> Part:
    """The template as an object."""
    scope = "the configuration of the account" if account else "the credential report"
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Clew audits {scope} every day and publishes what it finds.",
        "Parameters": _parameters(),
        "Conditions": {"HasEmail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Email"}, ""]}]}},
        "Resources": {**_topic(), **_roles(account=account), **_function(account=account), **_schedule()},
        "Outputs": {
            "Topic": {"Value": {"Ref": "Topic"}},
            "Function": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
            "AuditorRole": {"Value": {"Fn::GetAtt": ["AuditorRole", "Arn"]}},
        },
    }


def _parameters() -> Part:
    return {
        "CodeBucket": {"Type": "String", "Description": "Bucket with the package of `clew deploy package`."},
        "CodeKey": {"Type": "String", "Default": "clew-audit.zip", "Description": "Its key in the bucket."},
        "Email": {
            "Type": "String",
            "Default": "",
            "Description": "Who gets the report; empty: subscribe later.",
        },
        "Schedule": {
            "Type": "String",
            "Default": "cron(0 6 * * ? *)",
            "Description": "When to audit (UTC), as EventBridge writes it.",
        },
        "Framework": {"Type": "String", "Default": "", "Description": "Benchmark; empty: the scope's own."},
        "Regions": {
            "Type": "String",
            "Default": "",
            "Description": "Regions with commas; empty: all enabled.",
        },
    }


def _topic() -> Part:
    subscriber = [{"Protocol": "email", "Endpoint": {"Ref": "Email"}}]
    properties = {
        "KmsMasterKeyId": "alias/aws/sns",
        "Subscription": {"Fn::If": ["HasEmail", subscriber, {"Ref": "AWS::NoValue"}]},
    }
    return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}


def _roles(*, account: bool) -> Part:
    service = {"Service": "lambda.amazonaws.com"}
    function_role = {"AWS": {"Fn::GetAtt": ["FunctionRole", "Arn"]}}
    return {
        "FunctionRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": _trust(service)},
        },
        "AuditorRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": "Reads what Clew audits; trusts the function alone.",
                "AssumeRolePolicyDocument": _trust(function_role),
                "Policies": [{"PolicyName": "read", "PolicyDocument": reads(account=account)}],
            },
        },
        # On its own, since each role's ARN stands in the other's policy.
        "FunctionPolicy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "audit-and-publish",
                "Roles": [{"Ref": "FunctionRole"}],
                "PolicyDocument": _function_policy(),
            },
        },
    }


def _trust(principal: Part) -> Part:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def reads(*, account: bool) -> dict[str, object]:
    """What the auditor role may: the calls for the report, or those of every check: the stack names the framework."""
    report = (
        Read("iam", "GenerateCredentialReport", Scope.ACCOUNT),
        Read("iam", "GetCredentialReport", Scope.ACCOUNT),
    )
    return policy(named(check_calls.of((), ("all",))) if account else report)


def _function_policy() -> Part:
    statements = [
        {"Action": "sts:AssumeRole", "Resource": {"Fn::GetAtt": ["AuditorRole", "Arn"]}},
        {"Action": "sns:Publish", "Resource": {"Ref": "Topic"}},
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": ["LogGroup", "Arn"]},
        },
    ]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}


def _function(*, account: bool) -> Part:
    name = {"Fn::Sub": "${AWS::StackName}-audit"}
    return {
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "LogGroupName": {"Fn::Sub": "/aws/lambda/${AWS::StackName}-audit"},
                "RetentionInDays": _LOG_DAYS,
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": ["FunctionPolicy", "LogGroup"],
            "Properties": {
                "FunctionName": name,
                "Runtime": RUNTIME,
                "Architectures": ["arm64"],
                "Handler": HANDLER,
                "MemorySize": 2048 if account else 512,
                "Timeout": 900 if account else 300,
                "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
                "Environment": {"Variables": _variables(account=account)},
            },
        },
        # A run that ends before it can say anything, by its timeout for instance, is told as well.
        "FailureNotice": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {"OnFailure": {"Destination": {"Ref": "Topic"}}},
            },
        },
    }


def _variables(*, account: bool) -> Part:
    return {
        "AUDITOR_ROLE_ARN": {"Fn::GetAtt": ["AuditorRole", "Arn"]},
        "TOPIC_ARN": {"Ref": "Topic"},
        "SCOPE": "account" if account else "credential-report",
        "FRAMEWORK": {"Ref": "Framework"},
        "REGIONS": {"Ref": "Regions"},
    }


def _schedule() -> Part:
    return {
        "Daily": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": {"Ref": "Schedule"},
                "Targets": [{"Id": "audit", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
            },
        },
        "MayInvoke": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Daily", "Arn"]},
            },
        },
    }
