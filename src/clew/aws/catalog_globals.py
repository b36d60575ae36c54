"""Condition keys that belong to no single service.

AWS: "AWS global condition context keys" (IAM User Guide, reference_policies_condition-keys.html): each key's "Data
type" and "Value type". The npm package of the catalogue describes only what the pages of the services name.
"""

from __future__ import annotations

from typing import Final

from clew.aws.catalog_types import ConditionKey

_SINGLE: Final = {
    "ARN": """
        aws:PrincipalArn aws:SignInSessionArn aws:ChatbotSourceArn aws:SourceVpcArn aws:SourceArn
        ec2:SourceInstanceArn lambda:SourceFunctionArn ssm:SourceInstanceArn codebuild:BuildArn codebuild:ProjectArn
    """,
    "Bool": """
        aws:PrincipalIsAWSService aws:MultiFactorAuthPresent aws:ViaAWSService aws:ViaAWSMCPService
        aws:SecureTransport aws:IsMcpServiceAction
    """,
    "Date": "aws:TokenIssueTime aws:CurrentTime aws:EpochTime",
    "IPAddress": "aws:Ec2InstanceSourcePrivateIPv4 aws:SourceIp aws:VpcSourceIp",
    "Numeric": "aws:MultiFactorAuthAge ec2:RoleDelivery",
    "String": """
        aws:PrincipalAccount aws:PrincipalOrgID aws:PrincipalTag/${TagKey} aws:PrincipalServiceName
        aws:PrincipalType aws:userid aws:username aws:AssumedRoot aws:FederatedProvider aws:Ec2InstanceSourceVpc
        aws:SourceIdentity glue:RoleAssumedBy glue:CredentialIssuingService identitystore:UserId aws:SourceVpc
        aws:SourceVpce aws:VpceAccount aws:VpceOrgID aws:ResourceAccount aws:ResourceOrgID
        aws:ResourceTag/${TagKey} aws:CalledViaFirst aws:CalledViaLast aws:CalledViaAWSMCP aws:referer
        aws:RequestedRegion aws:RequestTag/${TagKey} aws:SourceAccount aws:SourceOrgID aws:SourceOwner aws:UserAgent
    """,
}
_MULTIVALUED: Final = """
    aws:PrincipalOrgPaths aws:PrincipalServiceNamesList aws:VpceOrgPaths aws:ResourceOrgPaths aws:CalledVia aws:TagKeys
    aws:SourceOrgPaths
"""

GLOBAL_KEYS: Final = (
    *(
        ConditionKey(name, value_type, multivalued=False, is_global=True)
        for value_type, names in _SINGLE.items()
        for name in names.split()
    ),
    *(ConditionKey(name, "String", multivalued=True, is_global=True) for name in _MULTIVALUED.split()),
)
"""Every global key with its type and whether it holds several values."""
