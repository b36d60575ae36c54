"""Trails: whether they log, how, and which data events. A trail is named by its ARN, in its home region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.collect.reads import Read
from clew.respond.aspects.reading import collected
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = {
    "LogFileValidationEnabled": "EnableLogFileValidation",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
}
"""What AWS says of a trail, and the parameter that sets it."""


def _write(operation: str, **parameters: Value) -> tuple[Write, ...]:
    return (Write("cloudtrail", operation, parameters, (f"cloudtrail:{operation}",)),)


def _change_logging(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    return _write("StartLogging" if wanted else "StopLogging", Name=place.name)


def _settings(body: Mapping[str, Value], _: Place) -> Value:
    return {name: bool(body["Trail"].get(name)) for name in SETTINGS}


def _change_settings(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    changed = {SETTINGS[n]: wanted[n] for n in SETTINGS if wanted[n] != current[n]}
    return _write("UpdateTrail", Name=place.name, **changed) if changed else ()


def _selectors(body: Mapping[str, Value], _: Place) -> Value:
    advanced = body.get("AdvancedEventSelectors") or []
    return (
        {"AdvancedEventSelectors": advanced}
        if advanced
        else {"EventSelectors": body.get("EventSelectors") or []}
    )


def _change_selectors(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    return _write("PutEventSelectors", TrailName=place.name, **wanted)


TRAIL_LOGGING = Aspect(
    "trail-logging",
    collected("cloudtrail:GetTrailStatus"),
    lambda place: {"Name": place.name},
    lambda body, _: bool(body["IsLogging"]),
    _change_logging,
)
TRAIL_SETTINGS = Aspect(
    "trail-settings",
    Read("cloudtrail", "GetTrail"),
    lambda place: {"Name": place.name},
    _settings,
    _change_settings,
)
TRAIL_EVENT_SELECTORS = Aspect(
    "trail-event-selectors",
    collected("cloudtrail:GetEventSelectors"),
    lambda place: {"TrailName": place.name},
    _selectors,
    _change_selectors,
)
