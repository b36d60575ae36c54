"""The smallest changes that would let a refused request through, each tried with the engine before anybody sees it.

Every gate that stops the request is opened in turn, so that one fix may edit several documents. They are ranked by how
little they may newly allow. AWS: "Policy evaluation logic".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.aws import command_line
from clew.engine import prepare
from clew.engine.verdicts import Gate
from clew.explain import fix_calls, s3_cause
from clew.explain.cause import CauseId
from clew.explain.fix_drafts import Asked, corrected, denied_by, next_steps, opened
from clew.explain.fix_edit import Edit, Kind, changed
from clew.explain.fix_statements import breadth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Policies
    from clew.explain.cause import Cause
    from clew.explain.fix_drafts import Draft
    from clew.explain.fix_gain import Gain
    from clew.explain.fix_statements import Box
    from clew.explain.near import Miss
    from clew.reach.predict import Prediction
    from clew.snapshot.model import Snapshot

_MOST = 4
_MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Fix:
    """One change: what to do, which documents it edits, what it newly allows at most, its risk, and the way back.

    Shape: `edits` are empty where the change is not to a policy; `statement` is the first that they add, an empty
    object where they add none. `commands` are for AWS's command line, `undo` too. `proven` says that the engine allows
    the request with it; None where nothing can be tried. `gain` is what the symbolic engine says, where it was asked.
    """

    title: str
    gate: str
    target: str
    newly: str
    risk: str
    edits: tuple[Edit, ...] = ()
    boxes: tuple[Box, ...] = ()
    commands: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    proven: bool | None = None
    gain: Gain | None = None

    @property
    def statement(self) -> dict[str, Any]:
        """The first statement that the fix adds; an empty object where it adds none."""
        return next((statement for edit in self.edits for statement in edit.added), {})


def fixes(cause: Cause, prediction: Prediction, snapshot: Snapshot | None = None) -> tuple[Fix, ...]:
    """The changes that would let the request through, those that newly allow the least first; none where none could."""
    advice = s3_cause.advice(prediction) if cause.id in _OF_S3 else ""
    if advice:
        return (Fix(advice, cause.gate, "", "nothing new", "see what else reads or writes there"),)
    asked = Asked(prediction.request, prediction.policies, prediction.decision, prediction.applied, snapshot)
    found = [completed(asked, draft) for draft in _first_steps(cause, asked)]
    tried = sorted((fix for fix in found if fix is not None), key=_rank)
    return (*_by_the_caller(cause, prediction), *_different(tried))[:_MOST]


_OF_S3 = {CauseId.BLOCK_PUBLIC_ACCESS, CauseId.OBJECT_OWNER, CauseId.ACL_DISABLED}


def _first_steps(cause: Cause, asked: Asked) -> tuple[Draft, ...]:
    match cause.id:
        case (
            CauseId.BLOCK_PUBLIC_ACCESS
            | CauseId.NEVER_ALLOWED
            | CauseId.POLICIES_ALLOW
            | CauseId.MESSAGE_ONLY
        ):
            return ()
        case CauseId.DEPENDS:
            denying = tuple(each for each in cause.statements if each.effect == "Deny")
            return tuple(denied_by(asked, denying)) if cause.gate else ()
        case CauseId.CONDITION:
            return tuple(corrected(asked, Gate(cause.gate)))
    hint = Gate(cause.gate) if cause.gate in set(Gate) else None
    other = opened(asked, Gate.RESOURCE) if cause.id is CauseId.NOTHING_ALLOWS and _is_trust(asked) else ()
    return (*next_steps(asked, hint), *other)


def _is_trust(asked: Asked) -> bool:
    """Whether the trust policy of a role at hand decides: within an account it can be enough by itself."""
    return asked.request.action.lower().startswith("sts:") and asked.policies.resource is not None


def completed(asked: Asked, first: Draft) -> Fix | None:
    """The change with those that must follow it; None where the request is refused all the same."""
    drafts, step = [first], after(asked, first)
    while step.decision.allowed is False and len(drafts) < _MOST_STEPS:
        following = next_steps(step)
        if not following:
            return None
        drafts.append(following[0])
        step = after(step, following[0])
    return None if step.decision.allowed is False else _fix(drafts, step.decision.allowed)


def after(asked: Asked, draft: Draft) -> Asked:
    """The question with the change made: its policies, their decision, and the documents as they are then."""
    policies = changed(asked.policies, draft.edit)
    current = {**asked.current, draft.edit.path: draft.edit.after} if draft.edit.is_at_hand else asked.current
    decision = prepare(policies).authorize(asked.request)
    return replace(asked, policies=policies, decision=decision, current=current)


def _fix(drafts: list[Draft], proven: bool | None) -> Fix:
    edits = _merged([draft.edit for draft in drafts])
    boxes = tuple(dict.fromkeys(box for draft in drafts for box in draft.boxes))
    titles = [drafts[0].title, *(f"{draft.title[:1].lower()}{draft.title[1:]}" for draft in drafts[1:])]
    return Fix(
        title="; and ".join(titles),
        gate=drafts[0].gate.value,
        target=drafts[0].edit.where.words,
        newly=at_most(boxes),
        risk="; ".join(dict.fromkeys(part for draft in drafts for part in draft.risk.split("; "))),
        edits=edits,
        boxes=boxes,
        commands=tuple(call.command for edit in edits for call in fix_calls.calls(edit)),
        undo=tuple(call.command for edit in reversed(edits) for call in fix_calls.undoing(edit)),
        proven=proven,
    )


def _merged(edits: list[Edit]) -> tuple[Edit, ...]:
    """One edit for each document, from what stood first to what stands last."""
    found: dict[str, Edit] = {}
    for edit in edits:
        first = found.get(edit.path)
        found[edit.path] = edit if first is None else replace(first, after=edit.after)
    return tuple(found.values())


def at_most(boxes: tuple[Box, ...]) -> str:
    """What may be newly allowed, in words: the statements that are added, or what a Deny no longer holds."""
    words = [f"{_listed(box.actions)} on {_listed(box.resources)}" for box in boxes]
    return "; ".join(dict.fromkeys(words))


def _listed(texts: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:3])
    return f"{shown} and {len(texts) - 3} more" if len(texts) > 3 else shown  # noqa: PLR2004  # three are read at a glance


_CONCERNED = {Kind.USER: 0, Kind.ROLE: 0, Kind.GROUP: 2, Kind.MANAGED: 3, Kind.SCP: 4, Kind.RCP: 4}


def _rank(fix: Fix) -> tuple[int, int, int, int]:
    concerned = max((_CONCERNED.get(edit.where.kind, 1) for edit in fix.edits), default=0)
    actions, wide = breadth(fix.boxes)
    return wide, actions, concerned, len(fix.edits)


def _different(tried: list[Fix]) -> Iterator[Fix]:
    """The fixes that come to other documents than those before them."""
    seen: list[tuple[Edit, ...]] = []
    for fix in tried:
        if fix.edits not in seen:
            seen.append(fix.edits)
            yield fix


def policies_after(policies: Policies, fix: Fix) -> Policies:
    """The policies with every edit of the fix made."""
    for edit in fix.edits:
        policies = changed(policies, edit)
    return policies


_WITHOUT_POLICY = {
    "aws:multifactorauthpresent": "Sign in with MFA: `aws sts get-session-token --serial-number … --token-code …`",
    "sts:externalid": "Send the external id that the trust policy asks for: `--external-id …`",
    "aws:sourceip": "Call from a network that the policy names",
    "no aws:sourceip": "Call without the VPC endpoint, or let the statement name the endpoint too: `aws:SourceVpce`",
    "aws:currenttime": "The time that the statement allows is over: decide whether to move it",
}


def _by_the_caller(cause: Cause, prediction: Prediction) -> Iterator[Fix]:
    """What the caller can do so that a condition holds: no policy changes."""
    if cause.id is not CauseId.CONDITION:
        return
    for near in cause.near[:1]:
        for miss in near.misses:
            key = f"no {miss.key.lower()}" if miss.asked == "absent" else miss.key.lower()
            advice = _WITHOUT_POLICY.get(key) or _WITHOUT_POLICY.get(miss.key.lower())
            if advice is not None:
                yield Fix(advice, near.gate, "", "nothing new", "none: no policy changes")
            elif "tag/" in miss.key.lower():
                yield _tagged(miss, near.gate, prediction)


def _tagged(miss: Miss, gate: str, prediction: Prediction) -> Fix:
    """The tag that the condition asks for, on the principal, the resource or the request."""
    owner, _, name = miss.key.partition("/")
    value = miss.written[0]
    if owner.lower() == "aws:requesttag":
        return Fix(f"Send the tag `{name}` = `{value}` with the request", gate, "", "nothing new", "none")
    principal, resource = prediction.request.principal, prediction.request.resource
    is_principal = owner.lower() == "aws:principaltag"
    does, undoes = (
        _tag_calls(principal, name, value) if is_principal else _resource_tag(resource, name, value)
    )
    what = "principal" if is_principal else "resource"
    return Fix(
        f"Tag the {what}: `{name}` = {', '.join(f'`{each}`' for each in miss.written)}",
        gate,
        principal if is_principal else resource,
        f"whatever policies allow those with `{name}` = `{value}`",
        "every policy that names the tag counts the new value",
        commands=does,
        undo=undoes,
    )


def _tag_calls(principal: str, name: str, value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kind, _, rest = principal.split(":", 5)[-1].partition("/")
    if kind not in {"user", "role"}:
        return (), ()
    who = {f"{kind.title()}Name": rest.rpartition("/")[2]}
    tag = [{"Key": name, "Value": value}]
    return (
        (command_line.line("iam", f"Tag{kind.title()}", {**who, "Tags": tag}),),
        (command_line.line("iam", f"Untag{kind.title()}", {**who, "TagKeys": [name]}),),
    )


def _resource_tag(arn: str, name: str, value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """AWS: "Resource Groups Tagging API reference", TagResources, UntagResources."""
    region = arn.split(":")[3] if arn.count(":") > 4 else ""  # noqa: PLR2004  # an ARN has six parts
    service, given = "resourcegroupstaggingapi", {"ResourceARNList": [arn]}
    return (
        (command_line.line(service, "TagResources", {**given, "Tags": {name: value}}, region),),
        (command_line.line(service, "UntagResources", {**given, "TagKeys": [name]}, region),),
    )
