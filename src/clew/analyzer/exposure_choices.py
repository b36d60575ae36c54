"""What every caller can choose about a request, so that a Deny about it keeps nobody out: its encryption on the way.

AWS: IAM User Guide: "How IAM Access Analyzer findings work": only keys that callers cannot influence are considered.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.engine.conditions import Quantifier, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.analyzer.exposure_cells import Cell
    from clew.engine.request import ContextValue
    from clew.policy.model import Condition, Statement

# For each key, in lower case, what a caller chooses who wants to get in, and the condition of a Deny that it escapes.
_CHOICES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"aws:securetransport": ("true", "Bool"), "s3:tlsversion": ("1.3", "NumericLessThan")}
)


def chosen(denials: Iterable[Statement], cell: Cell) -> dict[str, ContextValue]:
    """The keys of which a caller's choice escapes every Deny about them, each with the value; not those of the cell."""
    told = {condition.key.lower() for condition in cell.conditions}
    found: dict[str, ContextValue] = {}
    lines = [line for each in denials if not each.allows for line in each.conditions]
    for key, (value, operator) in _CHOICES.items():
        mine = [line for line in lines if line.key.lower() == key]
        if mine and key not in told and all(_is_escaped(line, value, operator) for line in mine):
            found[key] = value
    return found


def _is_escaped(line: Condition, value: str, operator: str) -> bool:
    """Whether the condition is of the operator, and not met by the value."""
    qualified = read(line.operator)
    if (
        qualified is None
        or qualified.operator.name != operator
        or qualified.quantifier is not Quantifier.PLAIN
    ):
        return False
    return all(
        _is_less(each, value) if operator.startswith("Numeric") else each.lower() == "false"
        for each in line.values
    )


def _is_less(written: str, value: str) -> bool:
    try:
        return float(written) <= float(value)
    except ValueError:
        return False
