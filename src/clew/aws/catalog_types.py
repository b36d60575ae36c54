"""What the catalogue says of a service, an action, a resource type and a condition key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from clew.aws import glob

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

LEVELS: Final = ("List", "Read", "Write", "Tagging", "Permissions management")
"""The access levels of an action (AWS: "Understanding access level summaries within policy summaries")."""

VALUE_TYPES: Final = ("String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary")
"""The types of a condition key's values (AWS: "IAM JSON policy elements: Condition operators")."""

# AWS writes the part that the caller chooses as `${TagKey}`, in a few S3 keys as `<key>`.
PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}|<[^>]*>")
# Of a few services' tags it writes `ResourceTag/tag-key`, or nothing behind the slash.
_ANY_TAG: Final = re.compile(r"(?<=tag/)(?:tag-key)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the facts come from; `updated` is the day on which its makers last read AWS's pages.

    `dependents` is the version of the same source, with its day, that the dependent actions come from.
    """

    name: str
    version: str
    updated: date
    licence: str
    dependents: str

    def age_days(self, today: date) -> int:
        """How many days before `today` AWS's pages were read."""
        return (today - self.updated).days

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.updated.isoformat()})"


@dataclass(frozen=True, slots=True)
class Service:
    """One service, by the prefix of its actions; `supports_rcp` says whether resource control policies reach it."""

    prefix: str
    name: str
    supports_rcp: bool


@dataclass(frozen=True, slots=True)
class ActionResource:
    """A resource type that an action takes.

    `required` is AWS's asterisk: the policy must name a resource of this type. Without any asterisk each type is one
    alternative. `condition_keys` and `dependent_actions` are those that this pairing adds to the action's own.
    """

    name: str
    required: bool
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One action as AWS's service authorization reference describes it.

    `condition_keys` are the keys of the action itself; `Catalog.condition_keys_of` adds those of its resource types.
    Global keys are named only where AWS's page of the service names them.
    """

    service: str
    name: str
    access_level: str
    resources: tuple[ActionResource, ...]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The name as policies write it, `s3:GetObject`."""
        return f"{self.service}:{self.name}"

    @property
    def is_wildcard_only(self) -> bool:
        """Whether the action has no resource type, so that only `*` names what it works on."""
        return not self.resources


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type of a service with every ARN pattern it has, such as `arn:${Partition}:s3:::${BucketName}`."""

    service: str
    name: str
    arns: tuple[str, ...]
    condition_keys: tuple[str, ...]


@dataclass(frozen=True)
class ConditionKey:
    """One condition key; `name` may hold a placeholder, as `aws:RequestTag/${TagKey}` does.

    `value_types` are some of `VALUE_TYPES`, nearly always one; `multivalued` keys are compared by `ForAllValues:`
    and `ForAnyValue:`; `is_global` keys belong to no single service (AWS: "AWS global condition context keys").
    """

    name: str
    value_types: tuple[str, ...]
    multivalued: bool
    is_global: bool

    @property
    def is_template(self) -> bool:
        """Whether part of the name is the caller's choice.

        >>> ConditionKey("aws:RequestTag/${TagKey}", ("String",), False, True).is_template
        True
        """
        return PLACEHOLDER.search(key_template(self.name)) is not None

    def matches(self, key: str) -> bool:
        """Whether the key is this one, without regard to case; a placeholder stands for at least one character.

        >>> tag = ConditionKey("aws:RequestTag/${TagKey}", ("String",), False, True)
        >>> tag.matches("AWS:requesttag/team"), tag.matches("aws:RequestTag/"), tag.matches("aws:RequestTag")
        (True, False, False)
        """
        return self._match(key.lower())

    @cached_property
    def _match(self) -> Callable[[str], bool]:
        return template_matcher(key_template(self.name).lower())


def key_template(name: str) -> str:
    """The name of a condition key with the placeholder of a tag that AWS's page leaves out or writes in words.

    >>> key_template("secretsmanager:ResourceTag/tag-key"), key_template("glacier:ResourceTag/")
    ('secretsmanager:ResourceTag/${TagKey}', 'glacier:ResourceTag/${TagKey}')
    """
    return _ANY_TAG.sub("${TagKey}", name)


def template_matcher(template: str) -> Callable[[str], bool]:
    """A function that says whether a text fits the template; a placeholder stands for one character or more.

    >>> fits = template_matcher("role/${RoleNameWithPath}")
    >>> fits("role/a/b"), fits("role/"), fits("role/${RoleNameWithPath}")
    (True, False, True)
    """
    if PLACEHOLDER.search(template) is None and "*" not in template:
        return template.__eq__
    return glob.matcher(PLACEHOLDER.sub("?*", template))
