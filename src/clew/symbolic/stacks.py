"""Whole stacks of policies: what one principal may do under all that applies to it, as a formula of the engine's law.

The engine chooses the law of a request by action, resource, caller and owner; requests are cut into regions in which
every side follows one law, and within a region the law is read over boxes as the engine reads it over verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine import Effect, prepare
from clew.engine.authorize import ATOM_OF, ATOM_OF_GRANT
from clew.engine.bulk_laws import Callers, Planner, callers, voice
from clew.engine.gates import GRANT as GRANT_GATE
from clew.engine.gates import place, place_one
from clew.engine.law import (
    ATOMS,
    BOUNDARY,
    DIRECT,
    ENDPOINT,
    IDENTITY,
    PUBLIC,
    RCP,
    RESOURCE,
    ROLE,
    SCP,
    SESSION,
)
from clew.engine.principal import Kind, Manner
from clew.engine.services import kms, s3
from clew.engine.verdicts import Gate
from clew.symbolic import boxes
from clew.symbolic.budget import UndecidedError
from clew.symbolic.callers import CallerKind
from clew.symbolic.search import Is, Not, all_of, any_of
from clew.symbolic.space import ACTION
from clew.symbolic.texts import Texts, equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.engine import Policies, Request
    from clew.engine.bulk_laws import View
    from clew.engine.gates import Placed
    from clew.engine.law import Law
    from clew.policy.model import Policy
    from clew.symbolic.regions import Region
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space


@dataclass(frozen=True, slots=True)
class Stack:
    """Every policy that applies when one principal asks: `policies` as the engine takes them.

    `principal` is one that the engine knows: an ARN, a service name, or `*`.
    """

    policies: Policies
    principal: str

    @property
    def all_policies(self) -> tuple[Policy, ...]:
        """Every policy that takes part."""
        found = self.policies
        levels = (*found.scps, *found.rcps)
        return (
            *found.identity,
            *((found.resource,) if found.resource is not None else ()),
            *found.boundaries,
            *found.session,
            *(policy for level in levels for policy in level),
            *found.endpoint,
        )

    def callers(self) -> tuple[CallerKind, ...]:
        """The one caller."""
        one = callers(self.principal).usual
        session = one if one.kind is Kind.SESSION else None
        return (CallerKind(one.kind, Texts([equal(self.principal)]), session=session),)

    def allows(self, request: Request) -> bool | None:
        """Whether the engine allows the request."""
        effect = prepare(self.policies).effect(request)
        return None if effect is Effect.UNDETERMINED else effect is Effect.ALLOW

    def formula(self, space: Space) -> Formula:
        """The requests of the space's region that the stack allows."""
        region = space.region
        if region is None:
            raise UndecidedError("a stack of policies is asked about regions only")
        return _Reading(self, region, space).formula()


