"""Rotation of KMS keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.respond.aspects.reading import collected
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_DAYS = 365


def _rotation(body: Mapping[str, Value], _: Place) -> Value:
    if not body["KeyRotationEnabled"]:
        return {"KeyRotationEnabled": False}
    days = body.get("RotationPeriodInDays", _DEFAULT_DAYS)
    return {"KeyRotationEnabled": True, "RotationPeriodInDays": days}


def _change_rotation(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    if not wanted["KeyRotationEnabled"]:
        return (Write("kms", "DisableKeyRotation", {"KeyId": place.name}, ("kms:DisableKeyRotation",)),)
    days = wanted.get("RotationPeriodInDays", _DEFAULT_DAYS)
    parameters = {"KeyId": place.name, "RotationPeriodInDays": days}
    return (Write("kms", "EnableKeyRotation", parameters, ("kms:EnableKeyRotation",)),)


KEY_ROTATION = Aspect(
    "key-rotation",
    collected("kms:GetKeyRotationStatus"),
    lambda place: {"KeyId": place.name},
    _rotation,
    _change_rotation,
)
