"""Checks of the values of conditions against the types of their operators and keys."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from clew.policy.lint import curated
from clew.policy.lint.registry import Told, of_line
from clew.policy.model import shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.policy.lint.subject import Clause, Line, Subject
    from clew.policy.words import Word

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# W3C: "Date and Time Formats", a profile of ISO 8601; a space in place of `T` is AWS's own addition.
_DATE: Final = re.compile(
    r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:\.[0-9]+)?)?(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?)?)?)?"
)
_BASIC_DATE: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z?")
_EPOCH: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# The families of operators that suit each type of key, the recommended one first.
_FAMILIES: Final = {
    "String": ("String",),
    "ARN": ("Arn", "String"),
    "Bool": ("Bool",),
    "Numeric": ("Numeric",),
    "Date": ("Date",),
    "IPAddress": ("Ip",),
    "Binary": ("Binary",),
}
_TAGS: Final = curated.REQUEST_TAGS | {curated.RESOURCE_TAG, "aws:principaltag"}
_WORDS: Final = {"Ip": "IP address", "Arn": "ARN", "Bool": "Boolean"}


def _literals(line: Line) -> tuple[Word, ...]:
    """The values that hold no variable."""
    return tuple(word for word in line.values if not has_variables(word.text))


@of_line("INVALID_CONDITION_DATA_TYPE")
def mixed_types(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """Values of one key that are of different JSON types."""
    kinds = {word.node.kind for word in line.values}
    if len(kinds) > 1:
        named = " and ".join(sorted(kinds))
        yield Told(f"the values of `{line.written}` are of different JSON types: {named}", (line.place,))


@of_line("INVALID_CONDITION_MULTIPLE_BOOLEAN")
def several_booleans(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """Several values where one Boolean is asked for."""
    if line.family == "Bool" and not line.operator.qualifier and len(line.values) > 1:
        yield Told(f"`{line.written}` is compared with {len(line.values)} Booleans; keep one", (line.place,))


@of_line("TYPE_MISMATCH")
def operator_for_another_type(line: Line, _: Clause, subject: Subject) -> Iterator[Told]:
    """An operator that is not for the type of the key."""
    known = subject.key(line.key)
    if known is None or not line.family:
        return
    if known.value_types == ("String",) and not line.key.startswith("aws:"):
        # Services' pages call keys texts that their guides compare as numbers, dates or ARNs.
        return
    wanted = [family for kind in known.value_types for family in _FAMILIES[kind]]
    if line.base in _TAGS:
        # Tags may hold ARNs, as AWS's own policies compare them.
        wanted.append("Arn")
    if line.family not in wanted:
        word = _WORDS.get(wanted[0], wanted[0])
        message = (
            f"`{line.written}` is compared by `{line.operator_written}`; use an operator for {word} values"
        )
        yield Told(message, (line.name,))


def _fault(line: Line, families: set[str], is_right: re.Pattern[str], what: str) -> Iterator[Told]:
    for word in _literals(line) if line.family in families else ():
        if is_right.fullmatch(word.text) is None:
            yield Told(
                f"`{shown(word.text)}` is no {what}, which `{line.operator_written}` compares", (word,)
            )


@of_line("TYPE_MISMATCH_BOOLEAN")
def no_boolean(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value other than true and false for Bool and Null."""
    for word in _literals(line) if line.family == "Bool" or line.operator.name == "Null" else ():
        if word.text.lower() not in {"true", "false"}:
            message = f"`{shown(word.text)}` is no Boolean; `{line.operator_written}` takes `true` or `false`"
            yield Told(message, (word,))


@of_line("TYPE_MISMATCH_NUMBER")
def no_number(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is no number for a numeric operator."""
    return _fault(line, {"Numeric"}, _NUMBER, "number")


def is_date(text: str) -> bool:
    """Whether the text is a date as AWS takes it; seconds since 1970 are told apart.

    >>> is_date("2026-11-29"), is_date("2026-11-29T08:00:00Z"), is_date("29.11.2026"), is_date("2026-13-01")
    (True, True, False, False)
    """
    return bool(_DATE.fullmatch(text) or _BASIC_DATE.fullmatch(text))


@of_line("TYPE_MISMATCH_DATE")
def no_date(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is no date for a date operator."""
    for word in _literals(line) if line.family == "Date" else ():
        if not is_date(word.text) and _EPOCH.fullmatch(word.text) is None:
            yield Told(
                f"`{shown(word.text)}` is no date; write it as `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`",
                (word,),
            )


@of_line("INVALID_DATE_VALUE")
def epoch(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A date as a bare number."""
    for word in _literals(line) if line.family == "Date" else ():
        if _EPOCH.fullmatch(word.text):
            yield Told(
                f"`{shown(word.text)}` may not mean the time it seems to; write it as `YYYY-MM-DD`", (word,)
            )


@of_line("TYPE_MISMATCH_STRING")
def no_base64(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """A value that is no base64 for BinaryEquals."""
    for word in _literals(line) if line.family == "Binary" else ():
        try:
            base64.b64decode(word.text, validate=True)
        except (binascii.Error, ValueError):
            yield Told(
                f"`{shown(word.text)}` is no base64, which `{line.operator_written}` compares", (word,)
            )


_BOUNDS: Final = {
    "NumericLessThan": max,
    "NumericLessThanEquals": max,
    "NumericGreaterThan": min,
    "NumericGreaterThanEquals": min,
}


@of_line("REDUNDANT_CONDITION_VALUE_NUM")
def covered_number(line: Line, _: Clause, __: Subject) -> Iterator[Told]:
    """Several bounds of which one suffices."""
    bound = _BOUNDS.get(line.operator.name)
    numbers = [word for word in _literals(line) if _NUMBER.fullmatch(word.text)]
    if bound is None or len(numbers) <= 1 or len(numbers) < len(line.values):
        return
    kept = bound(numbers, key=lambda word: float(word.text))
    others = tuple(word for word in numbers if word is not kept)
    named = ", ".join(f"`{shown(word.text)}`" for word in others)
    yield Told(f"{named} of `{line.written}` add nothing beside `{shown(kept.text)}`", (line.place, *others))
