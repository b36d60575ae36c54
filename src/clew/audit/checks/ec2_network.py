"""Checks of networks: flow logs, network ACLs, peering routes and VPC endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.ingress import acl_openings, network, proof, told
from clew.audit.model import Judgement, Verdict, check, one_of
from clew.audit.resources import arn, each_resource, items, listing, text, unanswered
from clew.audit.security_groups import is_shared
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.ingress import Network
    from clew.audit.model import State
    from clew.snapshot.answers import Answer

VPCS = "ec2:DescribeVpcs"


@check("ec2-vpc-flow-logs", "Every VPC has flow logs", "A VPC has no flow logs", Severity.MEDIUM)
def flow_logs(state: State, *, traffic: str = "REJECT") -> Iterator[Judgement]:
    """VPCs without an active flow log for the whole VPC.

    Finds. A VPC without an active flow log that records the `traffic` (REJECT, ACCEPT, ALL, or ANY of these), or
    everything. Flow logs of subnets or interfaces do not count; one whose delivery fails weighs little, since it is
    meant to be there.
    Why it matters. Without them nobody can say afterwards who talked to whom, and who tried to.
    False positives. A default VPC that nothing uses; delete it.
    Fix. `aws ec2 create-flow-logs --resource-type VPC --traffic-type ALL`, to CloudWatch Logs, S3 or Firehose.
    References. Amazon VPC user guide, Logging IP traffic using VPC Flow Logs · AWS Config developer guide,
    vpc-flow-logs-enabled
    """
    wanted = one_of("traffic", traffic, "REJECT", "ACCEPT", "ALL", "ANY")

    def judge(vpc: Mapping[str, object], answer: Answer) -> Judgement:
        name = arn(state, answer, f"vpc/{text(vpc, 'VpcId')}")
        if is_shared(state, vpc):
            return Judgement(Verdict.NOT_APPLICABLE, name, f"belongs to account {text(vpc, 'OwnerId')}")
        logs = state.about(answer, "DescribeFlowLogs")
        if not logs.status.is_known:
            return unanswered(name, logs)
        own = [log for log in logs.list("FlowLogs") if text(log, "ResourceId") == text(vpc, "VpcId")]
        return _recorded(name, own, wanted)

    yield from each_resource(state, VPCS, "Vpcs", judge, none="there are no VPCs")


_TRAFFIC = {"ANY": {"REJECT", "ACCEPT", "ALL"}}
_WORDS = {"ANY": "anything"}


def _recorded(name: str, logs: list[Mapping[str, object]], traffic: str) -> Judgement:
    seen = tuple(
        (
            text(log, "FlowLogId"),
            f"{text(log, 'FlowLogStatus')} {text(log, 'TrafficType')} {text(log, 'DeliverLogsStatus')}",
        )
        for log in logs
    )
    active = [
        log
        for log in logs
        if text(log, "FlowLogStatus") == "ACTIVE"
        and text(log, "TrafficType") in _TRAFFIC.get(traffic, {traffic, "ALL"})
    ]
    delivering = [log for log in active if text(log, "DeliverLogsStatus") != "FAILED"]
    if delivering:
        return Judgement(Verdict.PASS, name, f"recorded by {text(delivering[0], 'FlowLogId')}", seen)
    if active:
        error = text(active[0], "DeliverLogsErrorMessage") or "no reason given"
        message = f"{text(active[0], 'FlowLogId')} cannot deliver: {error}"
        return Judgement(Verdict.FAIL, name, message, seen, severity=Severity.LOW)
    of_others = "; those it has are not active or record other traffic" if logs else ""
    return Judgement(
        Verdict.FAIL,
        name,
        f"no active flow log of the VPC records {_WORDS.get(traffic, traffic)}{of_others}",
        seen,
    )


@check(
    "ec2-network-acl-admin-ports",
    "Network ACLs close ports of administration to the world",
    "A network ACL opens a port of administration to the world",
    Severity.MEDIUM,
)
def network_acl_admin_ports(state: State, *, ports: str = "22,3389") -> Iterator[Judgement]:
    """Network ACLs that let everybody reach a port for administration.

    Finds. An ACL whose inbound rules, in the order of their numbers, let every public address reach one of `ports` over
    TCP, or 3389 over UDP. An earlier rule that denies the same addresses wins. An ACL of no subnet weighs little.
    Why it matters. A subnet's ACL is the second wall, for the day on which a security group is opened by mistake.
    False positives. Default ACLs allow everything by design; subnets of a bastion.
    Fix. Deny the ports before the rule that allows, or allow only what the subnet needs.
    References. Amazon VPC user guide, Control subnet traffic with network access control lists · AWS Config developer
    guide, nacl-no-unrestricted-ssh-rdp
    """
    numbers = tuple(int(port) for port in ports.split(","))

    def judge(acl: Mapping[str, object], answer: Answer) -> Judgement:
        name = arn(state, answer, f"network-acl/{text(acl, 'NetworkAclId')}")
        if is_shared(state, acl):
            return Judgement(Verdict.NOT_APPLICABLE, name, f"belongs to account {text(acl, 'OwnerId')}")
        entries = tuple(items(acl, "Entries"))
        udp = tuple(port for port in numbers if port == 3389)  # noqa: PLR2004  # RDP
        found = acl_openings(entries, "tcp", numbers) + acl_openings(entries, "udp", udp)
        subnets = [text(each, "SubnetId") for each in items(acl, "Associations")]
        seen = (*proof(found), ("VpcId", text(acl, "VpcId")), ("subnets", ", ".join(subnets) or "none"))
        if not found:
            return Judgement(Verdict.PASS, name, "not open to the world", seen)
        message = f"open to the world: {told(found)}{'' if subnets else '; guards no subnet'}"
        return Judgement(Verdict.FAIL, name, message, seen, severity=None if subnets else Severity.LOW)

    yield from each_resource(
        state, "ec2:DescribeNetworkAcls", "NetworkAcls", judge, none="there are no network ACLs"
    )


@check(
    "ec2-peering-routes",
    "Peering routes are as narrow as need be",
    "A route leads to the whole network of a peer",
    Severity.LOW,
)
def peering_routes(state: State) -> Iterator[Judgement]:
    """Routes to a peered VPC that are as wide as the peer's whole network.

    Finds. A route table with a route over a peering connection whose destination holds a whole range of the peer.
    Why it matters. A peer that is taken over then reaches everything that security groups do not stop.
    False positives. Peers that do need each other whole; only their owners know.
    Fix. Replace the route by routes to the subnets that are needed.
    References. Amazon VPC peering guide, Update your route tables for a VPC peering connection
    """

    def judge(table: Mapping[str, object], answer: Answer) -> Judgement | None:
        routes = [
            r
            for r in items(table, "Routes")
            if text(r, "VpcPeeringConnectionId") and text(r, "State") != "blackhole"
        ]
        if not routes or is_shared(state, table):
            return None
        name = arn(state, answer, f"route-table/{text(table, 'RouteTableId')}")
        peerings = state.about(answer, "DescribeVpcPeeringConnections")
        return (
            _routed(name, table, routes, peerings) if peerings.status.is_known else unanswered(name, peerings)
        )

    yield from each_resource(
        state,
        "ec2:DescribeRouteTables",
        "RouteTables",
        judge,
        none="no route leads over a peering connection",
    )


def _routed(
    name: str, table: Mapping[str, object], routes: list[Mapping[str, object]], peerings: Answer
) -> Judgement:
    by_id = {text(each, "VpcPeeringConnectionId"): each for each in peerings.list("VpcPeeringConnections")}
    seen, wide, unread = [], [], []
    for route in routes:
        peering = text(route, "VpcPeeringConnectionId")
        goal = text(route, "DestinationCidrBlock") or text(route, "DestinationIpv6CidrBlock")
        goal = goal or text(route, "DestinationPrefixListId")
        held = _peer_ranges(by_id.get(peering), text(table, "VpcId"))
        seen.append((f"route {goal}", f"{peering}, peer {', '.join(map(str, held)) or 'not known'}"))
        if not held or goal.startswith("pl-"):
            unread.append(goal)
        elif any(_holds(network(goal), each) for each in held):
            wide.append(goal)
    if wide:
        return Judgement(Verdict.FAIL, name, f"as wide as the peer: {listing(wide)}", tuple(seen))
    if unread:
        message = f"what is behind {listing(unread)} was not told"
        return Judgement(Verdict.UNKNOWN, name, message, tuple(seen), ("ec2:DescribeVpcPeeringConnections",))
    return Judgement(Verdict.PASS, name, "every route is narrower than the peer's network", tuple(seen))


def _peer_ranges(peering: Mapping[str, object] | None, vpc: str) -> tuple[Network, ...]:
    """The ranges of the VPC at the other end."""
    ends = [peering.get("AccepterVpcInfo"), peering.get("RequesterVpcInfo")] if peering else []
    other = next((end for end in ends if text(end, "VpcId") not in {"", vpc}), None)
    written = [text(each, "CidrBlock") for each in items(other, "CidrBlockSet")] or [text(other, "CidrBlock")]
    written += [text(each, "Ipv6CidrBlock") for each in items(other, "Ipv6CidrBlockSet")]
    return tuple(found for each in written if (found := network(each)) is not None)


def _holds(outer: Network | None, inner: Network) -> bool:
    return outer is not None and outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # same version


@check(
    "ec2-vpc-endpoints",
    "AWS is reached through VPC endpoints",
    "A VPC reaches AWS over the internet",
    Severity.LOW,
)
def vpc_endpoints(state: State, *, services: str = "s3", scope: str = "used") -> Iterator[Judgement]:
    """VPCs in use that have no endpoint for a service of AWS.

    Finds. A VPC with network interfaces and without an available endpoint, of its own, for one of `services`, named by
    the end of an endpoint's service name: `s3,dynamodb,ecr.api`. Interfaces of endpoints and gateways do not count;
    `scope` = `all` finds empty VPCs too.
    Why it matters. Traffic to AWS then takes the internet gateway or NAT, where no endpoint policy can limit it.
    False positives. A VPC that uses endpoints of another over a transit gateway; one that uses no such service.
    Fix. Create a gateway endpoint for S3 and DynamoDB, which costs nothing, and interface endpoints for others.
    References. AWS PrivateLink guide, Gateway endpoints · AWS Config developer guide, service-vpc-endpoint-enabled
    """
    wanted = tuple(endpoint_service(name.strip()) for name in services.split(",") if name.strip())
    are_all = one_of("scope", scope, "used", "all") == "all"

    def judge(vpc: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, vpc):
            return None
        name, identity = arn(state, answer, f"vpc/{text(vpc, 'VpcId')}"), text(vpc, "VpcId")
        endpoints = state.about(answer, "DescribeVpcEndpoints")
        if not endpoints.status.is_known:
            return unanswered(name, endpoints)
        idle = None if are_all else _idle(name, identity, state.about(answer, "DescribeNetworkInterfaces"))
        if idle is not None:
            return idle
        there = {
            endpoint_service(text(each, "ServiceName"))
            for each in endpoints.list("VpcEndpoints")
            if text(each, "VpcId") == identity and text(each, "State").lower() == "available"
        }
        seen = (("endpoints", ", ".join(sorted(there)) or "none"),)
        absent = [each for each in wanted if each not in there]
        if absent:
            return Judgement(Verdict.FAIL, name, f"no endpoint for {', '.join(absent)}", seen)
        return Judgement(Verdict.PASS, name, f"has endpoints for {', '.join(wanted)}", seen)

    yield from each_resource(state, VPCS, "Vpcs", judge, none="there are no VPCs")


def _idle(name: str, vpc: str, interfaces: Answer) -> Judgement | None:
    """That nothing in the VPC may call AWS, or that nobody could say; None where something may."""
    if not interfaces.status.is_known:
        return unanswered(name, interfaces)
    own = (each for each in interfaces.list("NetworkInterfaces") if text(each, "VpcId") == vpc)
    return None if any(map(_is_work, own)) else Judgement(Verdict.NOT_APPLICABLE, name, "nothing is in it")


def endpoint_service(name: str) -> str:
    """The service that an endpoint's service name ends with.

    >>> endpoint_service("com.amazonaws.eu-west-1.ecr.api"), endpoint_service("s3")
    ('ecr.api', 's3')
    """
    return (
        name.removeprefix("cn.").removeprefix("com.amazonaws.").partition(".")[2]
        if "amazonaws" in name
        else name
    )


def _is_work(interface: Mapping[str, object]) -> bool:
    """Whether an interface belongs to something that may call AWS, and not to an endpoint or gateway."""
    return text(interface, "InterfaceType") not in {
        "vpc_endpoint",
        "nat_gateway",
        "transit_gateway",
        "gateway_load_balancer_endpoint",
    }
