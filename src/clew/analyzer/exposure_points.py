"""Access through an access point, which the bucket's own policy must grant as well.

AWS: S3 User Guide: "Configuring IAM policies for using access points": permissions of an access point policy are
effective only if the underlying bucket also allows the same access.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_actions import levels
from clew.analyzer.exposure_asking import EVERYTHING, requests
from clew.analyzer.exposure_cells import Cell, account_in
from clew.analyzer.exposure_model import Exposure, Target, Through, Zone
from clew.aws import catalog
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.engine.principal import PrincipalError
from clew.policy.model import Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.policy.model import Policy

_INSIDE: Final = "/clew-witness"
_OPEN: Final = frozenset({Effect.ALLOW, Effect.UNDETERMINED})


def agreed(target: Target, found: Iterable[Exposure], zone: Zone) -> Iterator[Exposure]:
    """Those of an access point's exposures that the policy of its bucket does not refuse."""
    way = next((each for each in target.ways if each.through is Through.POLICY), None)
    if way is None or (way.document is None and not way.unread):
        return
    if way.document is None:
        # The bucket is unknown already; what its access point opens is shown until it is read.
        yield from found
        return
    for each in found:
        names = _names(each.actions)
        kept = tuple(name for name in names if _grants(way.document.policy, target, each, name, zone))
        if kept:
            is_whole = len(kept) == len(names)
            yield each if is_whole else replace(each, actions=kept, levels=levels(kept))


def _names(patterns: tuple[str, ...]) -> tuple[str, ...]:
    aws = catalog.current()
    return aws.names(aws.actions_matching(*patterns).mask)


def _grants(policy: Policy, target: Target, found: Exposure, action: str, zone: Zone) -> bool:
    """Whether the bucket's policy may allow the action to a caller of the exposure who comes through the point."""
    prepared = prepare(Policies(identity=(EVERYTHING,), session=(EVERYTHING,), resource=policy))
    principal = Principal(found.kind, found.principal)
    account = principal.account or account_in(found.conditions)
    cell = Cell(principal, found.conditions, found.is_public, account)
    for resource in (target.arn, f"{target.arn}{_INSIDE}"):
        try:
            asked = tuple(requests(cell, action, resource, target.account, zone))
        except PrincipalError:
            return True
        if any(prepared.effect(_through(each, found.about, target.account)) in _OPEN for each in asked):
            return True
    return False


def _through(asked: Request, access_point: str, account: str) -> Request:
    known = {
        **asked.context.values,
        "s3:DataAccessPointArn": access_point,
        "s3:DataAccessPointAccount": account,
    }
    context = Context(known, unknown=None, absent=["aws:PrincipalServiceName"])
    return Request(asked.principal, asked.action, asked.resource, account, context)
