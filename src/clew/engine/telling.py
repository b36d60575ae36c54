"""What a decision tells, derived from its record: verdicts, statements, missing keys, the residual condition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.engine import gates
from clew.engine.gates import ACL, GRANT, Remark
from clew.engine.law import (
    ATOMS,
    BOUNDARY,
    DIRECT,
    ENDPOINT,
    GRANT_TO_ROLE,
    IDENTITY,
    IGNORED,
    PUBLIC,
    RESOURCE,
    ROLE,
    SCP,
    SESSION,
    either,
    known_all,
    known_any,
)
from clew.engine.law import GRANT as GRANT_ATOM
from clew.engine.principal import Kind, Manner
from clew.engine.request import UNKNOWN, Context
from clew.engine.residual import Part, Residual, all_of, any_of, leaves, statement_formula
from clew.engine.services import s3, sts
from clew.engine.verdicts import Determining, Effect, Gate, Verdict
from clew.policy.variables import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine.gates import Placed
    from clew.engine.record import Hit, Record
    from clew.engine.request import Request
    from clew.engine.residual import Formula

_ALLOWS = {
    Gate.IDENTITY: (IDENTITY,),
    Gate.RESOURCE: (DIRECT, ROLE, RESOURCE, GRANT_ATOM, GRANT_TO_ROLE),
    Gate.BOUNDARY: (BOUNDARY,),
    Gate.SESSION: (SESSION,),
    Gate.SCP: (SCP,),
    Gate.ENDPOINT: (ENDPOINT,),
    Gate.BLOCK_PUBLIC_ACCESS: (PUBLIC,),
}


def gate_verdicts(record: Record) -> dict[Gate, Verdict]:
    """Each gate's verdict, in the order in which gates are reported."""
    return {gate: _verdict(record, gate) for gate in Gate}


def _verdict(record: Record, gate: Gate) -> Verdict:
    if gate not in record.plan.present:
        return Verdict.ABSENT
    denied: bool | None = False
    for placed, verdict, _, _ in record.hits:
        if placed.denies and placed.gate is gate:
            denied = either(denied, verdict)
    allowed = True if gate is Gate.RCP else known_any(record.atoms[atom] for atom in _ALLOWS[gate])
    if denied is True:
        return Verdict.EXPLICIT_DENY
    if denied is None or allowed is None:
        return Verdict.UNKNOWN
    return Verdict.ALLOW if allowed else Verdict.IMPLICIT_DENY


def blocking(record: Record) -> set[Gate]:
    """The gates that certainly stop what some policy certainly grants; empty when nothing does."""
    law, atoms = record.plan.law, record.atoms
    counted = _with_ignored(record)
    if not law.is_granting(counted):
        return set()
    found = {placed.gate for placed, verdict, _, _ in record.hits if verdict and placed.denies}
    found |= law.blocking(counted)
    if counted is not atoms and law.is_routed(counted) is True and law.is_routed(atoms) is False:
        found.add(Gate.BLOCK_PUBLIC_ACCESS)
    return found


def _with_ignored(record: Record) -> list[bool | None]:
    """The atoms as they would be if Block Public Access did not make the access control list void."""
    ignored = [placed for placed, verdict, atom, _ in record.hits if atom == IGNORED and verdict is True]
    if not ignored:
        return record.atoms
    counted = [*record.atoms]
    for placed in ignored:
        manner = placed.manner(record.caller, bounded=record.plan.bounded, owner=record.owner)
        counted[DIRECT if manner is Manner.DIRECT else RESOURCE] = True
    counted[RESOURCE] = True
    return counted


def determining(record: Record) -> tuple[Determining, ...]:
    """The statements that settled the decision, in the order of gates, policies and statements."""
    effect = record.effect
    if effect is Effect.IMPLICIT_DENY:
        return ()
    if effect is Effect.UNDETERMINED:
        chosen = _open_hits(record)
    else:
        denies = effect is Effect.EXPLICIT_DENY
        chosen = [hit for hit in record.hits if hit[1] is True and hit[0].denies is denies]
    told = [hit[0] for hit in chosen if hit[2] not in {IGNORED, PUBLIC}]
    return tuple(_told(placed) for placed in sorted(told, key=_report_order))


def matched(record: Record) -> tuple[tuple[Determining, bool | None], ...]:
    """Every statement that matches (True) or may match (None), in the order of gates, policies and statements."""
    told = [(hit[0], hit[1]) for hit in record.hits if hit[2] not in {IGNORED, PUBLIC}]
    ordered = sorted(told, key=lambda hit: _report_order(hit[0]))
    return tuple((_told(placed), verdict) for placed, verdict in ordered)


_ORDER = {name: place for place, name in enumerate((*(gate.value for gate in Gate), GRANT, ACL))}


