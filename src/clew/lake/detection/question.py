"""What detections ask of the lake; this module loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.events.predicate_tree import Node, Path


@dataclass(frozen=True, slots=True)
class Least:
    """What answers must hold to matter to anybody: so many events of one key within a span, so many different values.

    Units: the span is in microseconds.
    """

    events: float = 0
    values: float = 0
    span_us: int = 0


_ANY = Least()


@dataclass(frozen=True, slots=True)
class Question:
    """A predicate by number; its answers are the rows of `marks` with that number.

    Shape: `key` groups the answers (by actor and account when None, all together when empty), `value` is what is
    counted, or summed where it is an `amount`. A path that begins with `clew` names a derived fact of one field.
    `serves` are questions without whose answers its own matter to nobody; nor do they where nothing reaches `least`.
    """

    number: int
    tree: Node
    key: tuple[Path, ...] | None = None
    value: tuple[Path, ...] = ()
    amount: bool = False
    serves: tuple[int, ...] = ()
    least: Least = _ANY


@dataclass(frozen=True, slots=True)
class FactOfFields:
    """A derived fact that depends on these fields of a record and on nothing else."""

    function: Callable[[Mapping[str, object]], object]
    fields: tuple[Path, ...]
