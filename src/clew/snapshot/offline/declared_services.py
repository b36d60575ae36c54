"""Declared trails, keys, topics, queues, functions, databases, logs and alarms as their services' answers.

AWS: CloudFormation template reference, the page of each type. What a file cannot tell (whether a trail is logging, a
subscription confirmed, a log delivered) is not told, and so was not collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.offline import told as telling
from clew.snapshot.offline.declared import (
    Unresolved,
    flag,
    lists,
    number,
    open_part,
    says,
    text,
    without_none,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.offline.declared import Resource, Stack, Teller
    from clew.snapshot.offline.told import Told


def trail(told: Told, stack: Stack, resource: Resource) -> None:
    """A trail and its event selectors; whether it is logging only AWS can say."""
    arn = stack.arn("cloudtrail", f"trail/{resource.name}")
    item = without_none(
        {
            "Name": resource.name,
            "TrailARN": arn,
            "HomeRegion": stack.place.region,
            "S3BucketName": resource.get("S3BucketName"),
            "IncludeGlobalServiceEvents": flag(resource.get("IncludeGlobalServiceEvents")),
            "IsMultiRegionTrail": flag(resource.get("IsMultiRegionTrail")),
            "IsOrganizationTrail": flag(resource.get("IsOrganizationTrail")),
            "LogFileValidationEnabled": flag(resource.get("EnableLogFileValidation")),
            "CloudWatchLogsLogGroupArn": resource.get("CloudWatchLogsLogGroupArn"),
            "KmsKeyId": resource.get("KMSKeyId"),
        }
    )
    lists(told, stack.call("cloudtrail", "DescribeTrails"), "trailList", item, resource, "trailNameList")
    says(
        told,
        stack.call("cloudtrail", "GetEventSelectors", TrailName=arn),
        _selectors(arn, resource),
        resource,
    )


def _selectors(arn: str, resource: Resource) -> dict[str, object]:
    advanced, basic = resource.get("AdvancedEventSelectors"), resource.items("EventSelectors")
    if advanced:
        return {"TrailARN": arn, "AdvancedEventSelectors": advanced}
    # AWS: "AWS::CloudTrail::Trail", EventSelectors: without any, all management events are logged.
    return {"TrailARN": arn, "EventSelectors": [_selector(each) for each in basic or [{}]]}


def _selector(given: object) -> object:
    if not isinstance(given, dict):
        return given
    return {
        "ReadWriteType": given.get("ReadWriteType", "All"),
        "IncludeManagementEvents": flag(given.get("IncludeManagementEvents"), default=True),
        "DataResources": given.get("DataResources", []),
        "ExcludeManagementEventSources": given.get("ExcludeManagementEventSources", []),
    }


def key(told: Told, stack: Stack, resource: Resource) -> None:
    """A KMS key with its policy and rotation."""
    arn = stack.arn("kms", f"key/{resource.name}")
    told.lists(
        stack.call("kms", "ListKeys"), "Keys", {"KeyId": resource.name, "KeyArn": arn}, resource.source
    )
    spec = resource.get("KeySpec") or "SYMMETRIC_DEFAULT"
    metadata = {
        "KeyId": resource.name,
        "Arn": arn,
        "AWSAccountId": stack.place.account,
        "KeyManager": "CUSTOMER",
        "KeyState": "Enabled" if flag(resource.get("Enabled"), default=True) is True else "Disabled",
        "Enabled": flag(resource.get("Enabled"), default=True),
        "Origin": resource.get("Origin") or "AWS_KMS",
        "KeySpec": spec,
        "KeyUsage": resource.get("KeyUsage") or "ENCRYPT_DECRYPT",
        "MultiRegion": flag(resource.get("MultiRegion")),
        "Description": text(resource.get("Description")),
    }
    named = {"KeyId": resource.name}
    says(told, stack.call("kms", "DescribeKey", **named), {"KeyMetadata": metadata}, resource)
    rotation = {"KeyRotationEnabled": flag(resource.get("EnableKeyRotation"))}
    says(told, stack.call("kms", "GetKeyRotationStatus", **named), rotation, resource)
    policy = resource.get("KeyPolicy") or _default_key_policy(stack)
    shown = policy if open_part(policy) else telling.document(policy)
    says(told, stack.call("kms", "GetKeyPolicy", PolicyName="default", **named), {"Policy": shown}, resource)


def _default_key_policy(stack: Stack) -> dict[str, object]:
    # AWS KMS developer guide, "Default key policy".
    root = stack.arn("iam", "root", region=False)
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def topic(told: Told, stack: Stack, resource: Resource) -> None:
    """A topic with its policy; whether subscriptions are confirmed only AWS can say."""
    arn = stack.arn("sns", resource.name)
    told.lists(stack.call("sns", "ListTopics"), "Topics", {"TopicArn": arn}, resource.source)
    attributes: dict[str, object] = {"TopicArn": arn, "Owner": stack.place.account}
    attributes |= _policy(stack, resource, "AWS::SNS::TopicPolicy", "Topics", arn)
    attributes |= without_none({"KmsMasterKeyId": resource.get("KmsMasterKeyId")})
    call = stack.call("sns", "GetTopicAttributes", TopicArn=arn)
    says(told, call, {"Attributes": attributes}, resource)


def queue(told: Told, stack: Stack, resource: Resource) -> None:
    """A queue with its policy and encryption."""
    url = queue_url(stack, resource.name)
    call = stack.call("sqs", "ListQueues")
    told.lists(call, "QueueUrls", None)
    told.extends(call, {"QueueUrls": [url]}, resource.source)
    attributes: dict[str, object] = {"QueueArn": stack.arn("sqs", resource.name)}
    attributes |= _policy(stack, resource, "AWS::SQS::QueuePolicy", "Queues", url)
    attributes |= without_none({"KmsMasterKeyId": resource.get("KmsMasterKeyId")})
    # AWS: "AWS::SQS::Queue", SqsManagedSseEnabled: on by default.
    managed = flag(resource.get("SqsManagedSseEnabled"), default="KmsMasterKeyId" not in attributes)
    attributes["SqsManagedSseEnabled"] = managed if isinstance(managed, Unresolved) else str(managed).lower()
    asked = stack.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames="All")
    says(told, asked, {"Attributes": attributes}, resource)


def queue_url(stack: Stack, name: str) -> str:
    """The address of a declared queue."""
    place = stack.place
    suffix = "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{place.region}.{suffix}/{place.account}/{name}"


def _policy(stack: Stack, resource: Resource, type_: str, member: str, name: str) -> dict[str, object]:
    """The policy of a topic or queue: what Terraform has inside it, or a resource of its own."""
    found = stack.attached(type_, member, name)
    own = resource.get("OwnPolicy")
    if not found and own is None:
        return {}
    if not found:
        return {"Policy": own if open_part(own) else telling.document(own)}
    first = found[0]
    if len(found) > 1 or own is not None or first.doubt or name not in first.items(member):
        return {"Policy": Unresolved(f"`{first.id}` may be its policy")}
    given = first.get("PolicyDocument")
    return {"Policy": given if open_part(given) else telling.document(given)}


def function(told: Told, stack: Stack, resource: Resource) -> None:
    """A function with its policy and its addresses."""
    arn = stack.arn("lambda", f"function:{resource.name}")
    item = without_none(
        {
            "FunctionName": resource.name,
            "FunctionArn": arn,
            "Role": text(resource.get("Role")),
            "Runtime": resource.get("Runtime"),
            "VpcConfig": _vpc(resource),
        }
    )
    lists(told, stack.call("lambda", "ListFunctions"), "Functions", item, resource, "FunctionName")
    names = (resource.name, arn)
    call = stack.call("lambda", "GetPolicy", FunctionName=resource.name)
    says(told, call, _function_policy(stack, arn, *names), resource, "ResourceNotFoundException")
    _aliases(told, stack, resource, arn)
    urls = [
        {"FunctionArn": arn, "AuthType": Unresolved(each.doubt) if each.doubt else each.get("AuthType")}
        for each in stack.attached("AWS::Lambda::Url", "TargetFunctionArn", *names)
    ]
    asked = stack.call("lambda", "ListFunctionUrlConfigs", FunctionName=resource.name)
    says(told, asked, {"FunctionUrlConfigs": urls}, resource)


def _function_policy(stack: Stack, arn: str, *names: str) -> dict[str, object] | None:
    """The policy that the permissions on a function or alias of these names make; None where there are none."""
    given = stack.attached("AWS::Lambda::Permission", "FunctionName", *names)
    statements = [_statement(arn, each) for each in given]
    if not statements:
        return None
    left = open_part(statements)
    return {
        "Policy": left
        or telling.document({"Version": "2012-10-17", "Id": "default", "Statement": statements})
    }


def _aliases(told: Told, stack: Stack, function: Resource, of_function: str) -> None:
    """The aliases of a function, each with the policy of its own."""
    declared = stack.attached("AWS::Lambda::Alias", "FunctionName", function.name, of_function)
    aliases: list[dict[str, object]] = []
    for alias in declared:
        name = Unresolved(alias.doubt) if alias.doubt else alias.get("Name")
        aliases.append({"Name": name, "AliasArn": f"{of_function}:{name}"})
        if isinstance(name, str):
            call = stack.call("lambda", "GetPolicy", FunctionName=function.name, Qualifier=name)
            policy = _function_policy(stack, f"{of_function}:{name}", f"{of_function}:{name}")
            says(told, call, policy, alias, "ResourceNotFoundException")
    asked = stack.call("lambda", "ListAliases", FunctionName=function.name)
    says(told, asked, {"Aliases": aliases}, function)
    published = stack.attached("AWS::Lambda::Version", "FunctionName", function.name, of_function)
    numbers: object = (
        Unresolved("the numbers of its versions are given when they are published") if published else []
    )
    asked = stack.call("lambda", "ListVersionsByFunction", FunctionName=function.name)
    says(told, asked, {"Versions": numbers}, function)


def _vpc(resource: Resource) -> object:
    given = resource.get("VpcConfig")
    if given is None or isinstance(given, Unresolved):
        return given
    return {
        "SubnetIds": [text(each) for each in resource.items("VpcConfig.SubnetIds")],
        "SecurityGroupIds": [text(each) for each in resource.items("VpcConfig.SecurityGroupIds")],
        "VpcId": "declared",
    }


def _statement(arn: str, permission: Resource) -> object:
    """The statement that a permission adds to a function's policy. AWS: Lambda API reference, AddPermission."""
    if permission.doubt:
        return Unresolved(permission.doubt)
    if isinstance(permission.get("FunctionName"), Unresolved):
        return Unresolved(f"`{permission.id}` may be a permission on it")
    principal = permission.get("Principal")
    return {
        "Sid": permission.id,
        "Effect": "Allow",
        "Principal": principal if isinstance(principal, Unresolved) else _principal(str(principal)),
        "Action": permission.get("Action"),
        "Resource": arn,
    } | _conditions(permission)


