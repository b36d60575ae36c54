"""The calls about services that serve the internet, run containers, keep streams and certificates, and manage people.

AWS: the API reference of each service, for operations and for the errors that mean "there is none".
"""

from __future__ import annotations

from clew.collect.reads import Scope
from clew.collect.rows import follow, once, regional

_NOT_FOUND = "ResourceNotFoundException"
# One action of API Gateway stands for every read, and the path for what is read.
_API_READ = "apigateway:GET"
_APIS = "items[].{restApiId: id}"
_HTTP_APIS = "Items[].{ApiId: ApiId}"
_POOLS = "IdentityPools[].{IdentityPoolId: IdentityPoolId}"
_STREAM = "StreamDescriptionSummary.[{StreamARN: StreamARN}]"
_STREAM_RESOURCE = "StreamDescriptionSummary.[{ResourceARN: StreamARN}]"
_REPOSITORIES = "repositories[].{repositoryName: repositoryName}"
# Of web ACLs the whole account is asked through what they protect; network load balancers cannot have one.
_APPLICATION = "LoadBalancers[?Type == 'application'].{ResourceArn: LoadBalancerArn}"

_KEY_TYPES = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)

_STORAGE = (
    regional("ec2", "DescribeVolumes"),
    regional("ec2", "DescribeImages", given={"Owners": ("self",)}),
    regional("ec2", "GetImageBlockPublicAccessState"),
    follow(
        "ec2",
        "DescribeImageAttribute",
        "DescribeImages",
        "Images[].{ImageId: ImageId}",
        "InvalidAMIID.NotFound",
        "InvalidAMIID.Unavailable",
        given={"Attribute": "launchPermission"},
    ),
    regional("rds", "DescribeDBClusterSnapshots", given={"SnapshotType": "manual"}),
    follow(
        "rds",
        "DescribeDBClusterSnapshotAttributes",
        "DescribeDBClusterSnapshots",
        "DBClusterSnapshots[].{DBClusterSnapshotIdentifier: DBClusterSnapshotIdentifier}",
        "DBClusterSnapshotNotFoundFault",
    ),
    regional("kinesis", "ListStreams"),
    follow("kinesis", "DescribeStreamSummary", "ListStreams", "StreamNames[].{StreamName: @}", _NOT_FOUND),
    follow("kinesis", "ListStreamConsumers", "DescribeStreamSummary", _STREAM, _NOT_FOUND),
    follow(
        "kinesis",
        "GetResourcePolicy",
        ("DescribeStreamSummary", "ListStreamConsumers"),
        (_STREAM_RESOURCE, "Consumers[].{ResourceARN: ConsumerARN}"),
        _NOT_FOUND,
    ),
)

_SYSTEMS_MANAGER = (
    regional("ssm", "DescribeInstanceInformation"),
    # Which agents are installed, where the inventory of applications is gathered.
    follow(
        "ssm",
        "ListInventoryEntries",
        "DescribeInstanceInformation",
        "InstanceInformationList[].{InstanceId: InstanceId}",
        "InvalidInstanceId",
        given={"TypeName": "AWS:Application"},
    ),
    regional("ssm", "ListResourceComplianceSummaries"),
    # Names and types; the values are never asked for.
    regional("ssm", "DescribeParameters"),
    regional(
        "ssm",
        "GetDocument",
        "InvalidDocument",
        given={"Name": "SSM-SessionManagerRunShell", "DocumentFormat": "JSON"},
    ),
)

_FRONT_ENDS = (
    regional("elbv2", "DescribeLoadBalancers"),
    follow(
        "elbv2",
        "DescribeListeners",
        "DescribeLoadBalancers",
        "LoadBalancers[].{LoadBalancerArn: LoadBalancerArn}",
        "LoadBalancerNotFound",
    ),
    follow(
        "elbv2",
        "DescribeLoadBalancerAttributes",
        "DescribeLoadBalancers",
        "LoadBalancers[].{LoadBalancerArn: LoadBalancerArn}",
        "LoadBalancerNotFound",
    ),
    regional("elb", "DescribeLoadBalancers"),
    follow(
        "elb",
        "DescribeLoadBalancerAttributes",
        "DescribeLoadBalancers",
        "LoadBalancerDescriptions[].{LoadBalancerName: LoadBalancerName}",
        "LoadBalancerNotFound",
    ),
    once("cloudfront", "ListDistributions"),
    follow(
        "cloudfront",
        "GetDistributionConfig",
        "ListDistributions",
        "DistributionList.Items[].{Id: Id}",
        "NoSuchDistribution",
        scope=Scope.ACCOUNT,
    ),
    # Distributions that log in the newer way name a source of deliveries, in us-east-1.
    regional("logs", "DescribeDeliverySources"),
    regional("logs", "DescribeDeliveries"),
    # AWS: "ListCertificates": without a filter only those with RSA keys of 1,024 and 2,048 bits.
    regional("acm", "ListCertificates", given={"Includes": {"keyTypes": _KEY_TYPES}}),
    follow(
        "acm",
        "DescribeCertificate",
        "ListCertificates",
        "CertificateSummaryList[].{CertificateArn: CertificateArn}",
        _NOT_FOUND,
    ),
    follow(
        "wafv2",
        "GetWebACLForResource",
        "elbv2:DescribeLoadBalancers",
        _APPLICATION,
        "WAFNonexistentItemException",
    ),
    once("shield", "GetSubscriptionState"),
    once("shield", "DescribeSubscription", _NOT_FOUND),
)

