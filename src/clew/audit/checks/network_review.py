"""Checks of how networks are built: gateways for each zone, main route tables, what is on the internet, who watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.checks.ec2_gateways import internet_routes
from clew.audit.checks.ec2_instances import INSTANCES, PATH, instance_arn, instance_state
from clew.audit.ingress import IPV4, all_openings, group_rules, proof, told
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import Index, arn, each_resource, facts, items, listing, member, text, unanswered
from clew.audit.security_groups import (
    ENTRIES,
    GROUPS,
    NONE,
    Uses,
    group_arn,
    inbound,
    is_shared,
    shared,
)
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.ingress import Rule
    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_VPCS = "ec2:DescribeVpcs"
_TABLES = "ec2:DescribeRouteTables"
_WEB = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Subnets:
    """The subnets of one VPC: the zone of each, and the route table that counts for it."""

    zones: Mapping[str, str]
    tables: Mapping[str, Mapping[str, object]]

    @classmethod
    def of(cls, vpc: str, subnets: Answer, tables: Answer) -> Subnets:
        """The subnets of the VPC; without an association of its own a subnet has the main table."""
        own = [table for table in tables.list("RouteTables") if text(table, "VpcId") == vpc]
        main = next((table for table in own if is_main(table)), {})
        by_subnet = {text(link, "SubnetId"): table for table in own for link in items(table, "Associations")}
        zones = {
            text(each, "SubnetId"): text(each, "AvailabilityZone")
            for each in subnets.list("Subnets")
            if text(each, "VpcId") == vpc
        }
        return cls(zones, {subnet: by_subnet.get(subnet, main) for subnet in zones})


def is_main(table: Mapping[str, object]) -> bool:
    """Whether the table counts for subnets that have none of their own."""
    return any(member(each, "Main") is True for each in items(table, "Associations"))


@check(
    "ec2-main-route-table",
    "Main tables do not lead to the internet",
    "A main table leads to the internet",
    Severity.LOW,
)
def main_route_table(state: State) -> Iterator[Judgement]:
    """Whether a subnet that nobody gave a route table is on the internet.

    Finds. A VPC whose main route table has a default route to an internet gateway.
    Why it matters. Every new subnet is public until somebody thinks of its table.
    False positives. Default VPCs, which AWS makes so; delete them where nothing uses them.
    Fix. Make a table for public subnets, associate it with them, and take the route out of the main table.
    References. Amazon VPC user guide, Configure route tables, Main route table
    """

    def judge(table: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, table) or not is_main(table):
            return None
        name, found = arn(state, answer, f"route-table/{text(table, 'RouteTableId')}"), internet_routes(table)
        seen = (*facts(table, "VpcId"), *(("route", text(each, "GatewayId")) for each in found))
        if found:
            return Judgement(Verdict.FAIL, name, f"leads everything to {text(found[0], 'GatewayId')}", seen)
        return Judgement(Verdict.PASS, name, "no default route to an internet gateway", seen)

    yield from each_resource(state, _TABLES, "RouteTables", judge, none="there are no main route tables")


@check(
    "ec2-nat-per-zone",
    "Each zone has its NAT gateway",
    "Subnets of a zone use the NAT of another",
    Severity.LOW,
)
def nat_per_zone(state: State) -> Iterator[Judgement]:
    """Whether subnets that leave by a NAT gateway use one in their own zone.

    Finds. A VPC with a subnet whose default route leads to a NAT gateway in another zone, or to one that is gone. A NAT
    gateway of the whole region serves every zone.
    Why it matters. When the zone of the gateway fails the others lose the internet too; and traffic between zones
    costs.
    False positives. VPCs for development and test.
    Fix. Make a NAT gateway in each zone, and a route table for the private subnets of each.
    References. Amazon VPC user guide, NAT gateway basics
    """

    def judge(vpc: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, vpc):
            return None
        name, identity = arn(state, answer, f"vpc/{text(vpc, 'VpcId')}"), text(vpc, "VpcId")
        needed = tuple(
            state.about(answer, each)
            for each in ("DescribeSubnets", "DescribeRouteTables", "DescribeNatGateways")
        )
        if any(not each.status.is_known for each in needed):
            return unanswered(name, *needed)
        subnets = Subnets.of(identity, needed[0], needed[1])
        gateways = {text(each, "NatGatewayId"): each for each in needed[2].list("NatGateways")}
        return _nat(name, subnets, _gateway_zones(gateways, needed[0]))

    yield from each_resource(state, _VPCS, "Vpcs", judge, none="no subnet leaves by a NAT gateway")


def _gateway_zones(gateways: Mapping[str, Mapping[str, object]], subnets: Answer) -> Mapping[str, str]:
    """The zone of each available NAT gateway; `*` for one of the whole region."""
    zones = {text(each, "SubnetId"): text(each, "AvailabilityZone") for each in subnets.list("Subnets")}
    return {
        name: "*"
        if text(gateway, "AvailabilityMode") == "regional"
        else zones.get(text(gateway, "SubnetId"), "")
        for name, gateway in gateways.items()
        if text(gateway, "State") == "available"
    }


def _nat(name: str, subnets: Subnets, gateways: Mapping[str, str]) -> Judgement | None:
    seen, wrong = [], []
    for subnet, table in subnets.tables.items():
        used = next(
            (
                text(route, "NatGatewayId")
                for route in items(table, "Routes")
                if text(route, "NatGatewayId") and text(route, "DestinationCidrBlock") == "0.0.0.0/0"
            ),
            "",
        )
        if not used:
            continue
        zone, own = gateways.get(used, "none"), subnets.zones[subnet]
        seen.append((f"{subnet} in {own}", f"{used} in {zone}"))
        if zone not in {own, "*"}:
            wrong.append(f"{subnet} in {own}")
    if not seen:
        return None
    if wrong:
        return Judgement(
            Verdict.FAIL, name, f"not by a NAT gateway of their zone: {listing(wrong)}", tuple(seen)
        )
    return Judgement(Verdict.PASS, name, "every subnet leaves by a NAT gateway of its zone", tuple(seen))


@check(
    "ec2-security-group-outbound",
    "Outbound rules are chosen",
    "A security group lets everything out",
    Severity.INFORMATIONAL,
)
def outbound(state: State) -> Iterator[Judgement]:
    """Security groups that let everything out to everywhere.

    Finds. A group that is in use and whose outbound rules let all traffic reach every address, as a new group's do.
    Why it matters. Whoever gets in can send data wherever they like.
    False positives. Groups of what must reach changing places; a proxy or firewall behind.
    Fix. Allow the ports and places that are needed, such as 443 to prefix lists and endpoints.
    References. Amazon VPC user guide, Security group rules
    """
    uses = Uses(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, group):
            return shared(state, group, answer)
        use = uses.of(text(group, "GroupId"), answer.call.region)
        if use is not None and not use.interfaces:
            return None
        found = all_openings(group_rules(items(group, "IpPermissionsEgress"), lambda _: ()))
        everything = [each for each in found if each.first == 0 and each.last == 65535]  # noqa: PLR2004  # every port
        seen = (*proof(everything), *facts(group, "GroupName", "VpcId"))
        name = group_arn(state, group, answer)
        if not everything:
            return Judgement(Verdict.PASS, name, "what may leave is limited", seen)
        if use is None:
            return unanswered(name, state.about(answer, "DescribeNetworkInterfaces"), evidence=seen)
        return Judgement(Verdict.FAIL, name, f"everything may leave: {told(everything)}", seen)

    yield from each_resource(state, GROUPS, "SecurityGroups", judge, none=NONE)


@check(
    "ec2-instance-on-internet",
    "Instances are not on the internet",
    "An instance is on the internet",
    Severity.MEDIUM,
)
def instance_on_internet(state: State) -> Iterator[Judgement]:
    """Running instances that the whole internet can reach.

    Finds. A running instance with a public IPv4 address, in a subnet whose route table leads to an internet gateway,
    and with a security group that lets the world reach a port. It weighs much where the port is not 80 or 443.
    Why it matters. Everything that listens there is attacked all day.
    False positives. Web servers that have no load balancer before them on purpose.
    Fix. Put it into a private subnet behind a load balancer, or narrow the group.
    References. Amazon VPC user guide, Enable internet access for a VPC using an internet gateway
    """
    groups = Index("SecurityGroups", lambda item: (text(item, "GroupId"),))
    networks: dict[tuple[str, str], Subnets] = {}

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) != "running":
            return None
        name, address = instance_arn(state, instance, answer), text(instance, "PublicIpAddress")
        if not address:
            return Judgement(Verdict.PASS, name, "has no public IPv4 address")
        needed = tuple(
            state.about(answer, each)
            for each in ("DescribeSubnets", "DescribeRouteTables", "DescribeSecurityGroups")
        )
        if any(not each.status.is_known for each in needed):
            return unanswered(name, *needed, evidence=(("PublicIpAddress", address),))
        place = answer.call.region, text(instance, "VpcId")
        if place not in networks:
            networks[place] = Subnets.of(place[1], needed[0], needed[1])
        table = networks[place].tables.get(text(instance, "SubnetId"), {})
        own = [group for each in _group_ids(instance) for group in groups.of(needed[2], each)]
        rules = [rule for group in own for rule in inbound(state, group, needed[2])]
        return _reached(name, address, table, rules)

    yield from each_resource(state, INSTANCES, PATH, judge, none="no instance is running")


def _group_ids(instance: Mapping[str, object]) -> Iterator[str]:
    """The security groups of the instance, whose rules count together."""
    return (text(each, "GroupId") for each in items(instance, "SecurityGroups"))


def _reached(name: str, address: str, table: Mapping[str, object], rules: list[Rule]) -> Judgement:
    opened = all_openings(rules, (IPV4,))
    seen = (("PublicIpAddress", address), ("RouteTableId", text(table, "RouteTableId")), *proof(opened))
    if not internet_routes(table):
        return Judgement(Verdict.PASS, name, "no route leads to an internet gateway", seen)
    unread = tuple(dict.fromkeys(rule.source for rule in rules if rule.is_unread))
    if not opened and unread:
        message = f"what prefix list {', '.join(unread)} holds was not read"
        return Judgement(Verdict.UNKNOWN, name, message, seen, (ENTRIES,))
    if not opened:
        return Judgement(Verdict.PASS, name, "no security group lets the world in", seen)
    only_web = all(each.first == each.last and each.first in _WEB for each in opened)
    severity = Severity.LOW if only_web else Severity.HIGH
    return Judgement(
        Verdict.FAIL, name, f"{address} is open to the world: {told(opened)}", seen, severity=severity
    )


def _watched(alarm: Mapping[str, object]) -> Iterator[str]:
    """The instances that an alarm is about."""
    return (text(each, "Value") for each in items(alarm, "Dimensions") if text(each, "Name") == "InstanceId")


@check("ec2-instance-alarm", "Instances have an alarm", "An instance has no alarm", Severity.LOW)
def instance_alarm(state: State) -> Iterator[Judgement]:
    """Running instances whose failure nobody would hear of.

    Finds. A running instance without an alarm on one of its metrics that has an action.
    Why it matters. Somebody else tells that it is down, or nobody.
    False positives. Instances of an Auto Scaling group, which replaces them, and those that another product watches.
    Fix. Make an alarm on StatusCheckFailed that recovers the instance and tells a topic.
    References. Amazon EC2 user guide, Create and edit status check alarms for Amazon EC2 instances
    """
    watching = Index("MetricAlarms", _watched)

    def judge(instance: Mapping[str, object], answer: Answer) -> Judgement | None:
        if instance_state(instance) != "running":
            return None
        name, identity = instance_arn(state, instance, answer), text(instance, "InstanceId")
        alarms = state.answers.get(state.account, answer.call.region, "cloudwatch", "DescribeAlarms")
        if not alarms.status.is_known:
            return unanswered(name, alarms)
        own = watching.of(alarms, identity)
        acting = [
            each
            for each in own
            if member(each, "ActionsEnabled") is not False and member(each, "AlarmActions")
        ]
        seen = tuple(
            (text(each, "AlarmName"), f"{text(each, 'MetricName')} {text(each, 'StateValue')}")
            for each in own
        )
        if acting:
            return Judgement(
                Verdict.PASS,
                name,
                f"watched by {listing([text(each, 'AlarmName') for each in acting])}",
                seen,
            )
        return Judgement(Verdict.FAIL, name, "no alarm with an action watches it", seen)

    yield from each_resource(state, INSTANCES, PATH, judge, none="no instance is running")
