"""Answers without the secrets that AWS puts in them: variables of functions, passwords, tokens in addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REDACTED = "[redacted]"

# Members whose value is a secret wherever they stand.
_SECRET_MEMBERS = frozenset(
    {
        "AuthToken",
        "ClientSecret",
        "CustomerGatewayConfiguration",
        "HeaderValue",
        "KeyMaterial",
        "MasterUserPassword",
        "Password",
        "PreSharedKey",
        "PrivateKey",
        "SecretAccessKey",
        "SecretBinary",
        "SecretString",
        "SessionToken",
        "UserData",
    }
)
# Members whose every inner value may be a secret; the names are kept.
_SECRET_VALUES = frozenset({"HeaderParameters", "QueryStringParameters", "Variables"})
# Lists of a container's variables and words, which may be secrets; names and lengths are kept.
_SECRET_LISTS = frozenset({"command", "entryPoint", "environment"})
# Members that may carry a password in an address: `https://user:password@host/path?token=…`.
_ADDRESSES = frozenset({"Endpoint", "SubscriptionEndpoint"})
_ADDRESS = re.compile(r"^(https?://)(?:[^/@]*@)?([^?#]*)(?:[?#].*)?$", re.DOTALL)


def redacted(body: Mapping[str, object]) -> dict[str, object]:
    """The body with each secret replaced by `[redacted]`.

    >>> redacted({"Environment": {"Variables": {"TOKEN": "abc"}}, "MasterUserPassword": "x"})
    {'Environment': {'Variables': {'TOKEN': '[redacted]'}}, 'MasterUserPassword': '[redacted]'}
    """
    return {name: _member(name, value) for name, value in body.items()}


def _member(name: str, value: object) -> object:
    if name in _SECRET_MEMBERS and isinstance(value, str | bytes):
        return REDACTED
    if name in _SECRET_VALUES and isinstance(value, dict):
        return dict.fromkeys(value, REDACTED)
    if name in _SECRET_LISTS and isinstance(value, list):
        return [_listed(item) for item in value]
    if name in _ADDRESSES and isinstance(value, str):
        return _address(value)
    return _value(value)


def _listed(item: object) -> object:
    """A word of a command redacted, a variable without its value.

    >>> _listed({"name": "TOKEN", "value": "abc"})
    {'name': 'TOKEN', 'value': '[redacted]'}
    """
    if isinstance(item, dict):
        return {name: REDACTED if name == "value" else _value(inner) for name, inner in item.items()}
    return REDACTED if isinstance(item, str) else _value(item)


def _value(value: object) -> object:
    if isinstance(value, dict):
        return redacted(value)
    return [_value(item) for item in value] if isinstance(value, list) else value


def _address(text: str) -> str:
    """The address without user, password and query.

    >>> _address("https://me:secret@example.com/hook?token=abc"), _address("security@example.com")
    ('https://example.com/hook?[redacted]', 'security@example.com')
    """
    found = _ADDRESS.match(text)
    if found is None:
        return text
    cut = found[1] + found[2]
    return text if cut == text else f"{cut}?{REDACTED}"
