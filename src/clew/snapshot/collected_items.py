"""Recorded answers of `clew collect` to configuration items: one of each resource that the answers list.

Types, ids and the names of supplements are AWS Config's, so that both name a resource alike. AWS: "Supported
resource types for AWS Config". What changes by itself (counts, times of last use, states of alarms) is left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clew.aws.partitions import region_of_bucket
from clew.snapshot.answers import GLOBAL, Answer, Status
from clew.snapshot.history import Scope
from clew.snapshot.item_kinds import KINDS, Kind
from clew.snapshot.items import Item, Key, Relationship
from clew.snapshot.items import Status as ItemStatus
from clew.snapshot.json_diff import ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.snapshot.answers import Answers
    from clew.snapshot.item_kinds import Supplement

_RELATED = "is associated with"
_AWS_ID = re.compile(r"[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_DOCUMENT_ENDS = ("Policy", "policyText", "PolicyDocument", "Document", "AssumeRolePolicyDocument")
_BUCKET_MEMBERS = frozenset({"S3BucketName", "TargetBucket", "s3BucketName"})


@dataclass(frozen=True, slots=True)
class Unread:
    """A list of resources of a type that nobody could read, and the answer that says so."""

    type: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Look:
    """What a snapshot shows: its items, what it covered and could not read, and when the last of its answers came."""

    items: tuple[Item, ...]
    scopes: tuple[Scope, ...]
    unread: tuple[Unread, ...]
    time: datetime


@dataclass(slots=True)
class _Seen:
    items: list[Item] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def look(answers: Answers, source: str = "") -> Look:
    """Everything that the answers tell of resources; nothing is concluded from a refused list."""
    seen = _Seen()
    for kind in KINDS:
        for answer in answers.each(kind.service, kind.operation):
            _add(seen, kind, answer, answers, source)
    times = [time for answer in answers if (time := _time(answer.collected_at))]
    items = _related(seen.items)
    latest = max(times, default=datetime.fromtimestamp(0, UTC))
    return Look(tuple(items), tuple(seen.scopes), tuple(seen.unread), latest)


def _add(seen: _Seen, kind: Kind, answer: Answer, answers: Answers, source: str) -> None:
    time = _time(answer.collected_at)
    if not answer.status.is_known or time is None:
        seen.unread.append(Unread(kind.type, answer))
        return
    call = answer.call
    if not call.parameters or kind.complete:
        seen.scopes.append(Scope(call.account, None if call.region == GLOBAL else call.region, kind.type))
    for given in _listed(answer.body or {}, kind.path):
        item = _item(kind, answer, given, answers)
        if item is not None:
            seen.items.append(replace(item, captured_at=time, source=source))


def _listed(body: object, path: tuple[str, ...]) -> Iterator[Mapping[str, object]]:
    """The objects at the end of the path, every list on the way unfolded; texts become `{"@": text}`."""
    if isinstance(body, list):
        for each in body:
            yield from _listed(each, path)
    elif path and isinstance(body, dict):
        yield from _listed(body.get(path[0]), path[1:])
    elif not path and isinstance(body, dict):
        yield body
    elif not path and isinstance(body, str):
        yield {"@": body}


def _item(kind: Kind, answer: Answer, given: Mapping[str, object], answers: Answers) -> Item | None:
    call = answer.call
    identity = kind.identity(str(given.get(kind.id) or given.get(kind.arn) or ""))
    home = str(given.get(kind.home) or call.region)
    if not identity or (kind.home and home != call.region):
        return None
    supplements, unknown = _supplements(kind, answer, given, answers)
    region = _region(kind, answer, identity, answers)
    partition = _partition(answers, call.account)
    arn = str(given.get(kind.arn) or "")
    if "{" in kind.arn:
        arn = kind.arn.format(partition=partition, region=region, account=call.account, id=identity)
    return Item(
        key=Key(call.account, region, kind.type, identity),
        captured_at=datetime.fromtimestamp(0, UTC),
        status=ItemStatus.CHANGED,
        arn=arn,
        name=str(given.get(kind.name) or "") if kind.name else "",
        configuration=_configuration(given, kind.volatile),
        supplements=supplements,
        tags=_tags(given),
        unknown=unknown,
        created_at=str(next((given[name] for name in _CREATED if given.get(name)), "")),
    )


def _supplements(
    kind: Kind, answer: Answer, given: Mapping[str, object], answers: Answers
) -> tuple[dict[str, object], tuple[str, ...]]:
    """What further answers say of the resource, and the names of those that nobody could read."""
    found = {each.name: (_supplement(each, answer, given, answers), each) for each in kind.supplements}
    known = {name: _part(said, wanted) for name, (said, wanted) in found.items() if said.status.is_known}
    return known, tuple(name for name in found if name not in known)


_CREATED = ("CreationDate", "CreateDate", "CreatedDate", "CreateTime", "LaunchTime", "InstanceCreateTime")


def _configuration(given: Mapping[str, object], volatile: frozenset[str]) -> dict[str, object]:
    kept = {name: value for name, value in given.items() if name not in volatile}
    found = ordered(_decoded(kept))
    return found if isinstance(found, dict) else {}


def _decoded(value: object, name: str = "") -> object:
    """The value with policy documents in it as JSON: their text may differ where they do not."""
    if isinstance(value, dict):
        return {key: _decoded(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if isinstance(value, str) and name.endswith(_DOCUMENT_ENDS):
        try:
            return json.loads(unquote(value) if value.startswith("%7B") else value)
        except (ValueError, RecursionError):
            return value
    return value


def _supplement(wanted: Supplement, answer: Answer, given: Mapping[str, object], answers: Answers) -> Answer:
    call = answer.call
    parameters = {
        name: call.account if member == "{account}" else str(given.get(member, member))
        for name, member in wanted.parameters
    }
    return answers.get(
        call.account, call.region, wanted.service or call.service, wanted.operation, **parameters
    )


def _part(answer: Answer, wanted: Supplement) -> object:
    """The part of the answer that is configuration; None where AWS said that there is none."""
    if answer.body is None:
        return None
    body = {name: value for name, value in answer.body.items() if name not in wanted.volatile}
    chosen = {name: body.get(name) for name in wanted.members} if wanted.members else body
    value: object = chosen
    if len(wanted.members) == 1:
        value = chosen[wanted.members[0]]
    return ordered(_decoded(value, wanted.members[0] if len(wanted.members) == 1 else ""))


def _region(kind: Kind, answer: Answer, identity: str, answers: Answers) -> str:
    call = answer.call
    if kind.type != "AWS::S3::Bucket":
        return call.region
    located = answers.get(call.account, call.region, "s3", "GetBucketLocation", Bucket=identity)
    if located.status is not Status.OK:
        return GLOBAL
    return region_of_bucket((located.body or {}).get("LocationConstraint"))


def _partition(answers: Answers, account: str) -> str:
    body = answers.get(account, GLOBAL, "sts", "GetCallerIdentity").body or {}
    return str(body.get("Arn", "arn:aws:")).split(":")[1]


def _tags(given: Mapping[str, object]) -> dict[str, str]:
    listed = given.get("Tags") or given.get("TagSet") or given.get("TagList") or ()
    pairs = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each["Key"]): str(each.get("Value", "")) for each in pairs if "Key" in each}


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _related(items: list[Item]) -> Iterator[Item]:
    """The items with the relationships that their configuration shows: ids of AWS, ARNs, buckets by name."""
    known = {name: item.key for item in items for name in (item.arn, item.key.id) if name}
    for item in items:
        parts = (item.configuration, *item.supplements.values())
        mentioned = {text for part in parts for text in _mentions(part)}
        found = {
            Relationship(_RELATED, known[text].type, known[text].id)
            if text in known
            else Relationship(_RELATED, "", text)
            for text in mentioned
            if text in known or _AWS_ID.fullmatch(text)
        }
        itself = Relationship(_RELATED, item.key.type, item.key.id)
        yield replace(item, relationships=tuple(sorted(found - {itself})))


def _mentions(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _mentions(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _mentions(part, name)
    elif isinstance(value, str) and (
        _AWS_ID.fullmatch(value) or value.startswith("arn:") or name in _BUCKET_MEMBERS
    ):
        yield value