def _principal(given: str) -> object:
    if given == "*":
        return given
    return {"Service": given} if given.endswith((".amazonaws.com", ".amazonaws.com.cn")) else {"AWS": given}


def _conditions(permission: Resource) -> dict[str, object]:
    keys = {
        "SourceArn": ("ArnLike", "AWS:SourceArn"),
        "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
        "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
        "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
        "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    }
    found: dict[str, dict[str, object]] = {}
    for name, (operator, condition_key) in keys.items():
        value = permission.get(name)
        if value is not None:
            found.setdefault(operator, {})[condition_key] = value
    return {"Condition": found} if found else {}


def _database(told: Told, stack: Stack, resource: Resource, kind: str) -> None:
    arn = stack.arn("rds", f"{'db' if kind == 'DBInstance' else 'cluster'}:{resource.name}")
    item = {
        f"{kind}Identifier": resource.name,
        f"{kind}Arn": arn,
        "Engine": text(resource.get("Engine")),
        "StorageEncrypted": flag(resource.get("StorageEncrypted")),
        "DeletionProtection": flag(resource.get("DeletionProtection")),
        "BackupRetentionPeriod": number(resource.get("BackupRetentionPeriod")),
        "MultiAZ": flag(resource.get("MultiAZ")),
        "AutoMinorVersionUpgrade": flag(resource.get("AutoMinorVersionUpgrade"), default=True),
        "IAMDatabaseAuthenticationEnabled": flag(resource.get("EnableIAMDatabaseAuthentication")),
        "KmsKeyId": resource.get("KmsKeyId"),
    }
    if kind == "DBInstance":
        # AWS: "AWS::RDS::DBInstance", PubliclyAccessible: without it, the subnet group decides.
        given = resource.get("PubliclyAccessible")
        left = Unresolved("`PubliclyAccessible` is not declared: the subnet group decides")
        item["PubliclyAccessible"] = left if given is None else flag(given)
        item["DBClusterIdentifier"] = resource.get("DBClusterIdentifier")
    call = stack.call("rds", f"Describe{kind}s")
    lists(told, call, f"{kind}s", without_none(item), resource, f"{kind}Identifier")


def db_instance(told: Told, stack: Stack, resource: Resource) -> None:
    """A database instance."""
    _database(told, stack, resource, "DBInstance")


def db_cluster(told: Told, stack: Stack, resource: Resource) -> None:
    """A database cluster."""
    _database(told, stack, resource, "DBCluster")


def log_group(told: Told, stack: Stack, resource: Resource) -> None:
    """A log group."""
    item = without_none(
        {
            "logGroupName": resource.name,
            "arn": stack.arn("logs", f"log-group:{resource.name}:*"),
            "retentionInDays": number(resource.get("RetentionInDays")),
            "kmsKeyId": resource.get("KmsKeyId"),
        }
    )
    call = stack.call("logs", "DescribeLogGroups")
    lists(told, call, "logGroups", item, resource, "logGroupNamePrefix")


def metric_filter(told: Told, stack: Stack, resource: Resource) -> None:
    """A metric filter."""
    transformations = [
        {
            "metricName": each.get("MetricName"),
            "metricNamespace": each.get("MetricNamespace"),
            "metricValue": text(each.get("MetricValue"), "1"),
        }
        if isinstance(each, dict)
        else each
        for each in resource.items("MetricTransformations")
    ]
    item = {
        "filterName": resource.name,
        "logGroupName": resource.get("LogGroupName"),
        "filterPattern": resource.get("FilterPattern"),
        "metricTransformations": transformations,
    }
    call = stack.call("logs", "DescribeMetricFilters")
    lists(told, call, "metricFilters", item, resource, "filterNamePrefix")


def alarm(told: Told, stack: Stack, resource: Resource) -> None:
    """An alarm on one metric."""
    item = without_none(
        {
            "AlarmName": resource.name,
            "AlarmArn": stack.arn("cloudwatch", f"alarm:{resource.name}"),
            "ActionsEnabled": flag(resource.get("ActionsEnabled"), default=True),
            "AlarmActions": resource.items("AlarmActions"),
            "MetricName": resource.get("MetricName"),
            "Namespace": resource.get("Namespace"),
            "Statistic": resource.get("Statistic"),
            "Period": number(resource.get("Period")),
            "EvaluationPeriods": number(resource.get("EvaluationPeriods")),
            "Threshold": number(resource.get("Threshold")),
            "ComparisonOperator": resource.get("ComparisonOperator"),
            "TreatMissingData": resource.get("TreatMissingData"),
            "Dimensions": [],
        }
    )
    call = stack.call("cloudwatch", "DescribeAlarms")
    lists(told, call, "MetricAlarms", item, resource, "AlarmNames")


def secret(told: Told, stack: Stack, resource: Resource) -> None:
    """A secret; its value is nobody's to read."""
    arn = stack.arn("secretsmanager", f"secret:{resource.name}")
    item = without_none({"ARN": arn, "Name": resource.name, "KmsKeyId": resource.get("KmsKeyId")})
    rotations = stack.attached("AWS::SecretsManager::RotationSchedule", "SecretId", resource.name, arn)
    item["RotationEnabled"] = bool(rotations)
    lists(told, stack.call("secretsmanager", "ListSecrets"), "SecretList", item, resource, "SecretId")
    policies = stack.attached("AWS::SecretsManager::ResourcePolicy", "SecretId", resource.name, arn)
    given = policies[0].get("ResourcePolicy") if policies else None
    shown = given if open_part(given) else telling.document(given)
    call = stack.call("secretsmanager", "GetResourcePolicy", SecretId=arn)
    says(told, call, {"ARN": arn, **({"ResourcePolicy": shown} if policies else {})}, resource)


TELLERS: Mapping[str, Teller] = {
    "AWS::CloudTrail::Trail": trail,
    "AWS::KMS::Key": key,
    "AWS::SNS::Topic": topic,
    "AWS::SQS::Queue": queue,
    "AWS::Lambda::Function": function,
    "AWS::RDS::DBInstance": db_instance,
    "AWS::RDS::DBCluster": db_cluster,
    "AWS::Logs::LogGroup": log_group,
    "AWS::Logs::MetricFilter": metric_filter,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::SecretsManager::Secret": secret,
}
PARTS = frozenset(
    {
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Version",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::SecretsManager::RotationSchedule",
    }
)
"""Types that are told with the resource that they are about."""
