"""The way of an instance to a service outside its network: security groups, network ACL, route or interface endpoint.

VPC user guide: "Security group rules", "Network ACL rules" (the first rule that matches decides; answers come back to
ports 1024-65535), "Route tables"; PrivateLink guide: "Access AWS services through AWS PrivateLink".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import items, member, text
from clew.explain.doctor import Found, Patient, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.snapshot.answers import Answer

_WORLD: Final = "0.0.0.0/0"
_TCP: Final = frozenset({"tcp", "6", "-1"})
_BACK: Final = (1024, 65535)


def links(patient: Patient, instance: Found, port: int, services: tuple[str, ...] = ()) -> Iterator[Link]:
    """The links of the way out on that port; interface endpoints for all of `services` do in the place of a route."""
    yield _groups(patient, instance, port)
    yield _list(patient, instance, port)
    yield _route(patient, instance, services)


def _said(patient: Patient, instance: Found, operation: str) -> Answer:
    return patient.state.answers.get(patient.state.account, instance.region, "ec2", operation)


def _groups(patient: Patient, instance: Found, port: int) -> Link:
    said = _said(patient, instance, "DescribeSecurityGroups")
    if not said.status.is_known:
        return unanswered("out-security-group", said)
    own = {text(each, "GroupId") for each in items(instance.data, "SecurityGroups")}
    rules = [
        rule
        for group in items(said.body, "SecurityGroups")
        if text(group, "GroupId") in own
        for rule in items(group, "IpPermissionsEgress")
        if text(rule, "IpProtocol") in _TCP and _covers(rule, "FromPort", "ToPort", (port, port))
    ]
    names = ", ".join(sorted(own)) or "no security group"
    if any(text(each, "CidrIp") == _WORLD for rule in rules for each in items(rule, "IpRanges")):
        return Link("out-security-group", Verdict.HOLDS, f"{names} let port {port} out", asked(said))
    if rules:
        says = (
            f"{names} let port {port} out to some addresses only; whether the service is among them is open"
        )
        settle = f"aws ec2 describe-security-groups --group-ids {' '.join(sorted(own))}"
        return Link("out-security-group", Verdict.UNKNOWN, says, asked(said), settle=settle)
    fix = f"aws ec2 authorize-security-group-egress, for tcp port {port}"
    return Link(
        "out-security-group", Verdict.BROKEN, f"{names} let port {port} out nowhere", asked(said), fix
    )


def _covers(rule: Mapping[str, object], first: str, last: str, wanted: tuple[int, int]) -> bool:
    """Whether the rule's ports hold all those wanted; a rule without ports holds every one."""
    begins, ends = member(rule, first), member(rule, last)
    if not isinstance(begins, int) or not isinstance(ends, int) or begins < 0:
        return True
    return begins <= wanted[0] and wanted[1] <= ends


def _list(patient: Patient, instance: Found, port: int) -> Link:
    said = _said(patient, instance, "DescribeNetworkAcls")
    if not said.status.is_known:
        return unanswered("out-network-acl", said)
    subnet = instance.text("SubnetId")
    acl = next(
        (
            each
            for each in items(said.body, "NetworkAcls")
            if subnet in {text(one, "SubnetId") for one in items(each, "Associations")}
        ),
        None,
    )
    if acl is None:
        says = f"the network ACL of subnet `{subnet}` is not among those collected"
        return Link(
            "out-network-acl", Verdict.UNKNOWN, says, asked(said), settle="aws ec2 describe-network-acls"
        )
    name, entries = text(acl, "NetworkAclId"), list(items(acl, "Entries"))
    there, back = _decides(entries, True, (port, port)), _decides(entries, False, _BACK)
    if there and back:
        return Link(
            "out-network-acl", Verdict.HOLDS, f"{name} lets port {port} out, and answers in", asked(said)
        )
    if None in {there, back} and False not in {there, back}:
        says = f"{name} decides by address or port: whether port {port} gets out, and answers in, is open"
        settle = f"aws ec2 describe-network-acls --network-acl-ids {name}"
        return Link("out-network-acl", Verdict.UNKNOWN, says, asked(said), settle=settle)
    says = (
        f"{name} stops port {port} on its way out"
        if there is False
        else f"{name} stops the answers on their way in"
    )
    what = f"egress for tcp port {port}" if there is False else "ingress for tcp ports 1024-65535"
    return Link(
        "out-network-acl", Verdict.BROKEN, says, asked(said), f"aws ec2 create-network-acl-entry: {what}"
    )


