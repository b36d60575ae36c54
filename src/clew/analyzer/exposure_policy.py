"""What a resource's policy opens to principals outside the zone of trust.

An Allow opens an action to a cell when the engine does not deny it to a caller of that cell on some witness: the
resource, something inside it, something that a pattern of the policy matches. Undecided counts as open.
AWS: IAM User Guide: "How IAM Access Analyzer findings work": the other account's policies are taken to allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_actions import everything_on, granted, in_words, levels, service_of
from clew.analyzer.exposure_cells import Cell, access_point_account, cells, without_outsiders
from clew.analyzer.exposure_choices import chosen
from clew.analyzer.exposure_model import Exposure, Proof, Restriction, Through
from clew.analyzer.exposure_owner import grounded
from clew.aws import catalog
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.engine.services.s3_public import is_public
from clew.policy.model import Effect as Says
from clew.policy.model import Policy, Statement
from clew.reach.alike import alike, matched
from clew.reach.callers import without_strangers
from clew.reach.witnesses import kinds_of, witnesses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.analyzer.exposure_model import Target, WayIn, Zone
    from clew.engine.authorize import Prepared
    from clew.engine.request import ContextValue
    from clew.snapshot.model import Document

EVERYTHING: Final = Policy((Statement(Says.ALLOW, actions=("*",), resources=("*",)),), "2012-10-17")
"""The policy of a caller whose own account allows everything."""
_BY_URL: Final = "lambda:invokefunctionurl"
_URL_AUTH: Final = "lambda:functionurlauthtype"
_NAMED: Final = frozenset({"StringEquals", "ArnEquals"})
NOTHING_CHOSEN: Final[Mapping[str, ContextValue]] = MappingProxyType({})
_OPEN: Final = frozenset({Effect.ALLOW, Effect.UNDETERMINED})
_ANYBODY: Final = "*"
_OF_ONE: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:userid", "aws:username"})
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
    denials = tuple(each for each in policy.statements if not each.allows)
    stands_for = tuple(witnesses(way.about or target.arn, policy))
    restriction = restricted_by(zone, service_of(target.arn), applies=True)
    for statement in policy.statements:
        for each in _cells(statement, way, zone) if statement.allows else ():
            # AWS: under Block Public Access what is left to another account's access point is shared with that account.
            cell = replace(each, is_public=False) if each.by_access_point and way.closed_to_public else each
            if way.vpc_only and cell.is_public:
                continue
            found = _open(statement, denials, cell, zone, target, stands_for)
            if found.actions:
                yield _exposure(target, way, document, statement, cell, found, restriction)


def _cells(statement: Statement, way: WayIn, zone: Zone) -> Iterator[Cell]:
    return cells(statement, zone, of_access_point=way.through is Through.S3_ACCESS_POINT)


def _open(
    statement: Statement,
    denials: tuple[Statement, ...],
    cell: Cell,
    zone: Zone,
    target: Target,
    stands_for: tuple[str, ...],
) -> Opened:
    """The actions of the statement that the cell has on some witness, and those witnesses."""
    bars = tuple(_bar(each, cell, zone) for each in denials)
    narrowed = statement._replace(conditions=cell.conditions)
    levels_above = tuple(
        tuple(_barred(grounded(each, target.account, zone), cell, zone) for each in level)
        for level in zone.rcps
    )
    above = tuple(each for level in levels_above for policy in level for each in policy.statements)
    ask = _Asked(narrowed, bars, levels_above, cell, zone, target.account, chosen((*bars, *above), cell))
    found: dict[str, bool] = {}
    reached: list[str] = []
    for witness in stands_for:
        actions = (each for each in granted(statement, service_of(target.arn), witness) if _suits(each, cell))
        for group in alike(actions, (narrowed, *bars, *above)):
            effect = ask.effect(group[0], witness)
            if effect in {Effect.ALLOW, Effect.UNDETERMINED}:
                is_sure = effect is Effect.ALLOW
                reached.append(witness)
                found.update({action: found.get(action, True) and not is_sure for action in group})
    return Opened(found, tuple(dict.fromkeys(reached)))


def _bar(statement: Statement, cell: Cell, zone: Zone) -> Statement:
    """The Deny without the conditions that everybody in the cell meets."""
    if statement.allows:
        return statement
    if cell.is_anyone and cell.account is None:
        return without_strangers(statement)
    return without_outsiders(statement, cell, zone)


def _barred(policy: Policy, cell: Cell, zone: Zone) -> Policy:
    return policy._replace(statements=tuple(_bar(each, cell, zone) for each in policy.statements))


class _Asked:
    """What the engine says of somebody in a cell, to whom an Allow is given under the conditions of the cell."""

    def __init__(
        self,
        allow: Statement,
        bars: tuple[Statement, ...],
        above: tuple[tuple[Policy, ...], ...],
        cell: Cell,
        zone: Zone,
        owner: str,
        by_choice: Mapping[str, ContextValue],
    ) -> None:
        self.cell = cell
        self.by_choice = by_choice
        self.zone = zone
        self.owner = owner
        self.as_written = _prepared(allow, bars, above)
        # The conditions of the cell are told with it: only what else is undecided may take the access back.
        is_held = bool(allow.conditions)
        self.when_met = _prepared(allow._replace(conditions=()), bars, above) if is_held else self.as_written

    def effect(self, action: str, resource: str) -> Effect:
        """Allow where nothing but the cell's own conditions stands before it; undetermined where something may."""
        if self.cell.principal.kind == "Federated" and not action.startswith("sts:"):
            # Nobody makes such a request by the name of a provider.
            return Effect.UNDETERMINED
        try:
            asked = requests(self.cell, action, resource, self.owner, self.zone, self.by_choice)
            first = self._effect(next(asked))
            if first is Effect.ALLOW:
                return first
            is_open = first in _OPEN or any(self._effect(each) in _OPEN for each in asked)
        except PrincipalError:
            return Effect.UNDETERMINED
        return Effect.UNDETERMINED if is_open else first

    def _effect(self, asked: Request) -> Effect:
        effect = self.as_written.effect(asked)
        return self.when_met.effect(asked) if effect is Effect.UNDETERMINED else effect


