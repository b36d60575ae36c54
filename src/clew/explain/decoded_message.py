r"""Reads a decoded authorization message: the request as EC2 saw it, its context, and the statements that matched.

`aws sts decode-authorization-message` answers with JSON that holds JSON in a string; both, and the inner one alone, are
read. AWS: STS API reference, "DecodeAuthorizationMessage"; AWS SDK Code Examples, "Use DecodeAuthorizationMessage with
an AWS SDK or CLI". Neither the type of policy nor the operators of conditions are told.

>>> told = read('{"allowed": false, "explicitDeny": true, "matchedStatements": {"items": [{"statementId": "NoLarge", '
...     '"effect": "DENY"}]}, "context": {"principal": {"arn": "arn:aws:iam::111122223333:user/ana"}, "action": '
...     '"RunInstances", "resource": "arn:aws:ec2:eu-west-1:111122223333:instance/*", "conditions": {"items": [{'
...     '"key": "ec2:InstanceType", "values": {"items": [{"value": "x1.32xlarge"}]}}]}}}')
>>> told.action, told.context, told.matched[0].sid
('ec2:RunInstances', {'ec2:InstanceType': 'x1.32xlarge'}, 'NoLarge')
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from clew.engine import Context, Request
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.errors import InputError
from clew.explain.denial import Denial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.engine.request import ContextValue

_MEMBERS: Final = frozenset({"allowed", "explicitDeny", "context"})
# What the message tells of the resource beside the condition keys of the request; no policy can name these.
_OF_THE_RESOURCE: Final = frozenset({
    "aws:resource", "aws:account", "aws:region", "aws:id", "aws:service", "aws:type", "aws:arn",
})  # fmt: skip
FORM: Final = "decoded-message"


@dataclass(frozen=True, slots=True)
class Matched:
    """A statement that matched the request; `sid` may be empty, `keys` are those of its conditions."""

    sid: str
    effect: str
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the message tells; a member that it does not hold is empty. `context` is that of the request."""

    allowed: bool
    explicit_deny: bool
    principal: str
    action: str
    resource: str
    context: Mapping[str, ContextValue]
    matched: tuple[Matched, ...] = ()


def read(text: str) -> Decoded | None:
    """The decoded message in the text; None when the text is none. Errors: `InputError` for a damaged message."""
    value = _json(text)
    inner = _json(value["DecodedMessage"]) if isinstance(value, dict) and _is_nested(value) else value
    if isinstance(inner, dict) and isinstance(inner.get("DecodedMessage"), dict):
        inner = inner["DecodedMessage"]
    is_one = isinstance(inner, dict) and inner.keys() >= _MEMBERS and isinstance(inner["context"], dict)
    return of_document(inner) if is_one else None


def of_document(value: object) -> Decoded:
    """The decoded message in decoded JSON. Errors: `InputError`, what is missing in words."""
    if isinstance(value, dict) and _is_nested(value):
        value = _json(value["DecodedMessage"])
        if value is None:
            raise InputError("`DecodedMessage` is not JSON")
    context = value.get("context") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(context, dict):
        raise InputError("expected the output of `aws sts decode-authorization-message`, with `context`")
    principal = context.get("principal")
    keys = dict(_conditions(context.get("conditions")))
    service = next((str(value) for key, value in keys.items() if key.lower() == "aws:service"), "ec2")
    return Decoded(
        allowed=value.get("allowed") is True,
        explicit_deny=value.get("explicitDeny") is True,
        principal=_text(principal.get("arn")) if isinstance(principal, dict) else "",
        action=_action(_text(context.get("action")), service),
        resource=_text(context.get("resource")),
        context={key: value for key, value in keys.items() if key.lower() not in _OF_THE_RESOURCE},
        matched=tuple(_matched(value.get("matchedStatements"))),
    )


def _is_nested(value: Mapping[str, object]) -> bool:
    return isinstance(value.get("DecodedMessage"), str)


def request(decoded: Decoded) -> Request | None:
    """The request that was refused; keys that the message does not name are not known. None where nobody asks."""
    if not decoded.principal or ":" not in decoded.action:
        return None
    resource = decoded.resource if decoded.resource.startswith("arn:") else "*"
    context = Context(decoded.context, unknown=None)
    try:
        return derived(Request(decoded.principal, decoded.action, resource, context=context))
    except PrincipalError:
        return None


def denial(decoded: Decoded, told: Denial | None = None) -> Denial:
    """The refusal, with what the text around the encoded message told of it."""
    base = told or Denial("", 1, FORM)
    return replace(
        base,
        form=FORM,
        says=_says(decoded),
        principal=base.principal or decoded.principal or None,
        action=decoded.action or base.action,
        resource=decoded.resource or base.resource,
        explicit=decoded.explicit_deny if base.explicit is None else base.explicit,
        # It is decoded: nothing is left in it to be told.
        token=None,
    )


def _says(decoded: Decoded) -> str:
    if not decoded.explicit_deny:
        return f"no statement allows `{decoded.action}`: nothing matched the request"
    denying = [each for each in decoded.matched if each.effect == "DENY"]
    names = ", ".join(_named(each) for each in denying[:3])
    which = f": {names}" if names else ", which the message does not name"
    return f"a statement denies `{decoded.action}` explicitly{which}"


def _named(statement: Matched) -> str:
    name = f"`{statement.sid}`" if statement.sid else "one without a Sid"
    on = f" about {', '.join(f'`{each}`' for each in statement.actions[:3])}" if statement.actions else ""
    keys = f", if {', '.join(f'`{key}`' for key in statement.keys)}" if statement.keys else ""
    return f"{name}{on}{keys}"


def _json(text: object) -> object:
    try:
        return json.loads(str(text))
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _action(action: str, service: str) -> str:
    """The action with its service: the message may give the bare name; EC2 and services built on it send such ones."""
    return action if ":" in action or not action else f"{service}:{action}"


def _items(value: object) -> Iterator[Mapping[str, object]]:
    items = value.get("items") if isinstance(value, dict) else None
    yield from (each for each in items if isinstance(each, dict)) if isinstance(items, list) else ()


def _values(value: object) -> tuple[str, ...]:
    return tuple(_text(each.get("value")) for each in _items(value))


def _conditions(conditions: object) -> Iterator[tuple[str, ContextValue]]:
    for item in _items(conditions):
        key, values = item.get("key"), [value for value in _values(item.get("values")) if value]
        if not isinstance(key, str):
            raise InputError("a condition of the message has no `key`")
        if values:
            yield key, values[0] if len(values) == 1 else tuple(values)


def _matched(statements: object) -> Iterator[Matched]:
    for item in _items(statements):
        yield Matched(
            _text(item.get("statementId")),
            _text(item.get("effect")).upper(),
            _values(item.get("actions")),
            _values(item.get("resources")),
            tuple(_text(each.get("key")) for each in _items(item.get("conditions"))),
        )
