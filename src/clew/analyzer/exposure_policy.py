"""What a resource's policy opens to principals outside the zone of trust.

An Allow opens an action to a cell when the engine does not deny it to a caller of that cell on some witness: the
resource, something inside it, something that a pattern of the policy matches. Undecided counts as open.
AWS: IAM User Guide: "How IAM Access Analyzer findings work": the other account's policies are taken to allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_actions import everything_on, granted, in_words, levels, service_of
from clew.analyzer.exposure_asking import OPEN, Asked, keeps_off
from clew.analyzer.exposure_cells import ANYONE, Cell, access_point_account, cells, without_outsiders
from clew.analyzer.exposure_choices import chosen
from clew.analyzer.exposure_escapes import barred, spared, ways_past
from clew.analyzer.exposure_model import Exposure, Proof, Restriction, Through
from clew.analyzer.exposure_owner import grounded
from clew.aws import catalog
from clew.engine import Effect
from clew.engine.services.s3_public import is_public
from clew.reach.alike import alike, matched
from clew.reach.witnesses import kinds_of, witnesses

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from clew.analyzer.exposure_model import Target, WayIn, Zone
    from clew.policy.model import Policy, Statement
    from clew.snapshot.model import Document

_BY_URL: Final = "lambda:invokefunctionurl"
_URL_AUTH: Final = "lambda:functionurlauthtype"
_ASSUMING: Final = {
    "saml-provider": "sts:AssumeRoleWithSAML",
    "oidc-provider": "sts:AssumeRoleWithWebIdentity",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """The actions that are open, each with whether something may take it back, and the witnesses on which they are."""

    actions: Mapping[str, bool]
    witnesses: tuple[str, ...]


def of_policy(target: Target, way: WayIn, document: Document, zone: Zone) -> Iterator[Exposure]:
    """The exposures of one policy, statement by statement. Errors: `PolicyError` where it cannot be read."""
    policy = grounded(document.policy, target.account, zone)
    # AWS: an access point with the network origin VPC is not public, whatever its policy says.
    if way.closed_to_public and not way.vpc_only and is_public(policy):
        # AWS: RestrictPublicBuckets leaves a public policy to the account and to services, for everybody else.
        return
    judge = _Judge(target, way, policy, zone)
    restriction = restricted_by(zone, service_of(target.arn), applies=True)
    for statement in policy.statements:
        for cell, found in judge.opened(statement) if statement.allows else ():
            if found.actions:
                yield _exposure(target, way, document, statement, cell, found, restriction)


class _Judge:
    """What one policy, with what is above it, opens to whom."""

    def __init__(self, target: Target, way: WayIn, policy: Policy, zone: Zone) -> None:
        self.target = target
        self.way = way
        self.zone = zone
        self.denials = tuple(each for each in policy.statements if not each.allows)
        self.above = tuple(
            tuple(grounded(each, target.account, zone) for each in level) for level in zone.rcps
        )
        self.stands_for = tuple(witnesses(way.about or target.arn, policy))
        self.service = service_of(target.arn)
        over = (each for level in self.above for document in level for each in document.statements)
        self.every_denial = (*self.denials, *(each for each in over if not each.allows))

    def opened(self, statement: Statement) -> Iterator[tuple[Cell, Opened]]:
        """Each cell of the statement outside the zone, with what is open to it."""
        for cell in self._cells(statement):
            found = self._open(statement, cell, self.stands_for)
            yield cell, found
            if cell.is_anyone:
                yield from self._past_denials(statement, cell, found.actions)

    def _past_denials(
        self, statement: Statement, cell: Cell, known: Container[str]
    ) -> Iterator[tuple[Cell, Opened]]:
        """What is open only to those of the cell whom some Deny spares."""
        for witness in self.stands_for:
            closed = (name for name in granted(statement, self.service, witness) if name not in known)
            for actions in alike(closed, self.every_denial):
                for narrower in self._narrower(statement, cell, actions[0], witness):
                    for each in self._cells(narrower):
                        yield each, self._open(narrower, each, (witness,), frozenset(actions))

    def _narrower(self, statement: Statement, cell: Cell, action: str, witness: str) -> Iterator[Statement]:
        """The statement for those only whom the denials spare that keep everybody in the cell from the action."""
        owner = self.target.account
        sure = [
            each for each in self.every_denial if keeps_off(each, cell, action, witness, owner, self.zone)
        ]
        for more in ways_past(sure):
            lines = (*cell.conditions, *more)
            yield statement._replace(principals=(ANYONE,), not_principals=None, conditions=lines)
        if names := spared(sure):
            yield statement._replace(principals=names, not_principals=None, conditions=cell.conditions)

    def _cells(self, statement: Statement) -> Iterator[Cell]:
        of_access_point = self.way.through is Through.S3_ACCESS_POINT
        for each in cells(statement, self.zone, of_access_point=of_access_point):
            # AWS: under Block Public Access what is left to another account's access point is shared with that account.
            is_closed = each.by_access_point and self.way.closed_to_public
            cell = replace(each, is_public=False) if is_closed else each
            if not (self.way.vpc_only and cell.is_public):
                yield cell

    def _open(
        self,
        statement: Statement,
        cell: Cell,
        stands_for: tuple[str, ...],
        only: frozenset[str] | None = None,
    ) -> Opened:
        """The actions of the statement that the cell has on some witness, and those witnesses."""
        bars = self._bars(self.denials, cell)
        narrowed = statement._replace(conditions=cell.conditions)
        levels_above = tuple(
            tuple(policy._replace(statements=self._bars(policy.statements, cell)) for policy in level)
            for level in self.above
        )
        above = tuple(each for level in levels_above for policy in level for each in policy.statements)
        escaped = chosen((*bars, *above), cell)
        ask = Asked(narrowed, bars, levels_above, cell, self.zone, self.target.account, escaped)
        found: dict[str, bool] = {}
        reached: list[str] = []
        for witness in stands_for:
            given = granted(statement, self.service, witness)
            actions = (each for each in given if _suits(each, cell) and (only is None or each in only))
            for group in alike(actions, (narrowed, *bars, *above)):
                effect = ask.effect(group[0], witness)
                if effect in OPEN:
                    is_sure = effect is Effect.ALLOW
                    reached.append(witness)
                    found.update({action: found.get(action, True) and not is_sure for action in group})
        return Opened(found, tuple(dict.fromkeys(reached)))

    def _bars(self, statements: tuple[Statement, ...], cell: Cell) -> tuple[Statement, ...]:
        """The statements as they meet the cell: a Deny without the conditions that everybody in the cell meets."""
        found = (each if each.allows else self._bar(each, cell) for each in statements)
        return tuple(each for each in found if each is not None)

    def _bar(self, denial: Statement, cell: Cell) -> Statement | None:
        met = barred(denial, cell) if cell.is_anyone else denial
        return None if met is None else without_outsiders(met, cell, self.zone)


def _suits(action: str, cell: Cell) -> bool:
    """Whether a principal of that kind can do the action: a role is assumed in the way of who assumes it."""
    if not action.startswith("sts:AssumeRole"):
        return True
    if cell.principal.kind == "Federated":
        kind = cell.principal.value.rpartition(":")[2].partition("/")[0]
        return action == _ASSUMING.get(kind, "sts:AssumeRoleWithWebIdentity")
    return action == "sts:AssumeRole" or cell.is_anyone


def restricted_by(zone: Zone, service: str, *, applies: bool) -> Restriction:
    """What resource control policies mean for access to a resource of the service; whether they `applies` to the way.

    AWS: IAM Access Analyzer API Reference: "ExternalAccessDetails".
    """
    if not zone.rcps_known:
        return Restriction.FAILED_TO_EVALUATE_RCP
    aws = catalog.current()
    of_service = aws.mask(f"{service}:*")
    statements = (each for level in zone.rcps for policy in level for each in policy.statements)
    if not any(not each.allows and matched(each) & of_service for each in statements):
        return Restriction.NOT_APPLICABLE
    return Restriction.APPLIED if applies else Restriction.APPLICABLE


def _exposure(
    target: Target,
    way: WayIn,
    document: Document,
    statement: Statement,
    cell: Cell,
    found: Opened,
    restriction: Restriction,
) -> Exposure:
    kinds = frozenset().union(*map(kinds_of, found.witnesses))
    everything = everything_on(service_of(target.arn), kinds)
    points = access_point_account(cell.conditions) if way.through is Through.POLICY else ""
    return Exposure(
        resource=target.arn,
        type=target.type,
        account=target.account,
        region=target.region,
        kind=cell.principal.kind,
        principal=cell.principal.value,
        actions=in_words(frozenset(found.actions), statement.actions or (), everything),
        levels=levels(found.actions),
        conditions=cell.conditions,
        is_public=cell.is_public,
        through=Through.S3_ACCESS_POINT_ACCOUNT if points else way.through,
        about=points or way.about,
        may=all(found.actions.values()),
        restriction=restriction,
        proofs=(proof(way, document, statement),),
        dormant=_dormant(way, cell, found),
    )


def _dormant(way: WayIn, cell: Cell, found: Opened) -> str:
    """Why a function's URL cannot be called at present, where that is all that is opened."""
    if way.url_auth is None or {action.lower() for action in found.actions} != {_BY_URL}:
        return ""
    if not way.url_auth:
        return "the function has no URL at present"
    wanted = [each.values for each in cell.conditions if each.key.lower() == _URL_AUTH]
    if all(way.url_auth in values for values in wanted):
        return ""
    return f"its URL asks for {way.url_auth} at present"


def proof(way: WayIn, document: Document, statement: Statement) -> Proof:
    """Where the statement stands: in its file where it is part of one, else in the answer that held the policy."""
    name = f"statement `{statement.sid}`" if statement.sid else f"statement {statement.index + 1}"
    span = document.statement(statement.index)
    if span is not None and span.in_file is not None and document.file is not None:
        place = f"{document.file}:{span.in_file[0]}"
    else:
        place = f"{way.file}, line {span.start[0]} of the policy" if span is not None else way.file
    return Proof(name, place, way.call, way.time)
