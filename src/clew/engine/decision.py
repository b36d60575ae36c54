"""What the engine answers: effect, each gate's verdict, the statements that settled it, and what was not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, overload

from clew.engine import telling
from clew.engine.verdicts import ORDER, Determining, Effect, Gate, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.engine.gates import Remark
    from clew.engine.record import Record
    from clew.engine.request import Request
    from clew.engine.residual import Residual

__all__ = ["Decision", "Determining", "Effect", "Gate", "Verdict"]

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  # it stands where `property` stands
    """A property that is computed when it is first looked at, and kept.

    `functools.cached_property` takes a lock: 1.2 µs where this takes 0.3 µs (CPython 3.11).
    """

    def __init__(self, compute: Callable[[Decision], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Decision]) -> once[Value]: ...

    @overload
    def __get__(self, instance: Decision, owner: type[Decision]) -> Value: ...

    def __get__(self, instance: Decision | None, owner: type[Decision]) -> Value | once[Value]:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value


class Decision:
    """The answer to one request; everything but `effect` is expanded when it is looked at, and never decided again."""

    def __init__(self, request: Request, record: Record) -> None:
        """Keep what was seen while deciding."""
        self.request = request
        self.effect = record.effect
        self._record = record

    def __repr__(self) -> str:
        return f"Decision({self.effect.value!r}, blocked_by={[gate.value for gate in self.blocked_by]})"

    @property
    def allowed(self) -> bool | None:
        """Whether the request goes through; None while that depends on unknown keys."""
        if self.effect is Effect.ALLOW:
            return True
        record = self._record
        is_open = self.effect is Effect.UNDETERMINED and record.granted is not False
        return None if is_open else False

    @property
    def order(self) -> tuple[str, ...]:
        """The order in which policies were evaluated, for explanation."""
        return ORDER

    @property
    def rule(self) -> str:
        """The law that was applied, in words."""
        return self._record.plan.law.name

    @property
    def resource_account(self) -> str:
        """The account that the resource was taken to belong to; empty when there is none."""
        return self._record.owner

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the decision assumes because the request does not say it."""
        return ("resource_account",) if self._record.assumed else ()

    @once
    def gates(self) -> Mapping[Gate, Verdict]:
        """Each gate's own verdict."""
        return telling.gate_verdicts(self._record)

    @once
    def blocked_by(self) -> tuple[Gate, ...]:
        """The gates that stop what some policy grants; empty when the request is allowed or nothing grants it."""
        if self.effect is Effect.ALLOW:
            return ()
        found = telling.blocking(self._record)
        return tuple(gate for gate in Gate if gate in found)

    @once
    def determined_by(self) -> tuple[Determining, ...]:
        """The statements that settled the decision; none for an implicit denial.

        An explicit denial: every matching Deny. An allow: every matching Allow. Undetermined: every Deny that may
        match; and, while it is open whether something grants, every Allow that may match in a gate that is open.
        """
        return telling.determining(self._record)

    @once
    def matched(self) -> tuple[tuple[Determining, bool | None], ...]:
        """Every statement that matches the request (True) or may match it (None), gate by gate."""
        return telling.matched(self._record)

    @once
    def residual(self) -> Residual | None:
        """What an undetermined decision depends on; None for every other."""
        if self.effect is not Effect.UNDETERMINED:
            return None
        return telling.residual(self._record, self.request)

    @once
    def missing_context(self) -> tuple[str, ...]:
        """Context keys that the request lacks and relevant statements name; with unknown keys, those that matter."""
        return telling.missing_context(self._record, self.request, self.residual)

    @once
    def notes(self) -> tuple[str, ...]:
        """Facts worth knowing, and then what is the matter with statements that mean nothing where they stand."""
        return (*self.facts, *(str(each) for each in self.remarks))

    @once
    def facts(self) -> tuple[str, ...]:
        """Who is exempt from what, what was assumed, what a service's settings do."""
        return tuple(telling.facts(self._record, self.request))

    @once
    def remarks(self) -> tuple[Remark, ...]:
        """Statements that mean nothing where they stand, and principals that are nobody."""
        return tuple(telling.remarks(self._record, self.request))
