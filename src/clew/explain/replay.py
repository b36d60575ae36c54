"""Every recorded call predicted from the account's policies, and compared with what happened.

Where prediction and record differ, something is not as the snapshot says: policies have changed, a policy is not in it,
or this engine is wrong. What cannot be determined is counted as such, with the reason; it is never an agreement.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from clew.analyzer.activity import Unmapped
from clew.analyzer.recorded import Recorded, Unasked, requests
from clew.engine import Effect
from clew.events.outcome import Result, outcome
from clew.events.paths import text_at
from clew.explain.taking_part import taking_part
from clew.reach.predict import NoPrediction, Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from clew.engine import Decision
    from clew.explain.replay_times import Then

    Event = Mapping[str, object]

_EXAMPLES = 5


class Outcome(StrEnum):
    """What a call came to, predicted or recorded."""

    ALLOWED = "allowed"
    DENIED = "denied"


class Comparison(StrEnum):
    """What comparing a prediction with its record gives."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    OPEN = "open"
    UNKNOWN = "unknown"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One call: how prediction and record compare, and why it is open, unknown or not compared.

    Shape: `predicted` and `happened` are None where they are not known. `decisions` are those of its requests.
    """

    event_id: str
    time: str
    principal: str
    action: str
    resource: str
    comparison: Comparison
    predicted: Outcome | None = None
    happened: Outcome | None = None
    reason: str = ""
    message: str = ""
    decisions: tuple[Decision, ...] = ()


def replay(
    event: Event, predictor: Predictor | None, uncertain: Mapping[str, str] = MappingProxyType({})
) -> Replayed:
    """The call predicted and compared; without a predictor every prediction is unknown.

    `uncertain` names resources whose policies at the time of the call are not certain, each with why: what rests on one
    of them is open.
    """
    happened = _happened(event)
    found = requests(event)
    if isinstance(found, Unmapped | Unasked):
        return _said(event, Comparison.NOT_COMPARED, happened, found.reason)
    if not found:
        return _said(event, Comparison.NOT_COMPARED, happened, "no permission is needed")
    if predictor is None:
        return _said(event, Comparison.UNKNOWN, happened, "no snapshot", found)
    decisions: list[Decision] = []
    open_because: list[str] = []
    for recorded in found:
        predicted = predictor.predict(recorded.request)
        if isinstance(predicted, NoPrediction):
            return _said(event, Comparison.UNKNOWN, happened, predicted.reason, found)
        decisions.append(predicted.decision)
        unsure = (
            next((arn for arn in taking_part(predicted) if arn in uncertain), None) if uncertain else None
        )
        if unsure is not None:
            reason = f"{unsure}: {uncertain[unsure]}"
            return _said(event, Comparison.OPEN, happened, reason, found, decisions=tuple(decisions))
        open_because += _open(recorded, predicted.decision, predicted.unknown)
    return _compared(event, found, happened, decisions, open_because)


def _happened(event: Event) -> Outcome | str:
    """What the record says of permission; in words, why it says nothing."""
    found = outcome(event)
    if found.result is Result.SUCCESS:
        return Outcome.ALLOWED
    if found.result is Result.DENIED:
        return Outcome.DENIED
    return f"the call failed for another reason ({found.code or found.result})"


def _open(recorded: Recorded, decision: Decision, unknown: tuple[str, ...]) -> Iterator[str]:
    """Why the answer to one request of the call is not certain."""
    if decision.effect is Effect.EXPLICIT_DENY:
        return
    if not recorded.told:
        yield "the record does not show the resource"
    elif decision.allowed is None:
        keys = [key for key in decision.missing_context if not key.startswith("clew:")]
        yield from unknown or [
            f"it depends on {', '.join(keys)}, which records do not hold" if keys else "undetermined"
        ]


def _compared(
    event: Event,
    found: tuple[Recorded, ...],
    happened: Outcome | str,
    decisions: list[Decision],
    open_because: list[str],
) -> Replayed:
    is_denied = any(
        each.allowed is False and recorded.told for each, recorded in zip(decisions, found, strict=True)
    )
    is_denied = is_denied or any(each.effect is Effect.EXPLICIT_DENY for each in decisions)
    if open_because and not is_denied:
        return _said(event, Comparison.OPEN, happened, open_because[0], found, decisions=tuple(decisions))
    predicted = Outcome.DENIED if is_denied else Outcome.ALLOWED
    if not isinstance(happened, Outcome):
        return _said(event, Comparison.NOT_COMPARED, happened, happened, found, predicted, tuple(decisions))
    agrees = Comparison.AGREES if predicted is happened else Comparison.DISAGREES
    return _said(event, agrees, happened, "", found, predicted, tuple(decisions))


def _said(
    event: Event,
    comparison: Comparison,
    happened: Outcome | str,
    reason: str,
    found: tuple[Recorded, ...] = (),
    predicted: Outcome | None = None,
    decisions: tuple[Decision, ...] = (),
) -> Replayed:
    first = found[0].request if found else None
    return Replayed(
        event_id=text_at(event, "eventID"),
        time=text_at(event, "eventTime"),
        principal=first.principal if first else text_at(event, "userIdentity", "arn"),
        action=first.action if first else f"{text_at(event, 'eventSource')}:{text_at(event, 'eventName')}",
        resource=first.resource if first else "",
        comparison=comparison,
        predicted=predicted,
        happened=happened if isinstance(happened, Outcome) else None,
        reason=reason,
        message=text_at(event, "errorMessage"),
        decisions=decisions,
    )


class _Key(NamedTuple):
    comparison: Comparison
    principal: str
    action: str
    resource: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that compare alike: who, what, and why, with their number and the first few as examples."""

    comparison: Comparison
    principal: str
    action: str
    resource: str
    reason: str
    calls: int
    examples: tuple[Replayed, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole replay. `matrix` counts calls by (predicted, happened) where both are known; groups most calls first."""

    calls: int
    comparisons: Mapping[Comparison, int]
    matrix: Mapping[tuple[Outcome, Outcome], int]
    reasons: Mapping[str, int]
    groups: tuple[Group, ...] = field(default=())

    @property
    def agreement(self) -> float | None:
        """The share of agreeing calls among those that were determined and compared; None when there are none."""
        agrees, disagrees = (
            self.comparisons.get(each, 0) for each in (Comparison.AGREES, Comparison.DISAGREES)
        )
        return agrees / (agrees + disagrees) if agrees + disagrees else None

    @property
    def coverage(self) -> float | None:
        """The share of calls that were determined and compared; None when there are no calls."""
        compared = sum(self.comparisons.get(each, 0) for each in (Comparison.AGREES, Comparison.DISAGREES))
        return compared / self.calls if self.calls else None


def replay_all(
    events: Iterable[Event], predictor: Predictor | None, at: Callable[[Event], Then] | None = None
) -> Replay:
    """Every event replayed and summed up; disagreements and what is open are grouped, most calls first.

    `at` says what predicts a call by the policies of its time.
    """
    comparisons: Counter[Comparison] = Counter()
    matrix: Counter[tuple[Outcome, Outcome]] = Counter()
    reasons: Counter[str] = Counter()
    groups: dict[_Key, list[Replayed]] = {}
    sizes: Counter[_Key] = Counter()
    for event in events:
        one = replay(event, *at(event)) if at is not None else replay(event, predictor)
        comparisons[one.comparison] += 1
        if one.reason:
            reasons[one.reason] += 1
        if one.predicted is not None and one.happened is not None:
            matrix[one.predicted, one.happened] += 1
        if one.comparison in {Comparison.DISAGREES, Comparison.OPEN}:
            key = _Key(one.comparison, one.principal, one.action, one.resource, one.reason)
            sizes[key] += 1
            kept = groups.setdefault(key, [])
            if len(kept) < _EXAMPLES:
                kept.append(one)
    ordered = sorted(groups, key=lambda key: (key.comparison is not Comparison.DISAGREES, -sizes[key], key))
    made = tuple(Group(*key, sizes[key], tuple(groups[key])) for key in ordered)
    return Replay(comparisons.total(), dict(comparisons), dict(matrix), dict(reasons.most_common()), made)
