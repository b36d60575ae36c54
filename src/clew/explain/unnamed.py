"""What can be said of a refusal whose message does not name the resource: only what holds for every one.

The request is decided for `*`. That nothing is about the action at all holds for every resource, and so does a Deny of
`*`; whatever else the policies say depends on which one was meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.engine.verdicts import Effect, Gate
from clew.explain.cause import Cause, CauseId, named
from clew.explain.near import Part, compared

if TYPE_CHECKING:
    from clew.engine.verdicts import Determining
    from clew.explain.denial import Denial
    from clew.explain.fix import Fix
    from clew.explain.near import NearMiss
    from clew.reach.predict import Prediction

_EVERYTHING = frozenset({"*", "arn:*"})
OPEN_RESOURCE = "the message names no resource: write its ARN in the place of `*`"
SETTLE = "the same with `--resource ARN`: on what"


def cause_of(found: Cause, denial: Denial, prediction: Prediction) -> Cause:
    """The cause, where it holds whatever the resource is; else what it depends on."""
    if _holds_for_all(found, prediction):
        return found
    about = _about(prediction)
    if not about:
        sentence = (
            f"The message does not say on which resource `{denial.action}` was asked for; it depends on that."
        )
        return Cause(CauseId.DEPENDS, sentence, found.gate)
    first = about[0]
    written = ", ".join(
        f"`{text}`" for miss in first.misses if miss.part is Part.RESOURCE for text in miss.written[:3]
    )
    where = f" on {written}" if written else ""
    name = named(first.statement, prediction.applied)
    sentence = (
        f"The message does not say on which resource `{denial.action}` was asked for. {name} is about the action"
        f"{where}: whether that is the one is open."
    )
    return Cause(CauseId.DEPENDS, sentence, first.gate, (first.statement,))


def _holds_for_all(found: Cause, prediction: Prediction) -> bool:
    match prediction.decision.effect:
        case Effect.EXPLICIT_DENY:
            return any(_denies_all(each, prediction) for each in prediction.decision.determined_by)
        case Effect.IMPLICIT_DENY:
            return found.id in {CauseId.NOTHING_ALLOWS, CauseId.NEVER_ALLOWED} and not _about(prediction)
    return found.id is CauseId.MESSAGE_ONLY


def _denies_all(statement: Determining, prediction: Prediction) -> bool:
    attachment = prediction.applied.attachments.get(statement.policy)
    document = attachment.document if attachment is not None else None
    policy = document.policy if document is not None else None
    resources = policy.statements[statement.statement].resources if policy is not None else None
    return bool(resources) and bool(_EVERYTHING & set(resources or ()))


def _about(prediction: Prediction) -> list[NearMiss]:
    """The allowing statements of the caller's own policies that are about the action."""
    return [
        near
        for gate in (Gate.IDENTITY, Gate.RESOURCE)
        for near in compared(prediction.policies, prediction.request, gate)
        if not any(miss.part is Part.ACTION for miss in near.misses)
    ]


def open_fixes(fixes: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """The fixes as far as they can be told: nobody can say that `*` is small, or that it is enough."""
    return tuple(replace(fix, risk=OPEN_RESOURCE, proven=None) for fix in fixes if fix.edits)
