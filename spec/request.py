"""One line of the batch contract, read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from spec.context import Context, UnreadableError, read_context
from spec.documents import Document, read_document
from spec.keys import unread
from spec.principals import ACCOUNT, Caller, read_caller

ARN = re.compile(
    r"arn:(?P<partition>[^:]*):(?P<service>[^:]*):(?P<region>[^:]*):(?P<account>[^:]*):(?P<name>.*)",
    re.DOTALL,
)
ROLE_TRUST_ACTIONS = frozenset({"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"})
ROLE_TRUST_EXTRAS = frozenset({"sts:tagsession", "sts:setsourceidentity", "sts:setcontext"})


@dataclass(frozen=True)
class Request:
    """What is asked, and all that the line gives to answer it."""

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    context: Context
    wildcard_only: bool = False
    identity: tuple[Document, ...] = ()
    resource_policy: Document | None = None
    boundaries: tuple[Document, ...] = ()
    session: tuple[Document, ...] = ()
    scps: tuple[tuple[Document, ...], ...] = ()
    rcps: tuple[tuple[Document, ...], ...] = ()
    endpoint: tuple[Document, ...] = ()
    management_account: bool = False
    block_public_access: frozenset[str] = frozenset()
    grants: tuple[dict[str, Any], ...] = ()
    acl: dict[str, Any] = field(default_factory=dict)
    object_ownership: str | None = None
    object_owner: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The prefix of the action, in lower case."""
        return self.action.partition(":")[0].lower()

    @property
    def operation(self) -> str:
        """The name of the action, in lower case."""
        return self.action.partition(":")[2].lower()

    @property
    def arn(self) -> re.Match[str] | None:
        """The requested resource as an ARN, if it is one."""
        return ARN.fullmatch(self.resource)

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents of the line, in the order of the gates."""
        levels = [document for level in (*self.scps, *self.rcps) for document in level]
        own = (self.resource_policy,) if self.resource_policy else ()
        return (*self.identity, *own, *self.boundaries, *self.session, *levels, *self.endpoint)


def needs_trust_policy(action: str, resource: str) -> bool:
    """Rules 7 and 44: the actions that a role's trust policy must allow.

    IAM user guide, "How AWS enforcement code logic evaluates requests" (trust policies must explicitly allow);
    "Pass session tags in AWS STS" (sts:TagSession). 0007 Q34.
    """
    name, found = action.lower(), ARN.fullmatch(resource)
    of_something_else = found is not None and not found["name"].startswith("role/")
    return name in ROLE_TRUST_ACTIONS or (name in ROLE_TRUST_EXTRAS and not of_something_else)


def read_line(
    line: dict[str, Any], *, wildcard_only: bool, unknown_context: bool, unknown: frozenset[str]
) -> Request:
    """The request of one line; `UnreadableError` says what cannot be read."""
    asked = line.get("request")
    if not isinstance(asked, dict):
        raise UnreadableError("`request` must be an object")
    unknown_keys = unread(line)
    action, resource = (
        _text(asked, "action"),
        "*" if asked.get("resource") is None else _text(asked, "resource"),
    )
    if not re.fullmatch(r"[^:*?]+:[^:*?]+", action):
        raise UnreadableError(f"action `{action}` must be `service:name`, without wildcards")
    caller = read_caller(
        _text(asked, "principal"), web_identity=action.lower() == "sts:assumerolewithwebidentity"
    )
    account, assumed = resource_account(asked, resource, caller)
    own_kind = "trust" if needs_trust_policy(action, resource) else "resource"
    return Request(
        caller=caller,
        action=action,
        resource=resource,
        resource_account=account,
        context=read_context(asked.get("context"), unknown=unknown, others_unknown=unknown_context),
        wildcard_only=wildcard_only,
        identity=_documents(line, "identity_policies", "identity"),
        resource_policy=_document(line, "resource_policy", own_kind),
        boundaries=_documents(line, "permissions_boundaries", "boundary"),
        session=_documents(line, "session_policies", "session"),
        scps=_levels(line, "scps", "scp"),
        rcps=_levels(line, "rcps", "rcp"),
        endpoint=_documents(line, "vpc_endpoint_policies", "endpoint"),
        management_account=_flag(line, "management_account"),
        block_public_access=_settings(line, "block_public_access"),
        grants=_grants(line),
        acl=_object(line, "acl"),
        object_ownership=line.get("object_ownership"),
        object_owner=line.get("object_owner"),
        notes=(*unknown_keys, *((f"resource account assumed to be {account}",) if assumed else ())),
    )


def resource_account(asked: dict[str, Any], resource: str, caller: Caller) -> tuple[str | None, bool]:
    """Whose the resource is, and whether that is an assumption (0007 Q15).

    Amazon S3 user guide, "Policy resources for Amazon S3": bucket ARNs carry no account. What AWS itself owns
    (`arn:aws:iam::aws:policy/…`) is no other account's.
    """
    given = asked.get("resource_account")
    if isinstance(given, str) and given:
        return given, False
    if given not in (None, ""):
        raise UnreadableError("`request.resource_account` must be a string")
    found = ARN.fullmatch(resource)
    if found and ACCOUNT.fullmatch(found["account"]):
        return found["account"], False
    return caller.account, bool(found and found["service"] == "s3" and caller.account)


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"`request.{name}` must be a string")
    return value


def _object(line: dict[str, Any], name: str) -> dict[str, Any]:
    value = line.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableError(f"`{name}` must be an object")
    return value


def _settings(line: dict[str, Any], name: str) -> frozenset[str]:
    """The settings that are on; what is no boolean does not say whether it is (0007 Q47)."""
    settings = _object(line, name)
    for setting, on in settings.items():
        if not isinstance(on, bool):
            raise UnreadableError(f"`{name}.{setting}` must be true or false")
    return frozenset(setting for setting, on in settings.items() if on)


def _flag(line: dict[str, Any], name: str) -> bool:
    value = line.get(name)
    if not (value is None or isinstance(value, bool)):
        raise UnreadableError(f"`{name}` must be true or false")
    return value is True


def _list(line: dict[str, Any], name: str) -> list[Any]:
    value = line.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableError(f"`{name}` must be a list")
    return value


def _grants(line: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    grants = _list(line, "grants")
    if not all(isinstance(grant, dict) for grant in grants):
        raise UnreadableError("`grants` must be a list of objects")
    return tuple(grants)


def _document(line: dict[str, Any], name: str, kind: str) -> Document | None:
    return None if line.get(name) is None else read_document(line[name], name, kind)


def _documents(line: dict[str, Any], name: str, kind: str) -> tuple[Document, ...]:
    return tuple(
        read_document(given, f"{name}/{place}", kind) for place, given in enumerate(_list(line, name))
    )


def _levels(line: dict[str, Any], name: str, kind: str) -> tuple[tuple[Document, ...], ...]:
    levels = _list(line, name)
    if not all(isinstance(level, list) for level in levels):
        raise UnreadableError(f"`{name}` must be a list of lists, root first")
    return tuple(
        tuple(read_document(given, f"{name}/{place}/{number}", kind) for number, given in enumerate(level))
        for place, level in enumerate(levels)
    )