_API_GATEWAY = (
    regional("apigateway", "GetRestApis", action=_API_READ),
    follow("apigateway", "GetStages", "GetRestApis", _APIS, "NotFoundException", action=_API_READ),
    follow(
        "apigateway",
        "GetResources",
        "GetRestApis",
        _APIS,
        "NotFoundException",
        given={"embed": ("methods",)},
        action=_API_READ,
    ),
    regional("apigatewayv2", "GetApis", action=_API_READ),
    follow("apigatewayv2", "GetStages", "GetApis", _HTTP_APIS, "NotFoundException", action=_API_READ),
    follow("apigatewayv2", "GetRoutes", "GetApis", _HTTP_APIS, "NotFoundException", action=_API_READ),
)

_PEOPLE = (
    regional("cognito-identity", "ListIdentityPools", given={"MaxResults": 60}),
    follow("cognito-identity", "DescribeIdentityPool", "ListIdentityPools", _POOLS, _NOT_FOUND),
    follow("cognito-identity", "GetIdentityPoolRoles", "ListIdentityPools", _POOLS, _NOT_FOUND),
    regional("sso-admin", "ListInstances"),
    follow("sso-admin", "ListPermissionSets", "ListInstances", "Instances[].{InstanceArn: InstanceArn}"),
    follow(
        "sso-admin",
        "DescribePermissionSet",
        "ListPermissionSets",
        "PermissionSets[].{PermissionSetArn: @}",
        _NOT_FOUND,
        carry=("InstanceArn",),
    ),
    follow(
        "sso-admin",
        "ListAccountsForProvisionedPermissionSet",
        "ListPermissionSets",
        "PermissionSets[].{PermissionSetArn: @}",
        _NOT_FOUND,
        carry=("InstanceArn",),
    ),
    follow(
        "sso-admin",
        "ListAccountAssignments",
        "ListAccountsForProvisionedPermissionSet",
        "AccountIds[].{AccountId: @}",
        _NOT_FOUND,
        carry=("InstanceArn", "PermissionSetArn"),
    ),
)

_CONTAINERS = (
    # A family stands for its newest revision, which is what the next task runs.
    regional("ecs", "ListTaskDefinitionFamilies", given={"status": "ACTIVE"}),
    follow("ecs", "DescribeTaskDefinition", "ListTaskDefinitionFamilies", "families[].{taskDefinition: @}"),
    regional("ecr", "DescribeRepositories"),
    regional("ecr", "GetRegistryScanningConfiguration"),
    follow(
        "ecr",
        "GetRepositoryPolicy",
        "DescribeRepositories",
        _REPOSITORIES,
        "RepositoryNotFoundException",
        "RepositoryPolicyNotFoundException",
    ),
)

_ADVICE = (
    # AWS: "Get started with the Trusted Advisor API": it takes a Business or an Enterprise plan. No page of AWS gives
    # the words of the refusal without one; others than these are a refusal like any, which leaves unknown.
    once("trustedadvisor", "ListRecommendations", "AccessDeniedException: support level"),
    follow(
        "trustedadvisor",
        "ListRecommendationResources",
        "ListRecommendations",
        "recommendationSummaries[?status != 'ok'].{recommendationIdentifier: id}",
        _NOT_FOUND,
        scope=Scope.ACCOUNT,
    ),
)

SERVICE_READS = (
    *_STORAGE,
    *_SYSTEMS_MANAGER,
    *_FRONT_ENDS,
    *_API_GATEWAY,
    *_PEOPLE,
    *_CONTAINERS,
    *_ADVICE,
)
"""All of them, in the order in which the guide lists them."""