def _decides(entries: Iterable[Mapping[str, object]], egress: bool, ports: tuple[int, int]) -> bool | None:
    """What the first rule that is about all these ports says; None where one about some of it comes before."""
    ordered = sorted(
        (each for each in entries if member(each, "Egress") is egress),
        key=lambda each: int(text(each, "RuleNumber") or 0),
    )
    for entry in ordered:
        if text(entry, "Protocol") not in _TCP or not text(entry, "CidrBlock"):
            continue
        allows = text(entry, "RuleAction") == "allow"
        if text(entry, "CidrBlock") == _WORLD and _covers(
            {"from": member(entry, "PortRange.From"), "to": member(entry, "PortRange.To")},
            "from",
            "to",
            ports,
        ):
            return allows
        if _meets(entry, ports):
            return None
    return False


def _meets(entry: Mapping[str, object], ports: tuple[int, int]) -> bool:
    begins, ends = member(entry, "PortRange.From"), member(entry, "PortRange.To")
    return not (isinstance(begins, int) and isinstance(ends, int)) or (
        begins <= ports[1] and ports[0] <= ends
    )


def _route(patient: Patient, instance: Found, services: tuple[str, ...]) -> Link:
    endpoints = _endpoints(patient, instance, services) if services else None
    if endpoints is not None:
        return endpoints
    said = _said(patient, instance, "DescribeRouteTables")
    if not said.status.is_known:
        return unanswered("out-route", said)
    tables = list(items(said.body, "RouteTables"))
    table = _table(tables, instance)
    if table is None:
        says = f"the route table of subnet `{instance.text('SubnetId')}` is not among those collected"
        return Link("out-route", Verdict.UNKNOWN, says, asked(said), settle="aws ec2 describe-route-tables")
    default = next(
        (each for each in items(table, "Routes") if text(each, "DestinationCidrBlock") == _WORLD), None
    )
    return _by_default(text(table, "RouteTableId"), default, instance, said)


def _table(tables: list[Mapping[str, object]], instance: Found) -> Mapping[str, object] | None:
    """The table of the instance's subnet, else the main one of its VPC."""
    subnet, vpc = instance.text("SubnetId"), instance.text("VpcId")
    own = [t for t in tables if subnet in {text(each, "SubnetId") for each in items(t, "Associations")}]
    main = [
        t
        for t in tables
        if text(t, "VpcId") == vpc and any(member(each, "Main") is True for each in items(t, "Associations"))
    ]
    return next(iter((*own, *main)), None)


def _by_default(table: str, route: Mapping[str, object] | None, instance: Found, said: Answer) -> Link:
    """What the route to everywhere leads to."""
    if route is None or text(route, "State") == "blackhole":
        what = "leads nowhere" if route is not None else "is missing"
        fix = "route 0.0.0.0/0 to a NAT gateway (private subnet) or an internet gateway, or make interface endpoints"
        return Link("out-route", Verdict.BROKEN, f"the route of {table} to {_WORLD} {what}", asked(said), fix)
    if text(route, "NatGatewayId"):
        return Link(
            "out-route", Verdict.HOLDS, f"{table} goes out by {text(route, 'NatGatewayId')}", asked(said)
        )
    gateway = text(route, "GatewayId")
    if gateway.startswith("igw-"):
        if instance.text("PublicIpAddress"):
            return Link("out-route", Verdict.HOLDS, f"{table} goes out by {gateway}", asked(said))
        # AWS: VPC user guide, "Internet gateways": only an instance with a public address gets out by one.
        says = f"{table} goes out by {gateway}, and the instance has no public address to go out with"
        fix = "give it an Elastic IP address, or route its subnet to a NAT gateway"
        return Link("out-route", Verdict.BROKEN, says, asked(said), fix)
    by = next((str(value) for key, value in route.items() if key.endswith("Id") and value), "something else")
    says = f"{table} goes out by {by}: what lies behind it is not looked at"
    return Link(
        "out-route", Verdict.UNKNOWN, says, asked(said), settle="clew audit --framework network-review"
    )


def _endpoints(patient: Patient, instance: Found, services: tuple[str, ...]) -> Link | None:
    """The link that every service has an interface endpoint with private names in the VPC; None where one has not."""
    said = _said(patient, instance, "DescribeVpcEndpoints")
    if not said.status.is_known:
        return None
    there = {
        text(each, "ServiceName").rpartition(".")[2]
        for each in items(said.body, "VpcEndpoints")
        if text(each, "VpcId") == instance.text("VpcId")
        and text(each, "State").lower() == "available"
        and member(each, "PrivateDnsEnabled") is True
    }
    if not set(services) <= there:
        return None
    says = f"the VPC has interface endpoints for {', '.join(services)}"
    return Link("out-route", Verdict.HOLDS, says, asked(said))
