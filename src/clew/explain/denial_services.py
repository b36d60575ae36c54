"""Refusals in the words of single services: which service asked for what, where its text says that.

Each wording was seen in public logs; a row names a page of AWS where one tells its causes. What neither says stays
None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.denial import Meaning, PolicyType
from clew.explain.denial_form import Form, form

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROLE = r"(?P<resource>arn:[\w-]+:iam::\d*:role/[\w+=,.@/-]{1,512})"
_NAMED = r"(?P<principal>[\w.-]+\.amazonaws\.com)"
_ASSUME = "sts:AssumeRole"
_NO_TRUST = (
    "the service does not get into the role: the role's trust policy does not let it assume the role, or the role is "
    "not there, or was made a moment ago"
)


def _no_trust(*worded: tuple[str, str]) -> Iterator[Form]:
    """A service that does not get into a role, in the words of each service; the second value is its principal."""
    for words, principal in worded:
        yield form(
            "role-not-trusting",
            words,
            _NO_TRUST,
            principal=principal,
            action=_ASSUME,
            policy_type=PolicyType.TRUST,
            explicit=False,
        )


_ROLES: tuple[Form, ...] = (
    # AWS: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
    form(
        "role-not-trusting-pods",
        r"EKS does not have permissions to assume the associated role",
        "EKS Pod Identity does not get into the role: its trust policy must let `pods.eks.amazonaws.com` do both "
        "`sts:AssumeRole` and `sts:TagSession`, and every condition there must hold for this pod",
        principal="pods.eks.amazonaws.com",
        action=_ASSUME,
        policy_type=PolicyType.TRUST,
        explicit=False,
    ),
    *_no_trust(
        (r"ECS was unable to assume the role '" + _ROLE, "ecs-tasks.amazonaws.com"),
        (r"Firehose is unable to assume role " + _ROLE, "firehose.amazonaws.com"),
        (
            r"\((?P<principal>[\w.-]+\.amazonaws\.com)\) is unable to assume role \(sts:AssumeRole\) on resource: "
            + _ROLE,
            "",
        ),
        (r"Service is unable to assume role " + _ROLE, ""),
        (r"The role defined for the function cannot be assumed by Lambda", "lambda.amazonaws.com"),
        (
            r"principal "
            + _NAMED
            + r"(?:, nor the regional one)? is (?:not )?authorized to assume the provided role",
            "",
        ),
        (
            r"API Gateway does not have permission to assume the provided role " + _ROLE,
            "apigateway.amazonaws.com",
        ),
        (r"given CloudWatch Logs permission to assume the provided role", "logs.amazonaws.com"),
    ),
    form(
        "redshift-role",
        r"User (?P<who>arn:[\w-]+:redshift:[^\s\"']{1,512}) is not authorized to assume IAM Role"
        r" (?:aws_iam_role=)?" + _ROLE,
        "the cluster does not get into the role: the role is not associated with the cluster, or its trust policy does "
        "not let Redshift assume it",
        action=_ASSUME,
        policy_type=PolicyType.TRUST,
        explicit=False,
    ),
    form(
        "role-not-assumed",
        r"current credentials could not be used to assume '" + _ROLE + "'",
        "the caller could not assume the role, and the tool went on with the caller's own permissions",
        action=_ASSUME,
    ),
    # AWS: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
    form(
        "cognito-roles",
        r"Invalid identity pool configuration\. Check assigned IAM roles for this pool",
        "the identity pool does not get into its role: it has none, or the role's trust policy does not accept this "
        "pool's tokens",
        action="sts:AssumeRoleWithWebIdentity",
        policy_type=PolicyType.TRUST,
        explicit=False,
        doctor="cognito-identity-pool",
    ),
    form(
        "service-linked-role-missing",
        r"(?:do not have permission to create the service-linked role for"
        r"|Verify that you have permission to create service[- ]linked role)",
        "the service-linked role that the service needs does not exist yet, and the caller may not make it: allow "
        "`iam:CreateServiceLinkedRole`, or let somebody make the role once with `aws iam create-service-linked-role`",
        action="iam:CreateServiceLinkedRole",
        doctor="service-linked-role",
    ),
)


def _no_invoke(*worded: tuple[str, str]) -> Iterator[Form]:
    """A service that a function does not let in."""
    for words, service in worded:
        yield form(
            "service-may-not-invoke",
            words,
            "the function's own policy does not let the service invoke it, for this source",
            principal=f"{service}.amazonaws.com",
            action="lambda:InvokeFunction",
            policy_type=PolicyType.RESOURCE,
            explicit=False,
            doctor="lambda-invoke",
        )


_DELIVERIES: tuple[Form, ...] = (
    *_no_invoke(
        (
            r"Execution failed due to configuration error: Invalid permissions on Lambda function",
            "apigateway",
        ),
        (r"Make sure you have given CloudWatch Logs permission to execute your function", "logs"),
    ),
    form(
        "s3-notification",
        r"Unable to validate the following destination configurations",
        "S3 could not send a test event: the queue, topic or function is not there, or its policy, or the key of the "
        "queue or topic, does not let S3 in for this bucket",
        principal="s3.amazonaws.com",
        policy_type=PolicyType.RESOURCE,
        explicit=False,
        doctor="s3-notification",
    ),
    # AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    form(
        "elb-access-logs",
        r"Access Denied for bucket: (?P<bucket>[\w.-]{3,63}?)\. Please check S3\s*bucket permission",
        "the bucket's policy does not let Elastic Load Balancing write there, the bucket is in another region, or it "
        "is encrypted otherwise than with keys of S3",
        policy_type=PolicyType.RESOURCE,
        explicit=False,
    ),
    # AWS: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html
    form(
        "flow-log-destination",
        r"Access Denied for LogDestination: (?P<bucket>[\w.-]{3,63}?)\. Please check LogDestination permission",
        "the bucket is not there, or its policy does not let the delivery of logs write there",
        principal="delivery.logs.amazonaws.com",
        policy_type=PolicyType.RESOURCE,
        explicit=False,
    ),
    form(
        "config-delivery",
        r"Insufficient delivery policy to s3 bucket: (?P<bucket>[\w.-]{3,63}), unable to write to bucket",
        "neither the recorder's role nor the bucket's policy lets AWS Config write there",
        doctor="config-delivery",
    ),
    form(
        "cloudtrail-delivery",
        r"Incorrect S3 bucket policy is detected for bucket: (?P<bucket>[\w.-]{3,63})",
        "the bucket's policy does not let CloudTrail read its list and write under this trail's prefix",
        principal="cloudtrail.amazonaws.com",
        policy_type=PolicyType.RESOURCE,
        explicit=False,
        doctor="cloudtrail-delivery",
    ),
    # AWS: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    form(
        "states-log-destination",
        r"The state machine IAM Role is not authorized to access the Log Destination",
        "the state machine's role may not set up the delivery of logs (`logs:CreateLogDelivery` and its kin, on `*`), "
        "or the log group's resource policy does not let the delivery write",
        action="logs:CreateLogDelivery",
    ),
    form(
        "codebuild-logs",
        r"Service role (?P<principal>arn:[\w-]+:iam::\d*:role/[^\s\"']{1,512}) does not allow AWS CodeBuild to create"
        r" Amazon CloudWatch Logs log streams",
        "the build's service role may not write its log",
        action="logs:CreateLogStream",
    ),
    form(
        "codepipeline-artifact",
        r"Unable to access the artifact with Amazon S3 object key '(?P<key>[^'\n]{1,1024})' located in the Amazon S3"
        r" artifact bucket '(?P<bucket>[\w.-]{3,63})'",
        "the action's role may not read the artifact, or may not use the key under which it is",
        action="s3:GetObject",
    ),
    form(
        "denied-by-service",
        r"Your access has been denied by (?P<service>\w{2,20}), please make sure your (?:request credentials|function"
        r" execution role) have permission to (?P<operation>\w{1,80})"
        r"(?: for (?P<bucket>[\w.-]{3,63})(?:/(?P<key>[^\s\"']{1,1024}?))?)?\."
        r"(?: \w+ Error Code: \w+\.)?(?: \w+ Error Message: [^\n.]{1,100})?",
        "the caller of the outer operation, or the function's role, may not do this behind it",
    ),
    form(
        "lambda-stream",
        r"Cannot access stream (?P<resource>arn:[^\s\"']{1,512}?)\. Please ensure the role can perform the"
        r" (?P<operation>\w{1,80})",
        "the function's execution role may not read the stream",
        policy_type=PolicyType.IDENTITY,
        explicit=False,
        doctor="lambda-access",
    ),
    form(
        "athena-output-bucket",
        r"Unable to verify/create output bucket (?P<bucket>[\w.-]{3,63})",
        "Athena, in the caller's name, cannot see the bucket for results: it is not there, or the caller may not ask "
        "where it is",
        action="s3:GetBucketLocation",
    ),
    form(
        "athena-output",
        r"Access denied when writing output to url: s3://(?P<bucket>[\w.-]{3,63})/(?P<key>[^\s\"']{1,1024})",
        "Athena, in the caller's name, may not write its results there, or may not use the key of the bucket",
        action="s3:PutObject",
    ),
)

_KEYS: tuple[Form, ...] = (
    # AWS: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    form(
        "kms-behind-secret",
        r"Access to KMS is not allowed",
        "the caller may not use the key of the secret (`kms:Decrypt` to read it, to write it `kms:GenerateDataKey` "
        "too): the key's policy or the caller's does not allow it",
        action="kms:Decrypt",
    ),
    # AWS: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    form(
        "ebs-key",
        r"Client\.InternalError: Client error on launch",
        "the instance's encrypted disk could not be opened: mostly the key's policy does not let the service-linked "
        "role that launches it, as that of Auto Scaling, use the customer managed key",
        action="kms:CreateGrant",
    ),
    form(
        "kms-not-accessible",
        r"The specified KMS key \[(?P<resource>arn:[^\s\]]{1,512})\] does not exist, is not enabled or you do not have"
        r" permissions to access it",
        "the key does not exist there, is not enabled, or its policies do not let the caller use it",
    ),
    # AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    form(
        "kms-state",
        r"(?P<resource>arn:[\w-]+:kms:[\w:/-]{1,256}) is (?:pending (?:deletion|import)|disabled)"
        r"|The KMS key provided is in an incorrect state",
        "the key's state forbids its use: enable it, or cancel its deletion",
        Meaning.PREREQUISITE,
    ),
    # AWS: https://docs.aws.amazon.com/efs/latest/ug/troubleshooting-efs-mounting.html
    form(
        "efs-mount",
        r"access denied by server while mounting (?:127\.0\.0\.1:|fs-)",
        "the file system's policy, or the role that mounts it with IAM, does not allow "
        "`elasticfilesystem:ClientMount`; or the path is not there",
        action="elasticfilesystem:ClientMount",
    ),
)

_ELSEWHERE: tuple[Form, ...] = (
    # AWS: https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-overview.html
    form(
        "lake-formation",
        r"Insufficient Lake Formation permission\(s\)(?:: Required [\w ,]{1,80}? on (?P<resource>[\w.*-]{1,256})| on"
        r" \(?(?P<on>[^\n()]{1,256}))?",
        "Lake Formation refused: its own permissions on databases and tables come beside those of IAM; "
        "grant there",
        Meaning.ELSEWHERE,
    ),
    # AWS: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    form(
        "api-authorizer",
        r"User is not authorized to access this resource(?: with an explicit deny(?: in an identity-based policy)?)?",
        "the API's own authorizer refused: the policy that it returned denies this method, or allows none",
        Meaning.ELSEWHERE,
        doctor="api-authorizer",
    ),
    form(
        "appsync",
        r"Not Authorized to access (?P<resource>\w{1,100}) on type (?P<type>\w{1,100})",
        "AppSync's own rules refused: the schema does not let this kind of sign-in, or this user, at the field",
        Meaning.ELSEWHERE,
    ),
    # AWS: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
    form(
        "opensearch",
        r"no permissions for \[(?P<resource>[\w:/*,\[\] -]{1,200}?)\] and User \[name=(?P<principal>[^,\]\n]{1,300})",
        "OpenSearch's fine-grained access control refused: no role there that is mapped to this user allows it",
        Meaning.ELSEWHERE,
    ),
    form(
        "sso-no-access",
        r"(?:calling the GetRoleCredentials operation: No access|ForbiddenException: No access)",
        "IAM Identity Center gives this user no such permission set in that account",
        Meaning.ELSEWHERE,
    ),
    form(
        "cognito-guests",
        r"Unauthenticated access is not supported for this identity pool",
        "the identity pool lets only signed-in identities in",
        Meaning.ELSEWHERE,
        doctor="cognito-identity-pool",
    ),
    # AWS: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies.html
    form(
        "tag-policy",
        r"The tag policy does not allow the specified value"
        r"(?: for the following tag key:? ?'?(?P<resource>[^'\n.]{1,128}))?",
        "a tag policy of the organisation allows other values for this tag",
        Meaning.ELSEWHERE,
    ),
    # AWS: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html
    form(
        "declarative-policy",
        r"This functionality has been disabled by a Declarative Policy",
        "a declarative policy of the organisation has switched this off; no permission opens it",
        Meaning.ELSEWHERE,
    ),
    form(
        "no-answer",
        r"(?:RequestError: send request failed[^\n]{0,300}|request context canceled[^\n]{0,300})"
        r"(?:timeout|no such host|connection refused|task network configuration)",
        "no answer came: the network leads nowhere from there, so that nobody was asked for permission",
        Meaning.ELSEWHERE,
    ),
    form(
        "bedrock-model",
        r"You don't have access to the model with the specified model ID",
        "the account has no access to this model in this region: ask for it in Bedrock's model access",
        Meaning.PREREQUISITE,
    ),
    form(
        "not-subscribed",
        r"(?:You are not subscribed to this service|Premium Support Subscription is required to use this service)",
        "the account has not subscribed to the service, or the region is not enabled for it",
        Meaning.PREREQUISITE,
    ),
    # AWS: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    form(
        "organizations",
        r"AccessDeniedException[^\n]{0,120}?: You don't have permissions to access this resource",
        "the text does not say why; most calls of AWS Organizations only the management account, or a delegated "
        "administrator, may make",
    ),
)

_SIGNATURES: tuple[Form, ...] = (
    form(
        "wrong-region",
        r"(?:the region '(?P<signed>[\w-]{1,40})' is wrong; expecting '(?P<resource>[\w-]{1,40})'"
        r"|must be addressed using the specified endpoint|Credential should be scoped to a valid region)",
        "the request went to another region than that of the bucket or service, or was signed for another",
        Meaning.CREDENTIALS,
    ),
    form(
        "signature-version",
        r"Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4",
        "the request, mostly a pre-signed URL, was signed the old way, which objects under a key of KMS do not take",
        Meaning.CREDENTIALS,
        doctor="presigned-url",
    ),
    form(
        "mfa-code",
        r"MultiFactorAuthentication failed",
        "the code of the MFA device is wrong, was used before, or is of another device than the one named",
        Meaning.CREDENTIALS,
    ),
    form(
        "session-of-session",
        r"Cannot call Get(?:Session|Federation)Token with session credentials",
        "this call takes a user's own access key; a session cannot ask for another session this way",
        Meaning.CREDENTIALS,
    ),
    form(
        "github-id-token",
        r"Did you mean to set the `id-token` permission",
        "the workflow has no token to show: it lacks `permissions: id-token: write`, so that AWS was not asked",
        Meaning.CREDENTIALS,
    ),
    form(
        "api-no-token",
        r"Missing Authentication Token",
        "the request bears no signature, or the API has no such path and method",
        Meaning.CREDENTIALS,
    ),
    form(
        "cloudfront-signed",
        r"Missing Key(?:-Pair-Id)? query parameter or cookie value",
        "CloudFront serves this path by signed URL or cookie only, and the request bears none",
        Meaning.CREDENTIALS,
    ),
)

SERVICE_FORMS: tuple[Form, ...] = (*_ROLES, *_DELIVERIES, *_KEYS, *_ELSEWHERE, *_SIGNATURES)
"""The wordings of single services."""

OF_SERVICES = frozenset(form.id for form in SERVICE_FORMS)
"""Their ids: what these tell of lies behind the operation that was called."""
