"""Checks of security groups as AWS Trusted Advisor weighs them: by the port, and by what the group is attached to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.ingress import IPV4, all_openings, proof, told
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import each_resource, items, listing, text, unanswered
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
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.ingress import Opening, Rule
    from clew.audit.model import State
    from clew.audit.security_groups import Use
    from clew.snapshot.answers import Answer

# AWS Trusted Advisor check reference: "Security Groups – Specific Ports Unrestricted".
_HARMLESS = frozenset({25, 80, 443, 465})
_RISKY = frozenset({20, 21, 22, 1433, 1434, 3306, 3389, 4333, 5432, 5500})
# The same, "Security Groups – Unrestricted Access".
_SERVED = frozenset({25, 80, 443})


def _each_group(
    state: State, harmless: frozenset[int], weigh: Callable[[tuple[Opening, ...], Use | None], Severity]
) -> Iterator[Judgement]:
    """Whether each group opens to every IPv4 address nothing but harmless ports."""
    uses = Uses(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement:
        if is_shared(state, group):
            return shared(state, group, answer)
        name, rules = group_arn(state, group, answer), inbound(state, group, answer)
        found = tuple(o for o in all_openings(rules, (IPV4,)) if not _only(o, harmless))
        use = uses.of(text(group, "GroupId"), answer.call.region)
        seen = (
            *proof(found),
            ("GroupName", text(group, "GroupName")),
            *((("use", use.text),) if use else ()),
        )
        if found:
            severity = weigh(found, use)
            spare = "" if use is None or use.interfaces else "; attached to nothing"
            return Judgement(
                Verdict.FAIL, name, f"open to the world: {told(found)}{spare}", seen, severity=severity
            )
        unread = _unread(rules)
        if unread:
            return Judgement(Verdict.UNKNOWN, name, unread, seen, (ENTRIES,))
        return Judgement(Verdict.PASS, name, "open to the world on harmless ports at most", seen)

    yield from each_resource(state, GROUPS, "SecurityGroups", judge, none=NONE)


def _only(opening: Opening, ports: frozenset[int]) -> bool:
    """Whether every port of the opening is one of these, over TCP."""
    few = opening.last - opening.first < len(ports)
    return few and opening.protocol == "tcp" and set(range(opening.first, opening.last + 1)) <= ports


def _unread(rules: tuple[Rule, ...]) -> str:
    lists = dict.fromkeys(rule.source for rule in rules if rule.is_unread)
    return f"what prefix list {', '.join(lists)} holds was not read" if lists else ""


@check(
    "ec2-security-group-specific-ports",
    "Risky ports are not open to the world",
    "A port is open to the world",
    Severity.MEDIUM,
)
def specific_ports(state: State) -> Iterator[Judgement]:
    """Security groups that open other ports to every IPv4 address than those of web and mail.

    Finds. A group that opens to the world a port other than 25, 80, 443 and 465. It is grave where the group is
    attached and the port is one of file transfer, SSH, desktops or databases.
    Why it matters. What listens there is seldom made for the internet.
    False positives. A service of one's own that is meant for everybody.
    Fix. Take the rule away, or name the ranges from which clients come.
    References. AWS Trusted Advisor check reference, Security Groups - Specific Ports Unrestricted
    """

    def weigh(found: tuple[Opening, ...], use: Use | None) -> Severity:
        risky = any(o.first <= port <= o.last for o in found for port in _RISKY if o.protocol == "tcp")
        attached = use is None or use.interfaces
        return Severity.HIGH if risky and attached else Severity.MEDIUM

    yield from _each_group(state, _HARMLESS, weigh)


@check(
    "ec2-security-group-unrestricted",
    "Only web and mail are open to the world",
    "A resource is open to the world",
    Severity.HIGH,
)
def unrestricted(state: State) -> Iterator[Judgement]:
    """Security groups that open any other port to every IPv4 address than 25, 80 and 443.

    Finds. A group that opens another port to the world. Attached to nothing it weighs less; AWS's page has published
    the two the other way round.
    Why it matters. Everything that listens on an open port is attacked all day.
    False positives. A service of one's own that is meant for everybody.
    Fix. Take the rule away, or name the ranges from which clients come.
    References. AWS Trusted Advisor check reference, Security Groups - Unrestricted Access
    """

    def weigh(_: tuple[Opening, ...], use: Use | None) -> Severity:
        return Severity.HIGH if use is None or use.interfaces else Severity.LOW

    yield from _each_group(state, _SERVED, weigh)


@check(
    "rds-security-group-risk",
    "Databases are open to single hosts and groups",
    "A security group of a database is wide",
    Severity.LOW,
)
def database_group_risk(state: State) -> Iterator[Judgement]:
    """What the security groups of each database let reach its port.

    Finds. A database of whose groups a rule about its port names a range wider than one host, or all together the
    world, which is grave; or names a group that itself opens a risky port to the world.
    Why it matters. Every host that may reach the port may try passwords.
    False positives. A range that holds application servers only.
    Fix. Name the security group of the application instead of ranges.
    References. AWS Trusted Advisor check reference, Amazon RDS Security Group Access Risk
    """

    def judge(database: Mapping[str, object], answer: Answer) -> Judgement | None:
        port, name = (database.get("Endpoint") or {}), text(database, "DBInstanceArn")
        number = port.get("Port") if isinstance(port, dict) else None
        if text(database, "DBInstanceStatus") == "deleting" or not isinstance(number, int):
            return None
        groups = state.answers.get(state.account, answer.call.region, "ec2", "DescribeSecurityGroups")
        if not groups.status.is_known:
            return unanswered(name, groups)
        own = {text(each, "VpcSecurityGroupId") for each in items(database, "VpcSecurityGroups")}
        attached = [group for group in groups.list("SecurityGroups") if text(group, "GroupId") in own]
        return _database(state, name, number, attached, groups)

    yield from each_resource(
        state, "rds:DescribeDBInstances", "DBInstances", judge, none="there are no databases with a port"
    )


def _database(
    state: State, name: str, port: int, groups: list[Mapping[str, object]], answer: Answer
) -> Judgement:
    rules = [r for group in groups for r in inbound(state, group, answer) if r.covers("tcp", port)]
    opened = [o for o in all_openings(rules, (IPV4,)) if o.first <= port <= o.last and o.protocol == "tcp"]
    wide = [rule.text for rule in rules if rule.network and rule.network.num_addresses > 1]
    behind = list(_risky_references(state, groups, port, answer))
    if opened:
        return Judgement(Verdict.FAIL, name, "open to the world", proof(opened), severity=Severity.HIGH)
    if wide or behind:
        seen = (*(("rule", rule) for rule in wide), *(("group", group) for group in behind))
        return Judgement(Verdict.FAIL, name, f"open to {listing([*wide, *behind])}", seen)
    unread = _unread(tuple(rules))
    if unread:
        return Judgement(Verdict.UNKNOWN, name, unread, missing=(ENTRIES,))
    return Judgement(Verdict.PASS, name, "open to single hosts and groups at most")


def _risky_references(
    state: State, groups: list[Mapping[str, object]], port: int, answer: Answer
) -> Iterator[str]:
    """The groups that may reach the port and that are open to the world on a risky one themselves."""
    by_id = {text(each, "GroupId"): each for each in answer.list("SecurityGroups")}
    named = {
        text(pair, "GroupId")
        for group in groups
        for rule in items(group, "IpPermissions")
        if _is_about(rule, port)
        for pair in items(rule, "UserIdGroupPairs")
    }
    for identity in sorted(named & set(by_id)):
        found = all_openings(inbound(state, by_id[identity], answer), (IPV4,))
        if any(o.first <= risky <= o.last for o in found for risky in _RISKY if o.protocol == "tcp"):
            yield identity


def _is_about(rule: Mapping[str, object], port: int) -> bool:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if text(rule, "IpProtocol") == "-1":
        return True
    return isinstance(first, int) and isinstance(last, int) and first <= port <= last
