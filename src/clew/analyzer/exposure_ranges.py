"""Conditions on addresses as few ranges: neighbours joined, and what a wider range holds left out.

>>> from clew.policy.model import Condition
>>> one = Condition("IpAddress", "aws:SourceIp", ("10.0.0.0/9", "10.128.0.0/9", "10.1.2.3"))
>>> fewest(one).values
('10.0.0.0/8',)
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.engine.known_callers import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.policy.model import Condition

_INSIDE: Final = "IpAddress"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_range(condition: Condition) -> bool:
    """Whether the condition says that an address lies in ranges that all can be read."""
    is_asked = condition.operator == _INSIDE and condition.key.lower() in ADDRESSES
    return is_asked and bool(condition.values) and _networks(condition) is not None


def fewest(condition: Condition) -> Condition:
    """The same addresses in the fewest ranges, in order; any other condition as it is."""
    networks = _networks(condition) if is_range(condition) else None
    if networks is None:
        return condition
    return condition._replace(values=tuple(_written(each) for each in _collapsed(networks)))


def united(conditions: Sequence[Condition]) -> Condition:
    """One condition that holds of the addresses of all; each must be of ranges, on one key."""
    values = tuple(value for each in conditions for value in each.values)
    return fewest(conditions[0]._replace(values=values))


def is_within(special: Condition, general: Condition) -> bool:
    """Whether all addresses of the first are among those of the second."""
    if special.key.lower() != general.key.lower() or not (is_range(special) and is_range(general)):
        return False
    whole, part = set(fewest(general).values), fewest(special).values
    return all(_is_held(ipaddress.ip_network(each), whole) for each in part)


def _is_held(network: Network, ranges: Iterable[str]) -> bool:
    return any(_holds(ipaddress.ip_network(each), network) for each in ranges)


def _holds(outer: Network, inner: Network) -> bool:
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


@dataclass(frozen=True, slots=True)
class _Networks:
    """Ranges by the version of their addresses, which never mix."""

    four: tuple[ipaddress.IPv4Network, ...]
    six: tuple[ipaddress.IPv6Network, ...]


def _networks(condition: Condition) -> _Networks | None:
    """The ranges of the condition; None where one of them cannot be read."""
    try:
        found = [ipaddress.ip_network(value, strict=False) for value in condition.values]
    except ValueError:
        return None
    four = tuple(each for each in found if isinstance(each, ipaddress.IPv4Network))
    six = tuple(each for each in found if isinstance(each, ipaddress.IPv6Network))
    return _Networks(four, six)


def _collapsed(networks: _Networks) -> Iterator[Network]:
    yield from ipaddress.collapse_addresses(networks.four)
    yield from ipaddress.collapse_addresses(networks.six)


def _written(network: Network) -> str:
    """A single address without its length, as people write it."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)
