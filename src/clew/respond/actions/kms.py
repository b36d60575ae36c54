"""KMS keys whose material is renewed every year."""

from __future__ import annotations

from clew.errors import ChangeError
from clew.respond.actions.numbers import whole
from clew.respond.aspects.kms import KEY_ROTATION
from clew.respond.model import Action, Options, State, Step, Target

# AWS: "EnableKeyRotation", RotationPeriodInDays.
_DAYS = (90, 2560)


def _rotate(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    found = state.of(KEY_ROTATION, target.place)
    if found is None:
        raise ChangeError(
            f"key `{target.place.name}` cannot rotate by itself: only symmetric keys of KMS's own do"
        )
    if found["KeyRotationEnabled"] and "days" not in options:
        return ()
    wanted = {"KeyRotationEnabled": True, "RotationPeriodInDays": whole(options, "days", 365, _DAYS)}
    return state.to(KEY_ROTATION, target.place, wanted)


ROTATE_KEY = Action(
    "rotate-key",
    "Rotate a KMS key every year",
    "key",
    "none known for what uses the key: old material still decrypts; each of the first two rotations adds to its price",
    lambda target, _: ((KEY_ROTATION, target.place),),
    _rotate,
    {"days": "the period; 365 by default"},
)
