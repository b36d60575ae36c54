"""The catalogue of all of AWS: services, actions, resource types, condition keys; read lazily, look-ups without case.

`current()` is the catalogue that applies: the one that `use` named, else the built-in one.

>>> aws = current()
>>> aws.action("s3:getobject").full_name, aws.action("s3:getobject").access_level
('s3:GetObject', 'Read')
>>> [aws.is_wildcard_only(action) for action in ("s3:ListAllMyBuckets", "s3:GetObject", "s3:Nonsense")]
[True, False, False]
>>> aws.condition_key("AWS:requesttag/Team").name, aws.condition_key("aws:TagKeys").multivalued
('aws:RequestTag/${TagKey}', True)
>>> aws.resource_type_of("arn:aws:s3:::bucket/key").name
'object'
>>> aws.dependent_actions_of("ecs:RunTask")
('iam:PassRole',)
>>> aws.names(aws.mask("sts:AssumeRole*"))
('sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity')
>>> aws.nearest_action("s3:GetObjects"), aws.nearest_condition_key("aws:SourceIP4")
('s3:GetObject', 'aws:SourceIp')
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from clew.aws import catalog_arns, catalog_file
from clew.aws.catalog_choice import BUILT_IN, Choice, chosen, use
from clew.aws.catalog_file import CatalogError
from clew.aws.catalog_globals import GLOBAL_KEYS, global_key
from clew.aws.catalog_index import ActionIndex, ActionSet
from clew.aws.catalog_nearest import nearest
from clew.aws.catalog_service import ServiceBlock
from clew.aws.catalog_types import (
    Action,
    ActionResource,
    ConditionKey,
    ResourceType,
    Service,
    Source,
    key_template,
    template_matcher,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "BUILT_IN",
    "GLOBAL_KEYS",
    "Action",
    "ActionResource",
    "ActionSet",
    "Catalog",
    "CatalogError",
    "ConditionKey",
    "ResourceType",
    "Service",
    "Source",
    "current",
    "is_wildcard_only",
    "key_template",
    "use",
]

# Names that differ in the service only are alike in most letters.
_LOOSE: Final = 0.9
_ALIKE: Final = 0.75
_SERVICE_FIELD: Final = 2


class Catalog:
    """One catalogue; blocks of its file are decoded when a look-up first needs them, and kept."""

    def __init__(self, file: catalog_file.CatalogFile) -> None:
        """Answer from the given file."""
        self._file = file
        self._blocks: dict[str, ServiceBlock] = {}
        self._alone: dict[str, frozenset[str]] = {}

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """The catalogue at the path; CatalogError when there is none or it is damaged."""
        return cls(catalog_file.read(path))

    @property
    def path(self) -> Path:
        """The file of this catalogue."""
        return self._file.path

    @property
    def source(self) -> Source:
        """Where the facts come from, and of which day they are."""
        return self._file.source

    @property
    def counts(self) -> Mapping[str, int]:
        """How many `services`, `actions`, `resource_types` and `condition_keys` there are."""
        return self._file.counts

    # Services

    def services(self) -> tuple[Service, ...]:
        """Every service, in order of the prefixes."""
        return tuple(self._services.values())

    def service(self, prefix: str) -> Service | None:
        """The service whose actions have this prefix; None when it is not in the catalogue."""
        return self._services.get(prefix.lower())

    @cached_property
    def rcp_services(self) -> frozenset[str]:
        """The prefixes of the services that resource control policies reach.

        AWS: "Resource control policies (RCPs)", list of AWS services that support RCPs.
        """
        return frozenset(cast("list[str]", self._about["rcp"]))

    # Actions

    def action(self, name: str) -> Action | None:
        """The action of this full name (`s3:GetObject`); None when it is not in the catalogue."""
        prefix, _, rest = name.partition(":")
        block = self._block(prefix)
        return block.action(rest) if block is not None else None

    def actions(self, service: str) -> tuple[Action, ...]:
        """Every action of the service, in order; none for a service that is not in the catalogue."""
        block = self._block(service)
        return block.actions if block is not None else ()

    def describe(self, action: str) -> str:
        """AWS's sentence about the action; empty when it is not in the catalogue."""
        prefix, _, rest = action.partition(":")
        block = self._block(prefix)
        return block.describe_action(rest) if block is not None else ""

    def is_wildcard_only(self, action: str) -> bool:
        """Whether the catalogue says that the action has no resource type; False for an unknown action.

        Decodes one small block the first time (no service's own), then costs two look-ups.
        """
        prefix, _, name = action.lower().partition(":")
        alone = self._alone.get(prefix)
        if alone is None:
            words = self._alone_words.get(prefix)
            if words is None:
                return False
            alone = self._alone[prefix] = frozenset(words.split())
        return name in alone

    @cached_property
    def wildcard_only(self) -> int:
        """The set of the actions that have no resource type, as bits."""
        bits = (
            self.bit(f"{prefix}:{name}")
            for prefix, words in self._alone_words.items()
            for name in words.split()
        )
        return self.index.set_of(bit for bit in bits if bit is not None)

    # Sets of actions

    @cached_property
    def index(self) -> ActionIndex:
        """The order of all actions, in which each has its bit."""
        rows = cast("dict[str, str]", self._file.block("actions"))
        return ActionIndex.of(f"{prefix}:{name}" for prefix, names in rows.items() for name in names.split())

    def bit(self, action: str) -> int | None:
        """The bit of the action in every mask of this catalogue; None when it is not in the catalogue."""
        return self.index.bit(action)

    def mask(self, pattern: str) -> int:
        """The set of the actions that a policy's Action entry (`s3:Get*`, `*`) matches, as bits."""
        return self.index.mask(pattern)

    def names(self, mask: int) -> tuple[str, ...]:
        """The actions of a set, in order."""
        return self.index.names(mask)

    def actions_matching(self, *patterns: str) -> ActionSet:
        """The set of the actions that at least one of the patterns matches."""
        found = 0
        for pattern in patterns:
            found |= self.mask(pattern)
        return ActionSet(self.index, found)

    # Resource types

    def resource_types(self, service: str) -> tuple[ResourceType, ...]:
        """Every resource type of the service, in order; none for a service that is not in the catalogue."""
        block = self._block(service)
        return block.types if block is not None else ()

    def resource_type(self, service: str, name: str) -> ResourceType | None:
        """The resource type of this name; None when the service has none such."""
        wanted = name.lower()
        return next((kind for kind in self.resource_types(service) if kind.name.lower() == wanted), None)

    def resource_types_of(self, arn: str, service: str | None = None) -> tuple[ResourceType, ...]:
        """The resource types of the service that the ARN may name, the most exact first.

        `service` is the prefix of the action; without it, the service that the ARN itself names.
        """
        named = arn.split(":", _SERVICE_FIELD + 1)[_SERVICE_FIELD:]
        block = self._block(service or next(iter(named), ""))
        return catalog_arns.fitting(block.shapes, arn) if block is not None else ()

    def resource_type_of(self, arn: str, service: str | None = None) -> ResourceType | None:
        """The resource type that the ARN names most exactly; None when none of the service fits."""
        return next(iter(self.resource_types_of(arn, service)), None)

    # Condition keys

    def condition_keys(self, service: str) -> tuple[ConditionKey, ...]:
        """Every condition key that AWS's page of the service names, in order; `GLOBAL_KEYS` are the rest."""
        block = self._block(service)
        return block.keys if block is not None else ()

    def condition_key(self, key: str) -> ConditionKey | None:
        """The condition key: global or of the service in its prefix; templates are found by an instance of theirs.

        Keys of an OpenID Connect provider are known by its host name and the claims that AWS passes on. None for a key
        that the catalogue does not know.
        """
        lowered = key.lower()
        found = global_key(lowered)
        if found is not None:
            return found
        for service in self._services_of_key(lowered.partition(":")[0]):
            block = self._block(service)
            found = block.key(lowered) if block is not None else None
            if found is not None:
                return found
        return None

    def condition_keys_of(self, action: str) -> tuple[str, ...]:
        """The names of the keys that AWS lists for the action: its own and those of its resource types, in order."""
        found = self.action(action)
        if found is None:
            return ()
        kinds = {kind.name: kind for kind in self.resource_types(found.service)}
        names = [*found.condition_keys]
        for resource in found.resources:
            names += [*resource.condition_keys, *kinds[resource.name].condition_keys]
        return tuple(sorted(set(names), key=str.lower))

    def dependent_actions_of(self, action: str) -> tuple[str, ...]:
        """The further actions that the action may need, for itself or for one of its resource types, in order."""
        found = self.action(action)
        if found is None:
            return ()
        names = (found.dependent_actions, *(resource.dependent_actions for resource in found.resources))
        return tuple(sorted(set(chain.from_iterable(names)), key=str.lower))

    # Did you mean

    def nearest_service(self, prefix: str) -> str | None:
        """The prefix that is meant by another name of the service, or most like the given one; None if none is."""
        from clew.aws.spoken import prefix_meant  # a table that only a wrong name costs

        known = prefix_meant(prefix) if self.service(prefix) is None else None
        return known if known is not None else nearest(prefix, self._services)

    def nearest_action(self, name: str) -> str | None:
        """The full action name most like the given one; None when none is near.

        The service is corrected first, then the action within it: a name of the service's API, or a spelling; then one
        service that has just this name, then a likeness, last a service that is spelled alike.
        """
        from clew.aws.spoken import actions_meant  # as above

        prefix, _, rest = name.partition(":")
        service = self.nearest_service(prefix) or ""
        meant = actions_meant(service, rest)
        if meant:
            return meant[0] if len(meant) == 1 else None
        names = [action.name for action in self.actions(service)]
        elsewhere = self.names(self.mask(f"*:{rest}")) if rest.isalnum() else ()
        for likeness in (_LOOSE, _ALIKE):
            near = nearest(rest, names, likeness=likeness)
            if near is not None:
                return f"{service}:{near}"
            if len(elsewhere) == 1:
                return elsewhere[0]
        return nearest(f"{prefix}:{rest}", elsewhere, likeness=_LOOSE) if elsewhere else None

    def nearest_condition_key(self, key: str) -> str | None:
        """The condition key most like the given one, among the global ones and those of the nearest service."""
        own = self.condition_keys(self.nearest_service(key.partition(":")[0]) or "")
        return nearest(key, (known.name for known in (*GLOBAL_KEYS, *own)))

    @cached_property
    def _about(self) -> dict[str, object]:
        return cast("dict[str, object]", self._file.block("services"))

    @cached_property
    def _services(self) -> dict[str, Service]:
        names = cast("dict[str, str]", self._about["names"])
        return {prefix: Service(prefix, name, prefix in self.rcp_services) for prefix, name in names.items()}

    @cached_property
    def _alone_words(self) -> dict[str, str]:
        return cast("dict[str, str]", self._file.block("wildcard"))

    def _block(self, prefix: str) -> ServiceBlock | None:
        name = prefix.lower()
        found = self._blocks.get(name)
        if found is None and f"s/{name}" in self._file:
            found = self._blocks[name] = ServiceBlock(self._file, name)
        return found

    def _services_of_key(self, prefix: str) -> Iterator[str]:
        yield prefix
        for known, services in cast("dict[str, list[str]]", self._about["key_prefixes"]).items():
            if template_matcher(known)(prefix):
                yield from services


def current() -> Catalog:
    """The catalogue that applies in this process; CatalogError when its file is missing or damaged."""
    return _open(chosen())


def is_wildcard_only(action: str) -> bool:
    """Whether the catalogue that applies says that the action has no resource type; False for an unknown action."""
    return current().is_wildcard_only(action)


@lru_cache(maxsize=4)
def _open(choice: Choice) -> Catalog:
    named = Catalog.open(choice.path)
    if not choice.unless_older:
        return named
    built_in = Catalog.open(BUILT_IN)
    return built_in if built_in.source.updated > named.source.updated else named
