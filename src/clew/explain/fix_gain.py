"""Exactly what a fix newly allows: for the caller, and for everybody else whose policies it changes.

The symbolic engine looks for a request that is allowed afterwards, was not before, and is not among those that the fix
names. None means that nothing else changed; what it cannot decide is said to be unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.engine import Effect, prepare
from clew.engine.principal import PrincipalError
from clew.errors import ClewError
from clew.explain.fix import policies_after
from clew.explain.fix_drafts import role_arn
from clew.explain.fix_edit import Kind, changed, statements
from clew.explain.fix_places import where_of
from clew.explain.fix_statements import named_actions
from clew.reach.applied import applied
from clew.snapshot.model import User
from clew.symbolic.questions import NONE, Access, Answer, Verdict, implies
from clew.symbolic.stacks import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Policies, Request
    from clew.explain.fix import Fix
    from clew.explain.fix_edit import Edit
    from clew.explain.fix_statements import Box
    from clew.reach.predict import Prediction
    from clew.snapshot.model import Account, Role, Snapshot

_SHARED = frozenset({Kind.GROUP, Kind.MANAGED, Kind.SCP, Kind.RCP})
_MOST_ASKED = 5
_MOST_ACTIONS = 400


@dataclass(frozen=True, slots=True)
class Gain:
    """What a fix newly allows. `nothing_else`: True where that is shown of all requests, None where it is not known.

    Shape: `actions` are those that a pattern comes to for the resource that was asked for, empty where the fix names
    them itself. `others` are principals who gain something too; `asked` of `concerned` others were looked at.
    `counterexample` is a request beyond what the fix names, `lost` one that is not allowed any more; `why_unknown` says
    what could not be decided.
    """

    nothing_else: bool | None
    actions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    asked: int = 0
    concerned: int = 0
    counterexample: Request | None = None
    lost: Request | None = None
    why_unknown: str = ""


def gain(fix: Fix, prediction: Prediction, snapshot: Snapshot | None = None) -> Gain | None:
    """What the fix newly allows; None where it edits no policy."""
    if not fix.edits:
        return None
    before, after = prediction.policies, policies_after(prediction.policies, fix)
    answer, lost = _nothing_else(fix, prediction), _lost(fix, before, after, prediction.request.principal)
    others = _others(fix, prediction, snapshot) if snapshot is not None else ()
    asked = others[:_MOST_ASKED]
    found = [(each, _gains(each, fix, prediction, snapshot)) for each in asked if snapshot is not None]
    unknown = [each for each, gains in found if gains is None]
    why = (
        answer.reason
        or lost.reason
        or (f"what {', '.join(f'`{each}`' for each in unknown)} would gain" if unknown else "")
    )
    return Gain(
        nothing_else=None if answer.verdict is Verdict.UNKNOWN else answer.is_none,
        actions=tuple(_actions(fix, prediction.request, before, after)),
        others=tuple(each for each, gains in found if gains),
        asked=len(asked),
        concerned=len(others),
        counterexample=answer.request,
        lost=lost.request,
        why_unknown=why,
    )


def proved(fixes: tuple[Fix, ...], prediction: Prediction, snapshot: Snapshot | None) -> tuple[Fix, ...]:
    """The fixes, each with what it newly allows."""
    return tuple(replace(fix, gain=gain(fix, prediction, snapshot)) for fix in fixes)


def _nothing_else(fix: Fix, prediction: Prediction) -> Answer:
    """Whether the caller may do nothing more than the fix names.

    A resource's policy decides about that resource alone; what the other edits allow is asked of every resource.
    """
    before, principal = Stack(prediction.policies, prediction.request.principal), prediction.request.principal
    of_resource = [edit for edit in fix.edits if edit.path == "resource_policy"]
    rest = replace(fix, edits=tuple(edit for edit in fix.edits if edit not in of_resource))
    if rest.edits:
        answer = beyond(before, Stack(policies_after(before.policies, rest), principal), fix.boxes)
        if not of_resource or not answer.is_none:
            return answer
    after = Stack(policies_after(before.policies, fix), principal)
    return beyond(before, after, fix.boxes, about=_parts(prediction))


def _lost(fix: Fix, before: Policies, after: Policies, principal: str) -> Answer:
    """A request that the caller may not make any more; only where a statement that allows is written anew."""
    is_rewritten = any(
        statement.get("Effect") == "Allow" and statement not in statements(edit.after)
        for edit in fix.edits
        for statement in statements(edit.before or {})
    )
    return beyond(Stack(after, principal), Stack(before, principal)) if is_rewritten else NONE


# Roles, queues, topics, keys and secrets have no parts that a policy could name.
_WHOLE = (["iam"], ["sqs"], ["sns"], ["kms"], ["secretsmanager"])


def _parts(prediction: Prediction) -> tuple[str, ...]:
    """The resource that has the policy, and what is in it."""
    attachment = prediction.applied.attachments.get("resource_policy")
    arn = prediction.request.resource
    holder = attachment.holder if attachment is not None else arn
    is_whole = holder.split(":")[2:3] in _WHOLE
    return (holder,) if is_whole else (holder, f"{holder}/*", f"{holder}:*", arn)


def beyond(before: Stack, after: Stack, boxes: tuple[Box, ...] = (), about: tuple[str, ...] = ()) -> Answer:
    """A request that is allowed afterwards, was not before, and lies in none of the boxes; about some resources only.

    >>> from clew.engine import Policies
    >>> from clew.explain.fix_edit import policy_of
    >>> from clew.explain.fix_statements import Box
    >>> one = policy_of({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/x"}})
    >>> who = "arn:aws:iam::111122223333:user/ana"
    >>> old, new = Stack(Policies(), who), Stack(Policies(identity=(one,)), who)
    >>> beyond(old, new).request.action, beyond(old, new, (Box(("s3:GetObject",), ("arn:aws:s3:::a/x",)),)).is_none
    ('s3:GetObject', True)
    """
    besides = [Access(box.actions, box.resources) for box in boxes]
    return implies(after, before, besides=besides, about=about)


def _actions(fix: Fix, request: Request, before: Policies, after: Policies) -> Iterator[str]:
    """The actions under the fix's patterns that are newly allowed, or may be, on the resource that was asked for."""
    patterns = tuple(each for box in fix.boxes for each in box.actions)
    if not any("*" in each for each in patterns):
        return
    old, new = prepare(before), prepare(after)

    def is_new(action: str) -> bool:
        asked = type(request)(
            request.principal, action, request.resource, request.resource_account, request.context
        )
        was = old.effect(asked)
        return was is not Effect.ALLOW and new.effect(asked) in {Effect.ALLOW, Effect.UNDETERMINED} - {was}

    service = request.action.partition(":")[0].lower()
    own = tuple(f"{service}:*" if each == "*" else each for each in patterns)
    for number, action in enumerate(named_actions(own, is_new)):
        if number < _MOST_ACTIONS:
            yield action


def _others(fix: Fix, prediction: Prediction, snapshot: Snapshot) -> tuple[str, ...]:
    """The other principals of the snapshot to whom an edited document applies too."""
    shared = [edit for edit in fix.edits if edit.where.kind in _SHARED]
    own = role_arn(prediction.request.principal)
    found = [
        arn
        for account in snapshot.accounts.values()
        for edit in shared
        for arn in _holders(edit, account, prediction, snapshot)
        if arn != own
    ]
    return tuple(dict.fromkeys(found))


def _holders(edit: Edit, account: Account, prediction: Prediction, snapshot: Snapshot) -> Iterator[str]:
    where = edit.where
    match where.kind:
        case Kind.GROUP:
            yield from (user.arn for user in account.users.values() if where.name in user.groups)
        case Kind.MANAGED:
            groups = {
                group.name
                for group in account.groups.values()
                if any(each.arn == where.name for each in group.attached)
            }
            holders: tuple[User | Role, ...] = (*account.users.values(), *account.roles.values())
            yield from (each.arn for each in holders if _has(each, where.name, groups))
        case Kind.SCP | Kind.RCP:
            target = where.words.rpartition(" of ")[2]
            below = {
                each for each, path in snapshot.organization.paths.items() if target in {each, *path}
            } or {prediction.request.principal.split(":")[4]}
            if account.id in below:
                yield from (*account.users, *account.roles)


def _has(holder: User | Role, arn: str, groups: set[str]) -> bool:
    """Whether the managed policy is attached to the holder or one of its groups, or is its boundary."""
    is_in = isinstance(holder, User) and not groups.isdisjoint(holder.groups)
    return is_in or holder.boundary == arn or any(each.arn == arn for each in holder.attached)


def _gains(other: str, fix: Fix, prediction: Prediction, snapshot: Snapshot | None) -> bool | None:
    """Whether somebody else may do more with the fix than without; None where that is not known."""
    request = prediction.request
    if snapshot is None:
        return None
    try:
        found = applied(snapshot, other, request.action, request.resource)
    except (ClewError, PrincipalError):
        return None
    after = found.policies
    for edit in fix.edits:
        for path in found.attachments:
            if where_of(path, found, snapshot) == edit.where:
                after = changed(after, type(edit)(edit.where, path, edit.before, edit.after))
    answer = beyond(Stack(found.policies, other), Stack(after, other))
    return None if answer.verdict is Verdict.UNKNOWN else not answer.is_none
