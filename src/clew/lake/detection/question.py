"""What detections ask of the lake; this module loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.events.predicate_tree import Node, Path


@dataclass(frozen=True, slots=True)
class Question:
    """A predicate by number; its answers are the rows of `marks` with that number.

    Shape: `key` groups the answers (by actor and account when None, all together when empty), `value` is what is
    counted, or summed where it is an `amount`. A path that begins with `clew` names a derived fact of one field.
    `serves` are questions without whose answers its own matter to nobody; nor do they where there are fewer than
    `least_events` in all, or fewer than `least_values` different values.
    """

    number: int
    tree: Node
    key: tuple[Path, ...] | None = None
    value: tuple[Path, ...] = ()
    amount: bool = False
    serves: tuple[int, ...] = ()
    least_events: float = 0
    least_values: float = 0


@dataclass(frozen=True, slots=True)
class FactOfFields:
    """A derived fact that depends on these fields of a record and on nothing else."""

    function: Callable[[Mapping[str, object]], object]
    fields: tuple[Path, ...]
