"""Whether a connection to an instance gets through its security groups, its subnet's network ACL and its route table.

Amazon VPC user guide: "Control traffic to your AWS resources using security groups", "Custom network ACLs", "Configure
route tables". A rule about a part only of where somebody may come from settles nothing until it is said from where.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from clew.audit.ingress import LAST_PORT, group_rules, is_world, network, ports
from clew.audit.resources import items, member, text
from clew.explain.operational.scene import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.audit.ingress import Network, Rule
    from clew.explain.operational.scene import Found, Scene

# Amazon VPC user guide, "Custom network ACLs", ephemeral ports: Linux 32768-61000, Windows 49152-65535.
EPHEMERAL = (32768, LAST_PORT)
# RFC 1918, RFC 6598 and RFC 4193: not routed on the internet. Addresses for documentation count as public.
_WITHIN = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_WORLD = ipaddress.IPv4Network("0.0.0.0/0")


def inbound(group: Mapping[str, object]) -> tuple[Rule, ...]:
    """The inbound rules of a security group that name ranges or prefix lists; no list was read."""
    return group_rules(items(group, "IpPermissions"), lambda _: None)


def group_lets(groups: Iterable[Found], port: int, client: Network | None) -> tuple[bool | None, str]:
    """Whether one of the groups lets somebody from there in on the port, and the rule or reason; None: open."""
    found = tuple(groups)
    rules = [rule for each in found for rule in inbound(each.data) if rule.covers("tcp", port)]
    wanted = client or _WORLD
    for rule in rules:
        if rule.network is not None and covers(rule.network, wanted):
            return True, rule.text
    same = [rule.network for rule in rules if rule.network and rule.network.version == wanted.version]
    if client is None and is_world(same, wanted.version):
        return True, f"{len(same)} rules that together hold every address"
    touching = [rule for rule in rules if rule.network is None or _overlap(rule.network, wanted)]
    if touching:
        return None, f"only {', '.join(rule.text for rule in touching[:3])}"
    # A rule that names a group lets in the private addresses of its members, and they are not at hand.
    if (client is None or not is_public(client)) and any(_references(each.data, port) for each in found):
        return None, "only from members of a security group"
    return False, f"no rule lets tcp {port} in" + (f" from {client}" if client else "")


def covers(outer: Network, inner: Network) -> bool:
    """Whether all of the inner addresses are among the outer ones."""
    if isinstance(outer, ipaddress.IPv4Network):
        return isinstance(inner, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, ipaddress.IPv6Network) and inner.subnet_of(outer)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _references(group: Mapping[str, object], port: int) -> bool:
    """Whether a rule about the port names other groups."""
    for permission in items(group, "IpPermissions"):
        first, last = member(permission, "FromPort"), member(permission, "ToPort")
        if text(permission, "IpProtocol") not in {"-1", "6", "tcp"}:
            continue
        is_about = not isinstance(first, int) or not isinstance(last, int) or first <= port <= last
        if is_about and any(True for _ in items(permission, "UserIdGroupPairs")):
            return True
    return False


def acl_lets(
    acl: Mapping[str, object], wanted: tuple[int, int], client: Network | None, *, egress: bool
) -> tuple[bool | None, str]:
    """Whether a network ACL lets TCP on all these ports pass from, or to, there, and the rule; None: it depends.

    The rules count in the order of their numbers, the first that matches wins.
    """
    entries = [each for each in items(acl, "Entries") if bool(member(each, "Egress")) is egress]
    if not all(isinstance(member(each, "RuleNumber"), int) for each in entries):
        return None, "a rule without a number"
    for entry in sorted(entries, key=lambda each: number(each, "RuleNumber")):
        spans = _span(entry)
        there = network(text(entry, "CidrBlock") or text(entry, "Ipv6CidrBlock"))
        if spans is None or there is None or spans[0] > wanted[1] or spans[1] < wanted[0]:
            continue
        target = client or (_WORLD if there.version == _WORLD.version else None)
        if target is None or not _overlap(there, target):
            continue
        action = text(entry, "RuleAction")
        says = f"rule {text(entry, 'RuleNumber')} {action} tcp {ports(*spans)} {'to' if egress else 'from'} {there}"
        if covers(there, target) and spans[0] <= wanted[0] and wanted[1] <= spans[1]:
            return action == "allow", says
        return None, says
    return False, "no rule matches, so the last rule denies it"


def _span(entry: Mapping[str, object]) -> tuple[int, int] | None:
    """The TCP ports of an entry; None where it is about another protocol."""
    protocol = text(entry, "Protocol")
    if protocol == "-1":
        return 0, LAST_PORT
    first, last = member(entry, "PortRange.From"), member(entry, "PortRange.To")
    if protocol not in {"6", "tcp"}:
        return None
    return (first, last) if isinstance(first, int) and isinstance(last, int) else (0, LAST_PORT)


def acl_of(scene: Scene, subnet: str) -> Found | None:
    """The network ACL of a subnet, as it was seen last."""
    return next(
        (
            each
            for each in scene.listed("ec2:DescribeNetworkAcls", "NetworkAcls")
            if subnet in {text(one, "SubnetId") for one in items(each.data, "Associations")}
        ),
        None,
    )


def table_of(scene: Scene, subnet: str, vpc: str) -> Found | None:
    """The route table of a subnet: its own, else the main one of its VPC."""
    tables = tuple(scene.listed("ec2:DescribeRouteTables", "RouteTables"))
    own = (
        each
        for each in tables
        if subnet in {text(one, "SubnetId") for one in items(each.data, "Associations")}
    )
    main = (
        each
        for each in tables
        if each.text("VpcId") == vpc
        and any(member(one, "Main") is True for one in items(each.data, "Associations"))
    )
    return next(own, None) or next(main, None)


def route_to(table: Mapping[str, object], client: Network | None) -> tuple[str, str]:
    """The target of the most specific route to there, and the route in words; empty where there is none.

    `OPEN` where routes lead to a part of there only, or a prefix list that nobody read may.
    """
    wanted = client or _WORLD
    best: tuple[int, str, str] | None = None
    parts = [text(route, "DestinationPrefixListId") for route in items(table, "Routes")]
    for route in items(table, "Routes"):
        there = network(text(route, "DestinationCidrBlock") or text(route, "DestinationIpv6CidrBlock"))
        if there is not None and not covers(there, wanted) and _overlap(there, wanted):
            parts.append("" if text(route, "GatewayId") == "local" else str(there))
        if there is None or not covers(there, wanted):
            continue
        target = next((text(route, name) for name in _TARGETS if text(route, name)), "")
        state = text(route, "State")
        target = "" if state == "blackhole" else target
        says = f"{there} to {target or 'nothing'}{f' ({state})' if state and state != 'active' else ''}"
        if best is None or there.prefixlen > best[0]:
            best = there.prefixlen, target, says
    part = next(filter(None, parts), "")
    if part and (best is None or (client is not None and _is_within(part, client))):
        return OPEN, f"only to {part}"
    return (best[1], best[2]) if best else ("", "no route")


def _is_within(part: str, client: Network) -> bool:
    """Whether the route is to some of the client's addresses: they do not all go one way."""
    there = network(part)
    return there is not None and covers(client, there)


OPEN = "?"
"""The target of a route of which nobody can tell whether it leads there."""


_TARGETS = (
    *("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId"),
    *("EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)


def is_public(client: Network | None) -> bool:
    """Whether somebody comes over the internet; so it is taken where nothing is said."""
    return client is None or not any(covers(each, client) for each in _WITHIN)
