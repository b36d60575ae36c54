"""A refused call with what was recorded around it: its session's policy, a key behind it, a change just before.

AWS: IAM user guide, "Troubleshoot IAM", Changes that I make are not always immediately visible; KMS developer guide,
"How Amazon S3 uses AWS KMS" and "Secret encryption and decryption in AWS Secrets Manager" (the encryption context
names the object or the secret); CloudTrail user guide, "CloudTrail record contents"; STS API reference, "AssumeRole",
Policy.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine import prepare
from clew.errors import PolicyError
from clew.events.paths import at, text_at
from clew.events.times import parse_time
from clew.explain.cause import Agreement, Cause, CauseId, agreement, cause
from clew.explain.explanation import of_event
from clew.explain.fix import fixes
from clew.policy import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.explain.explanation import Explanation
    from clew.reach.predict import Predictor

    Event = Mapping[str, object]

TOGETHER: Final = timedelta(seconds=30)
"""How far apart a call and the call of its key are recorded, at most."""
SETTLES: Final = timedelta(minutes=5)
"""How long a change is taken to be on its way to everywhere; AWS names no time."""

_UNSETTLED: Final = frozenset(
    {CauseId.POLICIES_ALLOW, CauseId.MESSAGE_ONLY, CauseId.DEPENDS, CauseId.UNKNOWN}
)
_KMS: Final = "kms.amazonaws.com"
_NOTE: Final = "a session policy given when the role was assumed"


def explained(event: Event, others: Iterable[Event], predictor: Predictor | None) -> Explanation:
    """The explanation of a refused call, with the recorded calls around it."""
    around = tuple(others)
    found = _with_session_policy(of_event(event, predictor), event, around, predictor)
    if found.cause.id in _UNSETTLED:
        found = _behind(found, event, around, predictor)
    if found.cause.id is CauseId.POLICIES_ALLOW:
        found = _just_changed(found, event, around)
    return found


def begun(event: Event) -> datetime | None:
    """When the session of the call was made; None for a long-term key."""
    return parse_time(text_at(event, "userIdentity", "sessionContext", "attributes", "creationDate"))


def _with_session_policy(
    found: Explanation, event: Event, around: tuple[Event, ...], predictor: Predictor | None
) -> Explanation:
    """The same call decided with the policy that was passed when its session was made, where that is recorded."""
    key = text_at(event, "userIdentity", "accessKeyId")
    made = next((e for e in around if key and _key_of(e) == key), None)
    if made is None or found.prediction is None or predictor is None:
        return found
    assumed = tuple(text for text in found.assumed if not text.startswith(_NOTE))
    written = text_at(made, "requestParameters", "policy")
    if at(made, "requestParameters", "policyArns"):
        return found
    if not written:
        return replace(found, assumed=assumed)
    try:
        policy = parse.parse(written)
    except PolicyError:
        return found
    policies = replace(found.prediction.policies, session=(policy,))
    decision = prepare(policies).authorize(found.prediction.request)
    prediction = replace(found.prediction, policies=policies, decision=decision, assumed=())
    told = cause(found.denial, prediction)
    return replace(
        found,
        cause=told,
        prediction=prediction,
        agreement=agreement(found.denial, decision),
        fixes=fixes(told, prediction, predictor.snapshot),
        assumed=(*assumed, f"the session policy of event {text_at(made, 'eventID')}"),
    )


def _key_of(event: Event) -> str:
    """The access key of the session that a call of STS gave."""
    return text_at(event, "responseElements", "credentials", "accessKeyId")


def _behind(
    found: Explanation, event: Event, around: tuple[Event, ...], predictor: Predictor | None
) -> Explanation:
    """The refusal of the key behind a call: S3 and Secrets Manager pass it on as their own."""
    pair = next((other for other in around if _is_key_of(other, event)), None)
    if pair is None:
        return found
    inner = of_event(pair, predictor)
    name, key = text_at(pair, "eventName"), inner.request.resource if inner.request else "its key"
    which = text_at(pair, "eventID")
    sentence = f"Behind it `kms:{name}` on `{key}` was refused (event {which}): {inner.cause.sentence}"
    told = Cause(CauseId.BEHIND, sentence, inner.cause.gate, inner.cause.statements, inner.cause.near)
    return replace(
        found,
        cause=told,
        agreement=Agreement.OPEN,
        fixes=inner.fixes,
        unknown=(*found.unknown, *inner.unknown),
        settle=inner.settle,
    )


def _is_key_of(other: Event, event: Event) -> bool:
    """Whether the other record is the refused call of the key of what the event is about, by the same caller."""
    if text_at(other, "eventSource") != _KMS or not text_at(other, "errorCode"):
        return False
    if text_at(other, "userIdentity", "arn") != text_at(event, "userIdentity", "arn"):
        return False
    apart = _apart(other, event)
    if apart is None or abs(apart) > TOGETHER:
        return False
    context = at(other, "requestParameters", "encryptionContext")
    about = {str(value) for value in context.values()} if isinstance(context, dict) else set()
    return bool(about & _things(event))


def _things(event: Event) -> set[str]:
    """The ARNs by which an encryption context names what a call is about."""
    bucket, key = (
        text_at(event, "requestParameters", "bucketName"),
        text_at(event, "requestParameters", "key"),
    )
    found = {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"} if bucket else set()
    secret = text_at(event, "requestParameters", "secretId")
    return found | ({secret} if secret.startswith("arn:") else set())


def _apart(other: Event, event: Event) -> timedelta | None:
    """How long after the other call the event was; None where one tells no time."""
    there, here = parse_time(text_at(other, "eventTime")), parse_time(text_at(event, "eventTime"))
    return None if there is None or here is None else here - there


def _just_changed(found: Explanation, event: Event, around: tuple[Event, ...]) -> Explanation:
    """A change of a permission shortly before: such changes take a while to be in force everywhere."""
    names = _names(found)
    before = [
        (apart, other)
        for other in around
        if (apart := _apart(other, event)) is not None and timedelta() <= apart <= SETTLES
        if not text_at(other, "errorCode") and _changes_permissions(other) and _mentions(other, names)
    ]
    if not before:
        return found
    apart, change = min(before, key=lambda pair: pair[0])
    seconds = int(apart.total_seconds())
    sentence = (
        f"The policies at hand allow it, and `{text_at(change, 'eventName')}` changed them {seconds} seconds before "
        f"(event {text_at(change, 'eventID')}): a change takes a while to be in force everywhere."
    )
    told = Cause(CauseId.NOT_YET_IN_FORCE, sentence)
    return replace(found, cause=told, agreement=Agreement.OPEN, settle=("try it again", *found.settle))


def _names(found: Explanation) -> frozenset[str]:
    """The names and ARNs of who asks and of what is asked for, as requests of IAM and of services write them."""
    request = found.request
    if request is None:
        return frozenset()
    principal = request.principal.split(":", 5)[-1].split("/")
    who = principal[1] if principal[0] == "assumed-role" and len(principal) > 1 else principal[-1]
    holder = request.resource.split(":", 5)[-1]
    parts = {holder.partition("/")[0], holder.rpartition("/")[2], holder.rpartition(":")[2]}
    return frozenset({who, request.resource, *parts} - {"", "*"})


def _changes_permissions(event: Event) -> bool:
    service = text_at(event, "eventSource").partition(".")[0]
    known = catalog.current().action(f"{service}:{text_at(event, 'eventName')}")
    return known is not None and known.access_level == "Permissions management"


def _mentions(event: Event, names: frozenset[str]) -> bool:
    """Whether a parameter of the request is one of the names."""
    given = at(event, "requestParameters")
    return isinstance(given, dict) and any(
        value in names for value in given.values() if isinstance(value, str)
    )
