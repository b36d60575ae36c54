"""Request and policies to a `Decision`: `authorize` for one request, `prepare` for many against the same policies.

A request is decided once, in one pass over the statements about its action; what the pass saw is kept (`Record`), and
everything that a `Decision` tells is derived from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine.decision import Decision
from clew.engine.gates import ACL, Placed, place, place_one
from clew.engine.gates import GRANT as GRANT_GATE
from clew.engine.law import (
    ATOMS,
    BOUNDARY,
    CROSS_ACCOUNT,
    DIRECT,
    ENDPOINT,
    GRANT,
    GRANT_TO_ROLE,
    IDENTITY,
    IGNORED,
    PUBLIC,
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
from clew.engine.services import LAWS, kms, outsiders, s3, sts
from clew.engine.services.model import Subject
from clew.engine.verdicts import Effect, Gate

if TYPE_CHECKING:
    from clew.engine.law import Atom
    from clew.engine.policies import Policies
    from clew.engine.request import Context, Request
    from clew.policy.model import Policy

_PLANS_KEPT: Final = 4096
_ACCOUNT_DIGITS: Final = 12
ATOM_OF: Final = {Manner.ACCOUNT: RESOURCE, Manner.ROLE: ROLE, Manner.DIRECT: DIRECT}
"""What an Allow of the resource's policy grants, by the manner in which it names the caller."""

