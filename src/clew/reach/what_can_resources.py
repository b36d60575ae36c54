"""The resources that a principal's allowing statements name, with the policy variables filled in that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.engine.conditions.resolve import resolve
from clew.engine.request import UNKNOWN
from clew.policy.variables import VERSION, Literal, Variable, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Context, Policies
    from clew.policy.variables import Piece


@dataclass(frozen=True, slots=True)
class Named:
    """The resources, as they are to be shown and asked, and the context in which they are asked.

    A variable whose value nobody knows stays as it is written. Where no condition looks at its key, it is asked as if
    that were its value: the answer is then the same for every value.
    """

    resources: frozenset[str]
    context: Context


def named(policies: Policies, context: Context) -> Named:
    """The resources of the identity's allowing statements, and `*`; those that can match nothing are left out."""
    texts = tuple(_written(policies))
    keys = {
        piece.key
        for _, cut in texts
        for piece in cut
        if isinstance(piece, Variable) and _is_open(piece, context)
    }
    free = {key: f"${{{key}}}" for key in keys if key.lower() not in _looked_at(policies)}
    found = {
        text if cut == (text,) else "".join(_shown(piece, context) for piece in cut)
        for text, cut in texts
        if resolve(cut, context) is not None
    }
    return Named(frozenset({"*", *found}), context.with_values(free))


def _written(policies: Policies) -> Iterator[tuple[str, tuple[Piece, ...]]]:
    """Each resource as written, and cut at its variables."""
    for policy in policies.identity:
        for statement in policy.statements:
            for text in statement.resources or () if statement.allows else ():
                yield text, pieces(text) if policy.version == VERSION else (text,)


def _looked_at(policies: Policies) -> frozenset[str]:
    """The keys, in lower case, that conditions of any policy look at."""
    levels = (policies.identity, policies.boundaries, policies.session, *policies.scps)
    return frozenset(
        line.key.lower()
        for level in levels
        for policy in level
        for statement in policy.statements
        for line in statement.conditions
    )


def _is_open(variable: Variable, context: Context) -> bool:
    return context.get(variable.key.lower()) is UNKNOWN


def _shown(piece: Piece, context: Context) -> str:
    if isinstance(piece, Variable):
        value = resolve((piece,), context)
        return value[0][0] if isinstance(value, list) else f"${{{piece.key}}}"
    return piece.text if isinstance(piece, Literal) else piece
