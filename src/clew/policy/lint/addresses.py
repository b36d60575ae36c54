"""Checks of IP addresses: CIDR ranges, and private addresses where only public ones can be seen."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from clew.policy.lint.registry import Told, of_line
from clew.policy.model import shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 1918, RFC 4193, loopback and link-local: no request reaches a public endpoint of AWS from there.
_PRIVATE_RANGES: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    "::1/128",
)  # fmt: skip
_PRIVATE: Final = tuple(map(ipaddress.ip_network, _PRIVATE_RANGES))
_SOURCE_IP: Final = "aws:sourceip"


def network(text: str) -> Network | None:
    """The range that the text writes, bits behind its mask dropped; None when it writes none.

    >>> str(network("203.0.113.9/24")), network("203.0.113.0/33"), str(network("2001:DB8::/32"))
    ('203.0.113.0/24', None, '2001:db8::/32')
    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_private(found: Network) -> bool:
    return any(found.version == each.version and found.subnet_of(each) for each in _PRIVATE)  # type: ignore[arg-type]  # of one version


def _ranges(line: Line) -> list[tuple[Word, Network]]:
    """The values that are ranges, under an operator for addresses."""
    found = [(word, network(word.text)) for word in line.values] if line.family == "Ip" else []
    return [(word, each) for word, each in found if each is not None]


@of_line("TYPE_MISMATCH_IP_RANGE")
def no_range(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is neither an address nor a range."""
    for word in line.values if line.family == "Ip" else ():
        if not has_variables(word.text) and network(word.text) is None:
            yield Told(
                f"`{shown(word.text)}` is no IP address and no CIDR range such as `203.0.113.0/24`", (word,)
            )


@of_line("IMPROVE_IP_RANGE")
def host_bits(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A range with bits behind its mask."""
    for word, found in _ranges(line):
        if "/" in word.text and ipaddress.ip_address(word.text.partition("/")[0]) != found.network_address:
            yield Told(
                f"`{shown(word.text)}` means `{found}`; the bits behind the mask are ignored",
                (word,),
                str(found),
            )


def _private(line: Line, *, is_negated: bool, is_all: bool) -> list[Word]:
    """The private values of aws:SourceIp, if they are all of its values or, if not asked for, only some."""
    if line.key != _SOURCE_IP or line.is_negated is not is_negated or line.is_open:
        return []
    ranges = _ranges(line)
    private = [word for word, found in ranges if _is_private(found)]
    return private if private and (len(private) == len(line.values)) is is_all else []


@of_line("PRIVATE_IP_ADDRESS")
def only_private(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """IpAddress with private addresses only."""
    if _private(line, is_negated=False, is_all=True):
        yield Told(
            "aws:SourceIp never is a private address: the condition never holds; use aws:VpcSourceIp",
            (line.place,),
        )


@of_line("PRIVATE_NOT_IP_ADDRESS")
def not_only_private(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """NotIpAddress with private addresses only."""
    if _private(line, is_negated=True, is_all=True):
        yield Told(
            "aws:SourceIp never is a private address: the condition always holds; use aws:VpcSourceIp",
            (line.place,),
        )


@of_line("PRIVATE_IP_ADDRESS_SUBSET")
def some_private(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """IpAddress with private addresses beside public ones."""
    for word in _private(line, is_negated=False, is_all=False):
        yield Told(
            f"aws:SourceIp never is `{shown(word.text)}`, which is private; use aws:VpcSourceIp", (word,)
        )


@of_line("PRIVATE_NOT_IP_ADDRESS_SUBSET")
def some_not_private(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """NotIpAddress with private addresses beside public ones."""
    for word in _private(line, is_negated=True, is_all=False):
        yield Told(
            f"aws:SourceIp never is `{shown(word.text)}`, which is private: it excludes nobody", (word,)
        )