ATOM_OF_GRANT: Final = {Manner.ACCOUNT: RESOURCE, Manner.ROLE: GRANT_TO_ROLE, Manner.DIRECT: GRANT}
"""The same for a KMS grant."""


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

    __slots__ = ("_gates", "_plans", "_restricted", "_scps", "policies")

    def __init__(self, policies: Policies) -> None:
        """Place every statement; each is compiled when a request first reaches it."""
        self.policies = policies
        self._gates: dict[Gate, tuple[Placed, ...]] = {
            Gate.IDENTITY: place(policies.identity, Gate.IDENTITY, "identity_policies"),
            Gate.BOUNDARY: place(policies.boundaries, Gate.BOUNDARY, "permissions_boundaries"),
            Gate.SESSION: place(policies.session, Gate.SESSION, "session_policies"),
            Gate.RESOURCE: _resource_side(policies),
            Gate.RCP: _levels(policies.rcps, Gate.RCP),
            Gate.ENDPOINT: place(policies.endpoint, Gate.ENDPOINT, "vpc_endpoint_policies"),
            Gate.BLOCK_PUBLIC_ACCESS: tuple(s3.place_acl_block(policies)),
        }
        self._scps = tuple(
            place(documents, Gate.SCP, f"scps/{level}") for level, documents in enumerate(policies.scps)
        )
        self._plans: dict[tuple[str, Law, Kind, bool, bool], Plan] = {}
        self._restricted = s3.is_restricted(policies)

    def effect(self, request: Request) -> Effect:
        """The effect alone."""
        return self._decide(request).effect

    def authorize(self, request: Request) -> Decision:
        """The decision; it expands its parts when they are looked at."""
        return Decision(request, self._decide(request))

    def _decide(self, request: Request) -> Record:
        action, resource = request.action.lower(), request.resource
        caller = parse_principal(request.principal, web_identity=action == sts.WEB_IDENTITY)
        owner, assumed = resource_account(request, caller, action)
        foreign = s3.is_ruled_by_object_owner(action, self.policies, owner)
        account = self.policies.object_owner or "" if foreign else owner
        law = law_of(action, resource, caller, same_account=account == caller.account)
        key = (action, law, caller.kind, caller.service_linked, foreign)
        plan = self._plans.get(key) or self._plan(key, caller, resource)
        record = Record(plan, caller, action, account, assumed=assumed)
        record.bucket_account = owner
        if law.gates:
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

    def _plan(self, key: tuple[str, Law, Kind, bool, bool], caller: Caller, resource: str) -> Plan:
        if len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
        plan = self._plans[key] = self.make_plan(key[0], key[1], caller, resource, foreign=key[4])
        return plan

    def make_plan(self, action: str, law: Law, caller: Caller, resource: str, *, foreign: bool) -> Plan:
        """What deciding takes that is the same for every request of this kind: law, gates, statements in question."""
        plan = Plan()
        plan.law = law
        plan.policies = self.policies
        plan.wildcard_only = catalog.is_wildcard_only(action)
        present = plan.present = self.present(law, caller, action)
        plan.bounded = Gate.BOUNDARY in present
        plan.plain = tuple([(atom, self.about(gate, action)) for atom, gate in _PLAIN if gate in present])
        plan.resource = self.heard_of_resource(action, resource, law, caller, present, foreign=foreign)
        plan.rcp = self.about(Gate.RCP, action) if Gate.RCP in present else ()
        plan.endpoint = self.about(Gate.ENDPOINT, action) if Gate.ENDPOINT in present else None
        plan.scps = tuple(_matching(level, action) for level in self._scps) if Gate.SCP in present else None
        guarded = Gate.BLOCK_PUBLIC_ACCESS in present
        plan.public = self.about(Gate.BLOCK_PUBLIC_ACCESS, action) if guarded else ()
        plan.restricted = guarded and self._restricted
        plan.base, constant = _base(plan, caller)
        plan.short = law.without(
            frozenset([atom for atom in constant if plan.base[atom] is True]),
            frozenset([atom for atom in constant if plan.base[atom] is False]),
        )
        plan.single = _single(plan.short)
        return plan

    def about(self, gate: Gate, action: str) -> tuple[Placed, ...]:
        """The gate's statements whose action element matches the action (in lower case)."""
        return _matching(self._gates[gate], action)

    def heard_of_resource(
        self, action: str, resource: str, law: Law, caller: Caller, present: frozenset[Gate], *, foreign: bool
    ) -> tuple[Placed, ...]:
        """The statements of the resource's side about the action that count."""
        if Gate.RESOURCE not in present:
            return ()
        is_root_of_owner = caller.kind is Kind.ROOT and law in {SAME_ACCOUNT, SAME_ACCOUNT.refused()}
        found = self.about(Gate.RESOURCE, action)
        if foreign:
            # AWS: the bucket owner can deny access to any object, but only its owner can grant it.
            found = tuple(placed for placed in found if placed.denies or placed.source == ACL)
        if action == kms.RETIRE:
            found = tuple(placed for placed in found if placed.source == GRANT_GATE)
        if is_root_of_owner and action in outsiders.BUCKET_POLICY:
            # AWS: no bucket policy can keep the root user of the bucket's account from the bucket policy.
            found = tuple(placed for placed in found if not placed.denies)
        if sts.is_about_trust(action, resource):
            # AWS: NotPrincipal cannot be used in a trust policy.
            found = tuple(placed for placed in found if placed.statement.not_principals is None)
        return found

    def present(self, law: Law, caller: Caller, action: str) -> frozenset[Gate]:
        """The gates that take part: a policy is there, the law looks at it, and the caller is not exempt."""
        policies = self.policies
        is_person, is_root = caller.is_person_of_account, caller.kind is Kind.ROOT
        answers = {
            Gate.IDENTITY: is_person and not is_root,
            Gate.RESOURCE: self._gates[Gate.RESOURCE] or policies.resource is not None,
            Gate.BOUNDARY: policies.boundaries and is_person and not is_root,
            Gate.SESSION: (policies.session and is_person) or caller.kind is Kind.FEDERATED_USER,
            Gate.SCP: policies.scps and is_person and not _is_exempt(caller, policies),
            Gate.RCP: policies.rcps
            and not _is_exempt(caller, policies)
            and _is_reached_by_rcps(action, policies),
            Gate.ENDPOINT: policies.endpoint,
            Gate.BLOCK_PUBLIC_ACCESS: policies.block_public_access and action.startswith("s3:"),
        }
        return frozenset([gate for gate in law.gates if answers[gate]])


_PLAIN: Final = ((IDENTITY, Gate.IDENTITY), (BOUNDARY, Gate.BOUNDARY), (SESSION, Gate.SESSION))


def _resource_side(policies: Policies) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    if policies.resource is not None:
        placed += place_one(policies.resource, Gate.RESOURCE, "resource_policy")
    placed += kms.place_grants(policies.grants)
    placed += s3.place_acl(policies)
    return tuple(placed)


def _levels(levels: tuple[tuple[Policy, ...], ...], gate: Gate) -> tuple[Placed, ...]:
    if not levels:
        return ()
    placed = [place(documents, gate, f"{gate.value}s/{level}") for level, documents in enumerate(levels)]
    return tuple([each for level in placed for each in level])


def _matching(placed: tuple[Placed, ...], action: str) -> tuple[Placed, ...]:
    if not placed:
        return ()
    return tuple([each for each in placed if each.compiled.matches_action(action)])


