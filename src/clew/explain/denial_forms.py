"""The wordings of refusals that are no `User: … is not authorized to perform: …`, and what each one says.

AWS: "Troubleshoot access denied error messages"; the error lists of the services named beside the rows. A wording
names its parts as groups: `principal`, `action`, `resource`. The first row that matches at a place is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.explain.denial import Meaning, PolicyType
from clew.explain.denial_form import Form, form
from clew.explain.denial_services import SERVICE_FORMS

if TYPE_CHECKING:
    from collections.abc import Mapping


FORMS: tuple[Form, ...] = (
    # AWS: S3, "Blocking public access to your Amazon S3 storage".
    form(
        "s3-public-acl",
        r"public ACLs are (?:prevented|blocked) by the BlockPublicAcls setting in S3 Block Public Access",
        "the request grants to everybody by an access control list, and Block Public Access refuses such lists",
        policy_type=PolicyType.BLOCK_PUBLIC_ACCESS,
    ),
    form(
        "s3-public-policy",
        r"public policies are (?:prevented|blocked) by the BlockPublicPolicy setting in S3 Block Public Access",
        "the new bucket policy is public, and Block Public Access refuses such policies",
        policy_type=PolicyType.BLOCK_PUBLIC_ACCESS,
    ),
    # AWS: S3, "Troubleshoot access denied (403 Forbidden) errors", S3 Object Lock settings.
    form(
        "s3-object-lock",
        r"Access Denied because object protected by object lock",
        "a retention or a legal hold of Object Lock protects the object, whatever policies say: wait for its end, take "
        "the hold off, or bypass governance mode with s3:BypassGovernanceRetention and the header that asks for it",
        Meaning.PREREQUISITE,
        action="s3:DeleteObjectVersion",
    ),
    # AWS: S3, "Controlling ownership of objects and disabling ACLs for your bucket", error code 400.
    form(
        "s3-no-lists",
        r"The bucket does not allow ACLs",
        "the request sets an access control list, and the bucket has lists switched off (Object Ownership "
        "BucketOwnerEnforced): leave the list out, and grant in the bucket policy",
        Meaning.PREREQUISITE,
        action="s3:PutObjectAcl",
    ),
    # AWS: STS, "AssumeRoleWithWebIdentity", Errors.
    form(
        "web-identity",
        r"Not authorized to perform (?P<action>sts:AssumeRoleWith(?:WebIdentity|SAML))",
        "the role's trust policy does not accept this token: its provider, audience or subject differ",
        policy_type=PolicyType.TRUST,
    ),
    form(
        "oidc-audience",
        r"Incorrect token audience",
        "the audience of the token is not among the client ids of the OIDC provider in IAM",
        Meaning.CREDENTIALS,
        action="sts:AssumeRoleWithWebIdentity",
    ),
    form(
        "oidc-provider",
        r"No OpenIDConnect provider found in your account for (?P<resource>\S+)",
        "the account of the role has no OIDC provider for the issuer of the token",
        Meaning.PREREQUISITE,
        action="sts:AssumeRoleWithWebIdentity",
    ),
    form(
        "root-assumes",
        r"Roles may not be assumed by root accounts",
        "the root user cannot assume roles, whatever policies say",
        action="sts:AssumeRole",
    ),
    form(
        "chained-duration",
        r"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "a role that was assumed from another role lasts an hour at most",
        Meaning.LIMIT,
        action="sts:AssumeRole",
    ),
    form(
        "session-duration",
        r"The requested DurationSeconds exceeds the MaxSessionDuration set for this role",
        "the session asked for is longer than the role's maximum",
        Meaning.LIMIT,
        action="sts:AssumeRole",
    ),
    form(
        "pass-role-cross-account",
        r"Cross-account pass role is not allowed",
        "a role can only be passed to a service within its own account",
        action="iam:PassRole",
    ),
    # AWS: KMS, "Decrypt", Errors; the older text.
    form(
        "kms-ciphertext",
        r"The ciphertext refers to a customer (?:master|managed) key that does not exist, does not exist in this"
        r" region, or you are not allowed to access",
        "the key of this ciphertext is missing, is in another region, or its policies do not allow its use",
        action="kms:Decrypt",
    ),
    # AWS: Lambda, "Troubleshoot invocation issues".
    form(
        "lambda-environment",
        r"Lambda was unable to (?P<verb>decrypt|configure access to) (?:the|your) environment variables because"
        r" (?:the )?KMS access was denied",
        "the function's execution role may not use the key of its environment variables; if the role was deleted and"
        " made again, the key's grant still names the old one",
        action="kms:Decrypt",
    ),
    # AWS: Lambda developer guide, "Troubleshoot networking issues in Lambda"; CreateFunction, InvalidParameterValue.
    form(
        "lambda-execution-role",
        r"The provided execution role does not have permissions to call (?P<operation>\w{1,100})"
        r" on (?P<service>\w{1,40})",
        "the function's execution role may not do what Lambda does in its name",
        policy_type=PolicyType.IDENTITY,
        explicit=False,
    ),
    # AWS: ECS, "Using service-linked roles".
    form(
        "ecs-service-linked-role",
        r"Unable to assume the service linked role\. Please verify that the ECS service linked role exists",
        "the service-linked role of ECS does not exist in this account",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    form(
        "service-linked-role-in-use",
        r"(?:Cannot delete (?:the )?(?:service[- ]linked )?role|A service-linked role cannot be deleted)[^\n]{0,200}?"
        r"(?:resources?|in use|being used)",
        "a service-linked role goes only after the resources that use it",
        Meaning.PREREQUISITE,
        action="iam:DeleteServiceLinkedRole",
    ),
    form(
        "service-linked-role-protected",
        r"Cannot perform the operation on the protected role '(?P<resource>[^'\n]{1,200})'",
        "the role belongs to a service: only that service changes it",
        Meaning.PREREQUISITE,
    ),
    form(
        "service-linked-role-no-suffix",
        r"Custom suffix is not allowed for (?P<resource>\S+?\.amazonaws\.com)",
        "the service-linked role of this service takes no suffix: make it without",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    form(
        "service-linked-role-suffix",
        r"Service role name (?P<resource>\S+) has been taken in this account, please try a different suffix",
        "a service-linked role with this suffix exists already",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    # Not IAM's to decide.
    form(
        "kubernetes",
        r'User "(?P<principal>[^"\n]{1,500})" cannot (?P<verb>\w+) resource "(?P<resource>[^"\n]{1,200})" in API group',
        "Kubernetes' own role-based access control refused: IAM let the caller in",
        Meaning.ELSEWHERE,
    ),
    form(
        "kubernetes-login",
        r"You must be logged in to the server \((?:Unauthorized|the server has asked for the client to provide)",
        "the cluster does not know this IAM principal: no access entry, and no row in `aws-auth`",
        Meaning.ELSEWHERE,
        action="eks:AccessKubernetesApi",
    ),
    # Who asks is not accepted; no policy was consulted. AWS: "Common errors" of every API reference.
    form(
        "token-invalid",
        r"(?:The security token included in the request is invalid|Session token not found or invalid"
        r"|AWS was not able to validate the provided access credentials)",
        "AWS does not know this access key or token, or does not take it in this region or partition",
        Meaning.CREDENTIALS,
    ),
    form(
        "token-expired",
        r"(?:The (?:security|provided) token (?:included in the request is|has)|(?:Your authorization )?token has"
        r"|The SSO session associated with this profile has) expired",
        "the temporary credentials are past their end",
        Meaning.CREDENTIALS,
    ),
    form(
        "signature",
        r"The request signature we calculated does not match",
        "the secret key is not the one of this access key, or the request was changed after it was signed",
        Meaning.CREDENTIALS,
    ),
    form(
        "clock",
        r"(?:The difference between the request time and the current time is too large|Signature expired:"
        r"|Signature not yet current:)",
        "the caller's clock and AWS's are too far apart, or the request was sent long after it was signed",
        Meaning.CREDENTIALS,
    ),
    form(
        "url-expired",
        r"Request has expired",
        "the pre-signed URL, or the session that signed it, is past its end",
        Meaning.CREDENTIALS,
    ),
    form(
        "key-unknown",
        r"The AWS Access Key Id you provided does not exist in our records",
        "the access key does not exist, or belongs to another partition",
        Meaning.CREDENTIALS,
    ),
    form(
        "no-credentials",
        r"(?:Unable to locate credentials|NoCredentialProviders: no valid providers in chain"
        r"|No valid credential sources found|Unable to load credentials from any of the providers"
        r"|no basic auth credentials|no EC2 IMDS role found|Error retrieving metadata: Received non 200 response"
        r"|Error loading SSO Token: Token for \S+ does not exist"
        r"|Missing credentials in config|Could not load credentials from any providers)",
        "the SDK found no credentials, so that AWS was not asked",
        Meaning.CREDENTIALS,
    ),
    *SERVICE_FORMS,
    # Older and odder words for the same thing.
    form(
        "principal-execute",
        r"Principal \[(?P<principal>[^\]\n]{1,2000})\] is not allowed to execute \[(?P<action>[^\]\n]{1,200})\] on the"
        r" resource(?:: ?(?P<resource>[^\s,;\"']{1,2000}))?",
        "the request is refused; the text does not say by which policy",
    ),
    form(
        "user-access",
        r"User: (?P<principal>\S{1,2000}) is not authorized to access this resource"
        r"(?P<explicit> with an explicit deny)?",
        "the request is refused; the text names neither action nor resource",
    ),
    form(
        "resource-access",
        r"Not authorized to access resource (?P<resource>[^\s,;\"']{1,2000})",
        "the request is refused; the text does not say for whom",
    ),
    form(
        "resource-denied",
        r"Access to the resource (?P<resource>\S{1,2000}) is denied",
        "the request is refused; the text does not say for whom",
    ),
    form(
        "no-access",
        r"No access to any requested resource",
        "the request is refused; the text names nothing",
    ),
    form(
        "ec2-operation",
        r"You are not authorized to perform this operation\.?",
        "EC2 refuses the call; the encoded message, where there is one, holds the details",
    ),
    form(
        "access-denied",
        r"Access Denied\b(?! by server)",
        "the request is refused, and the text says nothing more",
    ),
    # AWS: S3 API reference, "HeadObject", Permissions: without s3:ListBucket a missing object is 403, not 404.
    form(
        "head-object",
        r"(?:\(403\) when calling the HeadObject operation: Forbidden"
        r"|\bHeadObject, https response error StatusCode: 403)",
        "S3 gives no reason for HEAD requests; whoever may not list the bucket gets 403 for a missing object, too",
        action="s3:GetObject",
    ),
    form(
        "head-bucket",
        r"(?:\(403\) when calling the HeadBucket operation: Forbidden"
        r"|\bHeadBucket, https response error StatusCode: 403)",
        "S3 gives no reason for HEAD requests; a bucket of another account is 403, too",
        action="s3:ListBucket",
    ),
    form(
        "forbidden",
        r"(?:\(403\) when calling the \w{1,100} operation: Forbidden|\b403 Forbidden\b"
        r"|(?<!http)Status\s*Code:\s*403\b)",
        "the service answered 403 without a reason",
    ),
)
"""Every wording, the telling ones first: the last rows match inside many longer texts."""

BY_ID: Mapping[str, Form] = {each.id: each for each in FORMS}
"""Each wording by its id; of those that share one, the last."""

BARE = (
    "codebuild-logs",
    "ec2-operation",
    "no-access",
    "access-denied",
    "head-object",
    "head-bucket",
    "forbidden",
)
"""Wordings that add nothing to a more telling one beside them; the more telling of these first."""

SERVICES: Mapping[tuple[str, str], str] = {
    # AWS: CloudWatch user guide, "Notify users on alarm changes", "Invoke a Lambda function from an alarm".
    ("CloudWatch Alarms", "sns"): "cloudwatch.amazonaws.com",
    ("CloudWatch Alarms", "lambda"): "lambda.alarms.cloudwatch.amazonaws.com",
}
"""Services that name themselves in words, and the prefix of what they asked for → the principal of policies."""

POLICY_TYPES: Mapping[str, PolicyType] = {
    "identity": PolicyType.IDENTITY,
    "trust": PolicyType.TRUST,
    "service control": PolicyType.SCP,
    "resource control": PolicyType.RCP,
    "resource": PolicyType.RESOURCE,
    "boundary": PolicyType.BOUNDARY,
    "session": PolicyType.SESSION,
    "endpoint": PolicyType.ENDPOINT,
}
"""Words of a reason → the type of policy; looked for in this order, since `resource` is part of others."""


def policy_type(words: str) -> PolicyType | None:
    """The type of policy that these words name; None for words that are not known.

    >>> policy_type("an identity-based policy"), policy_type("a sessions policy").value, policy_type("a whim")
    (<PolicyType.IDENTITY: 'identity'>, 'session', None)
    """
    lowered = " ".join(words.lower().split())
    return next((kind for word, kind in POLICY_TYPES.items() if word in lowered), None)
