"""Security groups as checks need them: their rules with prefix lists read, and what they are attached to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.ingress import group_rules, openings, proof, told, unread_lists
from clew.audit.model import Judgement, Verdict
from clew.audit.resources import answers, arn, each_resource, items, text
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.ingress import Opening, Rule
    from clew.audit.model import State
    from clew.snapshot.answers import Answer

GROUPS = "ec2:DescribeSecurityGroups"
INTERFACES = "ec2:DescribeNetworkInterfaces"
ENTRIES = "ec2:GetManagedPrefixListEntries"
NONE = "there are no security groups"


@dataclass(frozen=True, slots=True)
class Use:
    """What a group is attached to: how many interfaces, and how many of them have a public IPv4 address."""

    interfaces: int = 0
    public: int = 0

    @property
    def text(self) -> str:
        """The use in words."""
        if not self.interfaces:
            return "attached to nothing"
        many = "" if self.interfaces == 1 else "s"
        return f"attached to {self.interfaces} interface{many}, {self.public} with a public IPv4 address"


class Uses:
    """What each group of each region is attached to, read once for a whole check."""

    __slots__ = ("_by_region",)

    def __init__(self, state: State) -> None:
        """Count the interfaces of each region that answered."""
        self._by_region: dict[str, dict[str, Use]] = {}
        for answer in answers(state, INTERFACES):
            if answer.status.is_known:
                self._by_region[answer.call.region] = _counted(answer)

    def of(self, group: str, region: str) -> Use | None:
        """What the group is attached to; None where the interfaces of the region were not read."""
        found = self._by_region.get(region)
        return None if found is None else found.get(group, Use())


def _counted(answer: Answer) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for interface in items(answer.body, "NetworkInterfaces"):
        public = bool(text(interface, "Association.PublicIp"))
        for group in items(interface, "Groups"):
            name = text(group, "GroupId")
            before = found.get(name, Use())
            found[name] = Use(before.interfaces + 1, before.public + public)
    return found


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that a check is about, by protocol, and the versions of IP that count."""

    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    versions: tuple[int, ...] = (4, 6)

    def open_in(self, rules: tuple[Rule, ...]) -> tuple[Opening, ...]:
        """Which of them the rules open to the world."""
        by_tcp = openings(rules, "tcp", self.tcp, self.versions)
        return by_tcp + openings(rules, "udp", self.udp, self.versions)

    def unread(self, rules: tuple[Rule, ...]) -> tuple[str, ...]:
        """The prefix lists that nobody read and that may open one of them."""
        lists = unread_lists(rules, "tcp", self.tcp) + unread_lists(rules, "udp", self.udp)
        return tuple(dict.fromkeys(lists))


def closed(state: State, ports: Ports) -> Iterator[Judgement]:
    """Whether each security group keeps these ports closed to the world."""
    uses = Uses(state)

    def judge(group: Mapping[str, object], answer: Answer) -> Judgement:
        if is_shared(state, group):
            return shared(state, group, answer)
        rules = inbound(state, group, answer)
        return judged(state, group, answer, uses, ports.open_in(rules), ports.unread(rules))

    yield from each_resource(state, GROUPS, "SecurityGroups", judge, none=NONE)


def judged(
    state: State,
    group: Mapping[str, object],
    answer: Answer,
    uses: Uses,
    found: tuple[Opening, ...],
    unread: tuple[str, ...],
) -> Judgement:
    """What follows from the openings of a group; it weighs little where the group is attached to nothing."""
    name = group_arn(state, group, answer)
    use = uses.of(text(group, "GroupId"), answer.call.region)
    named = (("GroupName", text(group, "GroupName")), ("VpcId", text(group, "VpcId")))
    used = () if use is None else (("use", use.text),)
    if found:
        spare = use is not None and not use.interfaces
        message = f"open to the world: {told(found)}{'; attached to nothing' if spare else ''}"
        severity = Severity.LOW if spare else None
        return Judgement(Verdict.FAIL, name, message, (*proof(found), *named, *used), severity=severity)
    if unread:
        message = f"what prefix list {', '.join(unread)} holds was not read"
        return Judgement(Verdict.UNKNOWN, name, message, named, (ENTRIES,))
    return Judgement(Verdict.PASS, name, "not open to the world", (*named, *used))


def inbound(state: State, group: Mapping[str, object], answer: Answer) -> tuple[Rule, ...]:
    """The inbound rules of the group."""

    def held(name: str) -> tuple[str, ...] | None:
        return _prefix_list(state, name, answer)

    return group_rules(items(group, "IpPermissions"), held)


def _prefix_list(state: State, name: str, answer: Answer) -> tuple[str, ...] | None:
    """The ranges of a prefix list; none for those of AWS, which hold the addresses of its services only."""
    listed = state.about(answer, "DescribeManagedPrefixLists")
    if any(
        each.get("PrefixListId") == name and each.get("OwnerId") == "AWS"
        for each in listed.list("PrefixLists")
    ):
        return ()
    entries = state.about(answer, "GetManagedPrefixListEntries", PrefixListId=name)
    if not entries.status.is_known:
        return None
    return tuple(text(entry, "Cidr") for entry in entries.list("Entries"))


def group_arn(state: State, group: Mapping[str, object], answer: Answer) -> str:
    """The ARN of a security group."""
    return arn(state, answer, f"security-group/{text(group, 'GroupId')}")


def is_shared(state: State, item: Mapping[str, object]) -> bool:
    """Whether another account owns what this one only sees, as in a shared VPC."""
    return text(item, "OwnerId") not in {"", state.account}


def shared(state: State, group: Mapping[str, object], answer: Answer) -> Judgement:
    """The judgement of a group that another account shares: its owner answers for it."""
    owner = text(group, "OwnerId")
    return Judgement(
        Verdict.NOT_APPLICABLE,
        group_arn(state, group, answer),
        f"belongs to account {owner}, which shares it",
    )
