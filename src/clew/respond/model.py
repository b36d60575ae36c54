"""What a change to AWS is made of: places, aspects, writes, steps, actions. Nothing here calls AWS."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from clew.errors import ChangeError, IrreversibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.collect.reads import Read

Value = Any
"""What AWS says of an aspect, as JSON; None where AWS says that there is nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which resource: `name` is what its API asks for (a bucket, an ARN, an id), `detail` what is inside it.

    `region` is `global` for what belongs to the whole account.
    """

    account: str
    region: str
    name: str
    partition: str = "aws"
    detail: str = ""

    def within(self, detail: str) -> Place:
        """The part of that name of the same resource."""
        return Place(self.account, self.region, self.name, self.partition, detail)

    def __str__(self) -> str:
        return f"{self.name} {self.detail}".strip() or self.account


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something: `service` as the SDK names it, `actions` as IAM names what it takes."""

    service: str
    operation: str
    parameters: Mapping[str, Value]
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Aspect:
    """One setting of a resource.

    `asks` gives the parameters of `read`, `view` takes the setting out of AWS's answer. `change` gives the calls from a
    value to another; `IrreversibleError` when there are none. `nearest` is what AWS can be brought to where it cannot
    be brought to a value; `canonical` is what of a value counts when two are compared. `hops` are the values on the way
    to another, one call apart, so that a change that breaks off leaves one of them.
    """

    name: str
    read: Read
    asks: Callable[[Place], dict[str, Value]]
    view: Callable[[Mapping[str, Value], Place], Value]
    change: Callable[[Place, Value, Value], tuple[Write, ...]]
    hops: Callable[[Value, Value], tuple[Value, ...]] = lambda _, wanted: (wanted,)
    nearest: Callable[[Value], Value] = lambda value: value
    canonical: Callable[[Value], Value] = lambda value: value

    def calls(self, place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
        """The calls from a value to another; none where both are the same. Errors: `IrreversibleError`."""
        return () if self.same(current, wanted) else self.change(place, current, wanted)

    def same(self, one: Value, other: Value) -> bool:
        """Whether two values are the same setting."""
        return bool(self.canonical(one) == self.canonical(other))


@dataclass(frozen=True, slots=True)
class Step:
    """One aspect of one place, from what is there to what should be."""

    aspect: Aspect
    place: Place
    before: Value
    after: Value

    @property
    def writes(self) -> tuple[Write, ...]:
        """The calls that make the change."""
        return self.aspect.calls(self.place, self.before, self.after)

    @property
    def undo(self) -> tuple[Write, ...]:
        """The calls that take it back. Errors: `IrreversibleError`."""
        return self.aspect.calls(self.place, self.after, self.before)

    @property
    def why_irreversible(self) -> str:
        """Why nothing can take the step back; empty where something can."""
        try:
            _ = self.undo
        except IrreversibleError as error:
            return str(error)
        return ""

    @property
    def left_by_undo(self) -> Value:
        """What stands after an undo: what stood before, or the nearest to it that AWS has."""
        return self.aspect.nearest(self.before)


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is asked to change: the ARN as it was given, and the resource in the terms of the API."""

    arn: str
    place: Place


class State:
    """The values that were read, by aspect and place."""

    def __init__(self, values: Mapping[tuple[str, Place], Value]) -> None:
        """Keep the values; the first part of a key is the aspect's name."""
        self._values = values

    def of(self, aspect: Aspect, place: Place) -> Value:
        """What stands there; `KeyError` when the action did not say that it needs it."""
        return self._values[aspect.name, place]

    def to(self, aspect: Aspect, place: Place, wanted: Value) -> tuple[Step, ...]:
        """The steps to what is wanted, one call each; none where that stands already."""
        found = self.of(aspect, place)
        if aspect.same(found, wanted):
            return ()
        values = (found, *aspect.hops(found, wanted))
        return tuple(Step(aspect, place, before, after) for before, after in pairwise(values))


Options = dict[str, str]
"""What a user set for an action, by name."""


@dataclass(frozen=True, slots=True)
class Action:
    """One remedy: `kind` is the resource that it takes, `risk` what it may break, `options` its settings.

    `needs` says what must be read, `plan` what follows from that; both are pure. Errors of both: `ChangeError`.
    """

    id: str
    title: str
    kind: str
    risk: str
    needs: Callable[[Target, Options], tuple[tuple[Aspect, Place], ...]]
    plan: Callable[[Target, Options, State], tuple[Step, ...]]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A plan: the steps of an action for a target, in order. `finding` is the id of the finding that asked for it."""

    action: Action
    target: Target
    options: Options
    steps: tuple[Step, ...]
    needs: tuple[tuple[Aspect, Place], ...]
    finding: str = ""
    rule: str = ""

    @property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions that planning, applying, verifying and undoing take, sorted."""
        found = {action for aspect, _ in self.needs for action in aspect.read.actions}
        for step in self.steps:
            writes = step.writes + (() if step.why_irreversible else step.undo)
            found.update(action for write in writes for action in write.actions)
        return tuple(sorted(found))

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that change when any step does: what somebody approved is what is applied."""
        told = [
            [
                step.aspect.name,
                str(step.place),
                step.place.account,
                step.place.region,
                step.before,
                step.after,
            ]
            for step in self.steps
        ]
        text = json.dumps([self.action.id, self.target.arn, told], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def plan(
    action: Action,
    target: Target,
    options: Options,
    state: State,
    *,
    finding: str = "",
    rule: str = "",
) -> Change:
    """The change that the action makes of that state. Errors: `ChangeError`, also for an unknown option."""
    check_options(action, options)
    steps = action.plan(target, options, state)
    return Change(action, target, options, steps, action.needs(target, options), finding, rule)


def check_options(action: Action, options: Options) -> None:
    """Refuse an option that the action does not have."""
    for name in options:
        if name not in action.options:
            known = ", ".join(action.options) or "none"
            raise ChangeError(f"action `{action.id}` has no option `{name[:80]}`; it has {known}")