def _report_order(placed: Placed) -> int:
    return _ORDER[placed.source]


def _told(placed: Placed) -> Determining:
    statement = placed.statement
    return Determining(
        placed.source,
        placed.path,
        statement.index,
        statement.sid,
        "Deny" if placed.denies else "Allow",
        placed.policy.source,
        statement.position,
    )


def _open_hits(record: Record) -> list[Hit]:
    """Every Deny that may match; and, while granting is open, the Allows that may match in a gate that is open."""
    atoms = record.atoms.copy()
    atoms[PUBLIC] = True
    is_open = record.plan.law.granted(atoms, known_all, known_any) is None
    open_sources = set(_open_sources(record)) if is_open else set()
    return [hit for hit in record.hits if hit[1] is None and (hit[0].denies or hit[0].source in open_sources)]


def _open_sources(record: Record) -> Iterator[str]:
    """The gates of which it is unknown whether they allow, and grants."""
    for gate, atom in _LIMITING:
        if record.atoms[atom] is None:
            yield gate.value
    policy = [hit[1] for hit in record.hits if hit[0].source == Gate.RESOURCE.value and not hit[0].denies]
    if known_any(policy) is None:
        yield Gate.RESOURCE.value
    # Each grant stands for itself: one does not settle another's question.
    yield GRANT


_LIMITING = (
    (Gate.IDENTITY, IDENTITY),
    (Gate.BOUNDARY, BOUNDARY),
    (Gate.SESSION, SESSION),
    (Gate.SCP, SCP),
    (Gate.ENDPOINT, ENDPOINT),
)


def _formula(hit: Hit, record: Record, request: Request) -> Formula:
    return statement_formula(hit, request.resource, request.context, wildcard_only=record.plan.wildcard_only)


def residual(record: Record, request: Request) -> Residual:
    """The law of the request, read over formulas."""
    denied = any_of(_formula(hit, record, request) for hit in record.hits if hit[0].denies)
    granted = record.plan.law.granted(_atoms(record, request), all_of, any_of)
    return Residual(denied, granted, request.context)


def _atoms(record: Record, request: Request) -> list[Formula]:
    """The atoms as formulas: what the statements that speak for them leave open."""
    found: list[Formula] = [bool(verdict) for verdict in record.plan.base]
    spoken: dict[tuple[int, int], list[Formula]] = {}
    for hit in record.hits:
        if not hit[0].denies:
            spoken.setdefault((hit[2], hit[3]), []).append(_formula(hit, record, request))
    for atom in range(ATOMS):
        if record.atoms[atom] is not None:
            found[atom] = record.atoms[atom] is True
        elif (atom, 0) in spoken and atom != SCP:
            found[atom] = any_of(spoken[atom, 0])
    if record.plan.scps is not None and record.atoms[SCP] is None:
        found[SCP] = all_of(any_of(spoken.get((SCP, level), ())) for level in range(len(record.plan.scps)))
    if record.atoms[RESOURCE] is None:
        found[RESOURCE] = any_of((found[DIRECT], found[ROLE], found[RESOURCE]))
    return found


def missing_context(record: Record, request: Request, left: Residual | None) -> tuple[str, ...]:
    """Keys without a value that statements name: those that matter where some are unknown, else the absent ones."""
    context = request.context
    if left is not None:
        return _unique(_unknown_keys([*leaves(left.denied), *leaves(left.granted)], context))
    if context.has_unknown:
        return ()
    return _unique(_absent_keys(record, request))


_WITHOUT_KEY = frozenset({"Resource", "NotResource", "EncryptionContextEquals"})
"""Operators of leaves whose `key` is no context key."""


def _unknown_keys(found: Iterable[Part], context: Context) -> Iterator[str]:
    for leaf in found:
        if leaf.operator not in _WITHOUT_KEY and context.get(leaf.key.lower()) is UNKNOWN:
            yield leaf.key
        for value in leaf.values:
            yield from (key for key in keys(value) if context.get(key.lower()) is UNKNOWN)


def _absent_keys(record: Record, request: Request) -> Iterator[str]:
    """Keys that are absent, of statements that match in everything but what these keys decide."""
    context, plan = request.context, record.plan
    wide_open = Context(context.values, unknown=None)
    for placed in _asked(record):
        missing = placed.compiled.missing_keys(context)
        if not missing:
            continue
        verdict = placed.applies(request.resource, wide_open, wildcard_only=plan.wildcard_only)
        if verdict is not False:
            yield from missing


def _asked(record: Record) -> Iterator[Placed]:
    """Every statement about the action that is about the caller, too."""
    plan = record.plan
    for _, statements in plan.plain:
        yield from statements
    for level in plan.scps or ():
        yield from level
    for placed in (*plan.resource, *plan.rcp, *(plan.endpoint or ())):
        if placed.manner(record.caller, bounded=plan.bounded, owner=record.owner) is not Manner.NONE:
            yield placed


