"""Checks of routes, gateways, subnets, peering and VPN connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.ingress import is_world, network
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import arn, chosen, each_resource, facts, items, listing, member, text
from clew.audit.security_groups import is_shared
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

TABLES = "ec2:DescribeRouteTables"
_TUNNELS = 2


def internet_routes(table: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """The routes of a table by which everything leaves through an internet gateway."""
    return tuple(
        route
        for route in items(table, "Routes")
        if text(route, "GatewayId").startswith("igw-")
        and text(route, "State") != "blackhole"
        and _is_default(route)
    )


def _is_default(route: Mapping[str, object]) -> bool:
    goal = network(text(route, "DestinationCidrBlock") or text(route, "DestinationIpv6CidrBlock"))
    return goal is not None and is_world([goal], goal.version)


@check(
    "ec2-route-to-internet",
    "Only chosen tables lead to the internet",
    "A route leads to the internet",
    Severity.LOW,
)
def route_to_internet(state: State, *, tables: str = "") -> Iterator[Judgement]:
    """Route tables with a default route to an internet gateway.

    Finds. A route table, other than those of `tables`, with a route for every address to an internet gateway.
    Why it matters. Whatever gets a public address in a subnet of the table can be reached from the internet.
    False positives. Public subnets for load balancers and NAT: name their tables in `tables`.
    Fix. Route private subnets through a NAT gateway or endpoints.
    References. AWS Config developer guide, no-unrestricted-route-to-igw
    """
    allowed = chosen(tables)

    def judge(table: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, table):
            return None
        name = arn(state, answer, f"route-table/{text(table, 'RouteTableId')}")
        found = internet_routes(table)
        subnets = [text(each, "SubnetId") for each in items(table, "Associations") if text(each, "SubnetId")]
        seen = (
            *((_goal(each), text(each, "GatewayId")) for each in found),
            ("subnets", ", ".join(subnets) or "none"),
        )
        if not found:
            return Judgement(Verdict.PASS, name, "no default route to an internet gateway", seen)
        if text(table, "RouteTableId") in allowed:
            return Judgement(Verdict.PASS, name, "leads to the internet, and may", seen)
        return Judgement(Verdict.FAIL, name, f"everything leaves by {text(found[0], 'GatewayId')}", seen)

    yield from each_resource(state, TABLES, "RouteTables", judge, none="there are no route tables")


def _goal(route: Mapping[str, object]) -> str:
    return text(route, "DestinationCidrBlock") or text(route, "DestinationIpv6CidrBlock")


@check(
    "ec2-network-acl-unused", "Network ACLs guard a subnet", "A network ACL guards no subnet", Severity.LOW
)
def network_acl_unused(state: State) -> Iterator[Judgement]:
    """Network ACLs that no subnet has.

    Finds. An ACL, other than a default one, without subnet.
    Why it matters. Somebody believes that its rules hold.
    False positives. An ACL that is kept to isolate a subnet in an emergency.
    Fix. Delete it.
    References. AWS Config developer guide, vpc-network-acl-unused-check
    """

    def judge(acl: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, acl) or member(acl, "IsDefault") is True:
            return None
        name = arn(state, answer, f"network-acl/{text(acl, 'NetworkAclId')}")
        subnets = [text(each, "SubnetId") for each in items(acl, "Associations")]
        if subnets:
            return Judgement(Verdict.PASS, name, f"guards {listing(subnets)}")
        return Judgement(Verdict.FAIL, name, "guards no subnet", facts(acl, "VpcId"))

    yield from each_resource(
        state,
        "ec2:DescribeNetworkAcls",
        "NetworkAcls",
        judge,
        none="there are no network ACLs but the default ones",
    )


@check(
    "ec2-peering-dns",
    "Peers resolve each other's names",
    "A peering does not resolve private names",
    Severity.LOW,
)
def peering_dns(state: State, *, vpcs: str = "") -> Iterator[Judgement]:
    """Whether names of the peer lead to private addresses.

    Finds. An active peering of which a VPC of this account does not resolve names of the other to private addresses.
    `vpcs` chooses VPCs by their ids, with commas; all where it is empty.
    Why it matters. The public name of an instance then leads over the internet, past the peering.
    False positives. Peers that use addresses or private zones only.
    Fix. `aws ec2 modify-vpc-peering-connection-options` with AllowDnsResolutionFromRemoteVpc on both sides.
    References. Amazon VPC peering guide, Enable DNS resolution for a VPC peering connection · AWS Config developer
    guide, vpc-peering-dns-resolution-check
    """
    wanted = chosen(vpcs)

    def judge(peering: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(peering, "Status.Code") != "active":
            return None
        name = arn(state, answer, f"vpc-peering-connection/{text(peering, 'VpcPeeringConnectionId')}")
        sides = [
            side
            for side in ("RequesterVpcInfo", "AccepterVpcInfo")
            if text(peering, f"{side}.OwnerId") in {"", state.account}
            and (not wanted or text(peering, f"{side}.VpcId") in wanted)
        ]
        if wanted and not sides:
            return None
        path = "PeeringOptions.AllowDnsResolutionFromRemoteVpc"
        seen = facts(peering, *(f"{side}.{path}" for side in sides))
        off = [side for side in sides if member(peering, f"{side}.{path}") is not True]
        if off:
            return Judgement(Verdict.FAIL, name, f"off for {', '.join(off)}", seen)
        return Judgement(Verdict.PASS, name, "names lead to private addresses", seen)

    yield from each_resource(
        state,
        "ec2:DescribeVpcPeeringConnections",
        "VpcPeeringConnections",
        judge,
        none="no peering is active",
    )


@check(
    "ec2-subnet-public-ip",
    "Subnets give no public addresses",
    "A subnet gives public addresses",
    Severity.LOW,
)
def subnet_public_ip(state: State) -> Iterator[Judgement]:
    """Subnets in which whatever is started gets a public address.

    Finds. A subnet with `MapPublicIpOnLaunch`.
    Why it matters. An instance is then on the internet because nobody said otherwise.
    False positives. Default subnets that nothing uses; public subnets for NAT and load balancers do not need it either.
    Fix. `aws ec2 modify-subnet-attribute --no-map-public-ip-on-launch`
    References. AWS Config developer guide, subnet-auto-assign-public-ip-disabled
    """

    def judge(subnet: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, subnet):
            return None
        name = text(subnet, "SubnetArn") or arn(state, answer, f"subnet/{text(subnet, 'SubnetId')}")
        seen = facts(subnet, "MapPublicIpOnLaunch", "VpcId", "DefaultForAz")
        if member(subnet, "MapPublicIpOnLaunch") is True:
            return Judgement(Verdict.FAIL, name, "gives public addresses to what is started in it", seen)
        return Judgement(Verdict.PASS, name, "gives no public addresses", seen)

    yield from each_resource(state, "ec2:DescribeSubnets", "Subnets", judge, none="there are no subnets")


@check(
    "ec2-internet-gateway-vpc",
    "Internet gateways stand at chosen VPCs only",
    "An internet gateway stands at a VPC that nobody chose",
    Severity.LOW,
)
def internet_gateway_vpc(state: State, *, vpcs: str = "") -> Iterator[Judgement]:
    """Internet gateways and the VPCs at which they stand.

    Finds. An internet gateway that is attached to a VPC which is not one of `vpcs`; one that is attached to nothing
    passes.
    Why it matters. Without a gateway nothing in a VPC is on the internet, whatever else goes wrong.
    False positives. Default VPCs, which come with one; delete them where nothing uses them.
    Fix. Detach the gateway, or name the VPC in `vpcs`.
    References. AWS Config developer guide, internet-gateway-authorized-vpc-only
    """
    allowed = chosen(vpcs)

    def judge(gateway: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, gateway):
            return None
        name = arn(state, answer, f"internet-gateway/{text(gateway, 'InternetGatewayId')}")
        attached = [text(each, "VpcId") for each in items(gateway, "Attachments")]
        other = [vpc for vpc in attached if vpc not in allowed]
        seen = (("VpcId", ", ".join(attached) or "none"),)
        if other:
            return Judgement(Verdict.FAIL, name, f"stands at {listing(other)}", seen)
        return Judgement(
            Verdict.PASS, name, "stands at chosen VPCs only" if attached else "is attached to nothing", seen
        )

    yield from each_resource(
        state,
        "ec2:DescribeInternetGateways",
        "InternetGateways",
        judge,
        none="there are no internet gateways",
    )


@check("ec2-vpn-tunnels", "Both tunnels of a VPN are up", "A tunnel of a VPN is down", Severity.LOW)
def vpn_tunnels(state: State) -> Iterator[Judgement]:
    """Whether both tunnels of each VPN connection are up.

    Finds. An available VPN connection of which a tunnel is down.
    Why it matters. AWS takes one tunnel down to renew it, and with the other down the connection is gone.
    False positives. A customer's device that is meant to have one tunnel.
    Fix. Configure both tunnels on the customer's device.
    References. AWS Site-to-Site VPN user guide, Tunnel options for your AWS Site-to-Site VPN connection · AWS Config
    developer guide, vpc-vpn-2-tunnels-up
    """

    def judge(connection: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(connection, "State") != "available":
            return None
        name = arn(state, answer, f"vpn-connection/{text(connection, 'VpnConnectionId')}")
        tunnels = [
            (text(each, "OutsideIpAddress"), text(each, "Status"))
            for each in items(connection, "VgwTelemetry")
        ]
        up = sum(status == "UP" for _, status in tunnels)
        if up < _TUNNELS:
            return Judgement(Verdict.FAIL, name, f"{up} of {_TUNNELS} tunnels are up", tuple(tunnels))
        return Judgement(Verdict.PASS, name, "both tunnels are up", tuple(tunnels))

    yield from each_resource(
        state, "ec2:DescribeVpnConnections", "VpnConnections", judge, none="there are no VPN connections"
    )
