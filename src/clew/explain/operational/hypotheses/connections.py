"""The way to the instance: security groups, network ACL, route, address; and the key that opens the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.ingress import network
from clew.audit.resources import facts, items, moment, text
from clew.explain.operational.network import (
    EPHEMERAL,
    OPEN,
    acl_lets,
    acl_of,
    covers,
    group_lets,
    is_public,
    route_to,
    table_of,
)
from clew.explain.operational.scene import Component, Hypothesis, refuted, true, unknown
from clew.explain.operational.signs import KEY_REFUSED, signs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.audit.ingress import Network
    from clew.explain.links import Facts, Link
    from clew.explain.operational.scene import Found, Scene

_SAY_FROM = "say where they come from: `--from ADDRESS`"


_WEB = (80, 443)
# Amazon VPC user guide, "NAT gateways", "Enable outbound IPv6 traffic using an egress-only internet gateway".
_ONE_WAY = ("nat-", "eigw-")


def _ports(scene: Scene) -> tuple[int, ...]:
    """The ports in question; those of the web where none is named, of which one is enough."""
    return scene.about.ports or _WEB


def _shut(scene: Scene, told: Mapping[int, bool | None]) -> list[int]:
    """The ports in question that are known to be shut; none where one of those that nobody named is not."""
    shut = [port for port, lets in told.items() if lets is False]
    return shut if scene.about.ports or len(shut) == len(told) else []


def _is_open(scene: Scene, told: Mapping[int, bool | None]) -> bool:
    """Whether the ports in question are known to be open."""
    lets = [value is True for value in told.values()]
    return all(lets) if scene.about.ports else any(lets)


def _group_closed(scene: Scene) -> Link:
    instance = scene.instance
    if instance is None:
        return scene.which_instance
    names = [text(each, "GroupId") for each in items(instance.data, "SecurityGroups")]
    groups = {
        name: scene.find("ec2:DescribeSecurityGroups", "SecurityGroups", "GroupId", name) for name in names
    }
    found = [each for each in groups.values() if each]
    told = {port: group_lets(found, port, scene.about.client) for port in _ports(scene)}
    rules = tuple((f"port {port}", says) for port, (_, says) in told.items())
    evidence = (("security groups", ", ".join(names) or "none"), *rules, *_seen(found))
    missing = [name for name, each in groups.items() if each is None]
    lets = {port: each for port, (each, _) in told.items()}
    is_open = _is_open(scene, lets)
    if missing and not is_open:
        command = f"aws ec2 describe-security-groups --group-ids {' '.join(missing)}"
        return unknown(f"the rules of {', '.join(missing)} are not at hand", command, evidence)
    closed = _shut(scene, lets)
    if closed:
        says = f"no security group of the instance lets tcp {_listed(closed)} in"
        return true(says, evidence, _open_group(names, closed, scene))
    if not is_open:
        return unknown("the security groups let in from some addresses only", _SAY_FROM, evidence)
    through = [port for port, each in lets.items() if each]
    return refuted(f"the security groups let tcp {_listed(through)} in", evidence)


def _open_group(names: list[str], closed: list[int], scene: Scene) -> str:
    where = str(scene.about.client or "ADDRESS/32")
    return (
        f"aws ec2 authorize-security-group-ingress --group-id {names[0] if names else 'GROUP'} --protocol tcp "
        f"--port {closed[0]} --cidr {where}"
    )


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _seen(found: list[Found]) -> Facts:
    return tuple(dict.fromkeys(fact for each in found for fact in each.seen))


def _acl_closed(scene: Scene) -> Link:
    instance = scene.instance
    if instance is None:
        return scene.which_instance
    subnet = instance.text("SubnetId")
    acl = acl_of(scene, subnet)
    if acl is None:
        command = f"aws ec2 describe-network-acls --filters Name=association.subnet-id,Values={subnet}"
        return scene.open("ec2:DescribeNetworkAcls", command)
    client = scene.about.client
    if client is not None and (near := _subnet_with(scene, subnet, client)):
        return refuted("they are in the same subnet, where no network ACL is asked", near.seen)
    inward = {port: acl_lets(acl.data, (port, port), client, egress=False) for port in _ports(scene)}
    outward = acl_lets(acl.data, EPHEMERAL, client, egress=True)
    told = [(f"in on {port}", says) for port, (_, says) in inward.items()]
    evidence = (("network ACL", acl.text("NetworkAclId")), *told, ("answers out", outward[1]), *acl.seen)
    lets = {port: each for port, (each, _) in inward.items()}
    ways = [f"in on {_listed(shut)}"] if (shut := _shut(scene, lets)) else []
    ways += ["back out (ephemeral ports)"] if outward[0] is False else []
    if ways:
        return true(
            f"the network ACL of {subnet} lets no traffic {' and '.join(ways)}",
            evidence,
            f"aws ec2 create-network-acl-entry --network-acl-id {acl.text('NetworkAclId')}, before the denying rule",
        )
    if outward[0] is None or not _is_open(scene, lets):
        return unknown("a rule of the network ACL speaks of a part only", _SAY_FROM, evidence)
    return refuted("the network ACL lets both directions through", evidence)


def _subnet_with(scene: Scene, subnet: str, client: Network) -> Found | None:
    """The instance's subnet, where the client's addresses are in it."""
    found = scene.find("ec2:DescribeSubnets", "Subnets", "SubnetId", subnet)
    there = network(found.text("CidrBlock")) if found else None
    return found if there is not None and covers(there, client) else None


def _no_route(scene: Scene) -> Link:
    instance = scene.instance
    if instance is None:
        return scene.which_instance
    subnet, vpc, client = instance.text("SubnetId"), instance.text("VpcId"), scene.about.client
    table = table_of(scene, subnet, vpc)
    if table is None:
        command = f"aws ec2 describe-route-tables --filters Name=vpc-id,Values={vpc}"
        return scene.open("ec2:DescribeRouteTables", command)
    target, says = route_to(table.data, client)
    evidence = (("route table", table.text("RouteTableId")), ("route", says), *table.seen)
    if target == "local" or (target.startswith("igw-") and is_public(client)):
        return refuted("the subnet has a route back", evidence)
    if target == OPEN:
        return unknown("the route table has routes to a part of the addresses only", _SAY_FROM, evidence)
    if not target or target.startswith(_ONE_WAY if is_public(client) else ("igw-",)):
        why = "a NAT gateway lets no connection in" if target.startswith("nat-") else "there is no route back"
        fix = f"aws ec2 create-route --route-table-id {table.text('RouteTableId')}, to an internet gateway"
        return true(f"{why} from {subnet}", evidence, fix)
    return unknown(f"the route leads over {target}, which is not looked at", "follow that way", evidence)


def _no_address(scene: Scene) -> Link:
    instance = scene.instance
    if instance is None:
        return scene.which_instance
    if not is_public(scene.about.client):
        return refuted("they come from within, where the private address does", instance.seen)
    interfaces = list(items(instance.data, "NetworkInterfaces"))
    v6 = any(text(one, "Ipv6Address") for each in interfaces for one in items(each, "Ipv6Addresses"))
    client, address = scene.about.client, instance.text("PublicIpAddress")
    # A caller reaches addresses of its own family only.
    address, v6 = (address if _is_of(client, 4) else ""), v6 and _is_of(client, 6)
    if address or v6:
        says = (
            f"the instance has the public address {address}"
            if address
            else "the instance has an IPv6 address"
        )
        return refuted(says, instance.seen)
    if instance.text("State.Name") not in {"running", ""}:
        # EC2 user guide: a stopped instance gives its public IPv4 address back, unless it is an Elastic IP address.
        settle = "start it, then aws ec2 describe-instances"
        return unknown(
            "an instance that does not run has no public address of its own", settle, instance.seen
        )
    return true(
        "the instance has no public address" + (f" of IPv{client.version}" if client else ""),
        (*facts(instance.data, "PublicIpAddress", "PrivateIpAddress"), *instance.seen),
        "aws ec2 associate-address, or go through Session Manager, a bastion or a load balancer",
    )


def _is_of(client: Network | None, version: int) -> bool:
    return client is None or client.version == version


def _wrong_key(scene: Scene) -> Link:
    """Whether the key that is used is not the one that the instance was launched with.

    EC2 user guide: "Amazon EC2 key pairs and Amazon EC2 instances". The names may agree where the key was replaced by
    another of that name after the launch.
    """
    instance, used = scene.instance, scene.about.key
    refused = signs(scene.logs, KEY_REFUSED, scene.instance_id, scene.about.window)
    said = refused[0].facts if refused else ()
    if instance is None:
        return scene.which_instance
    own = instance.text("KeyName")
    if not used:
        return unknown(
            "which key they use is not said", "say its name: `--key NAME`", (*said, *instance.seen)
        )
    evidence = (("KeyName", own or "none"), ("key used", used), *said, *instance.seen)
    fix = (
        f"use the private key of `{own}`" if own else "go in through Session Manager or EC2 Instance Connect"
    )
    if own != used:
        was = f"was launched with the key pair `{own}`" if own else "was launched without a key pair"
        return true(f"the instance {was}, not with `{used}`", evidence, fix)
    pair = scene.find("ec2:DescribeKeyPairs", "KeyPairs", "KeyName", own)
    made, launched = moment(pair.text("CreateTime")) if pair else None, moment(instance.text("LaunchTime"))
    if pair and made and launched and made > launched:
        told = (*evidence, ("key pair made", pair.text("CreateTime")), *pair.seen)
        return true("the key pair of that name is younger than the instance: it is another key", told, fix)
    if refused:
        settle = f"compare the fingerprints: aws ec2 describe-key-pairs --key-names {own}"
        return unknown("the names agree, yet the server refused the key", settle, evidence)
    return refuted("the instance was launched with that key pair", evidence)


GROUP_CLOSED = Hypothesis(
    "group-closed",
    "the security group lets nobody in",
    Component.NETWORK,
    4,
    _group_closed,
    "EC2 user guide, Troubleshoot issues connecting to your Amazon EC2 Linux instance, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/TroubleshootingInstancesConnecting.html",
)
ACL_CLOSED = Hypothesis(
    "acl-closed",
    "the network ACL stops the way in or the answer",
    Component.NETWORK,
    4,
    _acl_closed,
    "Amazon VPC user guide, Custom network ACLs for your VPC, "
    "https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html",
)
NO_ROUTE = Hypothesis(
    "no-route",
    "the subnet has no route back",
    Component.NETWORK,
    4,
    _no_route,
    "Amazon VPC user guide, Configure route tables, "
    "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html",
)
NO_ADDRESS = Hypothesis(
    "no-address",
    "the instance has no address that they can reach",
    Component.NETWORK,
    4,
    _no_address,
    "EC2 user guide, Amazon EC2 instance IP addressing, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
)
WRONG_KEY = Hypothesis(
    "wrong-key",
    "the SSH key is not the instance's",
    Component.ACCESS,
    2,
    _wrong_key,
    "EC2 user guide, Amazon EC2 key pairs and Amazon EC2 instances, "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html",
)
