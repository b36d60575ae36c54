"""The smallest changes that would let a refused request through, each tried with the engine before anybody sees it.

Adding an Allow adds only requests that its statement matches (a law of the engine, tested as a property): so what a fix
newly allows is read off its statement. AWS: "Policy evaluation logic".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.aws.catalog import is_wildcard_only
from clew.engine import prepare
from clew.engine.verdicts import Gate
from clew.explain import s3_cause
from clew.explain.cause import CauseId
from clew.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Policies, Request
    from clew.explain.cause import Cause
    from clew.policy.model import Policy
    from clew.reach.predict import Prediction

_SID = "ClewFix"


@dataclass(frozen=True, slots=True)
class Fix:
    """One change: what to do, the statement that it adds and where, what it newly allows, its risk, and the way back.

    Shape: `statement` is the JSON object to add, empty where the change is not to a policy. `commands` are for AWS's
    command line, `undo` too. `proven` says that the engine allows the request with it; None where nothing can be tried.
    """

    title: str
    gate: str
    target: str
    statement: dict[str, Any]
    newly: str
    risk: str
    commands: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    proven: bool | None = None


def fixes(cause: Cause, prediction: Prediction) -> tuple[Fix, ...]:
    """The changes that would let the request through, smallest first; none where no change of a policy could."""
    found = _candidates(cause, prediction)
    return tuple(fix for fix in found if fix.proven is not False)


def _candidates(cause: Cause, prediction: Prediction) -> Iterator[Fix]:
    request, gates = prediction.request, prediction.decision.blocked_by
    advice = s3_cause.advice(prediction) if cause.id in _OF_S3 else ""
    if advice:
        yield Fix(advice, cause.gate, "", {}, "nothing new", "see what else reads or writes there")
        return
    match cause.id:
        case CauseId.EXPLICIT_DENY | CauseId.BLOCK_PUBLIC_ACCESS | CauseId.NEVER_ALLOWED | CauseId.DEPENDS:
            return
        case CauseId.CONDITION:
            yield from _by_the_caller(cause)
    lacking = cause.id in {CauseId.NOTHING_ALLOWS, CauseId.WRONG_RESOURCE, CauseId.WRONG_ACTION}
    if (lacking or Gate.IDENTITY in gates) and _of_account(request.principal):
        yield _identity(prediction)
    if Gate.RESOURCE in gates or cause.id is CauseId.WRONG_PRINCIPAL:
        yield _resource(prediction)
    for gate in (Gate.BOUNDARY, Gate.SCP, Gate.SESSION, Gate.ENDPOINT):
        if gate in gates:
            yield _limit(prediction, gate)


_OF_S3 = {CauseId.BLOCK_PUBLIC_ACCESS, CauseId.OBJECT_OWNER, CauseId.ACL_DISABLED}


def _of_account(principal: str) -> bool:
    return principal.startswith("arn:") and ":root" not in principal


_WITHOUT_POLICY = {
    "aws:multifactorauthpresent": "Sign in with MFA: `aws sts get-session-token --serial-number … --token-code …`",
    "sts:externalid": "Send the external id that the trust policy asks for: `--external-id …`",
    "aws:sourceip": "Call from a network that the policy names",
    "no aws:sourceip": "Call without the VPC endpoint, or let the statement name the endpoint too: `aws:SourceVpce`",
    "aws:currenttime": "The time that the statement allows is over: decide whether to move it",
}


def _by_the_caller(cause: Cause) -> Iterator[Fix]:
    """What the caller can do so that a condition holds: no policy changes."""
    for near in cause.near[:1]:
        for miss in near.misses:
            key = f"no {miss.key.lower()}" if miss.asked == "absent" else miss.key.lower()
            advice = _WITHOUT_POLICY.get(key) or _WITHOUT_POLICY.get(miss.key.lower())
            if advice is None and miss.key.lower().startswith("aws:principaltag/"):
                advice = f"Tag the principal: `{miss.key.partition('/')[2]}` = {', '.join(miss.written)}"
            if advice is not None:
                yield Fix(advice, near.gate, "", {}, "nothing new", "none: no policy changes")


def _identity(prediction: Prediction) -> Fix:
    request = prediction.request
    statement = _statement(request)
    kind, name = _holder(request.principal)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    changed = replace(prediction.policies, identity=(*prediction.policies.identity, _policy(statement)))
    return Fix(
        title=f"Allow it in an identity policy of the {kind} `{name}`",
        gate=Gate.IDENTITY.value,
        target=f"{kind} {name}",
        statement=statement,
        newly=f"`{request.action}` on `{statement['Resource']}` for {kind} `{name}`",
        risk="small: one action on one resource",
        commands=(
            f"aws iam put-{kind}-policy --{kind}-name {name} --policy-name {_SID} --policy-document '{document}'",
        ),
        undo=(f"aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {_SID}",),
        proven=_proven(changed, request),
    )


def _holder(principal: str) -> tuple[str, str]:
    """Whether a user or a role holds the policy, and its name."""
    kind, _, rest = principal.split(":", 5)[-1].partition("/")
    if kind == "assumed-role":
        return "role", rest.partition("/")[0]
    return ("role" if kind == "role" else "user"), rest.rpartition("/")[2]


def _statement(request: Request, **more: Any) -> dict[str, Any]:
    """An Allow for just this action and resource; where the action works on no resource only `*` matches."""
    resource = "*" if is_wildcard_only(request.action) else request.resource
    return {"Sid": _SID, "Effect": "Allow", **more, "Action": request.action, "Resource": resource}


def _policy(statement: dict[str, Any]) -> Policy:
    return parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _resource(prediction: Prediction) -> Fix:
    """A statement in the resource's own policy; in a trust policy it names no resource."""
    request, policies = prediction.request, prediction.policies
    who = _role_arn(request.principal)
    statement = _statement(request, Principal=_principal(who))
    is_trust = request.action.lower().startswith("sts:")
    if is_trust:
        statement.pop("Resource")
    there = policies.resource.statements if policies.resource is not None else ()
    added = _policy(statement)
    merged = added._replace(statements=(*there, *added.statements))
    where = "trust policy" if is_trust else "resource policy"
    return Fix(
        title=f"Allow it in the {where} of `{request.resource}`",
        gate=Gate.RESOURCE.value,
        target=request.resource,
        statement=statement,
        newly=f"`{request.action}` on `{request.resource}` for `{who}`",
        risk="small where the principal is of the same organisation; else another account gets in",
        proven=_proven(replace(policies, resource=merged), request),
    )