def _unique(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys in the order in which they come, each once without regard to case."""
    found: dict[str, str] = {}
    for key in keys:
        found.setdefault(key.lower(), key)
    return tuple(found.values())


def facts(record: Record, request: Request) -> Iterator[str]:
    """What a reader should know of the request: exemptions, assumptions, settings."""
    caller, policies, law = record.caller, record.plan.policies, record.plan.law
    if record.assumed:
        yield f"resource_account {record.owner} is assumed: neither the request nor the ARN says it"
    if caller.service_linked and (policies.scps or policies.rcps):
        yield "service-linked role: service and resource control policies do not apply to it"
    elif policies.management_account and (policies.scps or policies.rcps):
        yield "management account: service and resource control policies do not apply to it"
    elif policies.rcps and Gate.RCP in law.gates and Gate.RCP not in record.plan.present:
        yield f"`{request.action}`: resource control policies do not reach this service"
    if caller.kind is Kind.ROOT and (policies.identity or policies.boundaries):
        yield "root user: identity policies and permissions boundaries do not apply to it"
    elif not caller.is_person_of_account and (policies.identity or policies.boundaries or policies.session):
        yield f"{caller.kind.value}: identity policies, boundaries and session policies do not apply to it"
    if caller.kind is Kind.FEDERATED_USER and not policies.session:
        yield "federated-user session without session policies: it has no permissions of its own"
    if law.explains:
        yield law.name
    yield from _facts_of_service(record, request)


def _facts_of_service(record: Record, request: Request) -> Iterator[str]:
    action = record.action
    if action.startswith(_OF_GATEWAYS) and any(_by_account_at_endpoint(record)):
        yield (
            "a gateway endpoint takes an account in its policy for the root user alone; the policy is read as that "
            "of an interface endpoint"
        )
    if action == "s3:listallmybuckets" and any(map(_names_every_bucket, _asked(record))):
        yield (
            "`s3:ListAllMyBuckets`: AWS's pages disagree on whether `arn:aws:s3:::*` is about it; by the service "
            "authorization reference only `*` is"
        )
    if action.startswith("s3:"):
        policies = record.plan.policies
        yield from s3.facts(action, request.resource, policies, record.owner, record.bucket_account)


# AWS PrivateLink guide, "Gateway endpoints": of these two services there are endpoints of both kinds.
_OF_GATEWAYS: Final = ("s3:", "dynamodb:")


def _names_every_bucket(placed: Placed) -> bool:
    """Whether the statement names every bucket by an ARN, and nothing that is about an action on no bucket.

    AWS: S3 user guide, "Identity-based policy examples": such a statement shows the list of buckets in the console.
    """
    listed = placed.statement.resources or ()
    return "*" not in listed and any(_EVERY_BUCKET.fullmatch(text) for text in listed)


_EVERY_BUCKET: Final = re.compile(r"arn:[^:]+:s3:::\*")


def _by_account_at_endpoint(record: Record) -> Iterator[bool]:
    """Whether each Allow of the endpoint's policy that matched names the caller's account only."""
    if record.caller.kind is Kind.ROOT:
        return
    for placed, *_ in record.hits:
        if placed.gate is Gate.ENDPOINT and not placed.denies:
            manner = placed.manner(record.caller, bounded=record.plan.bounded, owner=record.owner)
            yield manner is Manner.ACCOUNT


def remarks(record: Record, request: Request) -> Iterator[Remark]:
    """What is the matter with statements that mean nothing where they stand."""
    policies = record.plan.policies
    yield from gates.remarks(policies.identity, Gate.IDENTITY, "identity_policies")
    if policies.resource is not None:
        yield from gates.remarks((policies.resource,), Gate.RESOURCE)
        if sts.is_about_trust(record.action, request.resource):
            for statement in policies.resource.statements:
                if statement.not_principals is not None:
                    text = "has NotPrincipal, which a trust policy cannot have, and matches nothing"
                    yield Remark("resource_policy", statement.index, text)
    yield from gates.remarks(policies.boundaries, Gate.BOUNDARY, "permissions_boundaries")
    yield from gates.remarks(policies.session, Gate.SESSION, "session_policies")
    for level, documents in enumerate(policies.scps):
        yield from gates.remarks(documents, Gate.SCP, f"scps/{level}")
    for level, documents in enumerate(policies.rcps):
        yield from gates.remarks(documents, Gate.RCP, f"rcps/{level}")
    yield from gates.remarks(policies.endpoint, Gate.ENDPOINT, "vpc_endpoint_policies")
