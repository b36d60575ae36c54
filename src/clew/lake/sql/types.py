"""Trino's types as values: enough of them to know what an expression means, `UNKNOWN` where nothing is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Type:
    """A type by Trino's name.

    `items` are the element of an array, key and value of a map, or the fields of a row, which `names` names.
    `scale` is the scale of a decimal and the precision of a timestamp's fraction. `text_column` names the column that
    holds a view's map as JSON text: looking up one key there is several times faster than making the map.
    """

    name: str
    items: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    scale: int = 0
    text_column: str = ""

    def field(self, name: str) -> Type | None:
        """The type of the row's field of that name in any case; None when there is none."""
        lowered = [n.lower() for n in self.names]
        return self.items[lowered.index(name.lower())] if name.lower() in lowered else None

    def __str__(self) -> str:
        if self.name == "row":
            parts = (f"{n} {t}" for n, t in zip(self.names, self.items, strict=True))
            return f"row({', '.join(parts)})"
        return f"{self.name}({', '.join(map(str, self.items))})" if self.items else self.name


UNKNOWN = Type("unknown")
VARCHAR = Type("varchar")
BIGINT = Type("bigint")
DOUBLE = Type("double")
BOOLEAN = Type("boolean")
DATE = Type("date")
TIMESTAMP = Type("timestamp", scale=3)
INSTANT = Type("timestamp with time zone", scale=3)
# A time with a zone other than UTC: DuckDB holds its local clock reading, so it can be formatted but not compared.
# `names` holds the zone.
_ZONED = "timestamp in a zone"
# A time that a view stores as ISO 8601 text within a row: it is read where it is used.
TIME_TEXT = Type("timestamp", scale=3, text_column="text")
INTERVAL = Type("interval")
JSON = Type("json")
VARBINARY = Type("varbinary")
ADDRESS = Type("ipaddress")

_NUMERIC = frozenset({"bigint", "double", "decimal"})
_TIMES = frozenset({"date", "timestamp", "timestamp with time zone"})
_TOKEN = re.compile(r"\w+|[(),]")


def decimal(scale: int) -> Type:
    """A decimal with so many digits after the point."""
    return Type("decimal", scale=scale)


def array(item: Type) -> Type:
    """An array of that type."""
    return Type("array", (item,))


def mapping(key: Type, value: Type) -> Type:
    """A map from one type to another."""
    return Type("map", (key, value))


def zoned(zone: str) -> Type:
    """A time as clocks in that zone read it."""
    return Type(_ZONED, names=(zone,), scale=3)


def is_zoned(type_: Type) -> bool:
    """Whether the type is a clock reading in a zone other than UTC."""
    return type_.name == _ZONED


def mixes_zones(types: Iterable[Type]) -> bool:
    """Whether a clock reading of one zone would stand beside times of another, or of none."""
    known = [t for t in types if t != UNKNOWN]
    return any(is_zoned(t) for t in known) and len({t.names if is_zoned(t) else () for t in known}) > 1


def holds_zone(type_: Type) -> bool:
    """Whether a clock reading of another zone lies within an array, map or row."""
    return any(is_zoned(item) or holds_zone(item) for item in type_.items)


def row(**fields: Type) -> Type:
    """A row with named fields."""
    return Type("row", tuple(fields.values()), tuple(fields))


def is_numeric(type_: Type) -> bool:
    """Whether arithmetic is defined on the type."""
    return type_.name in _NUMERIC


def is_time(type_: Type) -> bool:
    """Whether the type is a date or a point in time."""
    return type_.name in _TIMES


def comparable(left: Type, right: Type) -> bool:
    """Whether Trino compares the two types; unknown ones are given the benefit of the doubt."""
    if "unknown" in {left.name, right.name} or left.name == right.name:
        return not (is_zoned(left) or is_zoned(right))
    return (is_numeric(left) and is_numeric(right)) or (is_time(left) and is_time(right))


def common(types: Iterator[Type]) -> Type:
    """The type that holds values of all of them; unknown where that is not plain."""
    known = [t for t in types if t != UNKNOWN]
    if not known:
        return UNKNOWN
    if all(t.name == known[0].name for t in known):
        return max(known, key=lambda t: t.scale)
    if all(is_numeric(t) for t in known):
        return DOUBLE if DOUBLE in known else max(known, key=lambda t: t.scale)
    return INSTANT if all(is_time(t) for t in known) and INSTANT in known else UNKNOWN


def parse(text: str) -> Type:
    """The type that the text spells; nothing but our own tables is read so.

    >>> str(parse("array(row(arn varchar, n bigint))"))
    'array(row(arn varchar, n bigint))'
    """
    tokens = _TOKEN.findall(text)
    return _parse(tokens)


def _parse(tokens: list[str]) -> Type:
    name = tokens.pop(0)
    if name == "instant":
        return INSTANT
    if name == "timetext":
        return TIME_TEXT
    if not tokens or tokens[0] != "(":
        return TIMESTAMP if name == "timestamp" else Type(name)
    items, names = [], []
    while tokens.pop(0) in {"(", ","}:
        if name == "row":
            names.append(tokens.pop(0))
        items.append(_parse(tokens))
    return Type(name, tuple(items), tuple(names))
