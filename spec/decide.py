"""The decision: all gates, the grants, and what follows from them.

Rule 52 in one sentence: an explicit deny of any gate wins; otherwise the request is allowed when something grants it
and every gate that must allow does. AWS: IAM user guide, "Policy evaluation logic".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spec import gates, kms, matching, outsiders, s3, sts
from spec.context import UnreadableError
from spec.grants import Side, Source, both, side
from spec.kleene import Truth, all_of, any_of, negate
from spec.request import Request, needs_trust_policy, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spec.gates import Gate, Verdict

BLOCKERS = (*gates.GATES, "block_public_access")


@dataclass(frozen=True)
class Answer:
    """What the law says of one line; `error` when the line cannot be read, then there is no decision."""

    decision: str | None
    blocked_by: list[str] = field(default_factory=list)
    determined_by: list[dict[str, Any]] = field(default_factory=list)
    gates: dict[str, Verdict] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """All that is needed to decide: the verdict of each gate, and what grants."""

    request: Request
    gates: dict[str, Gate]
    policy: tuple[Source, ...]
    acl: tuple[Source, ...]
    grants: tuple[Source, ...]
    nothing_can_grant: bool

    @property
    def grant_side(self) -> Side:
        """What KMS grants give."""
        return side(self.grants)

    @property
    def side_as_written(self) -> Side:
        """What resource policy and ACL give, before Block Public Access."""
        return side((*self.policy, *self.acl))

    @property
    def side_in_effect(self) -> Side:
        """What resource policy and ACL give, once public ACLs are ignored where they must be."""
        return side(self.policy) if s3.ignores_acl(self.request) else self.side_as_written

    @property
    def needs_resource_policy(self) -> bool:
        """Rule 7: trust policies and key policies must allow explicitly, even in the same account."""
        request = self.request
        return needs_trust_policy(request.action, request.resource) or kms.needs_key_policy(request)

    @property
    def resource_decides_alone(self) -> bool:
        """Rules 40 and 44: for a caller without an identity in any account only the side of the resource decides."""
        return not self.request.caller.has_account or not gates.is_authenticated(self.request)

    @property
    def is_same_account(self) -> bool:
        """Whether caller and resource belong to one account, or the caller's account has the say in both."""
        return sts.is_assume_root(self.request) or self.request.caller.account == s3.owner_account(
            self.request
        )


def decide(
    line: dict[str, Any],
    *,
    wildcard_only: bool = False,
    unknown_context: bool = False,
    unknown: frozenset[str] = frozenset(),
) -> Answer:
    """The answer of the law to one line of the batch contract.

    `wildcard_only`: the action has no resource type. `unknown_context`: every context key that the line does not carry
    is unknown; `unknown`: only these are.
    """
    try:
        request = read_line(
            line, wildcard_only=wildcard_only, unknown_context=unknown_context, unknown=unknown
        )
        return decide_request(request)
    except UnreadableError as reason:
        return Answer(None, error=str(reason))


def decide_request(request: Request) -> Answer:
    """Rule 52: the decision, once the line is read."""
    remarks = [
        note
        for document in request.documents
        for note in (*document.notes, *matching.notes(document, request))
    ]
    notes = (*request.notes, *remarks, *s3.notes(request))
    settled = sts.settled(request)
    if settled:
        return Answer(settled, gates=dict.fromkeys(gates.GATES, "absent"), notes=notes)
    reason = sts.nothing_can_grant(request) or outsiders.refused(request)
    evaluation = evaluate(request, nothing_can_grant=reason is not None)
    decision = decision_of(evaluation)
    return Answer(
        decision,
        blocked_by=blocked_by(evaluation) if decision != "allow" else [],
        determined_by=list(determined_by(evaluation, decision)),
        gates={name: gate.verdict for name, gate in evaluation.gates.items()},
        notes=(*notes, reason) if reason else notes,
    )


def evaluate(request: Request, *, nothing_can_grant: bool) -> Evaluation:
    """Every gate for itself, then the sources of grants."""
    verdicts = {
        "identity": gates.identity(request),
        "resource": gates.resource(request),
        "boundary": gates.boundary(request),
        "session": gates.session(request),
        "scp": gates.scp(request),
        "rcp": gates.rcp(request),
        "endpoint": gates.endpoint(request),
    }
    return Evaluation(
        request,
        verdicts,
        policy=policy_sources(request, verdicts["resource"]),
        acl=s3.acl(request),
        grants=kms.grants(request),
        nothing_can_grant=nothing_can_grant,
    )


