"""One service of the catalogue, decoded from its block; its values are made when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from clew.aws.catalog_arns import Shape, shapes
from clew.aws.catalog_types import LEVELS, Action, ActionResource, ConditionKey, ResourceType

if TYPE_CHECKING:
    from clew.aws.catalog_file import CatalogFile

# Condition keys and dependent actions repeat from row to row, so rows name a list by its place among the lists, and an
# action names its pairings with resource types by their places.
_ActionRow = tuple[str, int, list[int], int, int]
_TypeRow = tuple[str, list[str], int]
_KeyRow = tuple[str, str, bool]
_PairingRow = tuple[str, bool, int, int]
_Rows = tuple[list[_ActionRow], list[_TypeRow], list[_KeyRow], list[_PairingRow], list[list[str]]]


class ServiceBlock:
    """The actions, resource types and condition keys of one service."""

    def __init__(self, file: CatalogFile, prefix: str) -> None:
        """Decode the service's block of the file; CatalogError when it is damaged."""
        self.prefix = prefix
        self._file = file
        self._actions, self._types, self._keys, self._pairings, lists = cast(
            "_Rows", file.block(f"s/{prefix}")
        )
        self._lists = [tuple(names) for names in lists]
        self._by_name = {row[0].lower(): place for place, row in enumerate(self._actions)}
        self._made: dict[int, Action] = {}

    def action(self, name: str) -> Action | None:
        """The action of this name without the prefix, in any case."""
        place = self._by_name.get(name.lower())
        return None if place is None else self._action(place)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, in order of the names."""
        return tuple(self._action(place) for place in range(len(self._actions)))

    @cached_property
    def types(self) -> tuple[ResourceType, ...]:
        """Every resource type, in order of the names."""
        return tuple(
            ResourceType(self.prefix, name, tuple(arns), self._lists[keys])
            for name, arns, keys in self._types
        )

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The ARN patterns of the resource types, ready to be matched."""
        return shapes(self.types)

    @cached_property
    def keys(self) -> tuple[ConditionKey, ...]:
        """Every condition key that AWS's page of the service names, in order."""
        return tuple(
            ConditionKey(name, (value_type,), multivalued, name.lower().startswith("aws:"))
            for name, value_type, multivalued in self._keys
        )

    def key(self, name: str) -> ConditionKey | None:
        """The condition key of this lower-case name: the one spelled so, else the one whose template fits."""
        found = self._keys_by_name.get(name)
        return found or next((key for key in self._key_templates if key.matches(name)), None)

    def describe_action(self, name: str) -> str:
        """AWS's sentence about the action; empty for an action that is not here."""
        place = self._by_name.get(name.lower())
        return "" if place is None else self._texts[0][place]

    def describe_key(self, name: str) -> str:
        """AWS's sentence about the condition key as it is spelled in the catalogue; empty for one that is not here."""
        place = next((at for at, row in enumerate(self._keys) if row[0] == name), None)
        return "" if place is None else self._texts[1][place]

    @cached_property
    def _texts(self) -> tuple[list[str], list[str]]:
        return cast("tuple[list[str], list[str]]", self._file.block(f"t/{self.prefix}"))

    @cached_property
    def _keys_by_name(self) -> dict[str, ConditionKey]:
        return {key.name.lower(): key for key in self.keys}

    @cached_property
    def _key_templates(self) -> tuple[ConditionKey, ...]:
        # A service may name its tags in two ways; the one that says what it stands for is that of its actions.
        return tuple(
            sorted((key for key in self.keys if key.is_template), key=lambda key: "${" not in key.name)
        )

    def _action(self, place: int) -> Action:
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = self._make(self._actions[place])
        return found

    def _make(self, row: _ActionRow) -> Action:
        name, level, resources, keys, dependent = row
        return Action(
            self.prefix,
            name,
            LEVELS[level],
            tuple(self._resources[pairing] for pairing in resources),
            self._lists[keys],
            self._lists[dependent],
        )

    @cached_property
    def _resources(self) -> tuple[ActionResource, ...]:
        return tuple(
            ActionResource(name, required, self._lists[keys], self._lists[dependent])
            for name, required, keys, dependent in self._pairings
        )
