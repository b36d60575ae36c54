"""Access keys taken out of use, and the password policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.errors import ChangeError
from clew.respond.actions.numbers import whole
from clew.respond.aspects.iam import ACCESS_KEYS, PASSWORD_POLICY
from clew.respond.model import Action, Options, Place, State, Step, Target

if TYPE_CHECKING:
    from clew.respond.model import Aspect, Value

_KEY = {"key": "the id of the access key; may be left out where only one fits"}
_CLASSES = ("RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters")
# AWS: "UpdateAccountPasswordPolicy", MinimumPasswordLength, PasswordReusePrevention, MaxPasswordAge.
_LENGTHS, _REUSES, _AGES = (6, 128), (1, 24), (1, 1095)


def _keys(target: Target, _: Options) -> tuple[tuple[Aspect, Place], ...]:
    return ((ACCESS_KEYS, target.place),)


def _chosen(keys: Value, options: Options, status: str, user: str) -> str:
    fitting = [key["AccessKeyId"] for key in keys if key["Status"] == status]
    wanted = options.get("key")
    if wanted is None and len(fitting) == 1:
        return str(fitting[0])
    if wanted in fitting:
        return str(wanted)
    there = ", ".join(f"`{key['AccessKeyId']}` ({key['Status']})" for key in keys) or "none"
    asked = f"no {status.lower()} access key `{wanted}`" if wanted else f"which {status.lower()} access key?"
    raise ChangeError(f"user `{user}`: {asked}; there are: {there}; give `--set key=ID`")


def _deactivate(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    keys = state.of(ACCESS_KEYS, target.place)
    if not [key for key in keys if key["Status"] == "Active"]:
        return ()
    chosen = _chosen(keys, options, "Active", target.place.name)
    wanted = [{**key, "Status": "Inactive"} if key["AccessKeyId"] == chosen else key for key in keys]
    return state.to(ACCESS_KEYS, target.place, wanted)


def _delete(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    """Only a key that is inactive, so that what still uses it was noticed while that could be taken back."""
    keys = state.of(ACCESS_KEYS, target.place)
    chosen = _chosen(keys, options, "Inactive", target.place.name)
    return state.to(ACCESS_KEYS, target.place, [key for key in keys if key["AccessKeyId"] != chosen])


def _password_policy(target: Target, options: Options, state: State) -> tuple[Step, ...]:
    """What is stricter already stays."""
    found = state.of(PASSWORD_POLICY, target.place) or {"AllowUsersToChangePassword": True}
    wanted = {**found, **dict.fromkeys(_CLASSES, True)}
    wanted["MinimumPasswordLength"] = max(
        found.get("MinimumPasswordLength", 0), whole(options, "min-length", 14, _LENGTHS)
    )
    wanted["PasswordReusePrevention"] = max(
        found.get("PasswordReusePrevention", 0), whole(options, "reuse-prevention", 24, _REUSES)
    )
    if "max-age" in options:
        age = whole(options, "max-age", 90, _AGES)
        wanted["MaxPasswordAge"] = min(found.get("MaxPasswordAge") or age, age)
    return state.to(PASSWORD_POLICY, target.place, wanted)


DEACTIVATE_ACCESS_KEY = Action(
    "deactivate-access-key",
    "Deactivate an access key",
    "user",
    "whatever still signs with the key is refused until it is activated again",
    _keys,
    _deactivate,
    _KEY,
)
DELETE_ACCESS_KEY = Action(
    "delete-access-key",
    "Delete an access key that is inactive",
    "user",
    "nothing brings the key back",
    _keys,
    _delete,
    _KEY,
)
SET_PASSWORD_POLICY = Action(
    "set-password-policy",
    "Ask for strong passwords",
    "account",
    "users whose passwords are weaker keep them until they change them; an age makes older passwords expire at once",
    lambda target, _: ((PASSWORD_POLICY, target.place),),
    _password_policy,
    {
        "min-length": "characters; 14 by default",
        "reuse-prevention": "passwords that may not be used again; 24 by default",
        "max-age": "days after which a password expires; not set by default",
    },
)
