"""The history of compliance: a row for each change of what a rule says of a resource, and nothing in between.

This module imports SQLAlchemy at its top: import it inside functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clew.store.database import metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from clew.store.database import Database

GONE = "NOT_APPLICABLE"
"""The state of a resource that is no longer there. AWS Config removes its evaluations; here the history stays."""

_GONE_NOTE = "the resource is no longer there"

table = sa.Table(
    "compliance",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("account", "rule", "resource", "resource_type")),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("compliance", "annotation", "at")),
    sa.Index("compliance_of_resource", "account", "rule", "resource"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule says of a resource. Units: `at`, since when, is UTC."""

    account: str
    rule: str
    resource: str
    resource_type: str
    compliance: str
    annotation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state; `old` is None where the rule said nothing of the resource before."""

    old: Standing | None
    new: Standing


def record(
    database: Database,
    told: Sequence[Standing],
    *,
    settled: Collection[tuple[str, str]] = (),
    gone: Collection[str] = (),
    now: datetime,
) -> tuple[Transition, ...]:
    """Keep what changed, and return it, in the order given.

    `settled` names the (account, rule) pairs that were asked about every resource and left nothing open: what they no
    longer name is gone. `gone` are resources that are known to be gone, whatever the rule.
    """
    with database.transaction(write=True) as connection:
        table.create(connection, checkfirst=True)
        held = {(each.account, each.rule, each.resource): each for each in _latest(connection)}
        named = {(each.account, each.rule, each.resource) for each in told}
        lost = [
            Standing(*key, each.resource_type, GONE, _GONE_NOTE, now)
            for key, each in held.items()
            if key not in named and (key[:2] in settled or each.resource in gone)
        ]
        found = [
            Transition(before, each)
            for each in (*told, *lost)
            if (before := held.get((each.account, each.rule, each.resource))) is None
            or before.compliance != each.compliance
        ]
        for one in found:
            connection.execute(sa.insert(table).values(**_row(one.new)))
    return tuple(found)


def history(database: Database, *, resource: str = "", rule: str = "") -> tuple[Standing, ...]:
    """Every state that was kept, oldest first; of one resource, of one rule, or all."""
    query = sa.select(table).order_by(table.c.number)
    if resource:
        query = query.where(table.c.resource == resource)
    if rule:
        query = query.where(table.c.rule == rule)
    with database.transaction(write=True) as connection:
        table.create(connection, checkfirst=True)
        return tuple(_standing(row) for row in connection.execute(query))


def _latest(connection: sa.Connection) -> list[Standing]:
    last = sa.select(sa.func.max(table.c.number)).group_by(table.c.account, table.c.rule, table.c.resource)
    rows = connection.execute(sa.select(table).where(table.c.number.in_(last)).order_by(table.c.number))
    return [_standing(row) for row in rows]


def _row(standing: Standing) -> dict[str, str]:
    return {
        "account": standing.account,
        "rule": standing.rule,
        "resource": standing.resource,
        "resource_type": standing.resource_type,
        "compliance": standing.compliance,
        "annotation": standing.annotation,
        "at": standing.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }


def _standing(row: sa.Row[tuple[object, ...]]) -> Standing:
    return Standing(
        row.account,
        row.rule,
        row.resource,
        row.resource_type,
        row.compliance,
        row.annotation,
        datetime.fromisoformat(row.at),
    )
