"""What deciding one request leaves behind: small, and enough to tell everything about the decision later."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clew.engine.gates import Placed
    from clew.engine.law import Atom, Law
    from clew.engine.policies import Policies
    from clew.engine.principal import Caller
    from clew.engine.verdicts import Effect, Gate

Hit = tuple["Placed", "bool | None", "Atom", int]
"""A statement that matches (True) or may match (None), the atom that it speaks for, and its level in the gate."""


class Plan:
    """What deciding an action of one kind of caller takes: the law, and the statements about the action.

    `short` is the law with what is known beforehand left out, `single` the one atom it may come down to, and `base`
    the atoms before any statement is looked at. `present` are the gates that take part. `public` are the statements of
    Block Public Access; `restricted` says that it keeps other accounts away from the bucket.
    """

    __slots__ = (
        "base",
        "bounded",
        "endpoint",
        "law",
        "plain",
        "policies",
        "present",
        "public",
        "rcp",
        "resource",
        "restricted",
        "scps",
        "short",
        "single",
        "wildcard_only",
    )

    law: Law
    short: Law
    single: Atom | None
    base: list[bool | None]
    plain: tuple[tuple[Atom, tuple[Placed, ...]], ...]
    scps: tuple[tuple[Placed, ...], ...] | None
    resource: tuple[Placed, ...]
    rcp: tuple[Placed, ...]
    endpoint: tuple[Placed, ...] | None
    policies: Policies
    present: frozenset[Gate]
    public: tuple[Placed, ...]
    restricted: bool
    bounded: bool
    wildcard_only: bool


class Record:
    """What was seen while one request was decided.

    `atoms` are the law's atoms with their verdicts, `denied` and `granted` what they amount to, `owner` the account
    of the resource, `bucket_account` the same but for objects of another owner, and `assumed` whether nobody said so.
    """

    __slots__ = (
        "action",
        "assumed",
        "atoms",
        "bucket_account",
        "caller",
        "denied",
        "effect",
        "granted",
        "hits",
        "owner",
        "plan",
    )

    effect: Effect

    def __init__(self, plan: Plan, caller: Caller, action: str, owner: str, *, assumed: bool) -> None:
        self.plan = plan
        self.caller = caller
        self.action = action
        self.owner = owner
        self.bucket_account = owner
        self.assumed = assumed
        self.atoms = plan.base.copy()
        self.hits: list[Hit] = []
        self.denied: bool | None = False
        self.granted: bool | None = False
