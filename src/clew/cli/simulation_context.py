"""The request context of `clew simulate`: from flags, JSON files, and decoded EC2 authorization messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.aws.catalog import current
from clew.cli import context
from clew.errors import InputError, UsageError
from clew.explain.decoded_message import of_document
from clew.snapshot.load import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine.request import ContextValue
    from clew.snapshot.model import Source


@dataclass(frozen=True, slots=True)
class Carried:
    """The context keys that the question gives: those with values, and those that the request does not carry.

    `sources` are the files that they come from.
    """

    values: Mapping[str, ContextValue] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What a decoded authorization message says of the refused request."""

    principal: str | None
    action: str | None
    resource: str | None
    values: Mapping[str, ContextValue]
    source: Source


def carried(
    flags: tuple[str, ...], files: tuple[str, ...], message: Message | None, absent: tuple[str, ...]
) -> Carried:
    """The context: a decoded message first, then files, then flags, the later in place of the earlier.

    Errors: `UsageError` for a flag, `InputError` for a file.
    """
    values: dict[str, ContextValue] = dict(message.values) if message else {}
    left_out = list(absent)
    sources = [message.source] if message else []
    for name in files:
        source = read(name)
        given, missing = _from_file(source)
        _update(values, given)
        left_out += missing
        sources.append(source)
    _update(values, _from_flags(flags))
    for key in (*values, *left_out):
        _check(key)
    return Carried(values, tuple(left_out), tuple(sources))


def _update(values: dict[str, ContextValue], given: Mapping[str, ContextValue]) -> None:
    for key, value in given.items():
        same = next((known for known in values if known.lower() == key.lower()), None)
        if same is not None:
            del values[same]
        values[key] = value


def _check(key: str) -> None:
    """Tell of a key that AWS does not have: a typing error would otherwise pass for an absent key."""
    catalog = current()
    if catalog.condition_key(key) is None:
        near = catalog.nearest_condition_key(key)
        hint = f"; did you mean `{near}`?" if near else ""
        context.note(f"`{key[:200]}` is no condition key that Clew knows{hint}")


def _from_flags(flags: tuple[str, ...]) -> dict[str, ContextValue]:
    values: dict[str, ContextValue] = {}
    for flag in flags:
        key, equals, text = flag.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"`--context {flag[:200]}`: expected KEY=VALUE, as in aws:SourceIp=192.0.2.7")
        value = _listed(flag, text) if text.startswith("[") else text
        same = next((known for known in values if known.lower() == key.lower()), key)
        before = values.get(same)
        values[same] = value if before is None else (*_many(before), *_many(value))
    return values


def _many(value: ContextValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _listed(flag: str, text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`--context {flag[:200]}`: what begins with `[` must be a JSON list") from error
    found = _value(value)
    if not isinstance(found, tuple):
        raise UsageError(f"`--context {flag[:200]}`: expected a list of texts, numbers or booleans")
    return found


def _value(value: object) -> ContextValue | None:
    """A JSON value as a context value; None when it is none."""
    if isinstance(value, list):
        texts = [_scalar(item) for item in value]
        return None if None in texts else tuple(text for text in texts if text is not None)
    return _scalar(value)


def _scalar(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _from_file(source: Source) -> tuple[dict[str, ContextValue], list[str]]:
    """The keys of a file, and those that it says are absent (null)."""
    name, given = source.file, _json(source)
    if isinstance(given, list):
        return dict(_entries(name, given)), []
    if not isinstance(given, Mapping):
        raise InputError(f"{name}: expected an object of context keys, or a list of context entries")
    values: dict[str, ContextValue] = {}
    for key, value in given.items():
        found = _value(value)
        if found is None and value is not None:
            raise InputError(f"{name}: `{key[:200]}`: expected text, a number, a boolean, or a list of them")
        if found is not None:
            values[key] = found
    return values, [key for key, value in given.items() if value is None]


def _entries(name: str, given: list[object]) -> Iterator[tuple[str, ContextValue]]:
    """IAM's own list: ContextKeyName, ContextKeyValues, ContextKeyType."""
    for entry in given:
        key = entry.get("ContextKeyName") if isinstance(entry, dict) else None
        values = _value(entry.get("ContextKeyValues")) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(key, str) or not isinstance(values, tuple):
            raise InputError(f"{name}: expected entries with `ContextKeyName` and a list `ContextKeyValues`")
        is_list = str(entry.get("ContextKeyType", "")).endswith("List") or len(values) != 1
        yield key, values if is_list else values[0]


def decoded_message(name: str) -> Message:
    """What the output of `aws sts decode-authorization-message` says of the request; errors: `InputError`."""
    source = read(name)
    given = _json(source)
    try:
        told = of_document(given)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return Message(told.principal or None, told.action or None, told.resource or None, told.context, source)


def _json(source: Source) -> object:
    try:
        value: object = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source.file}:{error.lineno}: not JSON: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{source.file}: nested too deeply, or holds a number that cannot be read"
        ) from error
    return value
