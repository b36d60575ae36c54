"""The ways past a Deny that holds off every stranger: whom it spares is not everybody, and may still be outside.

A Deny for whoever is not of an account, not from a network, not behind an endpoint, says by its condition who gets in
past it. AWS: IAM User Guide: "How IAM Access Analyzer findings work".
"""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_ranges import is_within
from clew.engine.conditions import Quantifier, read
from clew.reach.callers import of_strangers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.analyzer.exposure_cells import Cell
    from clew.policy.model import Condition, Principal, Statement

_CONTRARY: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
}
_MOST: Final = 32


def ways_past(denials: Iterable[Statement]) -> Iterator[tuple[Condition, ...]]:
    """The conditions of callers whom none of the denials is about that hold off strangers; none where there are none.

    Each Deny is escaped by not meeting one of its conditions; of very many ways the first are told.
    """
    choices = [tuple(map(_contrary, of_strangers(each))) for each in denials if of_strangers(each)]
    if choices:
        for chosen in islice(product(*choices), _MOST):
            yield tuple(dict.fromkeys(chosen))


def spared(denials: Iterable[Statement]) -> tuple[Principal, ...]:
    """The principals that denials for everybody else name."""
    found = (name for each in denials for name in each.not_principals or () if name.kind == "AWS")
    return tuple(dict.fromkeys(found))


def _contrary(line: Condition) -> Condition:
    """The condition that is met where this negated one is not."""
    qualified = read(line.operator)
    if qualified is None:
        return line
    some = Quantifier.ANY.value if qualified.quantifier is Quantifier.ALL else ""
    return line._replace(operator=f"{some}{_CONTRARY[qualified.operator.name]}")


def barred(denial: Statement, cell: Cell) -> Statement | None:
    """The Deny as it meets everybody in the cell: without what strangers meet; None where it is about none of them.

    What the cell's own conditions say of the same key is left to the engine.
    """
    kept: list[Condition] = []
    strangers = of_strangers(denial)
    for line in denial.conditions:
        told = _told(cell.conditions, line.key) if line in strangers else ()
        if any(_is_covered(each, line) for each in told):
            return None
        if line not in strangers or told or cell.account is not None:
            kept.append(line)
    return denial._replace(conditions=tuple(kept))


def _told(conditions: Sequence[Condition], key: str) -> tuple[Condition, ...]:
    """The conditions on the key that name its values."""
    return tuple(
        each
        for each in conditions
        if each.key.lower() == key.lower()
        and (found := read(each.operator)) is not None
        and found.operator.name in _CONTRARY.values()
        and not found.if_exists
        and found.quantifier is not Quantifier.ALL
    )


def _is_covered(told: Condition, negated: Condition) -> bool:
    """Whether all values that are told are among those that the negated condition spares."""
    within = negated._replace(operator="IpAddress")
    return set(told.values) <= set(negated.values) or is_within(told, within)
