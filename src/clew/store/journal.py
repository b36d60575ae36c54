"""The journal of changes to AWS: what was planned, every call before it is made, and what came of it.

Each entry is on disk before the call goes out, so a process that is killed leaves either no trace in AWS or one here: a
call without an outcome may or may not have been carried out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from clew.errors import UsageError
from clew.store.database import metadata
from clew.store.documents import moment, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clew.store.database import Database

JSON = Any
"""A value as JSON holds it."""

_TEXTS = ("caller", "account", "action", "target", "finding", "rule", "fingerprint")
fixes = sa.Table(
    "fixes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.Text, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
)
steps = sa.Table(
    "fix_steps",
    metadata,
    sa.Column("fix", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("aspect", "place", "before", "wanted")),
    # Null until it was read again: after the change, and after it was taken back.
    sa.Column("after", sa.Text),
    sa.Column("restored", sa.Text),
)
calls = sa.Table(
    "fix_calls",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fix", sa.Text, nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    *(
        sa.Column(name, sa.Text, nullable=False)
        for name in ("phase", "caller", "intended_at", "call", "request")
    ),
    # Null until AWS answered.
    *(sa.Column(name, sa.Text) for name in ("ended_at", "outcome", "answer")),
)
_TABLES = (fixes, steps, calls)


class Phase(StrEnum):
    """Why a call was made."""

    APPLY = "apply"
    UNDO = "undo"


class Standing(StrEnum):
    """Where a fix stands; `interrupted`: a call has no outcome, so nobody knows whether it was carried out."""

    APPLIED = "applied"
    PARTIAL = "partial"
    INTERRUPTED = "interrupted"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Called:
    """One call: `outcome` is empty until AWS answered, then `ok`, or the status and AWS's code."""

    number: int
    position: int
    phase: Phase
    caller: str
    intended_at: datetime
    call: str
    request: JSON
    outcome: str
    answer: JSON


@dataclass(frozen=True, slots=True)
class Recorded:
    """One step: `after` and `restored` are lists of one value once they were read, empty before."""

    position: int
    aspect: str
    place: JSON
    before: JSON
    wanted: JSON
    after: tuple[JSON, ...]
    restored: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """One change with its steps and calls, in order. Units: `at` is UTC."""

    id: str
    at: datetime
    caller: str
    account: str
    action: str
    target: str
    finding: str
    rule: str
    fingerprint: str
    steps: tuple[Recorded, ...]
    calls: tuple[Called, ...]

    @property
    def standing(self) -> Standing:
        """Where it stands, from what is on record alone."""
        if any(not call.outcome for call in self._last_calls()):
            return Standing.INTERRUPTED
        touched = {call.position for call in self.calls}
        if touched and all(step.restored for step in self.steps if step.position in touched):
            return Standing.UNDONE
        if any(call.phase is Phase.UNDO for call in self.calls) or not all(step.after for step in self.steps):
            return Standing.PARTIAL
        applied = [call for call in self.calls if call.phase is Phase.APPLY]
        return Standing.APPLIED if all(call.outcome == "ok" for call in applied) else Standing.PARTIAL

    def _last_calls(self) -> tuple[Called, ...]:
        """The calls about steps that were not taken back since."""
        restored = {step.position for step in self.steps if step.restored}
        return tuple(call for call in self.calls if call.position not in restored)


class Journal:
    """The journal of one workspace."""

    def __init__(self, database: Database) -> None:
        """Use the state database; the journal's tables are made where they are not there."""
        self._database = database
        with database.transaction(write=True) as connection:
            metadata.create_all(connection, tables=list(_TABLES))

    def begin(self, now: datetime, planned: Sequence[tuple[str, JSON, JSON, JSON]], **texts: str) -> str:
        """Record a plan before anything is done; its id. `planned`: aspect, place, before, wanted of each step."""
        with self._database.transaction(write=True) as connection:
            number = (connection.execute(sa.select(sa.func.max(fixes.c.number))).scalar() or 0) + 1
            identity = f"fix-{number}"
            connection.execute(sa.insert(fixes).values(id=identity, at=moment(now), **texts))
            for position, (aspect, *values) in enumerate(planned):
                place, before, wanted = map(json.dumps, values)
                row = {"aspect": aspect, "place": place, "before": before, "wanted": wanted}
                connection.execute(sa.insert(steps).values(fix=identity, position=position, **row))
        return identity

    def intend(
        self, fix: str, position: int, phase: Phase, now: datetime, *, caller: str, call: str, request: JSON
    ) -> int:
        """Record a call before it is made; returns its number."""
        row = {"phase": phase.value, "caller": caller, "call": call, "request": json.dumps(request)}
        with self._database.transaction(write=True) as connection:
            made = connection.execute(
                sa.insert(calls).values(fix=fix, position=position, intended_at=moment(now), **row)
            )
            return int((made.inserted_primary_key or (0,))[0])

    def conclude(self, number: int, now: datetime, outcome: str, answer: JSON) -> None:
        """Record what came of a call."""
        with self._database.transaction(write=True) as connection:
            connection.execute(
                sa.update(calls)
                .where(calls.c.number == number)
                .values(ended_at=moment(now), outcome=outcome, answer=json.dumps(answer))
            )

    def found(self, fix: str, position: int, phase: Phase, value: JSON) -> None:
        """Record what was read after a step was made, or after it was taken back."""
        column = "after" if phase is Phase.APPLY else "restored"
        with self._database.transaction(write=True) as connection:
            connection.execute(
                sa.update(steps)
                .where(steps.c.fix == fix, steps.c.position == position)
                .values({column: json.dumps(value)})
            )

    def all(self) -> tuple[Fix, ...]:
        """Every fix, oldest first."""
        with self._database.transaction(write=False) as connection:
            rows = connection.execute(sa.select(fixes).order_by(fixes.c.number)).all()
            return tuple(_fix(connection, row) for row in rows)

    def of(self, identity: str) -> Fix:
        """The fix of that id; `UsageError` when there is none."""
        with self._database.transaction(write=False) as connection:
            row = connection.execute(sa.select(fixes).where(fixes.c.id == identity)).first()
            if row is None:
                raise UsageError(f"no fix `{identity[:80]}`; `clew fix list` shows what there is")
            return _fix(connection, row)


def _fix(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Fix:
    of_steps = sa.select(steps).where(steps.c.fix == row.id).order_by(steps.c.position)
    of_calls = sa.select(calls).where(calls.c.fix == row.id).order_by(calls.c.number)
    return Fix(
        row.id,
        time_of(row.at),
        **{name: getattr(row, name) for name in _TEXTS},
        steps=tuple(map(_recorded, connection.execute(of_steps).all())),
        calls=tuple(map(_called, connection.execute(of_calls).all())),
    )


def _recorded(row: sa.Row[tuple[object, ...]]) -> Recorded:
    read = [() if text is None else (json.loads(text),) for text in (row.after, row.restored)]
    place, before, wanted = (json.loads(text) for text in (row.place, row.before, row.wanted))
    return Recorded(row.position, row.aspect, place, before, wanted, *read)


def _called(row: sa.Row[tuple[object, ...]]) -> Called:
    answer = None if row.answer is None else json.loads(row.answer)
    return Called(
        row.number,
        row.position,
        Phase(row.phase),
        row.caller,
        time_of(row.intended_at),
        row.call,
        json.loads(row.request),
        row.outcome or "",
        answer,
    )
