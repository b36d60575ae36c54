"""The rules of a security group as DescribeSecurityGroupRules gives them, of what DescribeSecurityGroups says.

AWS: "DescribeSecurityGroups", IpPermission; "DescribeSecurityGroupRules", SecurityGroupRule. Ids and tags of rules the
former does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.respond.model import Value

_SOURCES = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
)
_GROUP = ("GroupId", "UserId", "VpcId", "VpcPeeringConnectionId", "PeeringStatus")
_ALL = "-1"


def rules(group: Mapping[str, Value]) -> list[Value]:
    """Every rule of the group, one for each source.

    >>> rules({"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]})
    [{'IsEgress': False, 'IpProtocol': '-1', 'FromPort': -1, 'ToPort': -1, 'CidrIpv4': '0.0.0.0/0'}]
    """
    ways = ((False, "IpPermissions"), (True, "IpPermissionsEgress"))
    return [
        rule
        for is_egress, member in ways
        for each in group.get(member) or ()
        for rule in _of(each, is_egress)
    ]


def _of(permission: Mapping[str, Value], is_egress: object) -> Iterator[Value]:
    protocol = permission["IpProtocol"]
    # A rule about all protocols has ports in the one answer, all of them, and none in the other.
    ports = {name: permission.get(name, -1) for name in ("FromPort", "ToPort")}
    own = {n: v for n, v in ports.items() if protocol == _ALL or n in permission}
    shared = {"IsEgress": is_egress, "IpProtocol": protocol, **own}
    for member, source, name in _SOURCES:
        for each in permission.get(member) or ():
            yield {**shared, name: each[source], **_described(each)}
    for pair in permission.get("UserIdGroupPairs") or ():
        named = {name: pair[name] for name in _GROUP if pair.get(name)}
        yield {**shared, "ReferencedGroupInfo": named, **_described(pair)}


def _described(each: Mapping[str, Value]) -> dict[str, Value]:
    return {"Description": each["Description"]} if each.get("Description") else {}
