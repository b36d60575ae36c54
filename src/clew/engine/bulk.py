"""All actions of the catalogue at once: may a principal do any of them on a resource, and under which conditions?

`access` answers for one principal; `Bulk` compiles the resource's side and the organisation's policies once and then
answers for many. Every answer is what `Prepared.authorize` would give action by action; here a set of actions is a
whole number with one bit for each, and the law is read over such sets.

>>> from clew.engine import Policies
>>> from clew.policy.parse import parse
>>> policy = parse('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}')
>>> found = access(Policies(identity=(policy,)), "arn:aws:iam::111122223333:user/ana", "arn:aws:s3:::logs/a")
>>> found.effect("s3:GetObject").value, found.effect("s3:PutObject").value
('allow', 'implicit_deny')
>>> found.names(Effect.ALLOW)[:2]
('s3:GetAccelerateConfiguration', 's3:GetAccessGrant')
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from clew.aws.catalog import ActionSet
from clew.engine.authorize import Prepared, resource_account
from clew.engine.bulk_formulas import Formulas
from clew.engine.bulk_gates import Asking, Ground, Heard, Scene, atoms, named, plain
from clew.engine.bulk_laws import Callers, Slice, View, callers, kind_of_question, slices
from clew.engine.bulk_masks import Masks, Verdicts, known_any, without
from clew.engine.bulk_residual import Residuals
from clew.engine.decision import Decision, Effect, Gate
from clew.engine.request import NO_CONTEXT, Context, Request
from clew.engine.residual import Residual

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.engine.policies import Policies
    from clew.policy.model import Policy, Statement

__all__ = ["Access", "Asker", "Bulk", "Masks", "access", "who_can"]


class Asker(NamedTuple):
    """One principal with the policies that are its own, and the context in which it asks.

    `scps` and `management_account` are the shared ones where they are None: principals of several accounts have
    different ones.
    """

    principal: str
    identity: tuple[Policy, ...] = ()
    boundaries: tuple[Policy, ...] = ()
    session: tuple[Policy, ...] = ()
    context: Context = NO_CONTEXT
    scps: tuple[tuple[Policy, ...], ...] | None = None
    management_account: bool | None = None


def access(
    policies: Policies,
    principal: str,
    resource: str,
    *,
    resource_account: str | None = None,
    context: Context = NO_CONTEXT,
    actions: ActionSet | int | None = None,
) -> Access:
    """What the principal may do on the resource, for all actions of the catalogue or those given.

    Errors: `PrincipalError` when the principal is none.
    """
    bulk = Bulk(policies, resource, resource_account=resource_account, actions=actions)
    return bulk.access(Asker(principal, policies.identity, policies.boundaries, policies.session, context))


def who_can(
    askers: Iterable[Asker],
    shared: Policies,
    resource: str,
    *,
    resource_account: str | None = None,
    actions: ActionSet | int | None = None,
) -> Iterator[Access]:
    """What each principal may do on the resource, in the order given; `shared` as for `Bulk`."""
    bulk = Bulk(shared, resource, resource_account=resource_account, actions=actions)
    return map(bulk.access, askers)


class Bulk:
    """A resource, its policies and the organisation's, compiled once for the questions of many principals.

    `shared` are the policies of the resource's side and of the organisation; those of principals are left aside, they
    come with each `Asker`. Hand the same `Policy` values and `Context` to askers that share them: each policy is
    compiled once, and asked once for each context in turn. `masks` may be shared by questions about several resources.
    """

    def __init__(
        self,
        shared: Policies,
        resource: str,
        *,
        resource_account: str | None = None,
        actions: ActionSet | int | None = None,
        masks: Masks | None = None,
    ) -> None:
        """Compile what does not depend on the principal."""
        self.masks = masks or Masks()
        self.shared = replace(shared, identity=(), boundaries=(), session=())
        self.resource = resource
        self.resource_account = resource_account
        wanted = actions.mask if isinstance(actions, ActionSet) else actions
        everything = self.masks.everything
        self.actions = everything if wanted is None else wanted & everything
        self._ground = Ground(self.shared, resource, self.masks, self.actions)
        self._scene = Scene(self._ground, NO_CONTEXT, Formulas())
        self._slices: dict[tuple[object, ...], tuple[Slice, ...]] = {}

    def access(self, asker: Asker) -> Access:
        """What the principal may do on the resource; `PrincipalError` when it is none."""
        policies = self._policies(asker)
        caller = callers(asker.principal)
        request = Request(asker.principal, "", self.resource, self.resource_account, asker.context)
        owner, _ = resource_account(request, caller.usual, "")
        if self._scene.context is not asker.context or self._scene.formulas.is_full:
            known = self._scene.formulas
            self._scene = Scene(self._ground, asker.context, Formulas() if known.is_full else known)
        cuts = self._cut(caller, policies, owner)
        heard = self._hear(caller, policies, owner, cuts)
        found = _Sums()
        for view, one in heard.items():
            found.add([cut for cut in cuts if cut.view == view], one, self.masks.everything)
        return Access(self, asker, found, _Trace(policies, self._scene, cuts, heard))

    def concerns(self, policy: Policy, gate: Gate) -> bool:
        """Whether the policy, in that gate, says anything of the actions on the resource in some context."""
        folded = self._ground.folded(policy, gate)
        return bool(folded.open) or folded.settled.allows.sure > 0 or folded.settled.denies.sure > 0

    def open_on(self, policy: Policy, gate: Gate) -> tuple[Statement, ...]:
        """The statements of the policy, in that gate, of which the context decides whether they match."""
        return tuple([piece.placed.statement for piece in self._ground.folded(policy, gate).open])

    def _policies(self, asker: Asker) -> Policies:
        shared = self.shared
        return replace(
            shared,
            identity=asker.identity,
            boundaries=asker.boundaries,
            session=asker.session,
            scps=shared.scps if asker.scps is None else asker.scps,
            management_account=(
                shared.management_account if asker.management_account is None else asker.management_account
            ),
        )

    def _cut(self, caller: Callers, policies: Policies, owner: str) -> tuple[Slice, ...]:
        key = kind_of_question(caller, policies, owner)
        found = self._slices.get(key)
        if found is None:
            found = slices(caller, policies, self.resource, owner, self.masks, self.actions)
            self._slices[key] = found
        return found

    def _hear(
        self, caller: Callers, policies: Policies, owner: str, cuts: tuple[Slice, ...]
    ) -> dict[View, list[Heard]]:
        gates: frozenset[Gate] = frozenset().union(*(cut.present for cut in cuts))
        common = plain(self._scene, policies, gates)
        found: dict[View, list[Heard]] = {}
        for cut in cuts:
            view = cut.view
            if view not in found:
                account = policies.object_owner or "" if view.foreign else owner
                asking = Asking(caller.web if view.web else caller.usual, account, owner, view)
                found[view] = [*common, *named(self._scene, asking, gates)]
        return found


class _Sums:
    """The effects of actions, summed up slice by slice."""

    __slots__ = ("allow", "explicit_deny", "undetermined")

    def __init__(self) -> None:
        self.allow = self.explicit_deny = self.undetermined = 0

    def add(self, cuts: Iterable[Slice], heard: Iterable[Heard], everything: int) -> None:
        """Decide the slices of one view."""
        held = atoms(heard)
        denials: dict[frozenset[Gate], Verdicts] = {}

        def all_of(parts: Iterable[Verdicts]) -> Verdicts:
            sure = possible = everything
            for part in parts:
                sure &= part[0]
                possible &= part[1]
            return Verdicts(sure, possible)

        for cut in cuts:
            denied = denials.get(cut.present)
            if denied is None:
                denied = known_any([one.denies for one in heard if one.gate in cut.present])
                denials[cut.present] = denied
            self._decide(cut.mask, denied, cut.law.granted(held, all_of, known_any))

    def _decide(self, mask: int, denied: Verdicts, granted: Verdicts) -> None:
        explicit, may_deny = denied.sure & mask, denied.possible & mask
        sure, possible = granted.sure & mask, granted.possible & mask
        self.explicit_deny |= explicit
        self.allow |= without(sure, may_deny)
        self.undetermined |= without(may_deny | (sure ^ possible), explicit)


class _Trace(NamedTuple):
    """What an answer keeps so that its residual conditions can be told when they are looked at."""

    policies: Policies
    scene: Scene
    cuts: tuple[Slice, ...]
    heard: dict[View, list[Heard]]


class Access:
    """What one principal may do on one resource: each effect as the set of its actions, one bit for each action.

    `actions` are those of the question; the four effects cut them into disjoint sets.
    """

    def __init__(self, bulk: Bulk, asker: Asker, sums: _Sums, trace: _Trace) -> None:
        self.asker = asker
        self.resource = bulk.resource
        self.actions = bulk.actions
        self.allow = sums.allow
        self.explicit_deny = sums.explicit_deny
        self.undetermined = sums.undetermined
        self._bulk = bulk
        self._trace = trace

    @property
    def policies(self) -> Policies:
        """Every policy that took part."""
        return self._trace.policies

    @property
    def implicit_deny(self) -> int:
        """The actions that nothing allows and nothing denies."""
        return self.actions ^ self.allow ^ self.explicit_deny ^ self.undetermined

    def of(self, effect: Effect) -> ActionSet:
        """The actions with this effect."""
        return ActionSet(self._bulk.masks.index, int(getattr(self, effect.value)))

    def names(self, effect: Effect) -> tuple[str, ...]:
        """The actions with this effect, in order, as AWS spells them."""
        return tuple(self.of(effect))

    def effect(self, action: str) -> Effect:
        """The effect of one action; one that is not in the catalogue, or was not asked about, is decided now."""
        for effect in Effect:
            if action in self.of(effect):
                return effect
        return self.decision(action).effect

    def decision(self, action: str) -> Decision:
        """The engine's whole decision about one action, with statements and gates."""
        asker, bulk = self.asker, self._bulk
        request = Request(asker.principal, action, self.resource, bulk.resource_account, asker.context)
        return self._prepared.authorize(request)

    @cached_property
    def _prepared(self) -> Prepared:
        return Prepared(self.policies)

    def residuals(self) -> tuple[tuple[Residual, ActionSet], ...]:
        """Each distinct condition on which undetermined actions depend, with the actions that it governs.

        The sets are disjoint and together are `undetermined`; the residuals are those of `Decision.residual`.
        """
        bulk, (_, scene, cuts, heard) = self._bulk, self._trace
        formulas = scene.formulas
        found: dict[tuple[int, int], int] = {}
        for cut in cuts:
            region = cut.mask & self.undetermined
            if region:
                for pair, mask in Residuals(scene, region).of(cut, heard[cut.view]).items():
                    found[pair] = found.get(pair, 0) | mask
        return tuple(
            (
                Residual(formulas.formula(denied), formulas.formula(granted), self.asker.context),
                ActionSet(bulk.masks.index, mask),
            )
            for (denied, granted), mask in found.items()
        )
