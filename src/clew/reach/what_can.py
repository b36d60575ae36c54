"""What a principal can do: for each resource that its policies name, the actions that are allowed, by the engine.

The resources are those that allowing statements write, and `*`; each is asked as it is written, for every action of the
catalogue at once. What a Deny takes away from a part of such a resource is told beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.aws import catalog, glob
from clew.aws.arn_overlap import overlap
from clew.engine import Context, Effect, Request
from clew.engine.bulk import access
from clew.engine.derive import derived
from clew.errors import InputError
from clew.reach.applied import applied
from clew.reach.predict import NoPrediction
from clew.reach.what_can_resources import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.aws.catalog import ActionSet
    from clew.engine import Policies
    from clew.engine.request import ContextValue
    from clew.reach.applied import Applied
    from clew.snapshot.model import Snapshot


_COLONS = 5


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed on one resource as written: actions in any context, and actions under a condition by its text."""

    resource: str
    always: tuple[str, ...]
    conditional: Mapping[str, tuple[str, ...]]
    except_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatCan:
    """The answer for one principal; `unknown` says which policies were not at hand, `assumed` what was taken so."""

    principal: str
    allowed: tuple[Allowed, ...]
    unknown: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def what_can(
    snapshot: Snapshot,
    principal: str,
    *,
    context: Mapping[str, ContextValue] | None = None,
) -> WhatCan | NoPrediction:
    """Everything that the policies at hand let the principal do, resource by resource."""
    try:
        found = applied(snapshot, principal, "*", "*")
    except InputError as error:
        return NoPrediction(str(error))
    absent = ("aws:SourceVpce",) if "aws:SourceVpce" not in (context or {}) else ()
    given = Context({**found.context, **(context or {})}, unknown=None, absent=(*absent, *found.absent))
    asked = derived(Request(found.principal, "*", "*", context=given)).context
    rows: list[Allowed] = []
    everywhere: ActionSet | None = None
    about = named(found.policies, asked)
    for resource in sorted(about.resources, key=_width):
        row, allowed = _row(found, resource, about.context, without=everywhere)
        everywhere = everywhere or allowed
        if row.always or row.conditional:
            rows.append(row)
    unknown = tuple(dict.fromkeys(missing.why for missing in found.missing))
    return WhatCan(principal, tuple(rows), unknown, found.assumed)


def _width(resource: str) -> tuple[bool, int, str]:
    """The widest first: `*`, then what has least literal text before its first wildcard."""
    return resource != "*", len(resource.partition("*")[0]), resource


def _row(
    found: Applied, resource: str, context: Context, *, without: ActionSet | None
) -> tuple[Allowed, ActionSet]:
    """The actions on one resource, less those that are allowed on every resource anyway."""
    answer = access(replace(found.policies, resource=None), found.principal, resource, context=context)
    allowed = answer.of(Effect.ALLOW)
    new = allowed if without is None else allowed - without
    conditional = {
        residual.text: kept
        for residual, actions in answer.residuals()
        if residual.granted is not False
        and (kept := tuple(name for name in actions if _works_on(name, resource)))
    }
    always = tuple(name for name in new if _works_on(name, resource))
    return Allowed(resource, always, conditional, tuple(_excepted(found.policies, resource))), allowed


def _works_on(name: str, resource: str) -> bool:
    """Whether the action works on resources of the type that the text names; on `*` every action may."""
    if resource.count(":") < _COLONS:
        return True
    known = catalog.current()
    service = resource.split(":")[2]
    if service != name.partition(":")[0]:
        return "*" in service
    kinds = {kind.name for kind in known.resource_types_of(resource, service)}
    action = known.action(name)
    return not kinds or action is None or any(each.name in kinds for each in action.resources)


def _excepted(policies: Policies, resource: str) -> Iterator[str]:
    """The resources that some Deny names and that share something with this one, without covering it."""
    for policy in policies.identity:
        for statement in policy.statements:
            for each in () if statement.allows else statement.resources or ():
                if each != "*" and overlap(each, resource) and not glob.matches(each, resource):
                    yield each
