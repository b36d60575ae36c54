"""An explanation of one refusal: what was asked, why it was refused, what AWS said, what would help, what is open."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from clew.analyzer.activity import Unmapped
from clew.analyzer.recorded import Unasked, requests
from clew.engine.derive import derived
from clew.events.paths import text_at
from clew.explain import asked_for, decoded_message, fix_gain, fix_unseen, unnamed
from clew.explain.asked_for import Told, completed
from clew.explain.cause import Agreement, Cause, CauseId, agreement, cause
from clew.explain.denial import Denial, Meaning
from clew.explain.denial_forms import BY_ID
from clew.explain.denial_services import OF_SERVICES
from clew.explain.denial_text import read
from clew.explain.fix import Fix, fixes
from clew.reach.predict import NoPrediction, Prediction, Predictor, may_have_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.engine import Request
    from clew.explain.change_since import Since
    from clew.explain.decoded_message import Decoded
    from clew.snapshot.as_of import AsOf

    Event = Mapping[str, object]
    Decode = Callable[[str], Decoded | None]


NOTHING_MORE: Final = Told()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of one refusal.

    Shape: `request` is None where the text does not name principal and action; `prediction` where there is no snapshot,
    or it does not know who asked: `no_prediction` says why. `assumed` and `unknown` say what the answer rests on, and
    `settle` how to learn what is open. `since` and `as_of` are joined from the lake, where there is one.
    `lines` are those of the text, from 1, that tell of it.
    """

    cause: Cause
    denial: Denial | None = None
    event_id: str = ""
    time: str = ""
    request: Request | None = None
    prediction: Prediction | None = None
    no_prediction: str = ""
    agreement: Agreement = Agreement.NOT_COMPARED
    fixes: tuple[Fix, ...] = ()
    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    since: Since | None = None
    as_of: AsOf | None = None
    lines: tuple[int, ...] = ()

    @property
    def edits(self) -> tuple[Fix, ...]:
        """The fixes that change policies, those that newly allow the least first."""
        return tuple(fix for fix in self.fixes if fix.edits)


def of_text(
    text: str, predictor: Predictor | None, decode: Decode | None = None, told: Told = NOTHING_MORE
) -> tuple[Explanation, ...]:
    """An explanation for each refusal that the text tells of, those told more than once once; empty when there is none.

    `decode` asks AWS for what an encoded message says; it may answer None. `told` is what the text leaves out.
    """
    decoded = decoded_message.read(text)
    if decoded is not None:
        return (of_decoded(decoded, predictor),)
    found: dict[Denial, list[Denial]] = {}
    for denial in read(text):
        found.setdefault(replace(denial, raw="", line=0, request_id=None), []).append(denial)
    return tuple(
        replace(_of_told(completed(each[0], told), predictor, decode), lines=tuple(one.line for one in each))
        for each in found.values()
    )


def of_decoded(decoded: Decoded, predictor: Predictor | None, told: Denial | None = None) -> Explanation:
    """The explanation of a decoded authorization message, which knows the context of the request."""
    denial = decoded_message.denial(decoded, told)
    return _explained(denial, decoded_message.request(decoded), predictor)


def _of_told(denial: Denial, predictor: Predictor | None, decode: Decode | None) -> Explanation:
    decoded = decode(denial.token) if decode is not None and denial.token else None
    if decoded is not None:
        return of_decoded(decoded, predictor, denial)
    snapshot = predictor.snapshot if predictor is not None else None
    return _explained(denial, asked_for.request(denial, snapshot), predictor)


def of_event(event: Event, predictor: Predictor | None, *, with_fixes: bool = True) -> Explanation:
    """The explanation of a refused call; the record's context is known, its message is what AWS said.

    Without fixes it takes half of the time: thousands of refusals are grouped by cause, and nobody reads their fixes.
    """
    told = read(text_at(event, "errorMessage")) or read(text_at(event, "errorCode"))
    denial = told[0] if told else None
    found = requests(event)
    request = None
    if denial is not None and denial.form in OF_SERVICES:
        # A service tells of what it was refused itself, not of the call that is recorded.
        request = asked_for.request(denial, predictor.snapshot if predictor is not None else None)
    elif isinstance(found, tuple) and found:
        request = next(
            (each.request for each in found if denial and _same_action(each.request, denial)),
            found[0].request,
        )
        request = _as_told(request, denial)
    made = _explained(denial, request, predictor, with_fixes=with_fixes)
    problem = found.reason if isinstance(found, Unmapped | Unasked) else ""
    return replace(
        made,
        event_id=text_at(event, "eventID"),
        time=text_at(event, "eventTime"),
        no_prediction=made.no_prediction or problem,
    )


def proved(each: Explanation, predictor: Predictor | None, *, every: bool = True) -> Explanation:
    """The explanation with what its fixes newly allow, from the symbolic engine: of every one, or of the first edit."""
    if each.prediction is None or predictor is None or each.cause.id is CauseId.BEHIND:
        # What mends the call behind it is about another request than the one that was predicted.
        return each
    asked = each.fixes if every else each.edits[:1]
    found = dict(
        zip(map(id, asked), fix_gain.proved(asked, each.prediction, predictor.snapshot), strict=True)
    )
    return replace(each, fixes=tuple(found.get(id(fix), fix) for fix in each.fixes))


def _same_action(request: Request, denial: Denial) -> bool:
    return denial.action is not None and request.action.lower() == denial.action.lower()


