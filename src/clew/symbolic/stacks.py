"""Whole stacks of policies: what one principal may do under all that applies to it, as a formula of the engine's law.

The engine chooses the law of a request by action, resource, caller and owner; requests are cut into regions in which
every side follows one law, and within a region the law is read over boxes as the engine reads it over verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

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
    from collections.abc import Iterable

    from clew.engine import Policies, Prepared, Request
    from clew.engine.bulk_laws import View
    from clew.engine.gates import Placed
    from clew.engine.law import Law
    from clew.policy.model import Policy
    from clew.symbolic.regions import Region
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space


@dataclass(frozen=True)
class Stack:
    """Every policy that applies when one principal asks: `policies` as the engine takes them.

    `principal` is one that the engine knows: an ARN, a service name, or `*`. `questions.implies` compares two stacks.
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

    @cached_property
    def placed(self) -> StackPlaces:
        """The statements of every gate where they stand, compiled once."""
        return StackPlaces(self)

    @cached_property
    def _prepared(self) -> Prepared:
        return prepare(self.policies)

    def allows(self, request: Request) -> bool | None:
        """Whether the engine allows the request."""
        effect = self._prepared.effect(request)
        return None if effect is Effect.UNDETERMINED else effect is Effect.ALLOW

    def formula(self, space: Space) -> Formula:
        """The requests of the space's region that the stack allows."""
        region = space.region
        if region is None:
            raise UndecidedError("a stack of policies is asked about regions only")
        return _Reading(self, region, space).formula()


class StackPlaces:
    """What reading a stack takes in every region alike."""

    def __init__(self, stack: Stack) -> None:
        policies = stack.policies
        self.named: Callers = callers(stack.principal)
        self.planner = Planner(policies)
        plain = ((Gate.IDENTITY, policies.identity), (Gate.BOUNDARY, policies.boundaries))
        self.plain = {
            gate: place(found, gate, "") for gate, found in (*plain, (Gate.SESSION, policies.session))
        }
        self.scps = [place(level, Gate.SCP, "") for level in policies.scps]
        self.rcps = [each for level in policies.rcps for each in place(level, Gate.RCP, "")]
        self.endpoint = place(policies.endpoint, Gate.ENDPOINT, "")
        written = place_one(policies.resource, Gate.RESOURCE, "") if policies.resource is not None else []
        self.resource = [*written, *kms.place_grants(policies.grants), *s3.place_acl(policies)]
        self.acl_block = s3.place_acl_block(policies)


class _Reading:
    """One stack in one region: its law, its gates, and the boxes of its statements."""

    def __init__(self, stack: Stack, region: Region, space: Space) -> None:
        self.policies = stack.policies
        self.placed = stack.placed
        self.region = region
        self.space = space
        named = self.placed.named
        plan = self.placed.planner.plan(region.action, named, region.resource, region.owner)
        self.law: Law = plan[0]
        self.present: frozenset[Gate] = plan[1]
        self.view: View = plan[2]
        self.caller = named.web if self.view.web else named.usual
        self.denials: list[Formula] = []

    def formula(self) -> Formula:
        """What the law makes of the statements, less what is explicitly denied."""
        atoms = self._atoms() if self.law.gates else [False] * ATOMS
        granted = self.law.granted(atoms, all_of, any_of)
        return all_of([granted, *self.denials])

    def _atoms(self) -> list[Formula]:
        placed = self.placed
        atoms: list[Formula] = [False] * ATOMS
        atoms[IDENTITY] = self.caller.kind is Kind.ROOT
        atoms[RCP] = True
        for atom, gate in _PLAIN:
            if gate in self.present:
                atoms[atom] = self._allowed(placed.plain[gate])
            elif atom is not IDENTITY:
                atoms[atom] = True
        atoms[SCP] = all_of(map(self._allowed, placed.scps)) if Gate.SCP in self.present else True
        if Gate.RCP in self.present:
            self._named(placed.rcps)
        has_endpoint = Gate.ENDPOINT in self.present
        endpoint = self._named(placed.endpoint) if has_endpoint else {}
        atoms[ENDPOINT] = any_of(endpoint.get(ENDPOINT, ())) if has_endpoint else True
        if Gate.RESOURCE in self.present:
            heard = (each for each in placed.resource if voice(each) not in self.view.unheard)
            for atom, formulas in self._named(heard).items():
                atoms[atom] = any_of(formulas)
            atoms[RESOURCE] = any_of([atoms[DIRECT], atoms[ROLE], atoms[RESOURCE]])
        atoms[PUBLIC] = self._public()
        return atoms

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

    def _public(self) -> Formula:
        """Whether S3 Block Public Access lets the request pass."""
        if Gate.BLOCK_PUBLIC_ACCESS not in self.present:
            return True
        if s3.is_restricted(self.policies) and not s3.is_spared(self.caller, self.region.owner):
            return False
        parts: list[Formula] = []
        for each in self.placed.acl_block:
            box = self._box(each)
            actions = [action.lower() for action in each.statement.actions or ()]
            about = Not((self.space.literal(ACTION, self.space.globs(actions)),))
            parts.append(any_of([about, False if box is None else Is(box)]))
        return all_of(parts)

    def _box(self, placed: Placed) -> boxes.Literals | None:
        if placed.limit is not None:
            raise UndecidedError("a grant that wants an exact encryption context is not read as a set")
        # INVARIANT: what is placed lives as long as its stack, and so longer than the space.
        key = (id(placed), self.region.wildcard_only)
        if key not in self.space.boxes:
            self.space.boxes[key] = boxes.literals(
                placed.statement,
                placed.policy,
                placed.gate,
                self.space,
                wildcard_only=self.region.wildcard_only,
                is_named=True,
            )
        return self.space.boxes[key]


_PLAIN: Final = ((IDENTITY, Gate.IDENTITY), (BOUNDARY, Gate.BOUNDARY), (SESSION, Gate.SESSION))
