"""Who may come in, by meaning: the ports that security groups and network ACLs open to the whole internet.

Several ranges count as what they hold together: 0.0.0.0/1 and 128.0.0.0/1 are the world, and so is everything but the
addresses that are never routed on the internet. A range that leaves a public address out is not the world.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from clew.audit.resources import items, listing, member, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

IPV4, IPV6 = 4, 6
LAST_PORT = 65535
_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_ALL_PROTOCOLS = "-1"
_PORTED = frozenset({"tcp", "udp"})
_ALL_IPV4 = 1 << 32

# IANA: "IPv4 Special-Purpose Address Space" and multicast: nobody comes from there over the internet.
_NOT_PUBLIC = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_NOT_PUBLIC_SIZE = sum(each.num_addresses for each in _NOT_PUBLIC)
# IANA: "Internet Protocol Version 6 Address Space": the only part that is routed on the internet.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Rule:
    """One source of one rule: a range, or a prefix list that nobody read (`network` is None then).

    `first` and `last` bound the ports; both ends are inside. `text` writes the rule for evidence.
    """

    protocol: str
    first: int
    last: int
    network: Network | None
    source: str

    def covers(self, protocol: str, port: int) -> bool:
        """Whether the rule is about that port of that protocol."""
        return self.protocol in {protocol, _ALL_PROTOCOLS} and self.first <= port <= self.last

    @property
    def is_unread(self) -> bool:
        """Whether the source is a prefix list that nobody read."""
        return self.network is None and self.source.startswith("pl-")

    @property
    def text(self) -> str:
        """The rule as people write it: `tcp 22 from 0.0.0.0/0`."""
        if self.protocol == _ALL_PROTOCOLS:
            return f"all traffic from {self.source}"
        return f"{self.protocol} {ports(self.first, self.last)} from {self.source}"


@dataclass(frozen=True, slots=True)
class Opening:
    """Ports of one protocol that the world may reach over one version of IP, and the rules that together open them."""

    protocol: str
    first: int
    last: int
    version: int
    rules: tuple[Rule, ...]

    @property
    def text(self) -> str:
        """What is open, as people write it: `tcp 22 over IPv4`."""
        return f"{self.protocol} {ports(self.first, self.last)} over IPv{self.version}"


def ports(first: int, last: int) -> str:
    """A range of ports as people write it.

    >>> ports(22, 22), ports(0, 65535)
    ('22', '0-65535')
    """
    return str(first) if first == last else f"{first}-{last}"


def is_world(networks: Iterable[Network], version: int) -> bool:
    """Whether the ranges of that version together hold every public address.

    >>> halves = [ipaddress.ip_network("0.0.0.0/1"), ipaddress.ip_network("128.0.0.0/1")]
    >>> is_world(halves, IPV4), is_world(halves[:1], IPV4)
    (True, False)
    """
    if version == IPV6:
        v6 = [each for each in networks if isinstance(each, ipaddress.IPv6Network)]
        return any(each.supernet_of(_GLOBAL_UNICAST) for each in ipaddress.collapse_addresses(v6))
    v4 = {each for each in networks if isinstance(each, ipaddress.IPv4Network)}
    if sum(each.num_addresses for each in v4) + _NOT_PUBLIC_SIZE < _ALL_IPV4:
        return False
    return next(ipaddress.collapse_addresses((*v4, *_NOT_PUBLIC))).prefixlen == 0


@cache
def network(cidr: str) -> Network | None:
    """The range that a text writes; None where it writes none.

    Cached: the same few hundred ranges stand in the rules of thousands of groups, and reading one takes 8 µs.
    """
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def group_rules(
    permissions: Iterable[Mapping[str, object]], prefix_list: Callable[[str], Sequence[str] | None]
) -> tuple[Rule, ...]:
    """The rules of a security group that name ranges or prefix lists; references to groups let nobody from outside in.

    `permissions` as `DescribeSecurityGroups` gives them; `prefix_list` gives the ranges of a list by its id, or None
    where nobody read it.
    """
    return tuple(rule for each in permissions for rule in _of_permission(each, prefix_list))


def _of_permission(
    permission: Mapping[str, object], prefix_list: Callable[[str], Sequence[str] | None]
) -> Iterator[Rule]:
    protocol = _protocol(text(permission, "IpProtocol"))
    first, last = _range(protocol, member(permission, "FromPort"), member(permission, "ToPort"))
    ranges = [text(each, "CidrIp") for each in items(permission, "IpRanges")]
    ranges += [text(each, "CidrIpv6") for each in items(permission, "Ipv6Ranges")]
    for cidr in ranges:
        yield Rule(protocol, first, last, network(cidr), cidr)
    for each in items(permission, "PrefixListIds"):
        name = text(each, "PrefixListId")
        held = prefix_list(name)
        if held is None:
            yield Rule(protocol, first, last, None, name)
        for cidr in held or ():
            yield Rule(protocol, first, last, network(cidr), f"{cidr} in {name}")


def _protocol(name: str) -> str:
    return _NUMBERS.get(name, name.lower())


def _range(protocol: str, first: object, last: object) -> tuple[int, int]:
    """The ports of a rule; all of them where it names none. Rules about ICMP name types there, which are no ports."""
    if protocol in {"icmp", "icmpv6"}:
        return (-1, -1)
    if protocol == _ALL_PROTOCOLS or not isinstance(first, int) or not isinstance(last, int) or first < 0:
        return (0, LAST_PORT)
    return first, last


def openings(
    rules: Sequence[Rule], protocol: str, wanted: Iterable[int], versions: Iterable[int] = (IPV4, IPV6)
) -> tuple[Opening, ...]:
    """Which of the wanted ports the world may reach, each with the rules that open it."""
    return tuple(
        Opening(protocol, port, port, version, found)
        for version in versions
        for port in wanted
        if (found := _world_rules(rules, protocol, port, version))
    )


def all_openings(rules: Sequence[Rule], versions: Iterable[int] = (IPV4, IPV6)) -> tuple[Opening, ...]:
    """Every range of TCP and UDP ports that the world may reach, in order, neighbours joined."""
    return tuple(
        opening
        for protocol in sorted(_PORTED)
        for version in versions
        for opening in _swept(rules, protocol, version)
    )


def _swept(rules: Sequence[Rule], protocol: str, version: int) -> Iterator[Opening]:
    """Between two neighbouring ends of rules every port is like the first."""
    about = [
        rule
        for rule in rules
        if rule.protocol in {protocol, _ALL_PROTOCOLS} and rule.network and rule.network.version == version
    ]
    edges = sorted({rule.first for rule in about} | {rule.last + 1 for rule in about})
    pending: Opening | None = None
    for first, beyond in pairwise(edges):
        found = _world_rules(about, protocol, first, version)
        if not found:
            continue
        if pending and pending.last + 1 == first and pending.rules == found:
            pending = Opening(protocol, pending.first, beyond - 1, version, found)
            continue
        if pending:
            yield pending
        pending = Opening(protocol, first, beyond - 1, version, found)
    if pending:
        yield pending


def _world_rules(rules: Iterable[Rule], protocol: str, port: int, version: int) -> tuple[Rule, ...]:
    """The rules that open the port to the world: one where one suffices; none where it is closed."""
    found = [r for r in rules if r.network and r.network.version == version and r.covers(protocol, port)]
    if not found:
        return ()
    alone = next((rule for rule in found if rule.network and is_world([rule.network], version)), None)
    if alone:
        return (alone,)
    return tuple(found) if is_world([r.network for r in found if r.network], version) else ()


def unread_lists(rules: Iterable[Rule], protocol: str, wanted: Iterable[int]) -> tuple[str, ...]:
    """The prefix lists that nobody read and that rules about these ports name."""
    numbers = tuple(wanted)
    return tuple(
        dict.fromkeys(
            rule.source
            for rule in rules
            if rule.is_unread and any(rule.covers(protocol, port) for port in numbers)
        )
    )


def acl_openings(
    entries: Iterable[Mapping[str, object]], protocol: str, wanted: Iterable[int]
) -> tuple[Opening, ...]:
    """Which ports a network ACL lets the world reach: its rules count in the order of their numbers, first match wins.

    AWS: "Custom network ACLs for your VPC". An allow whose every address an earlier rule denies opens nothing.
    """
    inbound = sorted(
        (each for each in entries if not member(each, "Egress")),
        key=lambda each: int(text(each, "RuleNumber")),
    )
    return tuple(
        Opening(protocol, port, port, version, found)
        for version in (IPV4, IPV6)
        for port in wanted
        if (found := _acl_rules(inbound, protocol, port, version))
    )


def _acl_rules(
    entries: Iterable[Mapping[str, object]], protocol: str, port: int, version: int
) -> tuple[Rule, ...]:
    denied: list[Network] = []
    allowing: list[Rule] = []
    for entry in entries:
        rule = _of_entry(entry)
        if rule.network is None or rule.network.version != version or not rule.covers(protocol, port):
            continue
        if text(entry, "RuleAction") == "deny":
            denied.append(rule.network)
        elif not _is_within(rule.network, denied):
            allowing.append(rule)
    return tuple(allowing) if is_world([r.network for r in allowing if r.network], version) else ()


def _of_entry(entry: Mapping[str, object]) -> Rule:
    protocol = _protocol(text(entry, "Protocol"))
    first, last = _range(protocol, member(entry, "PortRange.From"), member(entry, "PortRange.To"))
    cidr = text(entry, "CidrBlock") or text(entry, "Ipv6CidrBlock")
    return Rule(protocol, first, last, network(cidr), f"{cidr} (rule {text(entry, 'RuleNumber')})")


def _is_within(inner: Network, outer: Iterable[Network]) -> bool:
    """Whether ranges of the same version together hold another whole."""
    if isinstance(inner, ipaddress.IPv4Network):
        v4 = ipaddress.collapse_addresses(each for each in outer if isinstance(each, ipaddress.IPv4Network))
        return any(each.supernet_of(inner) for each in v4)
    v6 = ipaddress.collapse_addresses(each for each in outer if isinstance(each, ipaddress.IPv6Network))
    return any(each.supernet_of(inner) for each in v6)


def told(found: Iterable[Opening]) -> str:
    """The openings in words."""
    return listing([opening.text for opening in found])


def proof(found: Iterable[Opening]) -> tuple[tuple[str, str], ...]:
    """The rules behind the openings, each once, for evidence."""
    rules = dict.fromkeys(rule.text for opening in found for rule in opening.rules)
    return tuple(("rule", rule) for rule in rules)
