"""Request and policies to a `Decision`: `authorize` for one request, `prepare` for many against the same policies.

A request is decided once, in one pass over the statements about its action; what the pass saw is kept (`Record`), and
everything that a `Decision` tells is derived from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine.decision import Decision, Effect, Gate
from clew.engine.gates import GRANT, Placed, place, place_one
from clew.engine.law import (
    ATOMS,
    BOUNDARY,
    CROSS_ACCOUNT,
    DIRECT,
    ENDPOINT,
    IDENTITY,
    PUBLIC,
    PUBLIC_ACL,
    RCP,
    RESOURCE,
    RESOURCE_ALONE,
    ROLE,
    SAME_ACCOUNT,
    SCP,
    SESSION,
    Law,
    either,
    known_all,
    known_any,
)
from clew.engine.principal import Caller, Kind, Manner, parse_principal
from clew.engine.record import Plan, Record
from clew.engine.services import LAWS
from clew.engine.services.kms import grant_policy
from clew.engine.services.model import LawOf, Subject

if TYPE_CHECKING:
    from clew.engine.law import Atom
    from clew.engine.policies import Policies
    from clew.engine.request import Context, Request

_PLANS_KEPT: Final = 4096
_ACCOUNT_DIGITS: Final = 12
_ATOM_OF: Final = {Manner.ACCOUNT: RESOURCE, Manner.ROLE: ROLE, Manner.DIRECT: DIRECT}


def authorize(request: Request, policies: Policies | Prepared) -> Decision:
    """Whether the policies allow the request, and why; whatever is not known stays `undetermined`.

    Errors: `PrincipalError` when the request's principal is none.
    """
    prepared = policies if isinstance(policies, Prepared) else Prepared(policies)
    return prepared.authorize(request)


def prepare(policies: Policies) -> Prepared:
    """The policies, compiled once for many requests."""
    return Prepared(policies)


class Prepared:
    """Policies compiled for many requests; it keeps nothing of a request but plans for its kind."""

    __slots__ = ("_gates", "_laws", "_plans", "_scps", "policies")

    def __init__(self, policies: Policies) -> None:
        """Place every statement; each is compiled when a request first reaches it."""
        self.policies = policies
        self._gates: dict[Gate, tuple[Placed, ...]] = {
            Gate.IDENTITY: place(policies.identity, Gate.IDENTITY, "identity_policies"),
            Gate.BOUNDARY: place(policies.boundaries, Gate.BOUNDARY, "permissions_boundaries"),
            Gate.SESSION: place(policies.session, Gate.SESSION, "session_policies"),
            Gate.RESOURCE: _resource_side(policies),
            Gate.RCP: tuple(
                placed
                for level, documents in enumerate(policies.rcps)
                for placed in place(documents, Gate.RCP, f"rcps/{level}")
            ),
            Gate.ENDPOINT: place(policies.endpoint, Gate.ENDPOINT, "vpc_endpoint_policies"),
        }
        self._scps = tuple(
            place(documents, Gate.SCP, f"scps/{level}") for level, documents in enumerate(policies.scps)
        )
        self._plans: dict[tuple[str, Law, Kind, bool], Plan] = {}
        self._laws: dict[str, LawOf | None] = {}

    def effect(self, request: Request) -> Effect:
        """The effect alone."""
        return self._decide(request).effect

    def authorize(self, request: Request) -> Decision:
        """The decision; it expands its parts when they are looked at."""
        return Decision(request, self._decide(request))

    def _decide(self, request: Request) -> Record:
        caller = parse_principal(request.principal)
        action, resource = request.action.lower(), request.resource
        owner, assumed = resource_account(request, caller, action)
        law = _law(action, resource, caller, same_account=owner == caller.account)
        key = (action, law, caller.kind, caller.service_linked)
        plan = self._plans.get(key) or self._plan(key, caller)
        record = Record(plan, caller, action, owner, assumed=assumed)
        if plan.law.gates:
            _weigh(plan, caller, resource, request.context, record)
        if plan.single is not None:
            granted = record.atoms[plan.single]
        else:
            granted = plan.short.granted(record.atoms, known_all, known_any)
        record.granted, denied = granted, record.denied
        if denied is True:
            record.effect = Effect.EXPLICIT_DENY
        elif denied is None or granted is None:
            record.effect = Effect.UNDETERMINED
        else:
            record.effect = Effect.ALLOW if granted else Effect.IMPLICIT_DENY
        return record

    def _plan(self, key: tuple[str, Law, Kind, bool], caller: Caller) -> Plan:
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[key] = self._make_plan(key[0], key[1], caller)
        return plan

    def _make_plan(self, action: str, law: Law, caller: Caller) -> Plan:
        plan = Plan()
        plan.law = law
        plan.policies = self.policies
        plan.wildcard_only = catalog.is_wildcard_only(action)
        present = plan.present = self._present(law, caller)
        plan.bounded = Gate.BOUNDARY in present
        plan.plain = tuple(
            (atom, self._about(gate, action))
            for atom, gate in ((IDENTITY, Gate.IDENTITY), (BOUNDARY, Gate.BOUNDARY), (SESSION, Gate.SESSION))
            if gate in present
        )
        plan.resource = self._about(Gate.RESOURCE, action) if Gate.RESOURCE in present else ()
        plan.rcp = self._about(Gate.RCP, action) if Gate.RCP in present else ()
        plan.endpoint = self._about(Gate.ENDPOINT, action) if Gate.ENDPOINT in present else None
        plan.scps = tuple(_matching(level, action) for level in self._scps) if Gate.SCP in present else None
        plan.base, constant = _base(plan, caller)
        plan.short = law.without(
            frozenset(atom for atom in constant if plan.base[atom] is True),
            frozenset(atom for atom in constant if plan.base[atom] is False),
        )
        plan.single = _single(plan.short)
        return plan

    def _about(self, gate: Gate, action: str) -> tuple[Placed, ...]:
        return _matching(self._gates[gate], action)

    def _present(self, law: Law, caller: Caller) -> frozenset[Gate]:
        """The gates that take part: a policy is there, the law looks at it, and the caller is not exempt."""
        policies = self.policies
        found: set[Gate] = set()
        if law.gates and caller.is_person_of_account and caller.kind is not Kind.ROOT:
            found.add(Gate.IDENTITY)
            found |= {Gate.BOUNDARY} if policies.boundaries else set()
        if policies.session or caller.kind is Kind.FEDERATED_USER:
            found.add(Gate.SESSION)
        if self._gates[Gate.RESOURCE] or policies.resource is not None:
            found.add(Gate.RESOURCE)
        if policies.endpoint:
            found.add(Gate.ENDPOINT)
        if not caller.service_linked and not policies.management_account:
            found |= {Gate.SCP} if policies.scps else set()
            found |= {Gate.RCP} if policies.rcps else set()
        return frozenset(found & law.gates)


def _resource_side(policies: Policies) -> tuple[Placed, ...]:
    placed = (
        [] if policies.resource is None else [*place_one(policies.resource, Gate.RESOURCE, "resource_policy")]
    )
    for number, grant in enumerate(policies.grants):
        placed += place_one(grant_policy(grant), Gate.RESOURCE, f"grants/{number}", source=GRANT)
    return tuple(placed)


def _matching(placed: tuple[Placed, ...], action: str) -> tuple[Placed, ...]:
    return tuple([each for each in placed if each.compiled.matches_action(action)])


def _law(action: str, resource: str, caller: Caller, *, same_account: bool) -> Law:
    special = LAWS.get(action.partition(":")[0])
    if special is not None:
        found = special(Subject(action, resource, caller, same_account))
        if found is not None:
            return found
    if not caller.is_person_of_account:
        return RESOURCE_ALONE
    return SAME_ACCOUNT if same_account else CROSS_ACCOUNT


def resource_account(request: Request, caller: Caller, action: str) -> tuple[str, bool]:
    """The account that owns the resource, and whether that is assumed: as given, else the ARN's, else the caller's."""
    if request.resource_account is not None:
        return request.resource_account, False
    parts = request.resource.split(":", 5)
    account = parts[4] if len(parts) > 5 else ""  # noqa: PLR2004  # an ARN has six parts
    if len(account) == _ACCOUNT_DIGITS:
        return account, False
    return caller.account, action.startswith("s3:") and request.resource != "*"


def _base(plan: Plan, caller: Caller) -> tuple[list[bool | None], frozenset[Atom]]:
    """What holds before any statement is looked at, and which atoms no statement can change."""
    base: list[bool | None] = [False] * ATOMS
    present = plan.present
    base[IDENTITY] = caller.kind is Kind.ROOT
    base[BOUNDARY] = Gate.BOUNDARY not in present
    base[SESSION] = Gate.SESSION not in present
    base[SCP] = Gate.SCP not in present
    base[RCP] = True
    base[ENDPOINT] = Gate.ENDPOINT not in present
    base[PUBLIC] = True
    open_atoms = {atom for atom, _ in plan.plain}
    if plan.resource:
        open_atoms |= {DIRECT, ROLE, RESOURCE, PUBLIC_ACL}
    open_atoms |= {SCP} if plan.scps is not None else set()
    open_atoms |= {ENDPOINT} if plan.endpoint is not None else set()
    return base, frozenset(range(ATOMS)) - open_atoms


def _single(law: Law) -> Atom | None:
    """The one atom that the grant comes down to, where it does: then nothing need be combined."""
    if not law.always and len(law.routes) == 1 and len(law.routes[0]) == 1:
        return law.routes[0][0]
    return None


def _weigh(plan: Plan, caller: Caller, resource: str, context: Context, record: Record) -> None:
    """Ask every statement about the action once; keep those that match or may match."""
    atoms = record.atoms
    for atom, statements in plan.plain:
        atoms[atom] = _ask(plan, statements, resource, context, record, atom)
    if plan.scps is not None:
        levels = [
            _ask(plan, level, resource, context, record, SCP, number)
            for number, level in enumerate(plan.scps)
        ]
        atoms[SCP] = known_all(levels)
    if plan.resource:
        _ask_named(plan, plan.resource, caller, resource, context, record, None)
        atoms[RESOURCE] = known_any((atoms[DIRECT], atoms[ROLE], atoms[RESOURCE]))
    if plan.rcp:
        _ask_named(plan, plan.rcp, caller, resource, context, record, RCP)
    if plan.endpoint is not None:
        _ask_named(plan, plan.endpoint, caller, resource, context, record, ENDPOINT)


def _ask(
    plan: Plan,
    statements: tuple[Placed, ...],
    resource: str,
    context: Context,
    record: Record,
    atom: Atom,
    level: int = 0,
) -> bool | None:
    """Whether the statements of a gate without principals allow; a denial is noted in the record."""
    allowed: bool | None = False
    wildcard_only, hits = plan.wildcard_only, record.hits
    for placed in statements:
        verdict = placed.compiled.applies(resource, context, wildcard_only=wildcard_only)
        if verdict is False:
            continue
        hits.append((placed, verdict, atom, level))
        if placed.denies:
            record.denied = either(record.denied, verdict)
        else:
            allowed = either(allowed, verdict)
    return allowed


def _ask_named(
    plan: Plan,
    statements: tuple[Placed, ...],
    caller: Caller,
    resource: str,
    context: Context,
    record: Record,
    gate_atom: Atom | None,
) -> None:
    """Ask statements that name principals; without an atom of the gate, the manner of naming tells the atom."""
    atoms = record.atoms
    for placed in statements:
        manner = placed.manner(caller, bounded=plan.bounded)
        if manner is Manner.NONE:
            continue
        verdict = placed.compiled.applies(resource, context, wildcard_only=plan.wildcard_only)
        if verdict is False:
            continue
        atom = gate_atom
        if atom is None:
            atom = PUBLIC_ACL if placed.ignored else _ATOM_OF[manner]
        record.hits.append((placed, verdict, atom, 0))
        if placed.denies:
            record.denied = either(record.denied, verdict)
        else:
            atoms[atom] = either(atoms[atom], verdict)
