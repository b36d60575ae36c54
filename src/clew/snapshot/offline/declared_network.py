"""Declared networks as EC2's answers: VPCs, security groups with their rules, flow logs, volumes.

AWS: CloudFormation template reference, AWS::EC2 types; Amazon VPC user guide, "Default security groups for your VPCs"
and "Security group rules" (all outbound traffic is allowed unless a rule is declared).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.snapshot.offline.declared import Unresolved, flag, lists, number, tags, text, without_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.snapshot.offline.declared import Resource, Stack, Teller
    from clew.snapshot.offline.told import Told

_ALL_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": []}
_DEFAULT = "default"


def vpc(told: Told, stack: Stack, resource: Resource) -> None:
    """A VPC, and the default security group that AWS makes with it."""
    item = {
        "VpcId": resource.name,
        "CidrBlock": text(resource.get("CidrBlock")),
        "IsDefault": False,
        "OwnerId": stack.place.account,
        "Tags": tags(resource),
    }
    lists(told, stack.call("ec2", "DescribeVpcs"), "Vpcs", item, resource, "VpcIds")
    adopted = any(
        each.get("GroupName") == _DEFAULT
        for each in stack.attached("AWS::EC2::SecurityGroup", "VpcId", resource.name)
    )
    if not adopted:
        _default_group(told, stack, resource)


def _default_group(told: Told, stack: Stack, resource: Resource) -> None:
    identity = f"{resource.name}-default"
    own = {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "UserIdGroupPairs": [{"GroupId": identity}]}
    item = {
        "GroupId": identity,
        "GroupName": _DEFAULT,
        "Description": "default VPC security group, which AWS makes with the VPC",
        "VpcId": resource.name,
        "OwnerId": stack.place.account,
        "IpPermissions": [own],
        "IpPermissionsEgress": [_ALL_OUT],
    }
    call = stack.call("ec2", "DescribeSecurityGroups")
    lists(told, call, "SecurityGroups", item, resource, "GroupIds")


def subnet(told: Told, stack: Stack, resource: Resource) -> None:
    """A subnet."""
    item = {
        "SubnetId": resource.name,
        "VpcId": text(resource.get("VpcId")),
        "CidrBlock": text(resource.get("CidrBlock")),
        "AvailabilityZone": text(resource.get("AvailabilityZone")),
        "MapPublicIpOnLaunch": flag(resource.get("MapPublicIpOnLaunch")),
        "Tags": tags(resource),
    }
    lists(told, stack.call("ec2", "DescribeSubnets"), "Subnets", item, resource, "SubnetIds")


def security_group(told: Told, stack: Stack, resource: Resource) -> None:
    """A security group with the rules in it, and those that are declared on their own."""
    inbound = resource.items("SecurityGroupIngress") + _rules_of(stack, resource, "Ingress")
    outbound = resource.items("SecurityGroupEgress") + _rules_of(stack, resource, "Egress")
    item = {
        "GroupId": resource.name,
        "GroupName": text(resource.get("GroupName"), resource.id),
        "Description": text(resource.get("GroupDescription")),
        "VpcId": text(resource.get("VpcId")),
        "OwnerId": stack.place.account,
        "IpPermissions": [_permission(rule) for rule in inbound],
        "IpPermissionsEgress": [_permission(rule) for rule in outbound]
        if outbound or resource.get("SecurityGroupEgress") == []
        else [_ALL_OUT],
        "Tags": tags(resource),
    }
    call = stack.call("ec2", "DescribeSecurityGroups")
    lists(told, call, "SecurityGroups", item, resource, "GroupIds")


def _rules_of(stack: Stack, resource: Resource, direction: str) -> list[object]:
    """Rules that are resources; one that leaves open which group it is on makes this one open, too."""
    found: list[object] = []
    for rule in stack.attached(f"AWS::EC2::SecurityGroup{direction}", "GroupId", resource.name):
        group = rule.get("GroupId")
        if isinstance(group, Unresolved):
            found.append(Unresolved(f"`{rule.id}` may be a rule of it: {group}"))
        else:
            found.append(Unresolved(f"`{rule.id}`: {rule.doubt}") if rule.doubt else dict(rule.properties))
    return found


def _permission(rule: object) -> object:
    """A rule in the words of EC2."""
    if not isinstance(rule, dict):
        return rule
    source = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    prefixes = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    four, six = rule.get("CidrIp"), rule.get("CidrIpv6")
    return without_none(
        {
            "IpProtocol": _protocol(rule.get("IpProtocol")),
            "FromPort": number(rule.get("FromPort")),
            "ToPort": number(rule.get("ToPort")),
            "IpRanges": [{"CidrIp": four}] if four is not None else [],
            "Ipv6Ranges": [{"CidrIpv6": six}] if six is not None else [],
            "PrefixListIds": [{"PrefixListId": prefixes}] if prefixes is not None else [],
            "UserIdGroupPairs": [{"GroupId": source}] if source is not None else [],
        }
    )


def _protocol(given: object) -> object:
    """The protocol by name, as EC2 writes those of the numbers. AWS: EC2 API reference, IpPermission."""
    if isinstance(given, Unresolved):
        return given
    return {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}.get(str(given), str(given))


def flow_log(told: Told, stack: Stack, resource: Resource) -> None:
    """A flow log; that it is active and delivers is AWS's to say, so only its making is told."""
    item = {
        "FlowLogId": resource.name,
        "ResourceId": resource.get("ResourceId"),
        "TrafficType": resource.get("TrafficType") or "ALL",
        "LogDestinationType": text(resource.get("LogDestinationType"), "cloud-watch-logs"),
        "LogGroupName": text(resource.get("LogGroupName")),
        "FlowLogStatus": "ACTIVE",
    }
    lists(told, stack.call("ec2", "DescribeFlowLogs"), "FlowLogs", item, resource, "FlowLogIds")


def volume(told: Told, stack: Stack, resource: Resource) -> None:
    """A volume of EBS."""
    item = without_none(
        {
            "VolumeId": resource.name,
            "Encrypted": flag(resource.get("Encrypted")),
            "KmsKeyId": resource.get("KmsKeyId"),
            "Tags": tags(resource),
        }
    )
    lists(told, stack.call("ec2", "DescribeVolumes"), "Volumes", item, resource, "VolumeIds")


TELLERS: Mapping[str, Teller] = {
    "AWS::EC2::VPC": vpc,
    "AWS::EC2::Subnet": subnet,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::EC2::FlowLog": flow_log,
    "AWS::EC2::Volume": volume,
}
PARTS = frozenset({"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"})
"""Types that are told with the security group that they are about."""
