"""Access keys, the password policy, and the roles that services write with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clew.collect.reads import Read, Scope
from clew.errors import ChangeError, IrreversibleError
from clew.respond.aspects.reading import collected
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

# Said by AWS, and not taken: it follows from `MaxPasswordAge`.
_DERIVED = "ExpirePasswords"


def _write(operation: str, **parameters: Value) -> Write:
    return Write("iam", operation, parameters, (f"iam:{operation}",))


def _keys(body: Mapping[str, Value], _: Place) -> Value:
    found = [{n: key[n] for n in ("AccessKeyId", "Status")} for key in body["AccessKeyMetadata"]]
    return sorted(found, key=lambda key: str(key["AccessKeyId"]))


def _change_keys(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    now = {key["AccessKeyId"]: key["Status"] for key in current}
    then = {key["AccessKeyId"]: key["Status"] for key in wanted}
    for key in then.keys() - now.keys():
        raise IrreversibleError(f"access key `{key}` is deleted: AWS never gives its secret again")
    user = place.name
    changed = [
        _write("UpdateAccessKey", UserName=user, AccessKeyId=key, Status=status)
        for key, status in then.items()
        if now[key] != status
    ]
    gone = [_deleted(user, key, status) for key, status in now.items() if key not in then]
    return (*changed, *gone)


def _deleted(user: str, key: str, status: str) -> Write:
    if status != "Inactive":
        raise ChangeError(f"access key `{key}` is active; deactivate it first")
    return _write("DeleteAccessKey", UserName=user, AccessKeyId=key)


def _password_policy(body: Mapping[str, Value], _: Place) -> Value:
    return {name: value for name, value in body["PasswordPolicy"].items() if name != _DERIVED}


def _without_defaults(value: Value) -> Value:
    """AWS may say false, or nothing, for what is not asked for."""
    return None if value is None else {name: each for name, each in value.items() if each}


def _change_password_policy(_: Place, __: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return (_write("DeleteAccountPasswordPolicy"),)
    # AWS: "UpdateAccountPasswordPolicy": what is left out gets its default, so all that stood is sent. Numbers start at
    # 1, and by "PasswordPolicy" 0 says what an absent one says.
    sent = {name: value for name, value in wanted.items() if value is False or value != 0}
    return (_write("UpdateAccountPasswordPolicy", **sent),)


def _role(body: Mapping[str, Value], _: Place) -> Value:
    role = body["Role"]
    return {"Path": role["Path"], "AssumeRolePolicyDocument": _document(role["AssumeRolePolicyDocument"])}


def _document(value: Value) -> Value:
    """The policy as JSON: IAM writes it URL-encoded, the SDK decodes it."""
    return json.loads(unquote(value)) if isinstance(value, str) else value


def _change_role(place: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return (_write("DeleteRole", RoleName=place.name),)
    trust = json.dumps(wanted["AssumeRolePolicyDocument"])
    if current is None:
        return (
            _write("CreateRole", RoleName=place.name, Path=wanted["Path"], AssumeRolePolicyDocument=trust),
        )
    return (_write("UpdateAssumeRolePolicy", RoleName=place.name, PolicyDocument=trust),)


def _change_role_policy(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    named = {"RoleName": place.name, "PolicyName": place.detail}
    if wanted is None:
        return (_write("DeleteRolePolicy", **named),)
    return (_write("PutRolePolicy", **named, PolicyDocument=json.dumps(wanted)),)


def _change_service_role(place: Place, _: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return (_write("DeleteServiceLinkedRole", RoleName=place.name),)
    return (_write("CreateServiceLinkedRole", AWSServiceName=place.detail),)


def _role_name(place: Place) -> dict[str, Value]:
    return {"RoleName": place.name}


_GET_ROLE = Read("iam", "GetRole", Scope.ACCOUNT, absent=("NoSuchEntity",))

ACCESS_KEYS = Aspect(
    "access-keys",
    Read("iam", "ListAccessKeys", Scope.ACCOUNT),
    lambda place: {"UserName": place.name},
    _keys,
    _change_keys,
)
PASSWORD_POLICY = Aspect(
    "password-policy",
    collected("iam:GetAccountPasswordPolicy"),
    lambda _: {},
    _password_policy,
    _change_password_policy,
    canonical=_without_defaults,
)
ROLE = Aspect("role", _GET_ROLE, _role_name, _role, _change_role)
ROLE_POLICY = Aspect(
    "role-policy",
    Read("iam", "GetRolePolicy", Scope.ACCOUNT, absent=("NoSuchEntity",)),
    lambda place: {"RoleName": place.name, "PolicyName": place.detail},
    lambda body, _: _document(body["PolicyDocument"]),
    _change_role_policy,
)
SERVICE_LINKED_ROLE = Aspect(
    "service-linked-role",
    _GET_ROLE,
    _role_name,
    lambda _, place: {"AWSServiceName": place.detail},
    _change_service_role,
)
