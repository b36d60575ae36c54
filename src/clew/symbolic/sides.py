"""The sides of a question: what documents, or a stack of policies, allow, as a formula and as the engine sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.engine.gates import Placed, place_one
from clew.engine.principal import Manner, Named, parse_principal
from clew.engine.verdicts import Gate
from clew.policy.model import PolicyKind
from clew.symbolic import boxes
from clew.symbolic.callers import WEB_IDENTITY, alike
from clew.symbolic.search import Is, Not, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine.principal import Caller
    from clew.engine.request import Request
    from clew.policy.model import Policy, Statement
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space

GATES: Final = {
    PolicyKind.IDENTITY: Gate.IDENTITY,
    PolicyKind.RESOURCE: Gate.RESOURCE,
    PolicyKind.TRUST: Gate.RESOURCE,
    PolicyKind.KMS_KEY: Gate.RESOURCE,
    PolicyKind.VAULT_ACCESS: Gate.RESOURCE,
    PolicyKind.VAULT_LOCK: Gate.RESOURCE,
    PolicyKind.BOUNDARY: Gate.BOUNDARY,
    PolicyKind.SESSION: Gate.SESSION,
    PolicyKind.SCP: Gate.SCP,
    PolicyKind.RCP: Gate.RCP,
    PolicyKind.ENDPOINT: Gate.ENDPOINT,
}
"""How a kind of policy reads its statements."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Policies of one kind, taken together: some Allow matches and no Deny does.

    The account of the resource and other policies play no part: this is what the documents themselves say.
    `wildcards`: whether principals may hold wildcards, as in reference policies.
    """

    policies: tuple[Policy, ...]
    kind: PolicyKind = PolicyKind.IDENTITY
    wildcards: bool = False

    @property
    def gate(self) -> Gate:
        """The gate whose reading applies."""
        return GATES[self.kind]

    @property
    def all_policies(self) -> tuple[Policy, ...]:
        """Every policy that takes part."""
        return self.policies

    def named(self) -> Iterator[Named]:
        """Every Principal and NotPrincipal element."""
        return named_in(self.policies)

    def formula(self, space: Space) -> Formula:
        """The requests that the documents allow."""
        allowed, denied = parted(self.policies, self.gate, space, wildcards=self.wildcards)
        return all_of([any_of(map(Is, allowed)), *map(Not, denied)])

    def allows(self, request: Request) -> bool | None:
        """Whether the documents allow the request, statement by statement as the engine reads them."""
        verdicts = [
            (placed, _matches(placed, request, wildcards=self.wildcards)) for placed in self._placed()
        ]
        denies = [verdict for placed, verdict in verdicts if placed.denies]
        grants = [verdict for placed, verdict in verdicts if not placed.denies]
        if True in denies or not any(verdict is not False for verdict in grants):
            return False
        return None if None in denies or True not in grants else True

    def granting(self, request: Request) -> list[tuple[Policy, Statement]]:
        """The Allow statements that match the request."""
        return [
            (placed.policy, placed.statement)
            for placed in self._placed()
            if not placed.denies and _matches(placed, request, wildcards=self.wildcards)
        ]

    def denying(self, request: Request) -> list[Statement]:
        """The Deny statements that match the request."""
        return [
            placed.statement
            for placed in self._placed()
            if placed.denies and _matches(placed, request, wildcards=self.wildcards)
        ]

    def _placed(self) -> Iterator[Placed]:
        for policy in self.policies:
            yield from place_one(policy, self.gate, self.kind.value)


def _matches(placed: Placed, request: Request, *, wildcards: bool) -> bool | None:
    action = request.action.lower()
    if placed.gate in {Gate.RESOURCE, Gate.RCP, Gate.ENDPOINT}:
        caller = parse_principal(request.principal, web_identity=action == WEB_IDENTITY)
        if not _is_about(placed, caller, wildcards=wildcards):
            return False
    return placed.compiled.evaluate(action, request.resource, request.context)


def _is_about(placed: Placed, caller: Caller, *, wildcards: bool) -> bool:
    if placed.manner(caller, bounded=False, owner="") is not Manner.NONE:
        return True
    return wildcards and placed.statement.principals is not None and alike(placed.named).match(caller.text)


def named_in(policies: Iterable[Policy]) -> Iterator[Named]:
    """Every Principal and NotPrincipal element of the policies."""
    for policy in policies:
        for statement in policy.statements:
            listed = statement.principals or statement.not_principals
            if listed:
                yield Named(listed)


def parted(
    policies: Iterable[Policy],
    gate: Gate,
    space: Space,
    *,
    least: Manner = Manner.ACCOUNT,
    bounded: bool = False,
    wildcards: bool = False,
) -> tuple[list[boxes.Literals], list[boxes.Literals]]:
    """The boxes of the Allow statements, and those of the Deny statements."""
    allowed: list[boxes.Literals] = []
    denied: list[boxes.Literals] = []
    for policy in policies:
        for statement in policy.statements:
            manner = least if statement.allows else Manner.ACCOUNT
            found = boxes.literals(
                statement, policy, gate, space, least=manner, bounded=bounded, wildcards=wildcards
            )
            if found is not None:
                (allowed if statement.allows else denied).append(found)
    return allowed, denied