def _is_exempt(caller: Caller, policies: Policies) -> bool:
    """Whether the organisation's control policies do not apply.

    AWS: "Service control policies (SCPs)" and "Resource control policies (RCPs)", what they do not restrict.
    """
    return caller.service_linked or policies.management_account


def _is_reached_by_rcps(action: str, policies: Policies) -> bool:
    # AWS KMS Developer Guide, "Resource control policies": kms:RetireGrant is not covered.
    if action == "kms:retiregrant":
        return False
    service = action.partition(":")[0]
    return not policies.rcp_services_only or service in catalog.current().rcp_services


def law_of(action: str, resource: str, caller: Caller, *, same_account: bool) -> Law:
    """The law that rules the request: its service's, or the common one; refused where AWS refuses it anyway."""
    special = LAWS.get(action.partition(":")[0])
    found = None if special is None else special(Subject(action, resource, caller, same_account))
    if found is not None and not found.gates:
        return found
    if found is None:
        found = _common_law(caller, same_account=same_account)
    if outsiders.is_refused_to(caller, action, same_account=same_account):
        return found.refused()
    if caller.partition and caller.partition != _partition(resource, caller.partition):
        # AWS: "Cross-account resource access in IAM": no grant reaches into another partition.
        return found.refused()
    return found


def _common_law(caller: Caller, *, same_account: bool) -> Law:
    if not caller.is_person_of_account:
        return RESOURCE_ALONE
    return SAME_ACCOUNT if same_account else CROSS_ACCOUNT


def _partition(resource: str, default: str) -> str:
    """The partition that the ARN names; the default where it is none."""
    fields = resource.split(":", 2)
    return fields[1] if len(fields) > 2 and fields[0] == "arn" else default  # noqa: PLR2004  # arn, partition, rest


def resource_account(request: Request, caller: Caller, action: str) -> tuple[str, bool]:
    """The account that owns the resource, and whether that is assumed: as given, else the ARN's, else the caller's."""
    if request.resource_account is not None:
        return request.resource_account, False
    parts = request.resource.split(":", 5)
    account = parts[4] if len(parts) > 5 else ""  # noqa: PLR2004  # an ARN has six parts
    if len(account) == _ACCOUNT_DIGITS and account.isdigit():
        return account, False
    return caller.account, action.startswith("s3:") and caller.is_person_of_account


def _base(plan: Plan, caller: Caller) -> tuple[list[bool | None], frozenset[Atom]]:
    """What holds before any statement is looked at, and which atoms no statement can change."""
    base: list[bool | None] = [False] * ATOMS
    present = plan.present
    base[IDENTITY] = caller.kind is Kind.ROOT
    base[RCP] = base[PUBLIC] = True
    for atom, gate in _LIMITS:
        base[atom] = gate not in present
    changing = {atom for atom, gate in (*_PLAIN, *_LIMITS) if gate in present}
    if plan.resource:
        changing |= {DIRECT, ROLE, RESOURCE, GRANT, GRANT_TO_ROLE}
    if plan.public or plan.restricted:
        changing.add(PUBLIC)
    return base, _ATOMS - changing


_LIMITS: Final = (
    (BOUNDARY, Gate.BOUNDARY),
    (SESSION, Gate.SESSION),
    (SCP, Gate.SCP),
    (ENDPOINT, Gate.ENDPOINT),
)
_ATOMS: Final = frozenset(range(ATOMS))


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
    if plan.public:
        atoms[PUBLIC] = _ask(plan, plan.public, resource, context, record, PUBLIC)
    if plan.restricted and not s3.is_spared(caller, record.bucket_account):
        atoms[PUBLIC] = False


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
        verdict = placed.applies(resource, context, wildcard_only=wildcard_only)
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
        manner = placed.manner(caller, bounded=plan.bounded, owner=record.owner)
        if manner is Manner.NONE:
            continue
        verdict = placed.applies(resource, context, wildcard_only=plan.wildcard_only)
        if verdict is False:
            continue
        if placed.ignored:
            record.hits.append((placed, verdict, IGNORED, 0))
            continue
        atom = gate_atom
        if atom is None:
            atom = (ATOM_OF_GRANT if placed.source == GRANT_GATE else ATOM_OF)[manner]
        record.hits.append((placed, verdict, atom, 0))
        if placed.denies:
            record.denied = either(record.denied, verdict)
        else:
            atoms[atom] = either(atoms[atom], verdict)