def policy_sources(request: Request, gate: Gate) -> tuple[Source, ...]:
    """The Allows of the resource policy; on objects of another owner they have no effect (rule 47)."""
    if s3.has_foreign_object(request):
        return ()
    return tuple(
        Source(
            "resource", one.document.path, one.statement.index, one.statement.sid, one.applies, one.manners
        )
        for one in gate.statements
        if not one.is_deny
    )


def decision_of(evaluation: Evaluation) -> str:
    """Rule 52: explicit denies first, over all kinds of policy; then whether the request is allowed.

    IAM user guide, "How AWS enforcement code logic evaluates requests to allow or deny access", "Deny evaluation".
    0007 Q1.
    """
    denied = any_of(gate.denies for gate in evaluation.gates.values())
    if denied is True:
        return "explicit_deny"
    allowed = is_allowed(evaluation)
    if denied is None or allowed is None:
        return "undetermined"
    return "allow" if allowed else "implicit_deny"


def is_allowed(evaluation: Evaluation) -> Truth:
    """Whether the request is allowed, explicit denies aside."""
    request = evaluation.request
    blocked = any_of([s3.restricts_bucket(request), s3.refuses_public_acl(request)])
    return all_of([is_allowed_by_policies(evaluation), negate(blocked)])


def is_allowed_by_policies(evaluation: Evaluation) -> Truth:
    """Whether something grants the request and every gate that must allow does."""
    verdicts = evaluation.gates
    return all_of(
        [
            not evaluation.nothing_can_grant,
            granted(evaluation, evaluation.side_in_effect),
            verdicts["scp"].allows,
            verdicts["rcp"].allows,
            verdicts["endpoint"].allows,
        ]
    )


def granted(evaluation: Evaluation, given: Side) -> Truth:
    """Whether the policies of caller and resource together grant the request."""
    if evaluation.resource_decides_alone:
        return any_of([given.any, evaluation.grant_side.any])
    if evaluation.is_same_account:
        return granted_in_one_account(evaluation, given)
    return granted_across_accounts(evaluation, given)


def granted_in_one_account(evaluation: Evaluation, given: Side) -> Truth:
    """Rules 1 to 8: identity or resource policy suffices; what the resource policy names decides on the limits.

    A grant to the user or session itself is not limited by implicit denies; one to the role (or to the user of a
    federated session) is limited by boundary and session policy; one to the account delegates to identity policies.
    Trust and key policies must allow explicitly.
    IAM user guide, "How AWS enforcement code logic evaluates requests to allow or deny access", section
    "Resource-based policies"; "Policy evaluation for requests within a single account".
    """
    verdicts = evaluation.gates
    total = both(given, evaluation.grant_side)
    limits = all_of([verdicts["boundary"].allows, verdicts["session"].allows])
    delegated = total.account if evaluation.needs_resource_policy else True
    return any_of(
        [
            total.direct,
            all_of([total.role, limits]),
            all_of([delegated, verdicts["identity"].allows, limits]),
        ]
    )


def granted_across_accounts(evaluation: Evaluation, given: Side) -> Truth:
    """Rule 10: both accounts must allow, and nothing escapes boundary or session policy; KMS grants stand alone.

    IAM user guide, "Cross-account policy evaluation logic", section "Determining whether a cross-account request is
    allowed". AWS KMS developer guide, "Troubleshooting AWS KMS permissions". 0007 Q5, Q36.
    """
    verdicts, grants = evaluation.gates, evaluation.grant_side
    limits = all_of([verdicts["boundary"].allows, verdicts["session"].allows])
    return any_of(
        [
            all_of([any_of([given.any, grants.account]), verdicts["identity"].allows, limits]),
            all_of([any_of([grants.direct, grants.role]), limits]),
        ]
    )


def blocked_by(evaluation: Evaluation) -> list[str]:
    """The gates that stop a request which some policy grants, in the fixed order (0007 Q2)."""
    exists = all_of([not evaluation.nothing_can_grant, some_policy_grants(evaluation)])
    stops = missing_allows(evaluation) | {"block_public_access": stopped_by_public_access_block(evaluation)}
    denies = {name: gate.denies for name, gate in evaluation.gates.items()}
    return [
        name
        for name in BLOCKERS
        if all_of([exists, any_of([stops.get(name, False), denies.get(name, False)])]) is True
    ]


