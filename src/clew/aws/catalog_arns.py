"""Which resource types an ARN may name, by the ARN patterns of the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws import glob
from clew.aws.catalog_types import PLACEHOLDER, ResourceType, template_matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FIELDS: Final = 6
_SEPARATOR: Final = re.compile("[/:]")


@dataclass(frozen=True, slots=True)
class Shape:
    """One ARN pattern of one resource type, ready to be matched; `weight` counts its literal characters."""

    type: ResourceType
    fields: tuple[str, ...]
    fits: Callable[[str], bool]
    weight: int


def shapes(types: Iterable[ResourceType]) -> tuple[Shape, ...]:
    """Every pattern of the resource types, those that say most first."""
    found = [_shape(kind, pattern) for kind in types for pattern in kind.arns]
    return tuple(sorted(found, key=lambda shape: -shape.weight))


def fitting(shapes: Iterable[Shape], arn: str) -> tuple[ResourceType, ...]:
    """The resource types whose pattern the ARN fits, the most exact first; none when it is no ARN.

    A placeholder may stand for several parts between `/` or `:`, as the paths of roles and the names of log groups do;
    only one that is the whole resource, such as a bucket's name, stands for one part. What has more literal text is
    more exact: a table's index is an index before it is a table. Wildcards in the ARN's first fields fit anything; in
    its resource they are text.
    """
    fields = arn.split(":", _FIELDS - 1)
    if len(fields) != _FIELDS:
        return ()
    found = (s.type for s in shapes if _fields_fit(s.fields, fields) and s.fits(fields[-1]))
    return tuple(dict.fromkeys(found))


def _shape(kind: ResourceType, pattern: str) -> Shape:
    *fields, resource = pattern.split(":", _FIELDS - 1)
    # A field that must be empty says no more than one that a wildcard may fill.
    literal = len(PLACEHOLDER.sub("", resource)) + sum(bool(PLACEHOLDER.sub("", field)) for field in fields)
    return Shape(kind, tuple(fields), _matcher(resource), literal)


def _fields_fit(pattern: tuple[str, ...], fields: list[str]) -> bool:
    return all(_field_fits(template, field) for template, field in zip(pattern, fields, strict=False))


def _field_fits(template: str, field: str) -> bool:
    if PLACEHOLDER.search(template):
        return bool(field)
    return template == field or ("*" in field and glob.matches(field, template))


def _matcher(resource: str) -> Callable[[str], bool]:
    if PLACEHOLDER.fullmatch(resource):
        return lambda text: bool(text) and _SEPARATOR.search(text) is None
    return template_matcher(resource)
