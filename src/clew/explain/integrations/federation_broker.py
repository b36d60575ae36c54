"""A broker gets a federated session for somebody with GetFederationToken, and the session can do its work.

IAM user guide: "Permissions for GetFederationToken" (what the session may do is what the user's policies and the
session policy both allow; without a session policy only what a resource policy gives the session by name), "Requesting
temporary security credentials", Comparing your API options (who may call it, how long it lasts, what it cannot do).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.engine import Context, Effect, Policies, Request, authorize
from clew.errors import PolicyError, UsageError
from clew.explain.doctor import Doctor, Patient, link
from clew.explain.links import Link, Question, Verdict
from clew.policy import parse
from clew.reach.predict import NoPrediction

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"[\w+=,.@-]{2,32}", re.ASCII)
_SHORTEST: Final = 900
_LONGEST: Final = {"user": 129_600, "root": 3_600}


def _links(patient: Patient) -> Iterator[Link]:
    who, name = patient.given["principal"], patient.given["name"]
    kind = "root" if who.endswith(":root") else "user" if ":user/" in who else "session"
    yield link(
        "caller",
        holds=kind != "session",
        says=(
            "the caller has a long-term key of a user",
            "the caller is a role or a session, and only a user (or root) may call GetFederationToken",
        ),
        fix="call it with the key of an IAM user made for the broker; or let the session assume a role instead",
    )
    if kind == "session":
        return
    yield link(
        "name",
        holds=_NAME.fullmatch(name) is not None,
        says=(
            f"`{name}` is a name for a session",
            f"`{name[:64]}` is no name: 2 to 32 letters, digits and +=,.@-_",
        ),
        fix="shorten the name, or leave out what is not allowed",
    )
    yield from _length(patient.given.get("duration", ""), kind)
    session = f"arn:{who.split(':')[1]}:sts::{patient.state.account}:federated-user/{name}"
    yield patient.permitted("permission", who, "sts:GetFederationToken", session)
    action = patient.given.get("action", "")
    if action:
        yield from _work(patient, who, session, action)


def _length(said: str, kind: str) -> Iterator[Link]:
    if not said:
        return
    if not said.isdigit():
        raise UsageError(f"`--duration {said[:40]}`: expected seconds")
    longest = _LONGEST[kind]
    says = (
        f"{said} seconds are allowed",
        f"a session of a {kind} lasts from {_SHORTEST} to {longest:,} seconds",
    )
    yield link(
        "duration", holds=_SHORTEST <= int(said) <= longest, says=says, fix="ask for a length between them"
    )


def _work(patient: Patient, who: str, session: str, action: str) -> Iterator[Link]:
    """What the session is for: the user and the session policy must both allow it."""
    resource = patient.given.get("resource", "*")
    service = action.partition(":")[0].lower()
    if service == "iam" or (service == "sts" and action.lower() != "sts:getcalleridentity"):
        says = f"a federated session cannot call {service.upper()}, whatever its policies say"
        yield Link("possible", Verdict.BROKEN, says, fix="assume a role instead, whose sessions can")
        return
    written = patient.given.get("session-policy", "")
    if not written:
        yield _by_name(patient, who, session, action, resource)
        return
    yield patient.permitted("user-policy", who, action, resource)
    yield _session_policy(written, who, action, resource)


def _by_name(patient: Patient, who: str, session: str, action: str, resource: str) -> Link:
    """Without a session policy only a resource policy that names the session gives it anything."""
    predicted = patient.predictor.predict(Question(who, action, resource).request())
    if isinstance(predicted, NoPrediction):
        return Link(
            "session-policy", Verdict.UNKNOWN, predicted.reason, settle="clew collect, with that account"
        )
    request = Question(session, action, resource, account=predicted.request.resource_account).request()
    effect = authorize(request, predicted.policies).effect
    if effect is Effect.UNDETERMINED:
        says = "whether the resource's policy gives the session by its name what it asks for is open"
        return Link("session-policy", Verdict.UNKNOWN, says, settle="clew collect, for the resource's policy")
    says_both = (
        f"the policy of `{resource}` names `{session}`",
        "no session policy was passed, and no resource policy names the session: it may do nothing",
    )
    fix = "pass `--policy` with what the session is for; or name the session in the resource's policy"
    return link("session-policy", holds=effect is Effect.ALLOW, says=says_both, fix=fix)


def _session_policy(written: str, who: str, action: str, resource: str) -> Link:
    try:
        policy = parse.parse(written)
    except PolicyError as error:
        raise UsageError(f"`--session-policy`: {error}") from error
    request = Request(who, action, resource, context=Context(unknown=None))
    effect = authorize(request, Policies(identity=(policy,))).effect
    if effect is Effect.UNDETERMINED:
        says = f"whether the session policy allows `{action}` hangs on its conditions"
        return Link("session-policy", Verdict.UNKNOWN, says, settle="look at the keys that it names")
    return link(
        "session-policy",
        holds=effect is Effect.ALLOW,
        says=(
            f"the session policy allows `{action}`",
            f"the session policy does not allow `{action}` on `{resource}`",
        ),
        fix="allow it in the policy that the broker passes; it only narrows what the user may do",
    )


DOCTOR = Doctor(
    "federation-broker",
    "A broker gets a federated session that can do its work",
    _links,
    needs=("principal", "name"),
    may=("action", "resource", "session-policy", "duration"),
    looks="who calls, the name, the length, GetFederationToken itself, the user's and the session's policy",
)
