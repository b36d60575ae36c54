"""Laws of what is open to the world, held against the plain reading of each rule by itself."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from clew.audit.ingress import IPV4, LAST_PORT, Rule, acl_openings, all_openings, is_world, openings

_CIDRS = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "203.0.113.0/24")
_EDGES = st.sampled_from((0, 21, 22, 23, 80, 443, 3389, LAST_PORT))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """A rule of a security group."""
    first, last = sorted((draw(_EDGES), draw(_EDGES)))
    protocol = draw(st.sampled_from(("tcp", "udp", "-1")))
    cidr = draw(st.sampled_from(_CIDRS))
    whole = protocol == "-1"
    return Rule(
        protocol, 0 if whole else first, LAST_PORT if whole else last, ipaddress.ip_network(cidr), cidr
    )


@given(st.lists(rules(), max_size=6), st.sampled_from((0, 21, 22, 23, 80, 444, 3389, LAST_PORT)))
def test_ranges_hold_what_ports_are_open(found: list[Rule], port: int) -> None:
    """A port is in one of the ranges of all openings exactly where asking for it alone finds it open."""
    for protocol in ("tcp", "udp"):
        alone = bool(openings(found, protocol, (port,), (IPV4,)))
        held = any(o.first <= port <= o.last for o in all_openings(found, (IPV4,)) if o.protocol == protocol)
        assert alone is held


@given(st.lists(rules(), max_size=6), rules())
def test_one_more_rule_closes_nothing(found: list[Rule], more: Rule) -> None:
    """Rules of security groups only allow: what was open stays open."""
    for port in (22, 3389):
        if openings(found, "tcp", (port,), (IPV4,)):
            assert openings([*found, more], "tcp", (port,), (IPV4,))


def _entry(number: int, action: str, cidr: str) -> dict[str, object]:
    return {"RuleNumber": number, "RuleAction": action, "Egress": False, "Protocol": "-1", "CidrBlock": cidr}


@given(st.lists(st.tuples(st.sampled_from(("allow", "deny")), st.sampled_from(_CIDRS)), max_size=6))
def test_first_match_decides_in_network_acls(written: list[tuple[str, str]]) -> None:
    """An ACL is open only where some address of the internet meets an allow first, and never after a denial of all."""
    entries = [_entry(100 + i, action, cidr) for i, (action, cidr) in enumerate(written)]
    witnesses = [ipaddress.ip_address(each) for each in ("1.1.1.1", "200.1.1.1", "203.0.113.9")]
    first = [
        next((action for action, cidr in written if address in ipaddress.ip_network(cidr)), "deny")
        for address in witnesses
    ]
    if acl_openings(entries, "tcp", (22,)):
        assert "allow" in first
    elif is_world([ipaddress.ip_network(cidr) for action, cidr in written if action == "allow"], IPV4):
        assert "deny" in first


def test_order_in_the_answer_does_not_count() -> None:
    """AWS lists rules in any order; their numbers decide."""
    entries = [_entry(200, "allow", "0.0.0.0/0"), _entry(100, "deny", "0.0.0.0/0")]
    assert not acl_openings(entries, "tcp", (22,))
    assert acl_openings([_entry(300, "deny", "0.0.0.0/0"), entries[0]], "tcp", (22,))
