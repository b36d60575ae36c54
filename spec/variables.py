"""Policy variables: `${key}`, `${key, 'default'}`, and the three escapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from spec.context import Context, Missing
from spec.patterns import Pattern, written

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = re.compile(r"\$\{(?:(?P<escape>[*?$])|(?P<key>[^{}$,'*?]+)(?:, '(?P<default>[^'{}]*)')?)\}")

MULTIVALUED = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)
"""The global keys whose value type is "Multivalued" in "AWS global condition context keys", in lower case."""


class Unfilled(Enum):
    """Why a text with variables has no value."""

    UNRESOLVABLE = "unresolvable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Piece:
    """A stretch of text: as the policy writes it, or put in for a variable (then all of it is literal)."""

    text: str
    literal: bool = False


@dataclass(frozen=True)
class Filled:
    """A text of a policy after its variables were filled in."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The plain text, for operators that know no wildcards."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def pattern(self) -> Pattern:
        """The pattern: wildcards are only those that the policy wrote (rules 33 and 34)."""
        return tuple(
            token for piece in self.pieces for token in (piece.text if piece.literal else written(piece.text))
        )


def fill(text: str, context: Context) -> Filled | Unfilled:
    """Rules 33 and 34: put the value of each key in place of its variable.

    IAM user guide, "IAM policy elements: Variables and tags", sections "Policy variables with no value",
    "Specifying default values" and "Special characters". 0007 Q20, Q21.
    """
    pieces = list(_pieces(text, context))
    if Unfilled.UNRESOLVABLE in pieces:
        return Unfilled.UNRESOLVABLE
    if Unfilled.UNKNOWN in pieces:
        return Unfilled.UNKNOWN
    return Filled(tuple(piece for piece in pieces if isinstance(piece, Piece)))


def as_written(text: str) -> Filled:
    """Rule 31: without Version 2012-10-17 a variable is literal text, like any other.

    IAM user guide, "IAM JSON policy elements: Version".
    """
    return Filled((Piece(text),))


def fill_resource(text: str, context: Context) -> Filled | Unfilled:
    """Rule 32: in a Resource element variables stand only after the fifth colon.

    IAM user guide, "IAM policy elements: Variables and tags", section "Where you can use policy variables".
    """
    head, tail = split_after_fifth_colon(text)
    filled = fill(tail, context)
    return filled if isinstance(filled, Unfilled) else Filled((Piece(head), *filled.pieces))


def split_after_fifth_colon(text: str) -> tuple[str, str]:
    """The text up to and with its fifth colon, and the rest; colons of a variable's name do not count."""
    colons = [place for place, letter in enumerate(_veiled(text)) if letter == ":"]
    cut = colons[4] + 1 if len(colons) > 4 else len(text)  # noqa: PLR2004 - the fifth colon
    return text[:cut], text[cut:]


def count_colons(text: str) -> int:
    """How many colons the text holds outside variables."""
    return _veiled(text).count(":")


def _veiled(text: str) -> str:
    """The text with variables blotted out, letter by letter."""
    return VARIABLE.sub(lambda found: "_" * len(found.group()), text)


def _pieces(text: str, context: Context) -> Iterator[Piece | Unfilled]:
    place = 0
    for found in VARIABLE.finditer(text):
        yield Piece(text[place : found.start()])
        yield _value(found, context)
        place = found.end()
    yield Piece(text[place:])


def _value(found: re.Match[str], context: Context) -> Piece | Unfilled:
    """What one variable stands for; a key of several values cannot stand in one.

    IAM user guide, "Single-valued vs. multivalued context keys", section "Key points". 0007 Q21.
    """
    if found["escape"]:
        return Piece(found["escape"], literal=True)
    if found["key"].lower() in MULTIVALUED:
        return Unfilled.UNRESOLVABLE
    value = context.lookup(found["key"])
    if value is Missing.UNKNOWN:
        return Unfilled.UNKNOWN
    if value is Missing.ABSENT:
        value = () if found["default"] is None else found["default"]
    values = (value,) if isinstance(value, str) else value
    return Piece(values[0], literal=True) if len(values) == 1 else Unfilled.UNRESOLVABLE
