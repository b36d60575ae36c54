"""Security groups: the default one emptied, rules that are open to the world closed or narrowed."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.aspects.ec2 import SECURITY_GROUP, SECURITY_GROUP_RULES
from clew.respond.model import Action, Options, Place, State, Step, Target

if TYPE_CHECKING:
    from clew.respond.model import Aspect, Value

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ALL_PROTOCOLS = "-1"
_WITH_PORTS = frozenset({"tcp", "udp", "6", "17"})
_MOST_PORTS = 65535
# Two halves of all addresses are all addresses.
_WORLD_PREFIX = 1


def _needs(target: Target, _: Options) -> tuple[tuple[Aspect, Place], ...]:
    return (SECURITY_GROUP, target.place), (SECURITY_GROUP_RULES, target.place)


def _empty(target: Target, _: Options, state: State) -> tuple[Step, ...]:
    name = state.of(SECURITY_GROUP, target.place)["GroupName"]
    if name != "default":
        raise ChangeError(f"security group `{target.place.name}` is `{name}`, not the default one of its VPC")
    return state.to(SECURITY_GROUP_RULES, target.place, [])


def _close(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    ports, narrower = _ports(options), _network(options)
    rules = state.of(SECURITY_GROUP_RULES, target.place)
    wanted = []
    for rule in rules:
        if not _is_open(rule, ports):
            wanted.append(rule)
        elif narrower is not None and _narrowed(rule, narrower) is not None:
            wanted.append(_narrowed(rule, narrower))
    # A narrowed rule may be one that the group has already.
    distinct = [rule for index, rule in enumerate(wanted) if rule not in wanted[:index]]
    return state.to(SECURITY_GROUP_RULES, target.place, distinct)


def _is_open(rule: Value, ports: tuple[int, ...]) -> bool:
    text = rule.get("CidrIpv4") or rule.get("CidrIpv6")
    if rule["IsEgress"] or text is None or ipaddress.ip_network(text).prefixlen > _WORLD_PREFIX:
        return False
    if not ports or rule["IpProtocol"] == _ALL_PROTOCOLS:
        return True
    if rule["IpProtocol"] not in _WITH_PORTS:
        return False
    first, last = rule.get("FromPort", 0), rule.get("ToPort", _MOST_PORTS)
    return any(first <= port <= last for port in ports)


def _narrowed(rule: Value, network: Network) -> Value | None:
    """The rule for that network only; None where the rule is about the other kind of address."""
    member = f"CidrIpv{network.version}"
    return {**rule, member: str(network)} if member in rule else None


def _ports(options: Options) -> tuple[int, ...]:
    texts = [text.strip() for text in options.get("ports", "").split(",") if text.strip()]
    for text in texts:
        if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_PORTS:
            raise ChangeError(f"option `ports`: `{text[:40]}` is no port; expected numbers with commas")
    return tuple(map(int, texts))


def _network(options: Options) -> Network | None:
    text = options.get("cidr")
    if text is None:
        return None
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise ChangeError(
            f"option `cidr`: `{text[:60]}` is no network; expected one such as 203.0.113.0/24"
        ) from error
    if found.prefixlen <= _WORLD_PREFIX:
        raise ChangeError(f"option `cidr`: `{text}` is open to the world")
    return found


EMPTY_DEFAULT_SECURITY_GROUP = Action(
    "empty-default-security-group",
    "Remove every rule of a VPC's default security group",
    "security-group",
    "what uses the group, also because nobody named one, can neither be reached nor reach anything",
    _needs,
    _empty,
)
CLOSE_WORLD_INGRESS = Action(
    "close-world-ingress",
    "Revoke or narrow rules that let the whole internet in",
    "security-group",
    "connections from elsewhere are refused; a rule about more ports than were named is closed with all its ports",
    _needs,
    _close,
    {
        "ports": "only rules that reach these ports, with commas; all by default",
        "cidr": "the network to let in instead; none by default",
    },
)
