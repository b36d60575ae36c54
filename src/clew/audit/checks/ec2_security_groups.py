"""Checks of security groups: what they open to the world, default groups, and groups that nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.ingress import IPV4, IPV6, all_openings
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import answers, each_resource, items, listing, text, unanswered
from clew.audit.security_groups import (
    GROUPS,
    NONE,
    Ports,
    Uses,
    closed,
    group_arn,
    inbound,
    is_shared,
    judged,
    shared,
)
from clew.errors import UsageError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.ingress import Opening
    from clew.audit.model import State
    from clew.audit.security_groups import Use
    from clew.snapshot.answers import Answer

_LAST = 65535


@check(
    "ec2-security-group-ssh", "Port 22 is not open to the world", "SSH is open to the world", Severity.HIGH
)
def ssh(state: State) -> Iterator[Judgement]:
    """Whether security groups let everybody reach TCP port 22.

    Finds. A group whose inbound rules, one or several together, let every public IPv4 or IPv6 address reach port 22: by
    a range of ports, all traffic, split ranges, or a prefix list. Attached to nothing, it weighs little.
    Why it matters. Whatever answers on such a port is tried with stolen keys and guessed passwords within minutes.
    False positives. A bastion that must be reached from anywhere; AWS Systems Manager Session Manager needs no port.
    Fix. Take the rule away, or name the ranges from which administrators come.
    References. Amazon EC2 API reference, DescribeSecurityGroups · AWS Config developer guide, restricted-ssh
    """
    yield from closed(state, Ports(tcp=(22,)))


@check(
    "ec2-security-group-rdp", "Port 3389 is not open to the world", "RDP is open to the world", Severity.HIGH
)
def rdp(state: State) -> Iterator[Judgement]:
    """Whether security groups let everybody reach TCP or UDP port 3389.

    Finds. A group whose inbound rules, one or several together, let every public IPv4 or IPv6 address reach port 3389.
    Attached to nothing, it weighs little.
    Why it matters. Remote desktops that the world can reach are a common way in for those who encrypt and extort.
    False positives. A gateway that must be reached from anywhere.
    Fix. Take the rule away, or name the ranges from which administrators come.
    References. Amazon EC2 API reference, DescribeSecurityGroups · AWS Config developer guide, restricted-common-ports
    """
    yield from closed(state, Ports(tcp=(3389,), udp=(3389,)))


@check(
    "ec2-security-group-cifs", "Port 445 is not open to the world", "CIFS is open to the world", Severity.HIGH
)
def cifs(state: State) -> Iterator[Judgement]:
    """Whether security groups let everybody reach TCP port 445, over which Windows shares files.

    Finds. A group whose inbound rules, one or several together, let every public IPv4 or IPv6 address reach port 445.
    Attached to nothing, it weighs little.
    Why it matters. Worms have spread over this port for decades; file shares are not made for the internet.
    False positives. None known.
    Fix. Take the rule away; share files over a VPN or a private network.
    References. Amazon EC2 API reference, DescribeSecurityGroups · Amazon FSx for Windows File Server user guide,
    File system access control with Amazon VPC
    """
    yield from closed(state, Ports(tcp=(445,)))


@check(
    "ec2-security-group-admin-ipv4",
    "Security groups close ports of administration to IPv4 addresses of the world",
    "A port of administration is open to IPv4 addresses of the world",
    Severity.HIGH,
)
def admin_ipv4(state: State, *, ports: str = "22,3389") -> Iterator[Judgement]:
    """Whether security groups let every IPv4 address reach a port for administration.

    Finds. A group whose inbound rules let every public IPv4 address reach one of `ports` over TCP, or 3389 over UDP.
    Why it matters. Ports of administration are tried with stolen keys and guessed passwords all the time.
    False positives. A bastion that must be reached from anywhere.
    Fix. Take the rule away, or name the ranges from which administrators come.
    References. Amazon EC2 API reference, DescribeSecurityGroups · Amazon VPC user guide, Security group rules
    """
    yield from closed(state, _admin(ports, IPV4))


@check(
    "ec2-security-group-admin-ipv6",
    "Security groups close ports of administration to IPv6 addresses of the world",
    "A port of administration is open to IPv6 addresses of the world",
    Severity.HIGH,
)
def admin_ipv6(state: State, *, ports: str = "22,3389") -> Iterator[Judgement]:
    """Whether security groups let every IPv6 address reach a port for administration.

    Finds. A group whose inbound rules let every global IPv6 address reach one of `ports` over TCP, or 3389 over UDP.
    Why it matters. IPv6 addresses of instances are public, and a rule for IPv4 says nothing about them.
    False positives. A bastion that must be reached from anywhere; a VPC without IPv6.
    Fix. Take the rule away, or name the ranges from which administrators come.
    References. Amazon EC2 API reference, DescribeSecurityGroups · Amazon VPC user guide, Security group rules
    """
    yield from closed(state, _admin(ports, IPV6))


def _admin(ports: str, version: int) -> Ports:
    numbers = _numbers(ports)
    return Ports(tcp=numbers, udp=tuple(port for port in numbers if port == 3389), versions=(version,))  # noqa: PLR2004  # RDP


@check(
    "ec2-security-group-common-ports",
    "Common ports are not open to the world",
    "A common port is open to the world",
    Severity.HIGH,
)
def common_ports(state: State, *, ports: str = "20,21,3389,3306,4333") -> Iterator[Judgement]:
    """Whether security groups let every address of the world reach ports of file transfer, desktops and databases.

    Finds. A group whose inbound rules let every public IPv4 or IPv6 address reach one of the TCP `ports`.
    Why it matters. What listens there is seldom made for the internet.
    False positives. A public FTP server.
    Fix. Take the rule away, or name the ranges from which clients come.
    References. AWS Config developer guide, restricted-common-ports
    """
    yield from closed(state, Ports(tcp=_numbers(ports)))


@check(
    "ec2-security-group-authorized-ports",
    "Only chosen ports are open to the world",
    "A port that nobody chose is open to the world",
    Severity.HIGH,
)
def authorized_ports(state: State, *, tcp: str = "", udp: str = "") -> Iterator[Judgement]:
    """Whether security groups open other ports to the world than those that were chosen.

    Finds. A group whose inbound rules let every public address reach a port that is neither in `tcp` nor in `udp`, both
    lists of ports and ranges such as `443,1024-2000`. Without any, every open port is found.
    Why it matters. A port that nobody decided to open is one that nobody watches.
    False positives. A public service whose port is not in the list yet.
    Fix. Take the rule away, or add the port to the list.
    References. AWS Config developer guide, vpc-sg-open-only-to-authorized-ports
    """
    chosen = {"tcp": _ranges(tcp), "udp": _ranges(udp)}
    uses = Uses(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement:
        if is_shared(state, group):
            return shared(state, group, answer)
        rules = inbound(state, group, answer)
        unread = tuple(dict.fromkeys(rule.source for rule in rules if rule.is_unread))
        found = tuple(o for o in all_openings(rules) if not _is_chosen(o, chosen[o.protocol]))
        return judged(state, group, answer, uses, found, unread)

    yield from each_resource(state, GROUPS, "SecurityGroups", judge, none=NONE)


def _is_chosen(opening: Opening, ranges: tuple[tuple[int, int], ...]) -> bool:
    """Whether every port of the opening is in one of the ranges, or in several that touch."""
    first = opening.first
    for low, high in sorted(ranges):
        if low <= first <= high:
            first = high + 1
    return first > opening.last


def _numbers(text_: str) -> tuple[int, ...]:
    return tuple(port for first, last in _ranges(text_) for port in range(first, last + 1))


def _ranges(written: str) -> tuple[tuple[int, int], ...]:
    """The ranges of a list such as `22,1024-2000`. Errors: `UsageError` for anything else."""
    found = []
    for part in filter(None, (part.strip() for part in written.split(","))):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) > _LAST:
            raise UsageError(
                f"`{part[:80]}` is no port and no range of ports; write for example `22,1024-2000`"
            )
        found.append((int(first), int(last or first)))
    return tuple(found)


@check(
    "ec2-default-security-group",
    "Default security groups are empty",
    "A default security group has rules",
    Severity.MEDIUM,
)
def default_group(state: State) -> Iterator[Judgement]:
    """Whether the default security group of each VPC lets anything in or out.

    Finds. A default group with an inbound or outbound rule. It weighs little where nothing is attached to it.
    Why it matters. Whatever is started without a group gets this one, and with it rules that nobody chose for it.
    False positives. None known; a group of one's own can always take its place.
    Fix. Attach groups of your own, then take every rule out of the default group.
    References. Amazon VPC user guide, Default security groups for your VPCs · AWS Config developer guide,
    vpc-default-security-group-closed
    """
    uses = Uses(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(group, "GroupName") != "default":
            return None
        return (
            shared(state, group, answer) if is_shared(state, group) else _default(state, group, answer, uses)
        )

    yield from each_resource(
        state, GROUPS, "SecurityGroups", judge, none="there are no default security groups"
    )


def _default(state: State, group: Mapping[str, object], answer: Answer, uses: Uses) -> Judgement:
    name = group_arn(state, group, answer)
    rules_in = sum(1 for _ in items(group, "IpPermissions"))
    rules_out = sum(1 for _ in items(group, "IpPermissionsEgress"))
    use = uses.of(text(group, "GroupId"), answer.call.region)
    seen = (
        ("VpcId", text(group, "VpcId")),
        ("IpPermissions", str(rules_in)),
        ("IpPermissionsEgress", str(rules_out)),
    )
    if not rules_in and not rules_out:
        return Judgement(Verdict.PASS, name, "has no rules", seen)
    used = "" if use is None else f"; {use.text}"
    severity = Severity.LOW if use is not None and not use.interfaces else None
    message = f"has {rules_in} inbound and {rules_out} outbound rules{used}"
    return Judgement(Verdict.FAIL, name, message, seen, severity=severity)


@check(
    "ec2-security-group-unused",
    "Security groups are in use",
    "A security group is attached to nothing",
    Severity.LOW,
)
def unused(state: State) -> Iterator[Judgement]:
    """Security groups that no network interface has.

    Finds. A group, other than a default one, that no interface has and that no rule of another group names.
    Why it matters. Rules that nobody uses are attached by mistake one day.
    False positives. Groups of Lambda functions that have been idle, and of launch templates that have not been used.
    Fix. Delete the group.
    References. AWS Config developer guide, ec2-security-group-attached-to-eni-periodic
    """
    uses, naming = Uses(state), _named(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(group, "GroupName") == "default":
            return None
        if is_shared(state, group):
            return shared(state, group, answer)
        by = naming.get(text(group, "GroupId"), frozenset()) - {text(group, "GroupId")}
        return _used(state, group, answer, uses.of(text(group, "GroupId"), answer.call.region), by)

    yield from each_resource(
        state, GROUPS, "SecurityGroups", judge, none="there are no security groups but the default ones"
    )


def _named(state: State) -> Mapping[str, frozenset[str]]:
    """Which groups name each group in their rules."""
    found: dict[str, set[str]] = {}
    for answer in answers(state, GROUPS):
        for group in answer.list("SecurityGroups"):
            for rule in (*items(group, "IpPermissions"), *items(group, "IpPermissionsEgress")):
                for pair in items(rule, "UserIdGroupPairs"):
                    found.setdefault(text(pair, "GroupId"), set()).add(text(group, "GroupId"))
    return {name: frozenset(by) for name, by in found.items()}


def _used(
    state: State, group: Mapping[str, object], answer: Answer, use: Use | None, by: frozenset[str]
) -> Judgement:
    name = group_arn(state, group, answer)
    if use is not None and use.interfaces:
        return Judgement(Verdict.PASS, name, use.text)
    if by:
        return Judgement(Verdict.PASS, name, f"named by rules of {listing(sorted(by))}")
    if use is None:
        return unanswered(name, state.about(answer, "DescribeNetworkInterfaces"))
    return Judgement(Verdict.FAIL, name, "no interface has it and no other group names it")
