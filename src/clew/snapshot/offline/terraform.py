"""Terraform plans (`terraform show -json PLAN`) to planned resources, with what is known only after apply left open.

HashiCorp: "JSON output format". A plan leaves out which resource another is about where its id is not known yet; the
configuration in the same file names it, and is followed for the attributes in `LINKS`, where it names one alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.offline.declared import Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Source

LINKS = frozenset(
    {
        *("alarm_actions", "arn", "bucket", "cloud_watch_logs_group_arn", "function_name", "group", "groups"),
        *("key_id", "kms_key_arn", "kms_key_id", "log_group_name", "permissions_boundary", "policy_arn"),
        *("queue_url", "referenced_security_group_id", "role", "roles", "s3_bucket_name", "secret_arn"),
        *("secret_id", "security_group_id", "source_security_group_id", "subnet_id", "target_bucket"),
        *("topic_arn", "user", "users", "vpc_id"),
    }
)
"""The attributes that say which other resource is meant."""

_AFTER_APPLY = Unresolved("known after apply")
_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')
_LITERAL_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')


@dataclass(frozen=True, slots=True)
class Link:
    """An attribute that is known after apply and, by the configuration, is another resource's `attribute`."""

    address: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned resource; open values are Unresolved, or a Link to the resource that they will come from.

    `configured` are the attributes and blocks that its configuration writes.
    """

    type: str
    address: str
    values: Mapping[str, object]
    source: str
    configured: frozenset[str] = frozenset()


def is_plan(source: Source) -> bool:
    """Whether the text looks like a plan that Terraform printed as JSON."""
    return '"planned_values"' in source.text or (
        '"terraform_version"' in source.text and '"resource_changes"' in source.text
    )


def planned(source: Source) -> list[Planned]:
    """The resources that will be there after apply. Errors: `InputError`, located."""
    try:
        content = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source.file}: not JSON: {str(error).lower()}") from error
    if not isinstance(content, dict) or not isinstance(content.get("planned_values"), dict):
        raise InputError(
            f"{source.file}: no `planned_values`; print the plan with `terraform show -json PLAN`"
        )
    unknown = {str(each.get("address")): _unknown(each) for each in _objects(content.get("resource_changes"))}
    found = list(_resources(content["planned_values"].get("root_module")))
    reading = _Reading([str(each.get("address")) for each in found], _written(content.get("configuration")))
    return [
        reading.planned(each, unknown.get(str(each.get("address"))), source.file or "")
        for each in found
        if each.get("mode") == "managed"
    ]


def _unknown(change: Mapping[str, object]) -> object:
    inner = change.get("change")
    return inner.get("after_unknown") if isinstance(inner, dict) else None


def _objects(value: object) -> Iterator[dict[str, object]]:
    yield from (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _resources(module: object) -> Iterator[dict[str, object]]:
    if isinstance(module, dict):
        yield from _objects(module.get("resources"))
        for child in _objects(module.get("child_modules")):
            yield from _resources(child)


def _with_open(values: object, unknown: object) -> dict[str, object]:
    """The values with Unresolved where Terraform says that they are known after apply."""
    found = _opened(values, unknown)
    return found if isinstance(found, dict) else {}


def _opened(value: object, unknown: object) -> object:
    if unknown is True:
        return _AFTER_APPLY
    if isinstance(unknown, dict) and unknown:
        known = value if isinstance(value, dict) else {}
        return {name: _opened(known.get(name), unknown.get(name)) for name in {**known, **unknown}}
    if isinstance(unknown, list) and any(unknown):
        known_items = value if isinstance(value, list) else []
        pairs = range(max(len(unknown), len(known_items)))
        return [_opened(_at(known_items, n), _at(unknown, n)) for n in pairs]
    return value


def _at(items: list[object], number: int) -> object:
    return items[number] if number < len(items) else None


Written = dict[str, dict[str, tuple[str, ...]]]
"""What each attribute that is written refers to, by the resource's address without indices."""


def _written(configuration: object) -> Written:
    found: Written = {}
    root = configuration.get("root_module") if isinstance(configuration, dict) else None
    _add_module(found, root, "")
    return found


def _add_module(found: Written, module: object, prefix: str) -> None:
    if not isinstance(module, dict):
        return
    for resource in _objects(module.get("resources")):
        expressions = resource.get("expressions")
        address = f"{prefix}{resource.get('type')}.{resource.get('name')}"
        found[address] = {
            str(name): tuple(f"{prefix}{each}" for each in _referred(expression))
            for name, expression in (expressions.items() if isinstance(expressions, dict) else ())
        }
    calls = module.get("module_calls")
    for name, call in calls.items() if isinstance(calls, dict) else ():
        if isinstance(call, dict):
            _add_module(found, call.get("module"), f"{prefix}module.{name}.")


def _referred(expression: object) -> Iterator[str]:
    given = expression.get("references") if isinstance(expression, dict) else None
    yield from (str(each) for each in given) if isinstance(given, list) else ()


class _Reading:
    """The addresses of a plan and what its configuration writes."""

    def __init__(self, addresses: list[str], written: Written) -> None:
        self._addresses, self._written = addresses, written

    def planned(self, given: Mapping[str, object], unknown: object, file: str) -> Planned:
        """The resource, open values marked, and links found."""
        address = str(given.get("address"))
        written = self._written.get(_plain(address), {})
        values = {
            name: self._linked(name, value, address, written)
            for name, value in _with_open(given.get("values") or {}, unknown).items()
        }
        return Planned(str(given.get("type")), address, values, f"{file} {address}", frozenset(written))

    def _linked(
        self, name: str, value: object, address: str, written: Mapping[str, tuple[str, ...]]
    ) -> object:
        """The value, or the one resource whose attribute it will be."""
        is_open = value is _AFTER_APPLY or (isinstance(value, list) and _AFTER_APPLY in value)
        if name not in LINKS or not is_open:
            return value
        links = {
            Link(target, reference.rpartition(".")[2])
            for reference in written.get(name, ())
            if (target := self._target(reference, address)) and _plain(reference) != _plain(target)
        }
        if len(links) != 1:
            return value
        link = links.pop()
        return [link] if isinstance(value, list) else link

    def _target(self, reference: str, address: str) -> str | None:
        """The planned resource that a reference names: of several instances that of its index, else of the same."""
        plain = _plain(reference)
        found = [each for each in self._addresses if f"{plain}.".startswith(f"{_plain(each)}.")]
        own = _LITERAL_INDEX.findall(reference) or _INDEX.findall(address)
        chosen = [each for each in found if own and _INDEX.findall(each) == own] if len(found) > 1 else found
        return chosen[0] if len(chosen) == 1 else None


def _plain(address: str) -> str:
    """An address without the indices of instances.

    >>> _plain('module.a["x"].aws_s3_bucket.b[0].id')
    'module.a.aws_s3_bucket.b.id'
    """
    return _INDEX.sub("", address)
