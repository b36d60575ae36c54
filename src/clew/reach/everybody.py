"""One action on one resource, asked for every principal of an account: each policy is compiled once, for all of them.

The answer is that of `Predictor.predict`: the same policies and facts, put to the bulk evaluation. Policies that say
nothing of the action on the resource are left out, and principals that are left with the same ones share an answer.
A principal is asked by itself where its policies look at what only it has: its name, its tags, its id. Over 10,000
principals this takes 1.1 s, one by one 3.8 s (benchmarks/who_can.py, CPython 3.11).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws import catalog
from clew.engine import Context, Effect, Request
from clew.engine.bulk import Asker, Bulk, Masks
from clew.engine.decision import Gate
from clew.engine.derive import derived
from clew.engine.principal import Kind, parse_principal
from clew.policy.variables import Variable, pieces
from clew.reach.applied import ACL_HEADERS
from clew.reach.attached import held
from clew.reach.identity import PRINCIPAL_TAG, identity
from clew.reach.predict import NoPrediction, behind_endpoint, with_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine import Policies
    from clew.engine.principal import Caller
    from clew.policy.model import Policy, Statement
    from clew.reach.predict import Predictor, Ready

# What tells one user or role of an account from another; all else in the context is the same for them.
_OWN: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:userid", "aws:username"})
_TAG: Final = PRINCIPAL_TAG.lower()
_HEADERS: Final = frozenset(key.lower() for key in ACL_HEADERS)


class Verdict(NamedTuple):
    """Whether the principal is allowed (None: open), the effect, its condition in words, and what was not at hand.

    An effect may be open between two kinds of denial: then the principal is not allowed.
    """

    allowed: bool | None
    effect: Effect
    condition: str = ""
    unknown: tuple[str, ...] = ()


class _Base(NamedTuple):
    """What is the same for all users and roles of an account."""

    unknown: tuple[str, ...]
    context: Context
    bulk: Bulk
    looks_at: frozenset[str]
    names_callers: bool
    answers: dict[tuple[object, ...], tuple[Verdict, tuple[Policy, ...]]]


class Everybody:
    """One question for the users and roles of the accounts at hand."""

    def __init__(self, predictor: Predictor, request: Request) -> None:
        """`request` is the question as somebody puts it; its principal does not matter."""
        self._predictor = predictor
        self._request = request
        self._action = catalog.current().mask(request.action)
        self._masks = Masks()
        self._bases: dict[str, _Base | None] = {}
        self._looks_at: dict[tuple[int, int, Gate], tuple[Policy, frozenset[str]]] = {}

    def verdict(self, principal: str) -> Verdict | None:
        """The answer for any principal; None where nothing can be predicted."""
        return self._together(parse_principal(principal)) or self._alone(principal)

    def _alone(self, principal: str) -> Verdict | None:
        """The answer to a principal that is asked by itself."""
        found = self._predictor.predict(derived(replace(self._request, principal=principal)))
        if isinstance(found, NoPrediction):
            return None
        decision = found.decision
        told = decision.residual.text if decision.residual is not None else ""
        return Verdict(decision.allowed, decision.effect, told, found.unknown)

    def _together(self, caller: Caller) -> Verdict | None:
        """The answer to a user or role with others like it; None where it has to be asked by itself."""
        base = self._base(caller) if caller.kind in {Kind.USER, Kind.ROLE} else None
        if base is None:
            return None
        found = identity(self._predictor.snapshot, caller)
        own, boundaries = held(found.attachments), held(found.boundaries)
        about = tuple([policy for policy in own.policies if base.bulk.concerns(policy, Gate.IDENTITY)])
        if self._is_by_itself(base, own.policies, about, boundaries.policies):
            return None
        missing = tuple(each.why for each in (*own.missing, *boundaries.missing))
        return self._answer(base, caller, about, boundaries.policies, missing)

    def _base(self, caller: Caller) -> _Base | None:
        account = caller.account
        if account not in self._bases:
            self._bases[account] = self._of_account(caller) if self._action else None
        return self._bases[account]

    def _of_account(self, caller: Caller) -> _Base | None:
        """What a root user is asked with, who has no policies of its own."""
        partition = caller.text.split(":")[1]
        asked = derived(replace(self._request, principal=f"arn:{partition}:iam::{caller.account}:root"))
        ready = self._predictor.ready(asked)
        if isinstance(ready, NoPrediction):
            return None
        full, policies, unknown = _whole(asked, ready)
        bulk = Bulk(
            policies,
            full.resource,
            resource_account=full.resource_account,
            actions=self._action,
            masks=self._masks,
        )
        looks_at = frozenset[str]().union(*(_keys(bulk.open_on(*each)) for each in _shared(policies)))
        return _Base(unknown, full.context, bulk, looks_at, _names_callers(policies), {})

    def _is_by_itself(
        self,
        base: _Base,
        own: tuple[Policy, ...],
        about: tuple[Policy, ...],
        boundaries: tuple[Policy, ...],
    ) -> bool:
        """Whether the answer hangs on what tells the principal from others, or on a header that is else left out."""
        looks_at = base.looks_at.union(
            *(self._looked_at(base, policy, Gate.IDENTITY) for policy in about),
            *(self._looked_at(base, policy, Gate.BOUNDARY) for policy in boundaries),
        )
        if not _OWN.isdisjoint(looks_at) or any(key.startswith(_TAG) for key in looks_at):
            return True
        if not any(base.context.get(key) is None for key in _HEADERS):
            return False
        return any(not _HEADERS.isdisjoint(_keys(each.statements)) for each in (*own, *boundaries))

    def _looked_at(self, base: _Base, policy: Policy, gate: Gate) -> frozenset[str]:
        """The context keys, in lower case, on which it hangs what the policy says of the action on the resource."""
        key = id(base), id(policy), gate
        found = self._looks_at.get(key)
        if found is None:
            # The policy is kept beside it, so that no other one comes to have its identity.
            found = self._looks_at[key] = (policy, _keys(base.bulk.open_on(policy, gate)))
        return found[1]

    def _answer(
        self,
        base: _Base,
        caller: Caller,
        about: tuple[Policy, ...],
        boundaries: tuple[Policy, ...],
        missing: tuple[str, ...],
    ) -> Verdict:
        who = caller.text if base.names_callers else ""
        key = (who, caller.kind, caller.service_linked, tuple(map(id, about)), tuple(map(id, boundaries)))
        known = base.answers.get(key)
        if known is None:
            asker = Asker(caller.text, about, boundaries, context=base.context)
            # The policies are kept with the answer, so that no other one comes to have the identity of one of them.
            known = base.answers[key] = self._asked(base, asker), (*about, *boundaries)
        verdict = known[0]
        if verdict.effect is Effect.UNDETERMINED:
            return verdict._replace(unknown=(*missing, *base.unknown))
        return verdict

    def _asked(self, base: _Base, asker: Asker) -> Verdict:
        access = base.bulk.access(asker)
        effect = access.effect(self._request.action)
        if effect is not Effect.UNDETERMINED:
            return Verdict(effect is Effect.ALLOW, effect)
        # One action has one residual.
        ((residual, _),) = access.residuals()
        return Verdict(False if residual.granted is False else None, effect, residual.text)


def _whole(asked: Request, ready: Ready) -> tuple[Request, Policies, tuple[str, ...]]:
    """The request with all facts, the policies that decide, and what of them is not at hand."""
    full = with_facts(asked, ready.applied)
    endpoint = asked.context.get("aws:sourcevpce")
    if isinstance(endpoint, str):
        behind = behind_endpoint(ready.prepared.policies, endpoint)
        return full, behind, (*ready.unknown, f"the policy of VPC endpoint {endpoint}")
    return full, ready.prepared.policies, ready.unknown


def _shared(policies: Policies) -> Iterator[tuple[Policy, Gate]]:
    """The policies that are not the principal's own, each with its gate."""
    if policies.resource is not None:
        yield policies.resource, Gate.RESOURCE
    yield from ((policy, Gate.SCP) for level in policies.scps for policy in level)
    yield from ((policy, Gate.RCP) for level in policies.rcps for policy in level)
    yield from ((policy, Gate.ENDPOINT) for policy in policies.endpoint)


def _names_callers(policies: Policies) -> bool:
    """Whether the resource's side tells one principal of an account from another."""
    named = [policies.resource] if policies.resource is not None else []
    named += [policy for level in policies.rcps for policy in level]
    statements = (each for policy in (*named, *policies.endpoint) for each in policy.statements)
    is_for_some = any(
        each.not_principals is not None or not all(name.is_anyone for name in each.principals or ())
        for each in statements
    )
    return is_for_some or bool(policies.grants or policies.acl)


def _keys(statements: Iterable[Statement]) -> frozenset[str]:
    return frozenset(key.lower() for key in _named(statements))


def _named(statements: Iterable[Statement]) -> Iterator[str]:
    """Every context key that the statements name, in a condition or as a variable."""
    for statement in statements:
        texts = [*(statement.resources or ()), *(statement.not_resources or ())]
        for condition in statement.conditions:
            yield condition.key
            texts += condition.values
        for text in texts:
            if "${" in text:
                yield from (piece.key for piece in pieces(text) if isinstance(piece, Variable))
