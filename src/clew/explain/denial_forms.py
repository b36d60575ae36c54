"""The wordings of refusals that are no `User: … is not authorized to perform: …`, and what each one says.

AWS: "Troubleshoot access denied error messages"; the error lists of the services named beside the rows. A wording
names its parts as groups: `principal`, `action`, `resource`. The first row that matches at a place is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.explain.denial import Meaning, PolicyType

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Form:
    """One wording: its id, the expression that finds it, what kind of refusal it is, and what that means in words."""

    id: str
    pattern: re.Pattern[str]
    meaning: Meaning
    says: str
    action: str | None = None
    policy_type: PolicyType | None = None
    explicit: bool | None = None


def _form(
    identity: str,
    words: str,
    says: str,
    meaning: Meaning = Meaning.DENIED,
    *,
    action: str | None = None,
    policy_type: PolicyType | None = None,
    explicit: bool | None = None,
) -> Form:
    """A row; a blank in `words` stands for any run of white space."""
    pattern = re.compile(words.replace(" ", r"\s+"), re.IGNORECASE)
    return Form(identity, pattern, meaning, says, action, policy_type, explicit)


FORMS: tuple[Form, ...] = (
    # AWS: S3, "Blocking public access to your Amazon S3 storage".
    _form(
        "s3-public-acl",
        r"public ACLs are (?:prevented|blocked) by the BlockPublicAcls setting in S3 Block Public Access",
        "the request grants to everybody by an access control list, and Block Public Access refuses such lists",
        policy_type=PolicyType.BLOCK_PUBLIC_ACCESS,
    ),
    _form(
        "s3-public-policy",
        r"public policies are (?:prevented|blocked) by the BlockPublicPolicy setting in S3 Block Public Access",
        "the new bucket policy is public, and Block Public Access refuses such policies",
        policy_type=PolicyType.BLOCK_PUBLIC_ACCESS,
    ),
    # AWS: S3, "Troubleshoot access denied (403 Forbidden) errors", S3 Object Lock settings.
    _form(
        "s3-object-lock",
        r"Access Denied because object protected by object lock",
        "a retention or a legal hold of Object Lock protects the object, whatever policies say: wait for its end, take "
        "the hold off, or bypass governance mode with s3:BypassGovernanceRetention and the header that asks for it",
        Meaning.PREREQUISITE,
        action="s3:DeleteObjectVersion",
    ),
    # AWS: S3, "Controlling ownership of objects and disabling ACLs for your bucket", error code 400.
    _form(
        "s3-no-lists",
        r"The bucket does not allow ACLs",
        "the request sets an access control list, and the bucket has lists switched off (Object Ownership "
        "BucketOwnerEnforced): leave the list out, and grant in the bucket policy",
        Meaning.PREREQUISITE,
        action="s3:PutObjectAcl",
    ),
    # AWS: STS, "AssumeRoleWithWebIdentity", Errors.
    _form(
        "web-identity",
        r"Not authorized to perform (?P<action>sts:AssumeRoleWith(?:WebIdentity|SAML))",
        "the role's trust policy does not accept this token: its provider, audience or subject differ",
        policy_type=PolicyType.TRUST,
    ),
    _form(
        "oidc-audience",
        r"Incorrect token audience",
        "the audience of the token is not among the client ids of the OIDC provider in IAM",
        Meaning.CREDENTIALS,
        action="sts:AssumeRoleWithWebIdentity",
    ),
    _form(
        "oidc-provider",
        r"No OpenIDConnect provider found in your account for (?P<resource>\S+)",
        "the account of the role has no OIDC provider for the issuer of the token",
        Meaning.PREREQUISITE,
        action="sts:AssumeRoleWithWebIdentity",
    ),
    _form(
        "root-assumes",
        r"Roles may not be assumed by root accounts",
        "the root user cannot assume roles, whatever policies say",
        action="sts:AssumeRole",
    ),
    _form(
        "chained-duration",
        r"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        "a role that was assumed from another role lasts an hour at most",
        Meaning.LIMIT,
        action="sts:AssumeRole",
    ),
    _form(
        "session-duration",
        r"The requested DurationSeconds exceeds the MaxSessionDuration set for this role",
        "the session asked for is longer than the role's maximum",
        Meaning.LIMIT,
        action="sts:AssumeRole",
    ),
    _form(
        "pass-role-cross-account",
        r"Cross-account pass role is not allowed",
        "a role can only be passed to a service within its own account",
        action="iam:PassRole",
    ),
    # AWS: KMS, "Decrypt", Errors; the older text.
    _form(
        "kms-ciphertext",
        r"The ciphertext refers to a customer (?:master|managed) key that does not exist, does not exist in this"
        r" region, or you are not allowed to access",
        "the key of this ciphertext is missing, is in another region, or its policies do not allow its use",
        action="kms:Decrypt",
    ),
    # AWS: Lambda, "Troubleshoot invocation issues".
    _form(
        "lambda-environment",
        r"Lambda was unable to (?P<verb>decrypt|configure access to) (?:the|your) environment variables because"
        r" (?:the )?KMS access was denied",
        "the function's execution role may not use the key of its environment variables; if the role was deleted and"
        " made again, the key's grant still names the old one",
        action="kms:Decrypt",
    ),
    # AWS: Lambda developer guide, "Troubleshoot networking issues in Lambda"; CreateFunction, InvalidParameterValue.
    _form(
        "lambda-execution-role",
        r"The provided execution role does not have permissions to call (?P<operation>\w{1,100})"
        r" on (?P<service>\w{1,40})",
        "the function's execution role may not do what Lambda does in its name",
        policy_type=PolicyType.IDENTITY,
        explicit=False,
    ),
    # AWS: ECS, "Using service-linked roles".
    _form(
        "ecs-service-linked-role",
        r"Unable to assume the service linked role\. Please verify that the ECS service linked role exists",
        "the service-linked role of ECS does not exist in this account",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    _form(
        "service-linked-role-in-use",
        r"(?:Cannot delete (?:the )?(?:service[- ]linked )?role|A service-linked role cannot be deleted)[^\n]{0,200}?"
        r"(?:resources?|in use|being used)",
        "a service-linked role goes only after the resources that use it",
        Meaning.PREREQUISITE,
        action="iam:DeleteServiceLinkedRole",
    ),
    _form(
        "service-linked-role-protected",
        r"Cannot perform the operation on the protected role '(?P<resource>[^'\n]{1,200})'",
        "the role belongs to a service: only that service changes it",
        Meaning.PREREQUISITE,
    ),
    _form(
        "service-linked-role-no-suffix",
        r"Custom suffix is not allowed for (?P<resource>\S+?\.amazonaws\.com)",
        "the service-linked role of this service takes no suffix: make it without",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    _form(
        "service-linked-role-suffix",
        r"Service role name (?P<resource>\S+) has been taken in this account, please try a different suffix",
        "a service-linked role with this suffix exists already",
        Meaning.PREREQUISITE,
        action="iam:CreateServiceLinkedRole",
    ),
    # Not IAM's to decide.
    _form(
        "kubernetes",
        r'User "(?P<principal>[^"\n]{1,500})" cannot (?P<verb>\w+) resource "(?P<resource>[^"\n]{1,200})" in API group',
        "Kubernetes' own role-based access control refused: IAM let the caller in",
        Meaning.ELSEWHERE,
    ),
    _form(
        "kubernetes-login",
        r"You must be logged in to the server \(Unauthorized\)",
        "the cluster does not know this IAM principal: no access entry, and no row in `aws-auth`",
        Meaning.ELSEWHERE,
        action="eks:AccessKubernetesApi",
    ),
    # Who asks is not accepted; no policy was consulted. AWS: "Common errors" of every API reference.
    _form(
        "token-invalid",
        r"The security token included in the request is invalid",
        "AWS does not know this access key, or the session token does not belong to it",
        Meaning.CREDENTIALS,
    ),
    _form(
        "token-expired",
        r"(?:The (?:security|provided) token (?:included in the request is|has)|Token has"
        r"|The SSO session associated with this profile has) expired",
        "the temporary credentials are past their end",
        Meaning.CREDENTIALS,
    ),
    _form(
        "signature",
        r"The request signature we calculated does not match",
        "the secret key is not the one of this access key, or the request was changed after it was signed",
        Meaning.CREDENTIALS,
    ),
    _form(
        "clock",
        r"(?:The difference between the request time and the current time is too large|Signature expired:)",
        "the caller's clock and AWS's are too far apart, or the request was sent long after it was signed",
        Meaning.CREDENTIALS,
    ),
    _form(
        "url-expired",
        r"Request has expired",
        "the pre-signed URL, or the session that signed it, is past its end",
        Meaning.CREDENTIALS,
    ),
    _form(
        "key-unknown",
        r"The AWS Access Key Id you provided does not exist in our records",
        "the access key does not exist, or belongs to another partition",
        Meaning.CREDENTIALS,
    ),
    _form(
        "no-credentials",
        r"(?:Unable to locate credentials|NoCredentialProviders: no valid providers in chain"
        r"|No valid credential sources found|Unable to load credentials from any of the providers"
        r"|Missing credentials in config|Could not load credentials from any providers)",
        "the SDK found no credentials, so that AWS was not asked",
        Meaning.CREDENTIALS,
    ),
    # Older and odder words for the same thing.
    _form(
        "principal-execute",
        r"Principal \[(?P<principal>[^\]\n]{1,2000})\] is not allowed to execute \[(?P<action>[^\]\n]{1,200})\] on the"
        r" resource(?:: ?(?P<resource>[^\s,;\"']{1,2000}))?",
        "the request is refused; the text does not say by which policy",
    ),
    _form(
        "user-access",
        r"User: (?P<principal>\S{1,2000}) is not authorized to access this resource"
        r"(?P<explicit> with an explicit deny)?",
        "the request is refused; the text names neither action nor resource",
    ),
    _form(
        "resource-access",
        r"Not authorized to access resource (?P<resource>[^\s,;\"']{1,2000})",
        "the request is refused; the text does not say for whom",
    ),
    _form(
        "resource-denied",
        r"Access to the resource (?P<resource>\S{1,2000}) is denied",
        "the request is refused; the text does not say for whom",
    ),
    _form(
        "no-access",
        r"No access to any requested resource",
        "the request is refused; the text names nothing",
    ),
    _form(
        "ec2-operation",
        r"You are not authorized to perform this operation\.?",
        "EC2 refuses the call; the encoded message, where there is one, holds the details",
    ),
    _form(
        "access-denied",
        r"Access Denied\b",
        "the request is refused, and the text says nothing more",
    ),
    # AWS: S3 API reference, "HeadObject", Permissions: without s3:ListBucket a missing object is 403, not 404.
    _form(
        "head-object",
        r"\(403\) when calling the HeadObject operation: Forbidden",
        "S3 gives no reason for HEAD requests; whoever may not list the bucket gets 403 for a missing object, too",
        action="s3:GetObject",
    ),
    _form(
        "head-bucket",
        r"\(403\) when calling the HeadBucket operation: Forbidden",
        "S3 gives no reason for HEAD requests; a bucket of another account is 403, too",
        action="s3:ListBucket",
    ),
    _form(
        "forbidden",
        r"(?:\(403\) when calling the \w{1,100} operation: Forbidden|\b403 Forbidden\b|Status\s*Code:\s*403\b)",
        "the service answered 403 without a reason",
    ),
)
"""Every wording, the telling ones first: the last rows match inside many longer texts."""

BARE = ("ec2-operation", "no-access", "access-denied", "head-object", "head-bucket", "forbidden")
"""Wordings that add nothing to a more telling one beside them; the more telling of these first."""

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
