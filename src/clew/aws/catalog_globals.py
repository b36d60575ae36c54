"""Condition keys that belong to no single service.

AWS: "AWS global condition context keys" (IAM User Guide, reference_policies_condition-keys.html), each key's "Data
type" and "Value type", and its section "Sensitive condition keys"; `aws:SourceOwner`: Amazon SNS Developer Guide,
"Example cases for Amazon SNS access control". The catalogue's npm package describes only what pages of services name.
"""

from __future__ import annotations

from typing import Final

from clew.aws.catalog_types import ConditionKey

_SINGLE: Final = {
    ("ARN",): """
        aws:PrincipalArn aws:SignInSessionArn aws:ChatbotSourceArn aws:SourceVpcArn aws:SourceArn
        ec2:SourceInstanceArn codebuild:BuildArn codebuild:ProjectArn lambda:SourceFunctionArn ssm:SourceInstanceArn
    """,
    ("Bool",): """
        aws:PrincipalIsAWSService aws:AssumedRoot aws:MultiFactorAuthPresent aws:ViaAWSService aws:ViaAWSMCPService
        aws:SecureTransport aws:IsMcpServiceAction
    """,
    ("Date",): "aws:TokenIssueTime aws:CurrentTime",
    ("Date", "Numeric"): "aws:EpochTime",
    ("IPAddress",): "aws:Ec2InstanceSourcePrivateIPv4 aws:SourceIp aws:VpcSourceIp",
    ("Numeric",): "aws:MultiFactorAuthAge ec2:RoleDelivery",
    # The identity provider's name where it is built into AWS, its ARN otherwise.
    ("String", "ARN"): "aws:FederatedProvider",
    ("String",): """
        aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalTag/${TagKey} aws:PrincipalServiceName
        aws:PrincipalType aws:userid aws:username aws:Ec2InstanceSourceVpc aws:SourceIdentity
        glue:RoleAssumedBy glue:CredentialIssuingService identitystore:UserId
        aws:SourceVpc aws:SourceVpce aws:VpceAccount aws:VpceOrgID
        aws:ResourceAccount aws:ResourceOrgID aws:ResourceTag/${TagKey}
        aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP aws:referer aws:RequestedRegion
        aws:RequestTag/${TagKey} aws:SourceAccount aws:SourceOrgID aws:SourceOwner aws:UserAgent
    """,
}
_MULTIVALUED: Final = """
    aws:PrincipalOrgPaths aws:PrincipalServiceNamesList aws:VpceOrgPaths aws:ResourceOrgPaths aws:CalledVia aws:TagKeys
    aws:SourceOrgPaths
"""

GLOBAL_KEYS: Final = (
    *(
        ConditionKey(name, value_types, multivalued=False, is_global=True)
        for value_types, names in _SINGLE.items()
        for name in names.split()
    ),
    *(ConditionKey(name, ("String",), multivalued=True, is_global=True) for name in _MULTIVALUED.split()),
)
"""Every global key with its types and whether it holds several values."""

SENSITIVE_KEYS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpceaccount",
        "aws:vpceorgid",
    }
)
"""The keys, in lower case, whose values a policy should never compare with wildcards."""

IDENTITY_PROVIDER_KEYS: Final = {
    claim: ConditionKey(
        f"${{IdentityProvider}}:{claim}", ("String",), multivalued=claim == "amr", is_global=True
    )
    for claim in ("amr", "aud", "email", "oaud", "sub")
}
"""The keys of any OpenID Connect provider, by the claim after its host name.

AWS: "IAM and AWS STS condition context keys", Available keys for AWS OIDC federation; `amr` is multivalued there.
"""

_BY_NAME: Final = {key.name.lower(): key for key in GLOBAL_KEYS}
_TEMPLATES: Final = tuple(key for key in GLOBAL_KEYS if key.is_template)


def global_key(name: str) -> ConditionKey | None:
    """The key of this lower-case name that belongs to no single service; None when there is none.

    >>> global_key("aws:principaltag/team").name, global_key("token.actions.githubusercontent.com:sub").name
    ('aws:PrincipalTag/${TagKey}', '${IdentityProvider}:sub')
    """
    provider, _, claim = name.partition(":")
    if "." in provider and claim in IDENTITY_PROVIDER_KEYS:
        return IDENTITY_PROVIDER_KEYS[claim]
    return _BY_NAME.get(name) or next((key for key in _TEMPLATES if key.matches(name)), None)
