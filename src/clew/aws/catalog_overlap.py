"""Whether a policy's Resource entry may match some resource of a type: do an ARN pattern and a template overlap?

Both sides are patterns, so neither can be matched against the other. Instead every place in the template that a
beginning of the entry can lead to is kept as a bit: one operation for each character of the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clew.aws.catalog_types import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Final = 6
_NOT_IN_FIELD: Final = ":"
_NOT_IN_WHOLE_RESOURCE: Final = ":/"


@dataclass(frozen=True, slots=True)
class Template:
    """An ARN pattern of the catalogue as sets of places: where each literal stands, and where the placeholders do.

    A placeholder is one place that takes one character or more; `refusing` says which of them do not take a separator.
    """

    literals: Mapping[str, int]
    placeholders: int
    refusing: Mapping[str, int]
    end: int

    def meets(self, entry: str) -> bool:
        """Whether some ARN fits both the template and the entry of a policy (`*`, `?`; a policy variable is any text).

        >>> objects = template("arn:${Partition}:s3:::${BucketName}/${ObjectName}")
        >>> [objects.meets(e) for e in ("*", "arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::b/*", "arn:aws:sqs:*")]
        [True, False, True, True, False]
        """
        everywhere = (self.end << 1) - 1
        places = 1
        for char in PLACEHOLDER.sub("*", entry):
            if char == "*":
                # Whatever stands from the first place on may be what the star stands for.
                places = everywhere & -(places & -places)
            else:
                free = self.placeholders if char == "?" else self.placeholders & ~self.refusing.get(char, 0)
                fixed = everywhere & ~self.placeholders if char == "?" else self.literals.get(char, 0)
                places = (((places & (fixed | free)) << 1) | (places & free)) & everywhere
            if not places:
                return False
        return bool(places & self.end)


def template(pattern: str) -> Template:
    """The template of an ARN pattern such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`."""
    literals: dict[str, int] = {}
    refusing: dict[str, int] = {}
    placeholders = 0
    place = 1
    whole = PLACEHOLDER.fullmatch(pattern.split(":", _FIELDS - 1)[-1]) is not None
    for literal, is_placeholder, is_field in _parts(pattern):
        if is_placeholder:
            placeholders |= place
            for separator in _NOT_IN_FIELD if is_field else _NOT_IN_WHOLE_RESOURCE if whole else "":
                refusing[separator] = refusing.get(separator, 0) | place
            place <<= 1
        for char in literal:
            literals[char] = literals.get(char, 0) | place
            place <<= 1
    return Template(literals, placeholders, refusing, place)


def _parts(pattern: str) -> list[tuple[str, bool, bool]]:
    """The pattern in pieces: literal text, whether it is a placeholder instead, whether before the resource."""
    found: list[tuple[str, bool, bool]] = []
    start = 0
    for placeholder in PLACEHOLDER.finditer(pattern):
        found.append((pattern[start : placeholder.start()], False, True))
        found.append(("", True, pattern.count(":", 0, placeholder.start()) < _FIELDS - 1))
        start = placeholder.end()
    return [*found, (pattern[start:], False, True)]
