"""The fewest exposures that say the same: equal ones joined, and those left out that a more general one says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_actions import LEVELS
from clew.analyzer.exposure_ranges import is_range, is_within, united

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.analyzer.exposure_model import Exposure
    from clew.policy.model import Condition

_ARN_COLONS: Final = 5


def merged(exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """The exposures of one resource, as few as say it all."""
    joined: dict[tuple[object, ...], Exposure] = {}
    for each in exposures:
        key = (each.kind, each.principal, each.conditions, each.through, each.about, each.is_public)
        before = joined.get(key)
        joined[key] = each if before is None else _joined(before, each)
    found = list(_with_ranges_united(joined.values()))
    return tuple(
        each for each in found if not any(_says(other, each) for other in found if other is not each)
    )


def _joined(one: Exposure, other: Exposure) -> Exposure:
    names = tuple(sorted({*one.actions, *other.actions}))
    said = {*one.levels, *other.levels}
    ordered = tuple(level for level in LEVELS.values() if level in said)
    proofs = tuple(dict.fromkeys((*one.proofs, *other.proofs)))
    return replace(one, actions=names, levels=ordered, may=one.may and other.may, proofs=proofs)


def _with_ranges_united(exposures: Iterable[Exposure]) -> Iterator[Exposure]:
    """Those that differ in nothing but the addresses they are for, as one for all these addresses."""
    groups: dict[tuple[object, ...], list[Exposure]] = {}
    for each in exposures:
        ranges = [line for line in each.conditions if is_range(line)]
        others = tuple(line for line in each.conditions if not is_range(line))
        key: tuple[object, ...] = (each.conditions,)
        if len(ranges) == 1:
            key = (ranges[0].key.lower(), others)
        groups.setdefault(
            (each.kind, each.principal, each.actions, each.through, each.about, key), []
        ).append(each)
    yield from map(_united, groups.values())


def _united(group: list[Exposure]) -> Exposure:
    if len(group) == 1:
        return group[0]
    first = group[0]
    ranges = united([line for each in group for line in each.conditions if is_range(line)])
    conditions = tuple(ranges if is_range(line) else line for line in first.conditions)
    proofs = tuple(dict.fromkeys(proof for each in group for proof in each.proofs))
    return replace(
        first,
        conditions=conditions,
        is_public=any(each.is_public for each in group),
        may=all(each.may for each in group),
        proofs=proofs,
    )


def _says(general: Exposure, special: Exposure) -> bool:
    """Whether the first says all that the second does, and more principals or fewer conditions."""
    if not set(special.actions) <= set(general.actions) or general.through is not special.through:
        return False
    if general.about != special.about or (general.may and not special.may):
        return False
    if not all(_is_said(line, special.conditions) for line in general.conditions):
        return False
    if (general.kind, general.principal) == (special.kind, special.principal):
        return general.conditions != special.conditions
    is_anyone = general.principal == "*" and special.kind in {"*", "AWS"}
    account = special.principal.split(":")[4] if special.principal.count(":") >= _ARN_COLONS else ""
    is_account = bool(account) and general.principal in {account, f"arn:aws:iam::{account}:root"}
    return is_anyone or is_account


def _is_said(condition: Condition, narrower: Iterable[Condition]) -> bool:
    """Whether one of the other conditions is the same, or holds only where this one does."""
    return any(each == condition or is_within(each, condition) for each in narrower)
