"""AWS Config's own files to configuration items.

Read are configuration snapshots and history files (delivered to S3), answers of `aws configservice
get-resource-config-history`, change notifications (alone, or inside SNS's or EventBridge's envelope), and exports of
advanced queries. AWS Config developer guide: "Components of a configuration item", "Example configuration snapshot from
AWS Config", "Example configuration item change notifications", "Querying the current configuration state".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from clew.errors import InputError
from clew.snapshot.items import CONFIG, Item, Key, Relationship, Status
from clew.snapshot.json_diff import ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.model import Source

_STATUSES = MappingProxyType(
    {
        "OK": Status.CHANGED,
        "ResourceDiscovered": Status.DISCOVERED,
        "ResourceDeleted": Status.DELETED,
        "ResourceDeletedNotRecorded": Status.DELETED,
        "ResourceNotRecorded": Status.NOT_RECORDED,
    }
)
_ENVELOPES = 3


def is_config(source: Source) -> bool:
    """Whether the file holds configuration items of AWS Config."""
    try:
        return any(True for _ in _found(json.loads(source.text), _ENVELOPES))
    except (ValueError, RecursionError):
        return False


def items(source: Source) -> tuple[Item, ...]:
    """Every item in the file, in its order. Errors: `InputError`, located."""
    try:
        content = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source.file}: not JSON: {str(error).lower()}") from error
    found = list(_found(content, _ENVELOPES))
    if not found and not _is_empty(content):
        raise InputError(
            f"{source.file}: no configuration items; expected what AWS Config delivers, notifies or answers"
        )
    return tuple(
        _item(given, f"{source.file}: item {number}", source.file)
        for number, given in enumerate(found, start=1)
    )


def _is_empty(content: object) -> bool:
    return isinstance(content, dict) and any(content.get(name) == [] for name in _LISTS)


def _found(content: object, envelopes: int) -> Iterator[Mapping[str, object]]:
    """The items in what AWS Config writes, out of SNS's and EventBridge's envelopes, rows of queries decoded."""
    if isinstance(content, str) and envelopes and content.lstrip().startswith("{"):
        yield from _found(json.loads(content), envelopes - 1)
    elif isinstance(content, list):
        for each in content:
            yield from _found(each, envelopes)
    elif isinstance(content, dict):
        yield from _in_object(content, envelopes)


def _in_object(content: Mapping[str, object], envelopes: int) -> Iterator[Mapping[str, object]]:
    single = next((content[name] for name in _SINGLE if content.get(name)), None)
    if single is not None:
        # AWS's own example of a notification holds a list here.
        yield from (
            each for each in (single if isinstance(single, list) else [single]) if isinstance(each, dict)
        )
    elif "resourceType" in content and "resourceId" in content and "messageType" not in content:
        yield content
    elif envelopes:
        for name in (*_LISTS, *_ENVELOPE):
            yield from _found(content.get(name), envelopes - (name in _ENVELOPE))


_SINGLE = ("configurationItem", "configurationItemSummary")
_LISTS = ("configurationItems", "Results")
_ENVELOPE = ("Message", "detail", "body")


def _item(given: Mapping[str, object], place: str, file: str) -> Item:
    said = str(given.get("configurationItemStatus") or "OK")
    status = _STATUSES.get(said)
    if status is None:
        raise InputError(f"{place}: unknown status `{said[:80]}`; expected {', '.join(_STATUSES)}")
    account = str(given.get("awsAccountId") or given.get("accountId") or "")
    region, type_, identity = (
        str(given.get(name) or "") for name in ("awsRegion", "resourceType", "resourceId")
    )
    key = Key(account, region, type_, identity, CONFIG)
    if not (key.account and key.type and key.id):
        raise InputError(
            f"{place}: expected `resourceType`, `resourceId` and `awsAccountId` (or `accountId`)"
        )
    gone = status in {Status.DELETED, Status.NOT_RECORDED}
    configuration = None if gone else _decoded(given.get("configuration"))
    return Item(
        key=key,
        captured_at=_time(given.get("configurationItemCaptureTime"), place),
        status=status,
        arn=str(given.get("ARN") or given.get("arn") or ""),
        name=str(given.get("resourceName") or ""),
        configuration=configuration if isinstance(configuration, dict) else None,
        supplements={} if gone else _supplements(given.get("supplementaryConfiguration")),
        relationships=() if gone else tuple(_relationships(given.get("relationships"))),
        tags={} if gone else _tags(given.get("tags")),
        unknown=() if gone or isinstance(configuration, dict) else ("configuration",),
        events=_events(given.get("relatedEvents")),
        created_at=str(given.get("resourceCreationTime") or ""),
        source=file,
    )


def _time(given: object, place: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(given))
    except ValueError:
        raise InputError(
            f"{place}: no `configurationItemCaptureTime` that is a time; select that column in the query"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _decoded(value: object) -> object:
    """The value, JSON text in it read: the API writes as text what the files write as objects."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _decoded(json.loads(value))
        except (ValueError, RecursionError):
            return value
    if isinstance(value, dict):
        return {name: _decoded(part) for name, part in value.items()}
    return ordered([_decoded(part) for part in value]) if isinstance(value, list) else value


def _supplements(given: object) -> dict[str, object]:
    decoded = _decoded(given)
    return dict(decoded) if isinstance(decoded, dict) else {}


def _relationships(given: object) -> Iterator[Relationship]:
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict):
            name = each.get("name") or each.get("relationshipName")
            identity = each.get("resourceId") or each.get("resourceName")
            yield Relationship(str(name or ""), str(each.get("resourceType") or ""), str(identity or ""))


def _tags(given: object) -> dict[str, str]:
    """Tags by key: an object in files, a list of pairs in the answers to queries."""
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    pairs = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return {
        str(pair.get("key") or pair.get("Key")): str(pair.get("value") or pair.get("Value") or "")
        for pair in pairs
    }


def _events(given: object) -> tuple[str, ...]:
    return tuple(str(each) for each in given) if isinstance(given, list) else ()
