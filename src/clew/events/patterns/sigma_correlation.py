"""The `correlation:` section of a Sigma document: counts, distinct counts, sequences, first-seen and rate."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Final, get_args

from clew.events.patterns.sigma_detection import field_path, read_detection
from clew.events.patterns.sigma_model import About, Condition, CorrelationType, CountOp, SigmaCorrelation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.events.patterns.located_yaml import Located
    from clew.events.patterns.sigma_model import Place
    from clew.events.predicate_tree import Path

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 30 * 86_400, "y": 365 * 86_400}
_EVERY = frozenset({"type", "rules", "group-by", "aliases", "generate"})
KEYS: Final[Mapping[str, frozenset[str]]] = {
    **{
        kind: _EVERY | {"timespan", "condition"}
        for kind in get_args(CorrelationType)
        if kind not in {"first_seen", "rate"}
    },
    "first_seen": _EVERY | {"field", "baseline", "scope"},
    "rate": _EVERY | {"timespan", "baseline", "ratio", "minimum"},
}
_NEEDED: Final = {"first_seen": ("field", "baseline"), "rate": ("timespan", "baseline", "ratio", "minimum")}
_TEMPORAL = frozenset({"temporal", "temporal_ordered"})


def read_correlation(section: Located, about: About, place: Place, *, generate: bool) -> SigmaCorrelation:
    """The correlation that a document describes.

    Errors: RuleError with place for whatever is malformed or not supported.
    """
    reader = _Reader(section, place)
    kind = reader.kind()
    baseline, ratio, minimum = reader.span("baseline"), reader.number("ratio"), reader.number("minimum")
    return SigmaCorrelation(
        **{item.name: getattr(about, item.name) for item in fields(About)},
        type=kind,
        rules=reader.names("rules"),
        group_by=tuple(field_path(name) for name in reader.names("group-by")),
        timespan=reader.span("timespan"),
        condition=reader.condition(kind),
        aliases=reader.aliases(),
        generate=generate or reader.flag("generate"),
        fields_seen=tuple(field_path(name) for name in reader.names("field")),
        baseline=baseline,
        scope=read_detection(reader.parts["scope"], place) if "scope" in reader.parts else None,
        ratio=ratio,
        minimum=int(minimum or 0),
    )


def read_timespan(text: object) -> timedelta | None:
    """The length of `15m` and the like, None when it is none; a month (`M`) is 30 days, a year (`y`) 365.

    >>> read_timespan("15m")
    datetime.timedelta(seconds=900)
    """
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhdwMy])", text) if isinstance(text, str) else None
    return timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else None


@dataclass(slots=True)
class _Reader:
    """One correlation section, read key by key."""

    section: Located
    place: Place

    @property
    def parts(self) -> Mapping[str, Located]:
        if self.section.mapping is None:
            raise self.place.error(self.section.line, "`correlation` must be a mapping")
        return self.section.mapping

    def kind(self) -> CorrelationType:
        """The type, once every key is known to belong to it and none that it needs is missing."""
        piece = self.parts.get("type")
        names: tuple[CorrelationType, ...] = get_args(CorrelationType)
        kind = next((name for name in names if piece and piece.scalar == name), None)
        if kind is None:
            found = (
                f"unsupported correlation type `{piece.scalar}`"
                if piece
                else "the correlation's `type` is missing"
            )
            raise self.place.error(piece.line if piece else self.section.line, found)
        for key, value in self.parts.items():
            if key not in KEYS[kind]:
                raise self.place.error(
                    value.key_line, f"unsupported key `{key}` in a correlation of type `{kind}`"
                )
        needed = _NEEDED.get(kind, ("timespan",) if kind in _TEMPORAL else ("timespan", "condition"))
        missing = [key for key in ("rules", *needed) if key not in self.parts]
        if missing:
            raise self.place.error(self.section.line, f"a correlation of type `{kind}` needs `{missing[0]}`")
        return kind

    def names(self, key: str) -> tuple[str, ...]:
        piece = self.parts.get(key)
        if piece is None:
            return ()
        found = [item.scalar for item in piece.many]
        if not found or not all(isinstance(name, str) and name for name in found):
            raise self.place.error(piece.key_line, f"`{key}` must be a list of names")
        return tuple(str(name) for name in found)

    def span(self, key: str) -> timedelta | None:
        piece = self.parts.get(key)
        if piece is None:
            return None
        found = read_timespan(piece.scalar)
        if found is None:
            message = (
                f"`{key}` must be a number and one of s m h d w M y, such as 15m, found `{piece.scalar}`"
            )
            raise self.place.error(piece.line, message)
        return found

    def number(self, key: str) -> float | None:
        piece = self.parts.get(key)
        if piece is None:
            return None
        return self._number(key, piece)

    def _number(self, key: str, piece: Located) -> float:
        value = piece.scalar
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.place.error(piece.line, f"`{key}` must be a number, found `{value}`")
        return value

    def flag(self, key: str) -> bool:
        piece = self.parts.get(key)
        if piece is not None and not isinstance(piece.scalar, bool):
            raise self.place.error(piece.line, f"`{key}` must be true or false, found `{piece.scalar}`")
        return piece is not None and piece.scalar is True

    def condition(self, kind: str) -> Condition | None:
        piece = self.parts.get("condition")
        if piece is None:
            return None
        given = piece.mapping
        if given is None:
            raise self.place.error(
                piece.line, "a correlation's `condition` must be a mapping such as `gte: 10`"
            )
        ops = [op for op in get_args(CountOp) if op in given]
        unknown = sorted(set(given) - set(ops) - {"field", "percentile"})
        if len(ops) != 1 or unknown:
            found = (
                f"unsupported key `{unknown[0]}`"
                if unknown
                else "exactly one of gt, gte, lt, lte, eq, neq is needed"
            )
            raise self.place.error(piece.line, f"the correlation's condition: {found}")
        paths = self._fields(given, kind, piece)
        percentile = self._number("percentile", given["percentile"]) if "percentile" in given else None
        return Condition(ops[0], self._number(ops[0], given[ops[0]]), paths, percentile)

    def _fields(self, given: Mapping[str, Located], kind: str, piece: Located) -> tuple[Path, ...]:
        names = [str(item.scalar) for item in given["field"].many] if "field" in given else []
        if kind.startswith("value_") != bool(names):
            wanted = "needs a `field`" if kind.startswith("value_") else "takes no `field`"
            raise self.place.error(piece.line, f"the condition of a correlation of type `{kind}` {wanted}")
        return tuple(field_path(name) for name in names)

    def aliases(self) -> dict[str, dict[str, Path]]:
        piece = self.parts.get("aliases")
        if piece is None:
            return {}
        found: dict[str, dict[str, Path]] = {}
        for alias, places in (piece.mapping or {}).items():
            if places.mapping is None:
                raise self.place.error(places.line, f"the alias `{alias}` must name a field for each rule")
            found[alias] = {rule: field_path(str(name.scalar)) for rule, name in places.mapping.items()}
        return found