def some_policy_grants(evaluation: Evaluation) -> Truth:
    """Whether an identity policy, resource policy, ACL or grant allows the request; full access of root counts too."""
    return any_of(
        [
            evaluation.gates["identity"].allows,
            evaluation.side_as_written.any,
            evaluation.grant_side.any,
        ]
    )


def missing_allows(evaluation: Evaluation) -> dict[str, Truth]:
    """The gates that do not allow although the strongest grant at hand needs them to (0007 Q2)."""
    verdicts, grants = evaluation.gates, evaluation.grant_side
    lacks = {name: negate(gate.allows) for name, gate in verdicts.items()}
    everywhere = {"scp": lacks["scp"], "endpoint": lacks["endpoint"]}
    if evaluation.resource_decides_alone:
        return everywhere
    if not evaluation.is_same_account:
        limits = {"boundary": lacks["boundary"], "session": lacks["session"]}
        by_grant = any_of([grants.direct, grants.role])
        lacks_identity = all_of([negate(by_grant), lacks["identity"]])
        lacks_resource = negate(any_of([evaluation.side_as_written.any, grants.any]))
        return everywhere | limits | {"identity": lacks_identity, "resource": lacks_resource}
    total = both(evaluation.side_as_written, grants)
    indirect = negate(total.direct)
    return everywhere | {
        "identity": all_of([indirect, negate(total.role), lacks["identity"]]),
        "resource": all_of([evaluation.needs_resource_policy, negate(total.any)]),
        "boundary": all_of([indirect, lacks["boundary"]]),
        "session": all_of([indirect, lacks["session"]]),
    }


def stopped_by_public_access_block(evaluation: Evaluation) -> Truth:
    """Rule 47: whether Block Public Access stops what would otherwise be granted (0007 Q40)."""
    request = evaluation.request
    made_the_difference = all_of(
        [
            granted(evaluation, evaluation.side_as_written),
            negate(granted(evaluation, evaluation.side_in_effect)),
        ]
    )
    return any_of([s3.restricts_bucket(request), s3.refuses_public_acl(request), made_the_difference])


def determined_by(evaluation: Evaluation, decision: str) -> Iterable[dict[str, Any]]:
    """The statements that settled the decision (0007 Q3)."""
    if decision == "explicit_deny":
        yield from _denies(evaluation, applies=True)
    elif decision == "allow":
        yield from _allows(evaluation, applies=True)
    elif decision == "undetermined":
        yield from _undecided(evaluation)


def _denies(evaluation: Evaluation, *, applies: Truth) -> Iterable[dict[str, Any]]:
    return (
        entry
        for entry, verdict in _statements(evaluation)
        if entry["effect"] == "Deny" and verdict is applies
    )


def _allows(evaluation: Evaluation, *, applies: Truth) -> Iterable[dict[str, Any]]:
    return (
        entry
        for entry, verdict in _statements(evaluation)
        if entry["effect"] == "Allow" and verdict is applies
    )


def _undecided(evaluation: Evaluation) -> Iterable[dict[str, Any]]:
    """Unknown denies always; unknown allows where the gate's allowing, and the whole request's, hangs on them."""
    open_request = is_allowed_by_policies(evaluation) is None
    allowing = {name: gate.allows for name, gate in evaluation.gates.items()}
    for entry, verdict in _statements(evaluation):
        matters = entry["effect"] == "Deny" or (open_request and allowing.get(entry["gate"]) is None)
        if verdict is None and matters:
            yield entry


def _statements(evaluation: Evaluation) -> Iterable[tuple[dict[str, Any], Truth]]:
    """Every statement of every gate that applies, then grants and ACL entries, each with its verdict."""
    foreign = s3.has_foreign_object(evaluation.request)
    for name, gate in evaluation.gates.items():
        for one in gate.statements:
            if one.is_deny or not (foreign and name == "resource"):
                statement = one.statement
                yield (
                    _entry(name, one.document.path, statement.index, statement.sid, statement.effect),
                    one.applies,
                )
    in_effect = () if s3.ignores_acl(evaluation.request) else evaluation.acl
    for source in (*evaluation.grants, *in_effect):
        verdict = all_of([source.applies, bool(source.manners)])
        yield _entry(source.gate, source.policy, source.statement, source.sid, "Allow"), verdict


def _entry(gate: str, policy: str, statement: int, sid: str | None, effect: str) -> dict[str, Any]:
    return {"gate": gate, "policy": policy, "statement": statement, "sid": sid, "effect": effect}
