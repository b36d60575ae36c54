"""A request between two accounts, seen from both ends: what the caller's account allows, and what the resource's does.

AWS: IAM user guide, "Cross-account policy evaluation logic": both accounts must allow the request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.engine.principal import PrincipalError
from clew.engine.verdicts import Effect, Gate
from clew.engine.verdicts import Verdict as Said
from clew.explain.assume_role_question import session_role
from clew.explain.cause import named
from clew.explain.links import Link, Question, Verdict, of_prediction
from clew.reach.predict import NoPrediction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.request import ContextValue
    from clew.explain.doctor import Patient
    from clew.reach.predict import Prediction

_ENDS = (
    (Gate.IDENTITY, "caller", "the caller's account"),
    (Gate.RESOURCE, "resource", "the resource's side"),
)


def both(
    patient: Patient, name: str, who: str, action: str, resource: str, **context: ContextValue
) -> Iterator[Link]:
    """The link of each end of a request, and, where both hold and it is refused all the same, the link of the whole."""
    try:
        request = Question(who, action, resource, context).request()
    except PrincipalError as error:
        yield Link(name, Verdict.UNKNOWN, str(error), settle="give the principal as an ARN")
        return
    predicted = patient.predictor.predict(request, of_strangers=True)
    if isinstance(predicted, NoPrediction):
        yield Link(f"{name}-caller", Verdict.BROKEN, predicted.reason, fix="correct the caller's ARN")
        return
    ends = [_end(name, predicted, *end) for end in _ENDS]
    yield from ends
    if all(each.verdict is Verdict.HOLDS for each in ends) and predicted.decision.effect is not Effect.ALLOW:
        yield of_prediction(name, predicted)


def _end(name: str, predicted: Prediction, gate: Gate, end: str, whose: str) -> Link:
    """What one end says; within one account, and for a grant to the caller itself, the other end need not allow."""
    request, decision = predicted.request, predicted.decision
    verdict = decision.gates.get(gate, Said.ABSENT)
    seen = tuple(
        ("statement", named(each, predicted.applied))
        for each in decision.determined_by
        if each.gate == gate.value
    )
    link_id = f"{name}-{end}"
    if verdict is Said.ALLOW:
        return Link(link_id, Verdict.HOLDS, f"{whose} allows `{request.action}`", seen)
    if verdict is Said.EXPLICIT_DENY:
        fix = "narrow the statement that denies it"
        return Link(link_id, Verdict.BROKEN, f"{whose} denies `{request.action}`", seen, fix)
    if decision.effect is Effect.ALLOW:
        return Link(link_id, Verdict.HOLDS, f"{whose} says nothing, and need not: the other end suffices")
    if verdict is Said.UNKNOWN:
        says = f"whether {whose} allows `{request.action}` is open"
        return Link(
            link_id, Verdict.UNKNOWN, says, settle="clew collect, in that account; or give what it asks for"
        )
    statement: dict[str, object] = {"Effect": "Allow", "Action": request.action, "Resource": request.resource}
    where = "an identity policy of the caller"
    if gate is Gate.RESOURCE:
        statement["Principal"] = {"AWS": session_role(request.principal) or request.principal}
        holder = request.resource.partition("/")[0] if ":s3:" in request.resource else request.resource
        where = f"the policy of `{holder}`"
    says = f"{whose} does not allow `{request.action}` on `{request.resource}`"
    return Link(link_id, Verdict.BROKEN, says, seen, f"write into {where}: {json.dumps(statement)}")
