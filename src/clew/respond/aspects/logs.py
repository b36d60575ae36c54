"""Log groups, made for what is to be written there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.collect.reads import Read
from clew.errors import IrreversibleError
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping


def _write(operation: str, **parameters: Value) -> Write:
    return Write("logs", operation, parameters, (f"logs:{operation}",))


def _group(body: Mapping[str, Value], place: Place) -> Value:
    """The group of exactly that name: AWS gives all whose names begin so."""
    for found in body.get("logGroups", ()):
        if found["logGroupName"] == place.name:
            days = found.get("retentionInDays")
            return {"retentionInDays": days, "storedBytes": found.get("storedBytes", 0)}
    return None


def _change_group(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    name = place.name
    if wanted is None:
        if current.get("storedBytes"):
            raise IrreversibleError(
                f"log group `{name}` holds {current['storedBytes']} bytes of logs; it is kept: delete it yourself"
            )
        return (_write("DeleteLogGroup", logGroupName=name),)
    made = (_write("CreateLogGroup", logGroupName=name),) if current is None else ()
    days, old = wanted.get("retentionInDays"), (current or {}).get("retentionInDays")
    if days == old:
        return made
    if days is None:
        return (*made, _write("DeleteRetentionPolicy", logGroupName=name))
    return (*made, _write("PutRetentionPolicy", logGroupName=name, retentionInDays=days))


def _group_hops(current: Value, wanted: Value) -> tuple[Value, ...]:
    """A group that is to be kept for a number of days is made first, and its retention set then."""
    is_new = current is None and wanted is not None and wanted.get("retentionInDays")
    return ({"retentionInDays": None}, wanted) if is_new else (wanted,)


def _without_size(value: Value) -> Value:
    return None if value is None else {"retentionInDays": value.get("retentionInDays")}


LOG_GROUP = Aspect(
    "log-group",
    Read("logs", "DescribeLogGroups"),
    lambda place: {"logGroupNamePrefix": place.name},
    _group,
    _change_group,
    hops=_group_hops,
    canonical=_without_size,
)
