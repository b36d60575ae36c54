"""What the engine answers: effect, each gate's verdict, the statements that settled it, and what was not known."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.engine.record import Record
    from clew.engine.request import Request
    from clew.engine.residual import Residual
    from clew.policy.model import Position


class Effect(StrEnum):
    """The answer to a request."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    UNDETERMINED = "undetermined"


class Gate(StrEnum):
    """The kinds of policy that a request passes, in the order in which they are reported."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"
    BLOCK_PUBLIC_ACCESS = "block_public_access"


class Verdict(StrEnum):
    """What one gate says of a request; `absent` where no such policy applies."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    UNKNOWN = "unknown"
    ABSENT = "absent"


ORDER: Final = (
    "explicit denials of every policy that applies",
    "resource control policies, level by level",
    "service control policies, level by level",
    "resource policy, grants and access control lists",
    "identity policies",
    "permissions boundary",
    "session policies",
    "VPC endpoint policy",
)
"""The order in which the enforcement code looks at policies; the answer does not depend on it.

AWS: "How AWS enforcement code logic evaluates requests to allow or deny access".
"""


class Determining(NamedTuple):
    """A statement that settled a decision, or could: where it stands and what it does.

    `gate` is the gate's name, or `grant` or `acl`; `policy` is the policy's path in the input, such as
    `identity_policies/0`; `file` and `position` are known where the policy was read from a text.
    """

    gate: str
    policy: str
    statement: int
    sid: str | None
    effect: str
    file: str | None = None
    position: Position | None = None

    @property
    def place(self) -> str:
        """Where to look: `draft.json:27` or `draft.json:27:5`-like text, else the policy's path and the index."""
        if self.position is None:
            return f"{self.file or self.policy} statement {self.statement}"
        return f"{self.file or self.policy}:{self.position.line}"

    def document(self) -> dict[str, object]:
        """The statement for JSON."""
        found: dict[str, object] = {
            "gate": self.gate,
            "policy": self.policy,
            "statement": self.statement,
            "sid": self.sid,
            "effect": self.effect,
        }
        if self.file is not None:
            found["file"] = self.file
        if self.position is not None:
            found |= {"line": self.position.line, "column": self.position.column}
        return found


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

    @cached_property
    def gates(self) -> Mapping[Gate, Verdict]:
        """Each gate's own verdict."""
        from clew.engine.telling import gate_verdicts

        return gate_verdicts(self._record)

    @cached_property
    def blocked_by(self) -> tuple[Gate, ...]:
        """The gates that stop what some policy grants; empty when the request is allowed or nothing grants it."""
        if self.effect is Effect.ALLOW:
            return ()
        from clew.engine.telling import blocking

        found = blocking(self._record)
        return tuple(gate for gate in Gate if gate in found)

    @cached_property
    def determined_by(self) -> tuple[Determining, ...]:
        """The statements that settled the decision; none for an implicit denial.

        An explicit denial: every matching Deny. An allow: every matching Allow. Undetermined: every Deny that may
        match; and, while it is open whether something grants, every Allow that may match in a gate that is open.
        """
        from clew.engine.telling import determining

        return determining(self._record)

    @cached_property
    def matched(self) -> tuple[tuple[Determining, bool | None], ...]:
        """Every statement that matches the request (True) or may match it (None), gate by gate."""
        from clew.engine.telling import matched

        return matched(self._record)

    @cached_property
    def residual(self) -> Residual | None:
        """What an undetermined decision depends on; None for every other."""
        if self.effect is not Effect.UNDETERMINED:
            return None
        from clew.engine.telling import residual

        return residual(self._record, self.request)

    @cached_property
    def missing_context(self) -> tuple[str, ...]:
        """Context keys that the request lacks and relevant statements name; with unknown keys, those that matter."""
        from clew.engine.telling import missing_context

        return missing_context(self._record, self.request, self.residual)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Facts worth knowing: who is exempt from what, what was assumed, which statements mean nothing."""
        from clew.engine.telling import notes

        return notes(self._record, self.request)
