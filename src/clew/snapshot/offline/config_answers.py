"""Configuration items of AWS Config as the answers that the services would give.

AWS Config writes the services' members in lower camel case; `_CAPITALS` holds the names that do not follow by capitals
alone. AWS: "Supported resource types for AWS Config"; Config's resource schemas.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.snapshot.answers import GLOBAL, Call
from clew.snapshot.items import Status
from clew.snapshot.offline import told as telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.snapshot.items import Item
    from clew.snapshot.offline.told import Told

_CAPITALS = {
    "ipv4Ranges": "IpRanges",
    "dBInstanceIdentifier": "DBInstanceIdentifier",
    "sSEAlgorithm": "SSEAlgorithm",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyID": "KMSMasterKeyID",
    "isMfaDeleteEnabled": "MFADelete",
}
# The list that each type stands in: service, operation, member; the region's unless the service has none.
_LISTS = {
    "AWS::IAM::User": ("iam", "GetAccountAuthorizationDetails", "UserDetailList"),
    "AWS::IAM::Group": ("iam", "GetAccountAuthorizationDetails", "GroupDetailList"),
    "AWS::IAM::Role": ("iam", "GetAccountAuthorizationDetails", "RoleDetailList"),
    "AWS::IAM::Policy": ("iam", "GetAccountAuthorizationDetails", "Policies"),
    "AWS::EC2::SecurityGroup": ("ec2", "DescribeSecurityGroups", "SecurityGroups"),
    "AWS::EC2::VPC": ("ec2", "DescribeVpcs", "Vpcs"),
    "AWS::EC2::Subnet": ("ec2", "DescribeSubnets", "Subnets"),
    "AWS::EC2::RouteTable": ("ec2", "DescribeRouteTables", "RouteTables"),
    "AWS::EC2::NetworkAcl": ("ec2", "DescribeNetworkAcls", "NetworkAcls"),
    "AWS::EC2::NetworkInterface": ("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces"),
    "AWS::EC2::FlowLog": ("ec2", "DescribeFlowLogs", "FlowLogs"),
    "AWS::EC2::Volume": ("ec2", "DescribeVolumes", "Volumes"),
    "AWS::RDS::DBInstance": ("rds", "DescribeDBInstances", "DBInstances"),
    "AWS::CloudTrail::Trail": ("cloudtrail", "DescribeTrails", "trailList"),
}
_GROUPS = {
    "AllUsers": "http://acs.amazonaws.com/groups/global/AllUsers",
    "AuthenticatedUsers": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    "LogDelivery": "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
_RIGHTS = {
    "Read": "READ",
    "Write": "WRITE",
    "ReadAcp": "READ_ACP",
    "WriteAcp": "WRITE_ACP",
    "FullControl": "FULL_CONTROL",
}


def tell(told: Told, items: Iterable[Item]) -> None:
    """Take in the last item of each resource; types that are not read are noted."""
    left: dict[str, int] = {}
    for item in items:
        if item.status in {Status.DELETED, Status.NOT_RECORDED}:
            continue
        if item.key.type == "AWS::S3::Bucket":
            _bucket(told, item)
        elif item.key.type in _LISTS:
            _listed(told, item)
        else:
            left[item.key.type] = left.get(item.key.type, 0) + 1
    told.notes += [
        f"configuration items of {type_} are not read: {count}" for type_, count in sorted(left.items())
    ]


def _listed(told: Told, item: Item) -> None:
    service, operation, member = _LISTS[item.key.type]
    region = GLOBAL if service == "iam" else item.key.region
    call = Call(item.key.account, region, service, operation)
    if item.configuration is None:
        alone = Call(item.key.account, region, service, operation, (("ResourceId", item.key.id),))
        told.leaves_open(alone, f"`{item.label}`: its configuration was not selected", item.source)
        return
    configuration = capitalised(item.configuration)
    shown = configuration if isinstance(configuration, dict) else {}
    home = str(shown.get("HomeRegion") or item.key.region)
    if item.key.type == "AWS::CloudTrail::Trail" and home != item.key.region:
        return
    told.lists(call, member, shown, item.source)


def capitalised(value: object) -> object:
    """The value with members named as the API names them.

    >>> capitalised({"groupId": "sg-1", "ipPermissions": [{"ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}]}]})
    {'GroupId': 'sg-1', 'IpPermissions': [{'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}]}
    """
    if isinstance(value, list):
        return [capitalised(each) for each in value]
    if not isinstance(value, dict):
        return value
    # Config writes ranges twice: `ipRanges` holds bare texts, `ipv4Ranges` what the API calls IpRanges.
    kept = {name: part for name, part in value.items() if not (name == "ipRanges" and "ipv4Ranges" in value)}
    return {_capital(name): part if _is_document(name) else capitalised(part) for name, part in kept.items()}


def _capital(name: str) -> str:
    return _CAPITALS.get(name) or f"{name[:1].upper()}{name[1:]}"


def _is_document(name: str) -> bool:
    """Whether a policy document stands under the name: its members are written as they are."""
    return name.endswith(("Document", "document"))


def _bucket(told: Told, item: Item) -> None:
    account, name = item.key.account, item.key.id

    def call(operation: str) -> Call:
        return telling.whole(account, "s3", operation, Bucket=name)

    told.lists(telling.whole(account, "s3", "ListBuckets"), "Buckets", {"Name": name}, item.source)
    region = None if item.key.region == "us-east-1" else item.key.region
    told.says(call("GetBucketLocation"), {"LocationConstraint": region}, item.source)
    parts = item.supplements
    # An item has all its supplements or, in a query, those that were selected: what is missing is not known.
    for operation, body, code in _settings(parts):
        if body is None:
            told.absent(call(operation), code, item.source)
        else:
            told.says(call(operation), body, item.source)


def _settings(parts: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object] | None, str]]:
    """What S3 would say of each setting that the item holds: operation, body or None, code where there is none."""
    if "BucketPolicy" in parts:
        text = _member(parts["BucketPolicy"], "policyText")
        policy = None if text is None else {"Policy": telling.document(text)}
        yield "GetBucketPolicy", policy, "NoSuchBucketPolicy"
    if "PublicAccessBlockConfiguration" in parts:
        blocks = capitalised(parts["PublicAccessBlockConfiguration"])
        given = {"PublicAccessBlockConfiguration": blocks}
        yield "GetPublicAccessBlock", given if blocks else None, "NoSuchPublicAccessBlockConfiguration"
    if "BucketVersioningConfiguration" in parts:
        status = _member(parts["BucketVersioningConfiguration"], "status")
        deletes = _member(parts["BucketVersioningConfiguration"], "isMfaDeleteEnabled")
        said = {"Status": status} if str(status) in {"Enabled", "Suspended"} else {}
        told = {} if deletes is None else {"MFADelete": "Enabled" if deletes else "Disabled"}
        yield "GetBucketVersioning", {**said, **told}, ""
    if "BucketLoggingConfiguration" in parts:
        target = _member(parts["BucketLoggingConfiguration"], "destinationBucketName")
        prefix = _member(parts["BucketLoggingConfiguration"], "logFilePrefix")
        enabled = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix or ""}}
        yield "GetBucketLogging", enabled if target else {}, ""
    if "ServerSideEncryptionConfiguration" in parts:
        rules = capitalised(parts["ServerSideEncryptionConfiguration"])
        found = {"ServerSideEncryptionConfiguration": rules}
        yield (
            "GetBucketEncryption",
            found if rules else None,
            "ServerSideEncryptionConfigurationNotFoundError",
        )
    if "AccessControlList" in parts and (grants := _grants(parts["AccessControlList"])) is not None:
        yield "GetBucketAcl", grants, ""


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _grants(given: object) -> dict[str, object] | None:
    """The grants of an ACL as S3 writes them; None where they cannot be read."""
    decoded = json.loads(given) if isinstance(given, str) and given.startswith("{") else given
    listed = _member(decoded, "grantList")
    if not isinstance(listed, list):
        return None
    return {
        "Owner": {"ID": _member(_member(decoded, "owner"), "id")},
        "Grants": [_grant(each) for each in listed],
    }


def _grant(given: object) -> dict[str, object]:
    grantee, right = _member(given, "grantee"), str(_member(given, "permission"))
    named: dict[str, object] = {"Type": "CanonicalUser", "ID": _member(grantee, "id")}
    if isinstance(grantee, str):
        named = {"Type": "Group", "URI": _GROUPS.get(grantee, grantee)}
    return {"Grantee": named, "Permission": _RIGHTS.get(right, right)}
