"""Requests in which action and resource go together, as the catalogue says; AWS's own checks do not ask for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.aws.catalog_types import PLACEHOLDER
from clew.symbolic.search import Is, any_of
from clew.symbolic.space import ACTION, RESOURCE
from clew.symbolic.texts import KnownActions, Texts, equal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.policy.model import Policy
    from clew.symbolic.search import Formula
    from clew.symbolic.space import Space


def typed(policies: Sequence[Policy], space: Space) -> Formula:
    """The requests for actions that the policies may allow, each on a resource of a type that it works on.

    Actions without a resource type are asked for `*`. Actions that the catalogue does not know are left out.
    """
    wanted = _wanted(policies)
    parts: list[Formula] = []
    for arns, mask in _groups(wanted):
        resources = space.globs(arns) if arns else Texts([equal("*")])
        actions = space.literal(ACTION, KnownActions(space.index, mask))
        parts.append(Is((actions, space.literal(RESOURCE, resources))))
    return any_of(parts)


def _wanted(policies: Sequence[Policy]) -> int:
    known = catalog.current()
    mask = 0
    for policy in policies:
        for statement in policy.statements:
            if statement.allows and statement.not_actions is not None:
                return known.index.everything
            for pattern in statement.actions or () if statement.allows else ():
                mask |= known.mask(pattern)
    return mask


def _groups(wanted: int) -> Iterator[tuple[tuple[str, ...], int]]:
    """Sets of actions that work on the same resources, with the patterns of those; none where there is no type."""
    known = catalog.current()
    for service in known.services():
        if not known.mask(f"{service.prefix}:*") & wanted:
            continue
        arns = {kind.name: kind.arns for kind in known.resource_types(service.prefix)}
        groups: dict[tuple[str, ...], int] = {}
        for action in known.actions(service.prefix):
            bit = known.mask(action.full_name)
            if bit & wanted:
                found = [
                    PLACEHOLDER.sub("*", arn) for each in action.resources for arn in arns.get(each.name, ())
                ]
                key = tuple(dict.fromkeys(found))
                groups[key] = groups.get(key, 0) | bit
        yield from groups.items()
