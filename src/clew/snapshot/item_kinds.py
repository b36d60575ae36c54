"""Which answers list resources of which type: a row for each type, with the questions that say more about one of them.

Types and names are AWS Config's. AWS: "Supported resource types for AWS Config"; the API reference of each service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Supplement:
    """A further question about a resource.

    Shape: `parameters` are pairs of the call's parameter and the listed member that fills it. `members` are those of
    the answer that count, all of them where there is none; `volatile` members change by themselves.
    """

    name: str
    operation: str
    parameters: tuple[tuple[str, str], ...]
    members: tuple[str, ...] = ()
    service: str = ""
    volatile: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kind:
    """How to find the resources of one type.

    Shape: `path` leads to the list in the body, `id`, `name` and `arn` are members of what is listed, or the ARN is a
    form such as `arn:{partition}:s3:::{id}`. `home` names the member with the one region in which it is at home.
    `complete`: the answer covers the type although the call has parameters.
    """

    type: str
    service: str
    operation: str
    path: tuple[str, ...]
    id: str
    name: str = ""
    arn: str = ""
    supplements: tuple[Supplement, ...] = ()
    volatile: frozenset[str] = frozenset()
    home: str = ""
    complete: bool = False
    last_part: str = ""

    def identity(self, given: str) -> str:
        """The id of the resource: what is listed, or its last part where a list gives addresses or ARNs."""
        return given.rpartition(self.last_part)[2] if self.last_part else given


def _of_bucket(name: str, operation: str, *members: str) -> Supplement:
    return Supplement(name, operation, (("Bucket", "Name"),), members)


_DETAILS = "GetAccountAuthorizationDetails"
_USE = frozenset({"PasswordLastUsed", "RoleLastUsed", "AttachmentCount", "PermissionsBoundaryUsageCount"})


def _identity(type_: str, path: str, id_: str, name: str) -> Kind:
    return Kind(type_, "iam", _DETAILS, (path,), id_, name, "Arn", volatile=_USE)


def _network(
    type_: str, operation: str, path: str | tuple[str, ...], id_: str, kind: str, *volatile: str
) -> Kind:
    return Kind(
        f"AWS::EC2::{type_}",
        "ec2",
        operation,
        (path,) if isinstance(path, str) else path,
        id_,
        arn=f"arn:{{partition}}:ec2:{{region}}:{{account}}:{kind}/{{id}}",
        volatile=frozenset(volatile),
    )


_BUCKET = Kind(
    "AWS::S3::Bucket",
    "s3",
    "ListBuckets",
    ("Buckets",),
    "Name",
    "Name",
    "arn:{partition}:s3:::{id}",
    (
        _of_bucket("BucketPolicy", "GetBucketPolicy", "Policy"),
        _of_bucket("AccessControlList", "GetBucketAcl"),
        _of_bucket(
            "PublicAccessBlockConfiguration", "GetPublicAccessBlock", "PublicAccessBlockConfiguration"
        ),
        _of_bucket("OwnershipControls", "GetBucketOwnershipControls", "OwnershipControls"),
        _of_bucket("BucketVersioningConfiguration", "GetBucketVersioning"),
        _of_bucket("BucketLoggingConfiguration", "GetBucketLogging", "LoggingEnabled"),
        _of_bucket(
            "ServerSideEncryptionConfiguration", "GetBucketEncryption", "ServerSideEncryptionConfiguration"
        ),
        _of_bucket("BucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"),
        _of_bucket("BucketNotificationConfiguration", "GetBucketNotificationConfiguration"),
        _of_bucket("BucketReplicationConfiguration", "GetBucketReplication"),
        _of_bucket("BucketTaggingConfiguration", "GetBucketTagging", "TagSet"),
    ),
)
_TRAIL = Kind(
    "AWS::CloudTrail::Trail",
    "cloudtrail",
    "DescribeTrails",
    ("trailList",),
    "Name",
    "Name",
    "TrailARN",
    (
        Supplement("Status", "GetTrailStatus", (("Name", "TrailARN"),), ("IsLogging",)),
        Supplement(
            "EventSelectors",
            "GetEventSelectors",
            (("TrailName", "TrailARN"),),
            ("EventSelectors", "AdvancedEventSelectors"),
        ),
        Supplement(
            "InsightSelectors", "GetInsightSelectors", (("TrailName", "TrailARN"),), ("InsightSelectors",)
        ),
    ),
    home="HomeRegion",
)
_KEY = Kind(
    "AWS::KMS::Key",
    "kms",
    "ListKeys",
    ("Keys",),
    "KeyId",
    arn="KeyArn",
    supplements=(
        Supplement("KeyMetadata", "DescribeKey", (("KeyId", "KeyId"),), ("KeyMetadata",)),
        Supplement("Policy", "GetKeyPolicy", (("KeyId", "KeyId"), ("PolicyName", "default")), ("Policy",)),
        Supplement(
            "KeyRotationStatus", "GetKeyRotationStatus", (("KeyId", "KeyId"),), ("KeyRotationEnabled",)
        ),
        Supplement("Grants", "ListGrants", (("KeyId", "KeyId"),), ("Grants",)),
    ),
)
_COUNTS = (
    "SubscriptionsConfirmed",
    "SubscriptionsPending",
    "SubscriptionsDeleted",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_TOPIC = Kind(
    "AWS::SNS::Topic",
    "sns",
    "ListTopics",
    ("Topics",),
    "TopicArn",
    arn="TopicArn",
    supplements=(
        Supplement(
            "Attributes", "GetTopicAttributes", (("TopicArn", "TopicArn"),), volatile=frozenset(_COUNTS)
        ),
    ),
)
_QUEUE = Kind(
    "AWS::SQS::Queue",
    "sqs",
    "ListQueues",
    ("QueueUrls",),
    "@",
    arn="arn:{partition}:sqs:{region}:{account}:{id}",
    supplements=(
        Supplement(
            "Attributes",
            "GetQueueAttributes",
            (("AttributeNames", "All"), ("QueueUrl", "@")),
            volatile=frozenset(_COUNTS),
        ),
    ),
    last_part="/",
)
_FUNCTION = Kind(
    "AWS::Lambda::Function",
    "lambda",
    "ListFunctions",
    ("Functions",),
    "FunctionName",
    "FunctionName",
    "FunctionArn",
    (
        Supplement("Policy", "GetPolicy", (("FunctionName", "FunctionName"),), ("Policy",)),
        Supplement("FunctionUrlConfigs", "ListFunctionUrlConfigs", (("FunctionName", "FunctionName"),)),
    ),
    frozenset({"LastModified", "RevisionId", "LastUpdateStatus", "State", "StateReason"}),
)
_ACCOUNT = Kind(
    "AWS::::Account",
    "sts",
    "GetCallerIdentity",
    (),
    "Account",
    arn="arn:{partition}:iam::{id}:root",
    supplements=(
        Supplement("PasswordPolicy", "GetAccountPasswordPolicy", (), ("PasswordPolicy",), "iam"),
        Supplement(
            "AccountPublicAccessBlock",
            "GetPublicAccessBlock",
            (("AccountId", "{account}"),),
            ("PublicAccessBlockConfiguration",),
            "s3control",
        ),
    ),
    volatile=frozenset({"Arn", "UserId"}),
)
_ALARM_STATE = frozenset(
    {
        "StateValue",
        "StateReason",
        "StateReasonData",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
        "EvaluationState",
    }
)
_WATCHING = (
    Kind(
        "AWS::Logs::LogGroup",
        "logs",
        "DescribeLogGroups",
        ("logGroups",),
        "logGroupName",
        "logGroupName",
        "arn",
        volatile=frozenset({"storedBytes", "metricFilterCount"}),
    ),
    Kind(
        "AWS::Logs::MetricFilter",
        "logs",
        "DescribeMetricFilters",
        ("metricFilters",),
        "filterName",
        "filterName",
    ),
    Kind(
        "AWS::CloudWatch::Alarm",
        "cloudwatch",
        "DescribeAlarms",
        ("MetricAlarms",),
        "AlarmName",
        "AlarmName",
        "AlarmArn",
        volatile=_ALARM_STATE,
    ),
    Kind("AWS::Events::Rule", "events", "ListRules", ("Rules",), "Name", "Name", "Arn"),
    Kind(
        "AWS::Config::ConfigurationRecorder",
        "config",
        "DescribeConfigurationRecorders",
        ("ConfigurationRecorders",),
        "name",
        "name",
    ),
)
_FILE_SYSTEM = (("FileSystemId", "FileSystemId"),)
_REPOSITORY = (("repositoryName", "repositoryName"),)
_DATA = (
    Kind(
        "AWS::RDS::DBInstance",
        "rds",
        "DescribeDBInstances",
        ("DBInstances",),
        "DBInstanceIdentifier",
        "DBInstanceIdentifier",
        "DBInstanceArn",
        volatile=frozenset({"LatestRestorableTime", "DBInstanceStatus", "StatusInfos"}),
    ),
    Kind(
        "AWS::RDS::DBCluster",
        "rds",
        "DescribeDBClusters",
        ("DBClusters",),
        "DBClusterIdentifier",
        "DBClusterIdentifier",
        "DBClusterArn",
        volatile=frozenset({"LatestRestorableTime", "EarliestRestorableTime", "Status"}),
    ),
    Kind(
        "AWS::EFS::FileSystem",
        "efs",
        "DescribeFileSystems",
        ("FileSystems",),
        "FileSystemId",
        "Name",
        "FileSystemArn",
        (Supplement("FileSystemPolicy", "DescribeFileSystemPolicy", _FILE_SYSTEM, ("Policy",)),),
        frozenset({"SizeInBytes", "LifeCycleState", "NumberOfMountTargets"}),
    ),
    Kind(
        "AWS::ECR::Repository",
        "ecr",
        "DescribeRepositories",
        ("repositories",),
        "repositoryName",
        "repositoryName",
        "repositoryArn",
        (Supplement("RepositoryPolicyText", "GetRepositoryPolicy", _REPOSITORY, ("policyText",)),),
    ),
    Kind(
        "AWS::SecretsManager::Secret",
        "secretsmanager",
        "ListSecrets",
        ("SecretList",),
        "ARN",
        "Name",
        "ARN",
        (Supplement("ResourcePolicy", "GetResourcePolicy", (("SecretId", "ARN"),), ("ResourcePolicy",)),),
        frozenset({"LastAccessedDate"}),
    ),
)

KINDS: tuple[Kind, ...] = (
    _ACCOUNT,
    _identity("AWS::IAM::User", "UserDetailList", "UserId", "UserName"),
    _identity("AWS::IAM::Group", "GroupDetailList", "GroupId", "GroupName"),
    _identity("AWS::IAM::Role", "RoleDetailList", "RoleId", "RoleName"),
    _identity("AWS::IAM::Policy", "Policies", "PolicyId", "PolicyName"),
    _BUCKET,
    _TRAIL,
    _KEY,
    _TOPIC,
    _QUEUE,
    _FUNCTION,
    *_WATCHING,
    *_DATA,
    _network("VPC", "DescribeVpcs", "Vpcs", "VpcId", "vpc"),
    _network("Subnet", "DescribeSubnets", "Subnets", "SubnetId", "subnet", "AvailableIpAddressCount"),
    _network("SecurityGroup", "DescribeSecurityGroups", "SecurityGroups", "GroupId", "security-group"),
    _network("NetworkAcl", "DescribeNetworkAcls", "NetworkAcls", "NetworkAclId", "network-acl"),
    _network("RouteTable", "DescribeRouteTables", "RouteTables", "RouteTableId", "route-table"),
    _network(
        "InternetGateway",
        "DescribeInternetGateways",
        "InternetGateways",
        "InternetGatewayId",
        "internet-gateway",
    ),
    _network("NatGateway", "DescribeNatGateways", "NatGateways", "NatGatewayId", "natgateway"),
    _network("VPCEndpoint", "DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId", "vpc-endpoint"),
    _network(
        "VPCPeeringConnection",
        "DescribeVpcPeeringConnections",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "vpc-peering-connection",
    ),
    _network("FlowLog", "DescribeFlowLogs", "FlowLogs", "FlowLogId", "vpc-flow-log"),
    _network("EIP", "DescribeAddresses", "Addresses", "AllocationId", "elastic-ip"),
    _network("Instance", "DescribeInstances", ("Reservations", "Instances"), "InstanceId", "instance"),
    _network(
        "NetworkInterface",
        "DescribeNetworkInterfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "network-interface",
    ),
    _network("Volume", "DescribeVolumes", "Volumes", "VolumeId", "volume"),
)
"""Every type of which `clew collect` tells something."""

TYPES: tuple[str, ...] = tuple(sorted(kind.type for kind in KINDS))
"""The resource types by name."""


def calls(type_: str, parts: Collection[str] = ()) -> tuple[str, ...]:
    """The calls that tell of a type: those of these parts, or the one that lists it.

    >>> calls("AWS::S3::Bucket"), calls("AWS::S3::Bucket", ["BucketPolicy"])
    (('s3:ListBuckets',), ('s3:GetBucketPolicy',))
    """
    found = [kind for kind in KINDS if kind.type == type_]
    if not parts:
        return tuple(f"{kind.service}:{kind.operation}" for kind in found)
    return tuple(
        f"{each.service or kind.service}:{each.operation}"
        for kind in found
        for each in kind.supplements
        if each.name in parts
    )
