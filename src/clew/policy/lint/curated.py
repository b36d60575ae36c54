"""What the checks know beyond the catalogue of actions, read from `data/keys.toml`; condition keys in lower case."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clew.aws.catalog_globals import SENSITIVE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILE: Final[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "data" / "keys.toml").read_text(encoding="utf-8")
)


def _keys(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


SENSITIVE: Final = SENSITIVE_KEYS
"""Keys that no wildcard or variable may open, not even in part."""

GUARDING: Final = _keys(_FILE["guarding"]["keys"])
"""Keys that say who calls, in which a wildcard wants six characters before it."""

BUILT_IN_PROVIDERS: Final = frozenset(_FILE["built_in_providers"]["names"])
"""Identity providers whose tokens AWS knows without a provider of the account; prefixes of their keys."""

GUARDING_CLAIMS: Final = frozenset(_FILE["guarding"]["claims"])
"""Claims of OpenID Connect tokens of which the same is asked."""

UNTRUSTWORTHY: Final = _keys(_FILE["untrustworthy"]["keys"])
"""Keys whose values the caller chooses."""

PAIRED: Final[dict[str, tuple[str, ...]]] = {
    key.lower(): tuple(others) for key, others in _FILE["paired"]["keys"].items()
}
"""Keys that say little unless one of others, written as AWS writes them, stands beside them."""

CALL_SOURCES: Final = _keys(_FILE["service_calls"]["sources"])
"""Keys that name the source of a service principal's call."""

CALL_SUBSTITUTES: Final = _keys(_FILE["service_calls"]["substitutes"])
"""Keys that are used in place of those."""

NEVER_OF_SERVICES: Final = _keys(_FILE["service_calls"]["never_carried"])
"""Keys that the calls of service principals do not carry."""

TAGGED_SERVICES: Final = frozenset(_FILE["service_calls"]["tagged"])
"""Service principals whose calls carry tags of a principal."""

SERVICE_VALUES: Final = _keys(_FILE["service_principal_values"]["plain"])
"""Keys whose values are service principals."""

REGIONAL_SERVICE_VALUES: Final = _keys(_FILE["service_principal_values"]["regional"])
"""Keys whose values are service principals with a Region."""

KMS_KEYS: Final = _keys(_FILE["kms_keys"]["keys"])
"""Keys whose values are ARNs of KMS keys."""

REGION_KEYS: Final = _keys(_FILE["regions"]["keys"])
"""Keys whose values are Regions."""

SET_BY: Final = {action: _keys(keys) for action, keys in _FILE["set_by"].items() if action != "source"}
"""For an action, the keys that can only be set where it is allowed."""

DOCUMENTED: Final = {
    action.lower(): _keys(keys) for action, keys in _FILE["documented"].items() if action != "source"
}
"""For an action in lower case, keys that its requests carry beyond those that the catalogue lists."""

JUDGED_BY_ACTION: Final = frozenset(_FILE["judged_by_action"]["services"])
"""Services whose keys Access Analyzer holds against the listed actions."""

PRESENT_ALWAYS: Final = _keys(_FILE["always_present"]["any"])
"""Keys that every request carries."""

PRESENT_WHEN_SIGNED: Final = _keys(_FILE["always_present"]["signed"])
"""Keys that every request carries that is not anonymous."""

RESOURCE_TAG: Final[str] = _FILE["tags"]["resource"].lower()
"""The key of a resource's tags, without the tag."""

REQUEST_TAGS: Final = _keys(_FILE["tags"]["request"])
"""The keys of the tags of a request."""

TAG_SERVICES: Final = frozenset(_FILE["tags"]["services"])
"""Services whose tag keys are those of the services behind them."""

RCP_PRINCIPAL: Final = _keys([*_FILE["rcp"]["principal"], *_FILE["rcp"]["network"]])
"""Keys of principals and their networks, which calls of service principals do not carry or carry otherwise."""

RCP_SOURCES: Final = _keys(_FILE["rcp"]["source_of_call"])
"""Keys that only calls of service principals carry."""

OWNER_KEYS: Final = _keys(_FILE["endpoint_owner"]["keys"])
"""Keys that say who owns the VPC endpoint of a request."""


def services_with_owner(key: str) -> frozenset[str]:
    """The prefixes of the services that supply a key of `OWNER_KEYS`.

    >>> "s3" in services_with_owner("aws:vpceaccount"), "sqs" in services_with_owner("aws:vpceaccount")
    (True, False)
    """
    further = {name.lower(): words for name, words in _FILE["endpoint_owner"]["further"].items()}
    return frozenset([*_FILE["endpoint_owner"]["services"].split(), *further.get(key, "").split()])


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """What the policy of a resource of one type may speak of."""

    name: str
    actions: frozenset[str]
    arns: tuple[str, ...]
    size: int
    irrelevant: frozenset[str]
    is_resource_optional: bool


RESOURCE_TYPES: Final = {
    name: ResourceKind(
        name,
        frozenset(row["actions"]),
        tuple(row["arns"]),
        row["size"],
        _keys(row.get("irrelevant", ())),
        row.get("resource") == "optional",
    )
    for name, row in _FILE["resource_types"].items()
    if name != "source"
}
"""The resource types whose policies have rules of their own, by their CloudFormation names."""