def _prepared(
    allow: Statement, bars: tuple[Statement, ...], above: tuple[tuple[Policy, ...], ...]
) -> Prepared:
    resource = Policy((allow, *bars), "2012-10-17")
    return prepare(Policies(identity=(EVERYTHING,), session=(EVERYTHING,), resource=resource, rcps=above))


def _suits(action: str, cell: Cell) -> bool:
    """Whether a principal of that kind can do the action: a role is assumed in the way of who assumes it."""
    if not action.startswith("sts:AssumeRole"):
        return True
    if cell.principal.kind == "Federated":
        kind = cell.principal.value.rpartition(":")[2].partition("/")[0]
        return action == _ASSUMING.get(kind, "sts:AssumeRoleWithWebIdentity")
    return action == "sts:AssumeRole" or cell.is_anyone


def requests(
    cell: Cell,
    action: str,
    resource: str,
    owner: str,
    zone: Zone,
    by_choice: Mapping[str, ContextValue] = NOTHING_CHOSEN,
) -> Iterator[Request]:
    """Requests of those who stand for the cell; what its conditions do not tell is left open, but for `by_choice`.

    Errors: `PrincipalError` when the cell's principal is none.
    """
    known: dict[str, ContextValue] = {"aws:PrincipalIsAWSService": "false", **by_choice}
    for condition in cell.conditions:
        if condition.operator in _NAMED and len(condition.values) == 1 and "${" not in condition.values[0]:
            known[condition.key] = condition.values[0]
    absent = ["aws:PrincipalServiceName"]
    if zone.organization and cell.account in (zone.members or ()):
        known.setdefault("aws:PrincipalOrgID", zone.organization)
    for caller in _callers(cell):
        is_named = caller == cell.principal.value != _ANYBODY
        said = {key: value for key, value in known.items() if not is_named or key.lower() not in _OF_ONE}
        asked = derived(Request(caller, action, resource, owner, Context(said, unknown=None, absent=absent)))
        if is_named:
            yield asked
            continue
        # Somebody in particular stands for many: what holds of that one alone is left open.
        values = {key: value for key, value in asked.context.values.items() if key not in _OF_ONE}
        yield replace(asked, context=Context({**values, **known}, unknown=None, absent=absent))


def _callers(cell: Cell) -> Iterator[str]:
    """The principal of the cell where it is one; else a user and the root user of its account, or anybody."""
    principal = cell.principal
    account = cell.account if cell.is_anyone else principal.account
    is_whole = cell.is_anyone or principal.value in {account, f"arn:aws:iam::{account}:root"}
    if principal.kind == "Federated" or (account is None and not cell.is_anyone):
        yield principal.value
    elif account is None:
        yield _ANYBODY
    elif is_whole or principal.value.endswith(":root"):
        partition = principal.value.split(":")[1] if principal.value.startswith("arn:") else "aws"
        yield f"arn:{partition}:iam::{account}:user/clew-witness"
        yield f"arn:{partition}:iam::{account}:root"
    else:
        yield principal.value


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
