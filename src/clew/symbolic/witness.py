"""From assumptions to a request: one value for every dimension, as lifelike as the assumptions allow."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from clew.aws import catalog
from clew.engine.request import Context, Request
from clew.symbolic import callers
from clew.symbolic.space import ACTION, CALLER, NOTHING, RESOURCE, key_dimension

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from clew.engine.request import ContextValue
    from clew.symbolic.space import Space

_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_FILLED: Final = {"Partition": "aws", "Region": "us-east-1", "Account": "111122223333"}
_TRIED: Final = 200


def request(space: Space, assumed: Mapping[str, frozenset[int]]) -> Request | None:
    """A request that fits everything that is assumed; None when there is none.

    Errors: `UndecidedError` where that is not certain.
    """
    values: dict[str, ContextValue | None] = {}
    for dimension in (CALLER, ACTION, RESOURCE, *map(key_dimension, space.kinds)):
        found = space.ask(dimension, assumed.get(dimension, NOTHING))
        if found is None:
            return None
        values[dimension] = found.value
    principal = str(values[CALLER])
    action, resource = _lifelike(space, assumed, str(values[ACTION]), str(values[RESOURCE]))
    context: dict[str, ContextValue] = {}
    for key in space.kinds:
        tied = space.ties.get(key)
        if tied is not None:
            context[space.spelled(key)] = callers.account_of(
                resource if tied == RESOURCE else str(values[tied])
            )
        elif callers.follows_from_text(key, space.caller):
            context[space.spelled(key)] = callers.value_of(key, principal)
        else:
            value = values[key_dimension(key)]
            if value is not None:
                context[space.spelled(key)] = value
    account = space.region.account if space.region is not None else None
    return Request(principal, action, resource, account, Context(context))


def _lifelike(
    space: Space, assumed: Mapping[str, frozenset[int]], action: str, resource: str
) -> tuple[str, str]:
    """Another action and resource that fit as well and go together in the catalogue, where there are such."""
    resources = assumed.get(RESOURCE, NOTHING)

    def fits(text: str) -> bool:
        return all(space.holds(literal, text) for literal in resources)

    known = catalog.current()
    named: dict[str, frozenset[str]] = {}
    for name in islice(_actions(space, assumed, action), _TRIED):
        found = known.action(name)
        if found is None:
            return name, resource
        if found.is_wildcard_only:
            if fits("*"):
                return found.full_name, "*"
            continue
        kinds = {each.name for each in found.resources}
        if found.service not in named:
            types = known.resource_types_of(resource, found.service)
            named[found.service] = frozenset(each.name for each in types)
        if not kinds.isdisjoint(named[found.service]):
            return found.full_name, resource
        for candidate in _examples(found.service, kinds):
            if fits(candidate):
                return found.full_name, candidate
    found = known.action(action)
    return (action if found is None else found.full_name), resource


def _actions(space: Space, assumed: Mapping[str, frozenset[int]], first: str) -> Iterator[str]:
    """The first action, then others of the catalogue that fit."""
    yield first
    mask = space.known_actions(assumed.get(ACTION, NOTHING))
    names = catalog.current().index.lowered
    while mask:
        lowest = mask & -mask
        yield names[lowest.bit_length() - 1]
        mask ^= lowest


def _examples(service: str, kinds: Iterable[str]) -> Iterator[str]:
    found = [kind for kind in catalog.current().resource_types(service) if kind.name in kinds]
    for arn in sorted((arn for kind in found for arn in kind.arns), key=len):
        yield _PLACEHOLDER.sub(lambda found: _FILLED.get(found[1], "example"), arn)
