"""What a principal's recorded calls used: actions with resources, and, apart, whatever says nothing of permission.

Only calls that succeeded count. Calls that were denied, that failed for another reason, that need no permission, or
whose actions nobody here knows are kept apart with their numbers: none of them is dropped in silence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.analyzer.activity import Unmapped, actions
from clew.analyzer.generate_arns import any_of_types, untold_types, written
from clew.analyzer.touched import touched
from clew.events.outcome import Result, outcome
from clew.events.paths import at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Event = Mapping[str, object]

_DEPTH = 4


@dataclass(slots=True)
class Used:
    """One action as it was used: resources as a policy writes them, and `open_to`, patterns where none was shown.

    `asked` are the resources as the requests name them; `example` is the id of one of the events.
    """

    action: str
    calls: int = 0
    example: str = ""
    resources: set[str] = field(default_factory=set)
    open_to: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Told:
    """Calls that say the same: how many, and the id of the first."""

    calls: int = 0
    example: str = ""

    def count(self, event: Event) -> None:
        """Count one more."""
        self.calls += 1
        self.example = self.example or text_at(event, "eventID")


@dataclass(slots=True)
class Calls:
    """A principal's calls, sorted by what they say.

    Shape: `used` and `passed` by action; `unmapped` by (source, name, reason); `denied` by (action, resource);
    `failed` by (action, error code). `passed` are the role ARNs that successful calls of the action handed on.
    """

    total: int = 0
    mapped: int = 0
    permissionless: int = 0
    first: str = ""
    last: str = ""
    used: dict[str, Used] = field(default_factory=dict)
    passed: dict[str, set[str]] = field(default_factory=dict)
    unmapped: dict[tuple[str, str, str], Told] = field(default_factory=dict)
    denied: dict[tuple[str, str], Told] = field(default_factory=dict)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)


def calls_of(events: Iterable[Event], principal: str) -> Calls:
    """The calls among the events that the principal made, those of all its sessions too."""
    found = Calls()
    for event in events:
        if is_by(event, principal):
            _take(found, event)
    return found


def is_by(event: Event, principal: str) -> bool:
    """Whether the principal itself made the call, or a session of that role, or one that the user federated.

    AWS: "CloudTrail userIdentity element": of both kinds of session `sessionIssuer` tells who stands behind it.

    >>> is_by({"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana"}}, "ana")
    False
    """
    if text_at(event, "userIdentity", "arn") == principal:
        return True
    return text_at(event, "userIdentity", "sessionContext", "sessionIssuer", "arn") == principal


def _take(found: Calls, event: Event) -> None:
    found.total += 1
    moment = text_at(event, "eventTime")
    found.first = min(found.first or moment, moment)
    found.last = max(found.last, moment)
    uses = actions(event)
    if isinstance(uses, Unmapped):
        key = uses.event_source, uses.event_name, uses.reason
        found.unmapped.setdefault(key, Told()).count(event)
        return
    if not uses:
        found.permissionless += 1
        return
    names = tuple(dict.fromkeys(use.action for use in uses))
    ended = outcome(event)
    if ended.result is Result.DENIED:
        _deny(found, event, names)
    elif ended.result is not Result.SUCCESS:
        found.failed[names[0], ended.code or ended.result.value] += 1
    else:
        found.mapped += 1
        # The context of the call is left aside: the policy has no conditions, and is proven in every context.
        for action in names:
            _use(found, event, action)


def _deny(found: Calls, event: Event, names: Iterable[str]) -> None:
    for action in names:
        about = touched(event, action)
        for resource in about.arns if about.told else ("",):
            found.denied.setdefault((action, resource), Told()).count(event)


def _use(found: Calls, event: Event, action: str) -> None:
    about = touched(event, action)
    used = found.used.setdefault(action, Used(action, example=text_at(event, "eventID")))
    used.calls += 1
    used.resources |= set(about.arns) if about.nearly else {written(arn, action) for arn in about.arns}
    used.asked |= set(about.arns)
    if not about.told and not about.nearly:
        used.open_to |= set(any_of_types(event, action))
    used.open_to |= set(untold_types(event, action, about.arns))
    found.passed.setdefault(action, set()).update(_roles(at(event, "requestParameters"), _DEPTH))


def _roles(value: object, depth: int) -> Iterator[str]:
    """The ARNs of roles that a request names."""
    if isinstance(value, str):
        if value.startswith("arn:") and ":iam::" in value and ":role/" in value:
            yield value
    elif depth and isinstance(value, dict):
        for inner in value.values():
            yield from _roles(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _roles(inner, depth - 1)