def _principal(who: str) -> dict[str, str]:
    return {"AWS": who} if who.startswith("arn:") else {"Service": who}


def _role_arn(principal: str) -> str:
    """The role of a session: a grant to one session would end with it."""
    fields = principal.split(":", 5)
    kind, _, rest = fields[-1].partition("/")
    if kind != "assumed-role":
        return principal
    return f"arn:{fields[1]}:iam::{fields[4]}:role/{rest.partition('/')[0]}"


_WORDS = {
    Gate.BOUNDARY: "the permissions boundary",
    Gate.SESSION: "the session policy",
    Gate.ENDPOINT: "the VPC endpoint policy",
    Gate.SCP: "the service control policies of every level that lacks it",
}
_RISKS = {
    Gate.BOUNDARY: "everybody with this boundary may be allowed it by their own policies",
    Gate.SCP: "every account below may be allowed it by its own policies",
    Gate.SESSION: "the session only",
    Gate.ENDPOINT: "everybody behind the endpoint may be allowed it by their own policies",
}


def _limit(prediction: Prediction, gate: Gate) -> Fix:
    """A statement more in a policy that limits: it grants nothing by itself."""
    request = prediction.request
    more: dict[str, Any] = {"Principal": "*"} if gate is Gate.ENDPOINT else {}
    statement = _statement(request, **more)
    changed = _widened(prediction.policies, gate, _policy(statement))
    words = _WORDS[gate]
    return Fix(
        title=f"Let {words} allow it",
        gate=gate.value,
        target=words,
        statement=statement,
        newly=f"`{request.action}` on `{request.resource}`, where another policy grants it",
        risk=_RISKS[gate],
        proven=_proven(changed, request),
    )


def _widened(policies: Policies, gate: Gate, added: Policy) -> Policies:
    match gate:
        case Gate.BOUNDARY:
            return replace(policies, boundaries=(*policies.boundaries, added))
        case Gate.SESSION:
            return replace(policies, session=(*policies.session, added))
        case Gate.ENDPOINT:
            return replace(policies, endpoint=(*policies.endpoint, added))
    return replace(policies, scps=tuple((*level, added) for level in policies.scps))


def _proven(policies: Policies, request: Request) -> bool | None:
    """Whether the engine allows the request under these policies; None while that depends on what is not known."""
    return prepare(policies).authorize(request).allowed
