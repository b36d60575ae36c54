"""Whom the Allow statements of a bucket's policy let in, held against lists, as two rules of AWS Config do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.audit.ingress import network
from clew.aws import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.audit.ingress import Network
    from clew.policy.model import Policy, Principal, Statement


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who may be let in: principals by kind, and addresses and VPCs."""

    principals: frozenset[tuple[str, str]]
    accounts: frozenset[str]
    addresses: frozenset[str]
    vpcs: frozenset[str]

    @classmethod
    def of(cls, aws: str, service: str, federated: str, addresses: str, vpcs: str) -> Allowed:
        """The lists as they are given, with commas."""
        kinds = {"AWS": _listed(aws), "Service": _listed(service), "Federated": _listed(federated)}
        return cls(
            principals=frozenset((kind, name) for kind, names in kinds.items() for name in names),
            accounts=frozenset(filter(None, map(_whole_account, kinds["AWS"]))),
            addresses=_listed(addresses),
            vpcs=_listed(vpcs),
        )

    def has(self, principal: Principal) -> bool:
        """Whether the principal is listed, or its account is."""
        if (principal.kind, principal.value) in self.principals:
            return True
        return principal.account is not None and principal.account in self.accounts

    def holds(self, statement: Statement) -> bool:
        """Whether a condition holds the statement to listed addresses or VPCs."""
        lists = {"aws:sourceip": ("IpAddress", self.addresses), "aws:sourcevpc": ("StringEquals", self.vpcs)}
        for condition in statement.conditions:
            operator, listed = lists.get(condition.key.lower(), ("", frozenset()))
            values = condition.values if condition.operator == operator else ()
            if values and all(_is_within(value, listed) for value in values):
                return True
        return False


def _is_within(value: str, listed: frozenset[str]) -> bool:
    """Whether a value is listed or, as a range of addresses, lies in one that is."""
    if value in listed:
        return True
    own = network(value)
    return own is not None and any(_holds(each, own) for each in map(network, listed) if each is not None)


def _holds(wide: Network, narrow: Network) -> bool:
    return (
        wide.version == narrow.version
        and int(wide.network_address) <= int(narrow.network_address)
        and int(narrow.broadcast_address) <= int(wide.broadcast_address)
    )


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _whole_account(name: str) -> str | None:
    if name.isdigit():
        return name
    return name.split(":")[4] if name.startswith("arn:") and name.endswith(":root") else None


def strangers(policy: Policy, allowed: Allowed) -> tuple[str, ...]:
    """The principals of Allow statements that are not listed, each once."""
    return tuple(dict.fromkeys(_strangers(policy, allowed)))


def _strangers(policy: Policy, allowed: Allowed) -> Iterator[str]:
    for statement in policy.statements:
        if not statement.allows or allowed.holds(statement):
            continue
        if statement.not_principals is not None:
            yield "everybody but some"
        yield from (each.value for each in statement.principals or () if not allowed.has(each))


def stranger_actions(policy: Policy, patterns: tuple[str, ...], account: str) -> tuple[str, ...]:
    """The actions of those patterns that Allow statements give to principals of other accounts."""
    aws = catalog.current()
    listed, found = aws.actions_matching(*patterns).mask, 0
    for statement in policy.statements:
        if statement.allows and _is_for_others(statement, account):
            named = aws.actions_matching(*(statement.actions or statement.not_actions or ())).mask
            found |= listed & (named if statement.actions is not None else ~named)
    return aws.names(found & aws.mask("s3:*"))


def _is_for_others(statement: Statement, account: str) -> bool:
    if statement.not_principals is not None:
        return True
    return any(each.kind != "Service" and each.account != account for each in statement.principals or ())
