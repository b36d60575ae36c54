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
_SEPARATOR: Final = re.compile("([/:])")


@dataclass(frozen=True, slots=True)
class Shape:
    """One ARN pattern of one resource type, ready to be matched; `weight` counts its literal characters."""

    type: ResourceType
    fields: tuple[str, ...]
    strict: Callable[[str], bool]
    loose: Callable[[str], bool]
    weight: int


def shapes(types: Iterable[ResourceType]) -> tuple[Shape, ...]:
    """Every pattern of the resource types, those that say most first."""
    found = [_shape(kind, pattern) for kind in types for pattern in kind.arns]
    return tuple(sorted(found, key=lambda shape: -shape.weight))


def fitting(shapes: Iterable[Shape], arn: str) -> tuple[ResourceType, ...]:
    """The resource types whose pattern the ARN fits, the most exact first; none when it is no ARN.

    A placeholder stands for one part between `/` or `:`, the last one after a type's name for all that follows. Only
    where nothing fits so, every placeholder may stand for several parts (log group names hold `/`). Wildcards in the
    ARN's first fields fit anything; in its resource they are text.
    """
    fields = arn.split(":", _FIELDS - 1)
    if len(fields) != _FIELDS:
        return ()
    near = [shape for shape in shapes if _fields_fit(shape.fields, fields)]
    found = [shape.type for shape in near if shape.strict(fields[-1])]
    return tuple(dict.fromkeys(found or (shape.type for shape in near if shape.loose(fields[-1]))))


def _shape(kind: ResourceType, pattern: str) -> Shape:
    *fields, resource = pattern.split(":", _FIELDS - 1)
    literal = len(PLACEHOLDER.sub("", resource)) + sum(1 for field in fields if not PLACEHOLDER.search(field))
    return Shape(kind, tuple(fields), _strict(resource), template_matcher(resource), literal)


def _fields_fit(pattern: tuple[str, ...], fields: list[str]) -> bool:
    return all(_field_fits(template, field) for template, field in zip(pattern, fields, strict=False))


def _field_fits(template: str, field: str) -> bool:
    if PLACEHOLDER.search(template):
        return bool(field)
    return template == field or ("*" in field and glob.matches(field, template))


def _strict(resource: str) -> Callable[[str], bool]:
    parts = _SEPARATOR.split(resource)
    open_end = len(parts) > 1 and bool(PLACEHOLDER.search(parts[-1]))
    matchers = [template_matcher(part) for part in parts]

    def match(text: str) -> bool:
        found = _SEPARATOR.split(text, maxsplit=len(parts) // 2 if open_end else 0)
        return len(found) == len(parts) and all(
            fits(part) for fits, part in zip(matchers, found, strict=True)
        )

    return match
