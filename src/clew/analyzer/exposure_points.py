"""Access through an access point, which the bucket's own policy must grant as well.

AWS: S3 User Guide: "Configuring IAM policies for using access points": permissions of an access point policy are
effective only if the underlying bucket also allows the same access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_cells import Cell
from clew.analyzer.exposure_model import Exposure, Target, Through, Zone
from clew.analyzer.exposure_policy import EVERYTHING, request
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.policy.model import Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.policy.model import Policy

_INSIDE: Final = "/clew-witness"


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
        if _grants(way.document.policy, target, each, zone):
            yield each


def _grants(policy: Policy, target: Target, found: Exposure, zone: Zone) -> bool:
    prepared = prepare(Policies(identity=(EVERYTHING,), resource=policy))
    cell = Cell(Principal(found.kind, found.principal), found.conditions, found.is_public)
    for action in found.actions:
        for resource in (target.arn, f"{target.arn}{_INSIDE}"):
            asked = request(cell, action, resource, target.account, zone)
            if prepared.effect(_through(asked, found.about, target.account)) in {
                Effect.ALLOW,
                Effect.UNDETERMINED,
            }:
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