def _as_told(request: Request, denial: Denial | None) -> Request:
    """The request with the action and the resource of the message, where it names them: AWS knows best."""
    if denial is None or denial.meaning is not Meaning.DENIED:
        return request
    resource = denial.resource if denial.resource and denial.resource.startswith("arn:") else request.resource
    return derived(replace(request, action=denial.action or request.action, resource=resource))


def _explained(
    denial: Denial | None, request: Request | None, predictor: Predictor | None, *, with_fixes: bool = True
) -> Explanation:
    predicted = predictor.predict(request) if predictor is not None and request is not None else None
    prediction = predicted if isinstance(predicted, Prediction) else None
    why = predicted.reason if isinstance(predicted, NoPrediction) else _why_none(request, predictor)
    found = cause(denial, prediction)
    agrees = agreement(denial, prediction.decision if prediction else None)
    is_named = denial is None or request is None or asked_for.names_resource(denial, request)
    if denial is not None and prediction is not None and not is_named:
        found = unnamed.cause_of(found, denial, prediction)
        agrees = Agreement.OPEN if found.id is CauseId.DEPENDS else agrees
    made = _fixes(found, denial, prediction or request, predictor) if with_fixes else ()
    return Explanation(
        cause=found,
        denial=denial,
        request=request,
        prediction=prediction,
        no_prediction=why,
        agreement=agrees,
        fixes=made if is_named else unnamed.open_fixes(made),
        assumed=tuple(assumed(prediction)) if prediction else (),
        unknown=tuple(_unknown(denial, prediction)),
        settle=(
            *(() if is_named else (unnamed.SETTLE,)),
            *_settle(denial, prediction or request, predictor),
        ),
    )


def _fixes(
    found: Cause, denial: Denial | None, known: Prediction | Request | None, predictor: Predictor | None
) -> tuple[Fix, ...]:
    """Those that the engine has tried, or where it has no policies the one that the message suggests."""
    if isinstance(known, Prediction):
        return fixes(found, known, predictor.snapshot if predictor else None)
    return fix_unseen.fixes(denial, known) if denial is not None and known is not None else ()


def _why_none(request: Request | None, predictor: Predictor | None) -> str:
    if predictor is None:
        return "no policies are at hand"
    return "" if request is not None else "the text does not name who asked for which action"


def assumed(prediction: Prediction) -> Iterator[str]:
    """What a prediction takes for granted, but for what cannot be otherwise."""
    yield from prediction.assumed
    request = prediction.request
    # A resource policy that is not at hand is open here, not taken as none; and some resources never have one.
    is_open = any(text.startswith("the resource policy of ") for text in prediction.unknown)
    is_silent = is_open or not may_have_policy(request.action, request.resource)
    yield from (
        text
        for text in prediction.applied.assumed
        if not (is_silent and text.startswith("no resource policy of "))
    )


def _unknown(denial: Denial | None, prediction: Prediction | None) -> Iterator[str]:
    if denial is not None:
        yield from (f"the words `{words}` of the message" for words in denial.unread)
    if prediction is not None:
        yield from prediction.unknown
        keys = [key for key in prediction.decision.missing_context if not key.startswith("clew:")]
        yield from (f"`{key}` of the request" for key in keys)


def _settle(
    denial: Denial | None, known: Prediction | Request | None, predictor: Predictor | None
) -> Iterator[str]:
    """The commands that would tell what is open."""
    prediction = known if isinstance(known, Prediction) else None
    if denial is not None and denial.token:
        command = f"aws sts decode-authorization-message --encoded-message {_shortened(denial.token)}"
        yield f"the same with `--decode`, which asks STS, or {command}"
    if denial is not None and denial.request_id:
        yield f"clew events --request-id {denial.request_id}"
    request = known.request if isinstance(known, Prediction) else known
    if denial is not None and request is not None:
        yield from fix_unseen.beyond_snapshots(denial, request)
    doctor = BY_ID[denial.form].doctor if denial is not None and denial.form in BY_ID else ""
    if doctor:
        yield f"clew explain integration {doctor}"
    is_denied = denial is None or denial.meaning is Meaning.DENIED
    if denial is not None and is_denied and known is None and denial.action:
        yield "the same with `--principal ARN`: who asked, as `aws sts get-caller-identity` says"
    if predictor is None and is_denied:
        yield "clew collect, and ask again"
    if denial is not None and not isinstance(known, Prediction):
        yield from fix_unseen.places_to_look(denial, known)
    services = _collected_by(prediction.unknown) if prediction is not None else ()
    if services:
        yield f"clew collect --only {','.join(services)}, and ask again with `--policies` and that snapshot"


_TOKEN = 40
_SERVICE = re.compile(r"\barn:[a-z-]+:([a-z0-9-]+):")


def _collected_by(unknown: tuple[str, ...]) -> tuple[str, ...]:
    """The services whose collection would tell what is not known.

    >>> _collected_by(("the resource policy of arn:aws:s3:::logs/a", "the policy of VPC endpoint vpce-1"))
    ('ec2', 's3')
    """
    found = {service for text in unknown for service in _SERVICE.findall(text)}
    found |= {"ec2"} if any("VPC endpoint" in text for text in unknown) else set()
    found |= {"organizations"} if any("above account" in text for text in unknown) else set()
    return tuple(sorted(found))


def _shortened(token: str) -> str:
    """Enough of an encoded message to recognise it."""
    return token if len(token) <= _TOKEN else f"{token[:_TOKEN]}…"