class _Reading:
    """One stack in one region: its law, its gates, and the boxes of its statements."""

    def __init__(self, stack: Stack, region: Region, space: Space) -> None:
        self.policies = stack.policies
        self.region = region
        self.space = space
        self.named: Callers = callers(stack.principal)
        plan = Planner(self.policies).plan(region.action, self.named, region.resource, region.owner)
        self.law: Law = plan[0]
        self.present: frozenset[Gate] = plan[1]
        self.view: View = plan[2]
        self.caller = self.named.web if self.view.web else self.named.usual
        self.denials: list[Formula] = []

    def formula(self) -> Formula:
        """What the law makes of the statements, less what is explicitly denied."""
        atoms = self._atoms() if self.law.gates else [False] * ATOMS
        granted = self.law.granted(atoms, all_of, any_of)
        return all_of([granted, *self.denials])

    def _atoms(self) -> list[Formula]:
        policies = self.policies
        atoms: list[Formula] = [False] * ATOMS
        atoms[IDENTITY] = self.caller.kind is Kind.ROOT
        atoms[RCP] = True
        plain: tuple[tuple[int, Gate, Sequence[Policy]], ...] = (
            (IDENTITY, Gate.IDENTITY, policies.identity),
            (BOUNDARY, Gate.BOUNDARY, policies.boundaries),
            (SESSION, Gate.SESSION, policies.session),
        )
        for atom, gate, documents in plain:
            if gate in self.present:
                atoms[atom] = self._allowed(place(documents, gate, ""))
            elif atom is not IDENTITY:
                atoms[atom] = True
        atoms[SCP] = self._levels(policies.scps) if Gate.SCP in self.present else True
        if Gate.RCP in self.present:
            self._named([each for level in policies.rcps for each in place(level, Gate.RCP, "")])
        has_endpoint = Gate.ENDPOINT in self.present
        endpoint = self._named(place(policies.endpoint, Gate.ENDPOINT, "")) if has_endpoint else {}
        atoms[ENDPOINT] = any_of(endpoint.get(ENDPOINT, ())) if has_endpoint else True
        if Gate.RESOURCE in self.present:
            for atom, formulas in self._named(self._resource_side()).items():
                atoms[atom] = any_of(formulas)
            atoms[RESOURCE] = any_of([atoms[DIRECT], atoms[ROLE], atoms[RESOURCE]])
        atoms[PUBLIC] = self._public()
        return atoms

    def _levels(self, levels: Iterable[Sequence[Policy]]) -> Formula:
        return all_of([self._allowed(place(level, Gate.SCP, "")) for level in levels])

    def _allowed(self, placed: Iterable[Placed]) -> Formula:
        """What the statements allow; what they deny is noted."""
        found: list[Formula] = []
        for each in placed:
            literals = self._box(each)
            if literals is None:
                continue
            if each.denies:
                self.denials.append(Not(literals))
            else:
                found.append(Is(literals))
        return any_of(found)

    def _named(self, placed: Iterable[Placed]) -> dict[int, list[Formula]]:
        """What the statements allow, by the atom that their manner of naming the caller makes true."""
        found: dict[int, list[Formula]] = {}
        for each in placed:
            manner = each.manner(self.caller, bounded=self.view.bounded, owner=self._account)
            if manner is Manner.NONE or each.ignored:
                continue
            literals = self._box(each)
            if literals is None:
                continue
            if each.denies:
                self.denials.append(Not(literals))
                continue
            if each.gate in {Gate.RCP, Gate.ENDPOINT}:
                atom = RCP if each.gate is Gate.RCP else ENDPOINT
            else:
                atom = (ATOM_OF_GRANT if each.source == GRANT_GATE else ATOM_OF)[manner]
            found.setdefault(atom, []).append(Is(literals))
        return found

    @property
    def _account(self) -> str:
        return self.policies.object_owner or "" if self.view.foreign else self.region.owner

    def _resource_side(self) -> Iterator[Placed]:
        policies = self.policies
        placed: list[Placed] = []
        if policies.resource is not None:
            placed += place_one(policies.resource, Gate.RESOURCE, "")
        placed += [*kms.place_grants(policies.grants), *s3.place_acl(policies)]
        return (each for each in placed if voice(each) not in self.view.unheard)

    def _public(self) -> Formula:
        """Whether S3 Block Public Access lets the request pass."""
        if Gate.BLOCK_PUBLIC_ACCESS not in self.present:
            return True
        if s3.is_restricted(self.policies) and not s3.is_spared(self.caller, self.region.owner):
            return False
        parts: list[Formula] = []
        for each in s3.place_acl_block(self.policies):
            box = self._box(each)
            actions = [action.lower() for action in each.statement.actions or ()]
            about = Not((self.space.literal(ACTION, self.space.globs(actions)),))
            parts.append(any_of([about, False if box is None else Is(box)]))
        return all_of(parts)

    def _box(self, placed: Placed) -> boxes.Literals | None:
        if placed.limit is not None:
            raise UndecidedError("a grant that wants an exact encryption context is not read as a set")
        return boxes.literals(
            placed.statement,
            placed.policy,
            placed.gate,
            self.space,
            wildcard_only=self.region.wildcard_only,
            is_named=True,
        )
