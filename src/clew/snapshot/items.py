"""Configuration items: what one resource was like at one moment, in the shape of AWS Config's.

AWS: "Components of a configuration item", AWS Config developer guide. Items come from successive snapshots of
`clew collect` or from AWS Config's own files. Both name a resource alike, but each writes configuration in its own way:
what one recorder says is compared only with what the same recorder said before.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.snapshot.json_diff import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

OWN = "clew:"
"""How members begin that Clew adds to what AWS says, such as the file and line of a template."""

COLLECT = "collect"
CONFIG = "config"


class Status(StrEnum):
    """What an item says of its resource.

    `discovered`: recorded for the first time. `not_recorded`: AWS Config no longer records the type.
    """

    DISCOVERED = "discovered"
    CHANGED = "changed"
    DELETED = "deleted"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What makes two items comparable: one resource, seen by one recorder.

    Shape: `region` is `global` for IAM's resources. `recorder` is `collect` (Clew) or `config` (AWS Config).
    """

    account: str
    region: str
    type: str
    id: str
    recorder: str = COLLECT


@dataclass(frozen=True, slots=True, order=True)
class Relationship:
    """A resource that another is related to; `type` and `id` are empty where only the other is known."""

    name: str
    type: str
    id: str


@dataclass(frozen=True)
class Item:
    """One configuration item.

    Units: `captured_at` is UTC. Shape: `configuration` is None for a deleted resource; `supplements` are the answers to
    further questions about it, such as `BucketPolicy`; `unknown` names the parts that nobody could read. `events` are
    ids of CloudTrail events that AWS Config itself names as causes. `source` is the file that said it.
    """

    key: Key
    captured_at: datetime
    status: Status
    arn: str = ""
    name: str = ""
    configuration: Mapping[str, object] | None = field(default=None, repr=False)
    supplements: Mapping[str, object] = field(default_factory=dict, repr=False)
    relationships: tuple[Relationship, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    created_at: str = ""
    source: str = field(default="", compare=False)

    @property
    def content(self) -> dict[str, object]:
        """What is compared between two items of a resource; the parts that are unknown are missing."""
        return {
            "configuration": without_own(self.configuration),
            **{name: without_own(value) for name, value in self.supplements.items()},
            "relationships": [f"{each.name}: {each.type} {each.id}" for each in self.relationships],
            "tags": dict(self.tags),
        }

    @property
    def hash(self) -> str:
        """The identity of the item: equal for the same content of the same resource at the same moment."""
        parts = (
            *(self.key.account, self.key.region, self.key.type, self.key.id, self.key.recorder),
            *(self.captured_at.isoformat(), self.status.value, canonical(self.content)),
            ",".join(sorted(self.unknown)),
        )
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def label(self) -> str:
        """The ARN, else the type and the id."""
        return self.arn or f"{self.key.type} {self.key.id}"

    def is_named(self, text: str) -> bool:
        """Whether the text is the ARN, the id or the name of the resource."""
        return text in {self.arn, self.key.id, self.name} - {""}


def without_own(value: object) -> object:
    """The value without the members that Clew added."""
    if isinstance(value, dict):
        return {name: without_own(part) for name, part in value.items() if not name.startswith(OWN)}
    if isinstance(value, list):
        return [without_own(part) for part in value]
    return value


def aws_form(item: Item) -> dict[str, object]:
    """The item as AWS Config's files write it; Clew's own members come last."""
    return {
        "configurationItemCaptureTime": item.captured_at.isoformat().replace("+00:00", "Z"),
        "configurationItemStatus": item.status.value,
        "awsAccountId": item.key.account,
        "awsRegion": item.key.region,
        "resourceType": item.key.type,
        "resourceId": item.key.id,
        "resourceName": item.name,
        "ARN": item.arn,
        "resourceCreationTime": item.created_at,
        "configuration": item.configuration,
        "supplementaryConfiguration": dict(item.supplements),
        "relationships": [
            {"name": each.name, "resourceType": each.type, "resourceId": each.id}
            for each in item.relationships
        ],
        "tags": dict(item.tags),
        "relatedEvents": list(item.events),
        "unknown": list(item.unknown),
        "recorder": item.key.recorder,
        "source": item.source,
    }


def row(item: Item) -> dict[str, object]:
    """The item as a row of the lake's table `config_items`; times are epoch microseconds, open parts JSON text."""
    return {
        "item_id": item.hash,
        "capturetime": int(item.captured_at.timestamp() * 1_000_000),
        "status": item.status.value,
        "accountid": item.key.account,
        "awsregion": item.key.region,
        "resourcetype": item.key.type,
        "resourceid": item.key.id,
        "recorder": item.key.recorder,
        "resourcename": item.name,
        "arn": item.arn,
        "resourcecreationtime": item.created_at,
        "configuration": None if item.configuration is None else json.dumps(item.configuration),
        "supplementaryconfiguration": json.dumps(dict(item.supplements)),
        "relationships": json.dumps([[each.name, each.type, each.id] for each in item.relationships]),
        "tags": json.dumps(dict(item.tags)),
        "relatedevents": json.dumps(item.events),
        "unknown": json.dumps(item.unknown),
        "path": item.source,
    }


def of_row(given: Mapping[str, object], captured_at: datetime) -> Item:
    """The item of a row that `row` made."""
    decoded = {name: json.loads(str(given[name])) for name in _JSON if given[name] is not None}
    return Item(
        key=Key(*(str(given[name]) for name in _KEY)),
        captured_at=captured_at,
        status=Status(str(given["status"])),
        arn=str(given["arn"]),
        name=str(given["resourcename"]),
        configuration=decoded.get("configuration"),
        supplements=decoded.get("supplementaryconfiguration", {}),
        relationships=tuple(Relationship(*each) for each in decoded.get("relationships", ())),
        tags=decoded.get("tags", {}),
        unknown=tuple(decoded.get("unknown", ())),
        events=tuple(decoded.get("relatedevents", ())),
        created_at=str(given["resourcecreationtime"] or ""),
        source=str(given["path"] or ""),
    )


_KEY = ("accountid", "awsregion", "resourcetype", "resourceid", "recorder")
_JSON = (
    "configuration",
    "supplementaryconfiguration",
    "relationships",
    "tags",
    "relatedevents",
    "unknown",
)
