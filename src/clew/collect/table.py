"""Every call that collecting makes, all of them reads; the policy that it needs is printed from the same table.

AWS: the API reference of each service for operations and errors; "Actions, resources, and condition keys for AWS
services" for the names of actions.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.collect.reads import NO_ACTION, Each, First, Job, Read, Scope
from clew.collect.rows import follow as _each
from clew.collect.rows import once as _once
from clew.collect.rows import regional as _regional
from clew.collect.table_services import SERVICE_READS

if TYPE_CHECKING:
    from collections.abc import Collection

_NOT_FOUND = "ResourceNotFoundException"
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"


def _bucket(operation: str, *absent: str, action: str = "") -> Read:
    """A call for each bucket."""
    each = (Each("s3:ListBuckets", "Buckets[].{Bucket: Name}"),)
    return Read("s3", operation, Scope.ACCOUNT, each=each, absent=(*absent, "NoSuchBucket"), action=action)


ORGANIZATION = _once("organizations", "DescribeOrganization", _NO_ORGANIZATION)
IDENTITY = _once("sts", "GetCallerIdentity")
REGIONS = _once("ec2", "DescribeRegions")
ALWAYS = (IDENTITY, REGIONS)
"""The calls that are made whatever is chosen: whose account it is, and which regions it has."""

_IAM = (
    _once("iam", "GetAccountAuthorizationDetails"),
    Read(
        "iam",
        "GetCredentialReport",
        Scope.ACCOUNT,
        # AWS makes a new report only when the last is older than four hours; the answer says when it was made.
        first=First("GenerateCredentialReport", "State", "COMPLETE"),
    ),
    # The authorization details leave out how long a session of a role may last.
    _once("iam", "ListRoles"),
    _once("iam", "GetAccountSummary"),
    _once("iam", "GetAccountPasswordPolicy", "NoSuchEntity"),
    _once("iam", "ListVirtualMFADevices"),
    _each(
        "iam",
        "ListMFADevices",
        "GetAccountAuthorizationDetails",
        "UserDetailList[].{UserName: UserName}",
        "NoSuchEntity",
        scope=Scope.ACCOUNT,
    ),
    _once("iam", "ListAccountAliases"),
    _once("iam", "ListServerCertificates"),
    _once("iam", "ListSAMLProviders"),
    _once("iam", "ListOpenIDConnectProviders"),
    _once(
        "iam",
        "ListOrganizationsFeatures",
        "AccountNotManagementOrDelegatedAdministratorException",
        "OrganizationNotFoundException",
        "ServiceAccessNotEnabledException",
    ),
    _once("account", "GetAlternateContact", _NOT_FOUND, given={"AlternateContactType": "SECURITY"}),
)

# AWS: S3 API Reference: "ListMultiRegionAccessPoints": always routed to the US West (Oregon) Region.
_MULTI_REGION = "us-west-2"
_S3 = (
    # AWS: "ListBuckets", "ListQueues": without a page size at most 10,000 and 1,000, and no word of more.
    replace(_once("s3", "ListBuckets", action="s3:ListAllMyBuckets"), page_size=1000),
    _bucket("GetBucketLocation"),
    _bucket("GetBucketPolicy", "NoSuchBucketPolicy"),
    _bucket("GetBucketPolicyStatus", "NoSuchBucketPolicy"),
    _bucket("GetBucketAcl"),
    _bucket(
        "GetPublicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration",
        action="s3:GetBucketPublicAccessBlock",
    ),
    _bucket("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
    _bucket("GetBucketVersioning"),
    _bucket("GetBucketTagging", "NoSuchTagSet"),
    _bucket("GetBucketLogging"),
    _bucket(
        "GetBucketEncryption",
        "ServerSideEncryptionConfigurationNotFoundError",
        action="s3:GetEncryptionConfiguration",
    ),
    _bucket(
        "GetBucketLifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        action="s3:GetLifecycleConfiguration",
    ),
    _bucket("GetBucketNotificationConfiguration", action="s3:GetBucketNotification"),
    _bucket(
        "GetBucketReplication",
        "ReplicationConfigurationNotFoundError",
        action="s3:GetReplicationConfiguration",
    ),
    # AWS: "GetBucketLocation": "calls to the HeadBucket operation always return the bucket's location through an HTTP
    # response header, whether access to the bucket is authorized or not"; other accounts' buckets are not listed.
    Read(
        "s3",
        "HeadBucket",
        Scope.ACCOUNT,
        each=(
            Each(
                "s3:GetBucketReplication",
                "ReplicationConfiguration.Rules[].{Bucket: Destination.Bucket}",
                of_arn=("Bucket",),
            ),
        ),
        absent=("HTTP 404",),
        action=NO_ACTION,
        headers=MappingProxyType({"BucketRegion": "x-amz-bucket-region"}),
    ),
    _bucket(
        "GetObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        action="s3:GetBucketObjectLockConfiguration",
    ),
    _once(
        "s3control",
        "GetPublicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration",
        given={"AccountId": "{account}"},
        action="s3:GetAccountPublicAccessBlock",
    ),
    _regional("s3control", "ListAccessPoints", given={"AccountId": "{account}"}),
    _each(
        "s3control",
        "GetAccessPoint",
        "ListAccessPoints",
        "AccessPointList[].{Name: Name}",
        "NoSuchAccessPoint",
        given={"AccountId": "{account}"},
    ),
    _each(
        "s3control",
        "GetAccessPointPolicy",
        "ListAccessPoints",
        "AccessPointList[].{Name: Name}",
        "NoSuchAccessPointPolicy",
        given={"AccountId": "{account}"},
    ),
    replace(
        _once("s3control", "ListMultiRegionAccessPoints", given={"AccountId": "{account}"}),
        place=_MULTI_REGION,
    ),
    replace(
        _each(
            "s3control",
            "GetMultiRegionAccessPointPolicy",
            "ListMultiRegionAccessPoints",
            "AccessPoints[].{Name: Name}",
            "NoSuchMultiRegionAccessPoint",
            given={"AccountId": "{account}"},
            scope=Scope.ACCOUNT,
        ),
        place=_MULTI_REGION,
    ),
)

# A trail of all regions shows in each of them; it is asked about once, where it was made.
_TRAIL_REGION = "region: HomeRegion"
_TRAIL = (
    _regional("cloudtrail", "DescribeTrails"),
    _each(
        "cloudtrail",
        "GetTrailStatus",
        "DescribeTrails",
        f"trailList[].{{Name: TrailARN, {_TRAIL_REGION}}}",
        "TrailNotFoundException",
    ),
    _each(
        "cloudtrail",
        "GetEventSelectors",
        "DescribeTrails",
        f"trailList[].{{TrailName: TrailARN, {_TRAIL_REGION}}}",
        "TrailNotFoundException",
    ),
    _each(
        "cloudtrail",
        "GetInsightSelectors",
        "DescribeTrails",
        f"trailList[].{{TrailName: TrailARN, {_TRAIL_REGION}}}",
        "InsightNotEnabledException",
        "TrailNotFoundException",
    ),
)

_WATCHING = (
    _regional("config", "DescribeConfigurationRecorders"),
    _regional("config", "DescribeConfigurationRecorderStatus"),
    _regional("config", "DescribeDeliveryChannels"),
    _regional("config", "DescribeDeliveryChannelStatus"),
    _regional("logs", "DescribeLogGroups"),
    _regional("logs", "DescribeMetricFilters"),
    _regional("logs", "DescribeResourcePolicies"),
    _regional("cloudwatch", "DescribeAlarms"),
    _regional("guardduty", "ListDetectors"),
    _each("guardduty", "GetDetector", "ListDetectors", "DetectorIds[].{DetectorId: @}"),
    _each("guardduty", "GetAdministratorAccount", "ListDetectors", "DetectorIds[].{DetectorId: @}"),
    _regional("securityhub", "DescribeHub", _NOT_FOUND, "InvalidAccessException: not subscribed"),
    _regional("macie2", "GetMacieSession", "AccessDeniedException: Macie is not enabled"),
    _regional("inspector2", "BatchGetAccountStatus"),
    _regional("accessanalyzer", "ListAnalyzers", given={"type": "ACCOUNT"}),
    _regional("accessanalyzer", "ListAnalyzers", given={"type": "ORGANIZATION"}),
)

_MESSAGES = (
    _regional("sns", "ListTopics"),
    _each("sns", "GetTopicAttributes", "ListTopics", "Topics[].{TopicArn: TopicArn}", "NotFound"),
    _each("sns", "ListSubscriptionsByTopic", "ListTopics", "Topics[].{TopicArn: TopicArn}", "NotFound"),
    replace(_regional("sqs", "ListQueues"), page_size=1000),
    _each(
        "sqs",
        "GetQueueAttributes",
        "ListQueues",
        "QueueUrls[].{QueueUrl: @}",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        given={"AttributeNames": ("All",)},
    ),
    _regional("events", "ListEventBuses"),
    _each("events", "ListRules", "ListEventBuses", "EventBuses[].{EventBusName: Name}", _NOT_FOUND),
    _each(
        "events",
        "ListTargetsByRule",
        "ListRules",
        "Rules[].{Rule: Name, EventBusName: EventBusName}",
        _NOT_FOUND,
    ),
)

_FUNCTION = "Functions[].{FunctionName: FunctionName}"
_FUNCTIONS = (
    _regional("lambda", "ListFunctions"),
    _each("lambda", "ListAliases", "ListFunctions", _FUNCTION, _NOT_FOUND),
    _each("lambda", "ListVersionsByFunction", "ListFunctions", _FUNCTION, _NOT_FOUND),
    # A function has a policy of its own, and so has each alias and each version but $LATEST, which AWS refuses one.
    Read(
        "lambda",
        "GetPolicy",
        each=(
            Each("lambda:ListFunctions", _FUNCTION),
            Each("lambda:ListAliases", "Aliases[].{Qualifier: Name}", carry=("FunctionName",)),
            Each(
                "lambda:ListVersionsByFunction",
                "Versions[?Version != '$LATEST'].{Qualifier: Version}",
                carry=("FunctionName",),
            ),
        ),
        absent=(_NOT_FOUND,),
    ),
    _each("lambda", "ListFunctionUrlConfigs", "ListFunctions", _FUNCTION, _NOT_FOUND),
    _regional("lambda", "ListLayers"),
    _each("lambda", "ListLayerVersions", "ListLayers", "Layers[].{LayerName: LayerName}", _NOT_FOUND),
    _each(
        "lambda",
        "GetLayerVersionPolicy",
        "ListLayerVersions",
        "LayerVersions[].{VersionNumber: Version}",
        _NOT_FOUND,
        carry=("LayerName",),
    ),
)

_KEY = "Keys[].{KeyId: KeyId}"
_KEYS = (
    _regional("kms", "ListKeys"),
    _regional("kms", "ListAliases"),
    _each("kms", "DescribeKey", "ListKeys", _KEY, "NotFoundException"),
    _each("kms", "GetKeyPolicy", "ListKeys", _KEY, "NotFoundException", given={"PolicyName": "default"}),
    _each(
        "kms",
        "GetKeyRotationStatus",
        "ListKeys",
        _KEY,
        "NotFoundException",
        # Asymmetric and HMAC keys, and keys in custom stores, have no rotation.
        "UnsupportedOperationException",
    ),
    _each("kms", "ListGrants", "ListKeys", _KEY, "NotFoundException"),
    _regional("secretsmanager", "ListSecrets"),
    _each("secretsmanager", "GetResourcePolicy", "ListSecrets", "SecretList[].{SecretId: ARN}", _NOT_FOUND),
)

_NETWORK = (
    *(
        _regional("ec2", operation)
        for operation in (
            "DescribeInstances",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeNetworkAcls",
            "DescribeVpcs",
            "DescribeSubnets",
            "DescribeRouteTables",
            "DescribeInternetGateways",
            "DescribeEgressOnlyInternetGateways",
            "DescribeNatGateways",
            "DescribeTransitGateways",
            "DescribeTransitGatewayAttachments",
            "DescribeVpnGateways",
            "DescribeVpnConnections",
            "DescribeVpcPeeringConnections",
            "DescribeVpcEndpoints",
            "DescribeFlowLogs",
            "DescribeAddresses",
            "DescribeKeyPairs",
            "DescribeManagedPrefixLists",
            "GetEbsEncryptionByDefault",
            "GetSnapshotBlockPublicAccessState",
        )
    ),
    _each(
        "ec2",
        "GetManagedPrefixListEntries",
        "DescribeManagedPrefixLists",
        "PrefixLists[?OwnerId != 'AWS'].{PrefixListId: PrefixListId}",
        "InvalidPrefixListID.NotFound",
    ),
    _regional("ec2", "DescribeSnapshots", given={"OwnerIds": ("self",)}),
    _each(
        "ec2",
        "DescribeSnapshotAttribute",
        "DescribeSnapshots",
        "Snapshots[].{SnapshotId: SnapshotId}",
        "InvalidSnapshot.NotFound",
        given={"Attribute": "createVolumePermission"},
    ),
)

_DATA = (
    _regional("rds", "DescribeDBInstances"),
    _regional("rds", "DescribeDBClusters"),
    _regional("rds", "DescribeDBSnapshots", given={"SnapshotType": "manual"}),
    _each(
        "rds",
        "DescribeDBSnapshotAttributes",
        "DescribeDBSnapshots",
        "DBSnapshots[].{DBSnapshotIdentifier: DBSnapshotIdentifier}",
        "DBSnapshotNotFound",
    ),
    _regional("efs", "DescribeFileSystems"),
    _each(
        "efs",
        "DescribeFileSystemPolicy",
        "DescribeFileSystems",
        "FileSystems[].{FileSystemId: FileSystemId}",
        "PolicyNotFound",
        "FileSystemNotFound",
    ),
    _regional("dynamodb", "ListTables"),
    _each("dynamodb", "DescribeTable", "ListTables", "TableNames[].{TableName: @}", _NOT_FOUND),
    # The policies of a table and of its stream.
    _each(
        "dynamodb",
        "GetResourcePolicy",
        "DescribeTable",
        "Table.[{ResourceArn: TableArn}, {ResourceArn: LatestStreamArn}][?ResourceArn]",
        "PolicyNotFoundException",
        _NOT_FOUND,
    ),
)

_UNITS = (
    ("ListRoots", "ListOrganizationalUnitsForParent"),
    ("Roots[].{ParentId: Id}", "OrganizationalUnits[].{ParentId: Id}"),
)
_POLICIES = "Policies[].{PolicyId: Id}"


def _of_organization(operation: str, of: str | tuple[str, ...], items: str | tuple[str, ...]) -> Read:
    return _each("organizations", operation, of, items, scope=Scope.ACCOUNT)


_ORGANIZATION = (
    ORGANIZATION,
    _once("organizations", "ListAccounts", _NO_ORGANIZATION),
    _once("organizations", "ListRoots", _NO_ORGANIZATION),
    _once("organizations", "ListDelegatedAdministrators", _NO_ORGANIZATION),
    _of_organization("ListOrganizationalUnitsForParent", *_UNITS),
    _of_organization("ListAccountsForParent", *_UNITS),
    _of_organization(
        "ListTagsForResource",
        ("ListAccounts", "ListRoots", "ListOrganizationalUnitsForParent"),
        ("Accounts[].{ResourceId: Id}", "Roots[].{ResourceId: Id}", "OrganizationalUnits[].{ResourceId: Id}"),
    ),
    *(
        _once(
            "organizations",
            "ListPolicies",
            _NO_ORGANIZATION,
            "PolicyTypeNotEnabledException",
            given={"Filter": kind},
        )
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    ),
    _of_organization("DescribePolicy", "ListPolicies", _POLICIES),
    _of_organization("ListTargetsForPolicy", "ListPolicies", _POLICIES),
)

TABLE: tuple[Read, ...] = (
    IDENTITY,
    REGIONS,
    *_IAM,
    *_S3,
    *_TRAIL,
    *_WATCHING,
    *_MESSAGES,
    *_FUNCTIONS,
    *_KEYS,
    *_NETWORK,
    *_DATA,
    *_ORGANIZATION,
    *SERVICE_READS,
)
"""All calls, in the order in which the guide lists them."""

LAST_ACCESSED = replace(
    _each(
        "iam",
        "GetServiceLastAccessedDetails",
        ("GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails"),
        (
            "UserDetailList[].{Arn: Arn}",
            "RoleDetailList[?!starts_with(Path, '/aws-service-role/')].{Arn: Arn}",
        ),
        "NoSuchEntity",
        given={"Granularity": "ACTION_LEVEL"},
        scope=Scope.ACCOUNT,
    ),
    # AWS: "GenerateServiceLastAccessedDetails": who starts a job must ask for its outcome.
    job=Job("GenerateServiceLastAccessedDetails", "JobId", "JobStatus", "IN_PROGRESS", "COMPLETED"),
)
"""When each user and role last used which services and actions; only on request, since it is a job for each of them."""

SERVICES: tuple[str, ...] = tuple(sorted({read.group for read in TABLE}))
"""The services that `--only` can choose."""


def chosen(only: tuple[str, ...]) -> tuple[Read, ...]:
    """The calls about these services, or all; whose account it is and which regions it has is always asked."""
    return tuple(read for read in TABLE if not only or read in ALWAYS or read.group in only)


def named(calls: Collection[str]) -> tuple[Read, ...]:
    """The calls of these names (`s3:GetBucketPolicy`), those that always are made, and those that they follow.

    >>> [read.name for read in named({"kms:GetKeyPolicy"})]
    ['sts:GetCallerIdentity', 'ec2:DescribeRegions', 'kms:ListKeys', 'kms:GetKeyPolicy']
    """
    every = (*TABLE, LAST_ACCESSED)
    before = {read.name: {each.of for each in read.each} for read in every}
    wanted: set[str] = set()
    todo = [*calls, *(read.name for read in ALWAYS)]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += before[name]
    return tuple(read for read in every if read.name in wanted)
