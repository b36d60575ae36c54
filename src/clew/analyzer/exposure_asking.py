"""What the engine says of somebody outside: requests of those who stand for a cell, with their own account's leave.

AWS: IAM User Guide: "How IAM Access Analyzer findings work": the other account's policies are taken to allow.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.analyzer.exposure_cells import ANYONE, Cell
from clew.analyzer.exposure_escapes import barred
from clew.engine import Context, Effect, Policies, Request, prepare
from clew.engine.derive import derived
from clew.engine.principal import PrincipalError
from clew.policy.model import Effect as Says
from clew.policy.model import Policy, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.analyzer.exposure_model import Zone
    from clew.engine.authorize import Prepared
    from clew.engine.request import ContextValue

EVERYTHING: Final = Policy((Statement(Says.ALLOW, actions=("*",), resources=("*",)),), "2012-10-17")
"""The policy of a caller whose own account allows everything."""
NOTHING_CHOSEN: Final[Mapping[str, ContextValue]] = MappingProxyType({})
OPEN: Final = frozenset({Effect.ALLOW, Effect.UNDETERMINED})
"""The effects that count as open."""

_NAMED: Final = frozenset({"StringEquals", "ArnEquals", "StringLike", "ArnLike"})
_WILD: Final = re.compile(r"[*?]|\$\{")
_ANYBODY: Final = "*"
_OF_ONE: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:userid", "aws:username"})


class Asked:
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
            is_open = first in OPEN or any(self._effect(each) in OPEN for each in asked)
        except PrincipalError:
            return Effect.UNDETERMINED
        return Effect.UNDETERMINED if is_open else first

    def _effect(self, asked: Request) -> Effect:
        effect = self.as_written.effect(asked)
        return self.when_met.effect(asked) if effect is Effect.UNDETERMINED else effect


def keeps_off(denial: Statement, cell: Cell, action: str, resource: str, owner: str, zone: Zone) -> bool:
    """Whether the Deny, as it meets strangers, keeps everybody in the cell from the action on the resource."""
    met = barred(denial, cell)
    if met is None:
        return False
    everything = Statement(Says.ALLOW, principals=(ANYONE,), actions=("*",), resources=("*",))
    prepared = _prepared(everything, (met,), ())
    return prepared.effect(next(requests(cell, action, resource, owner, zone))) is Effect.EXPLICIT_DENY


def _prepared(
    allow: Statement, bars: tuple[Statement, ...], above: tuple[tuple[Policy, ...], ...]
) -> Prepared:
    resource = Policy((allow, *bars), "2012-10-17")
    return prepare(Policies(identity=(EVERYTHING,), session=(EVERYTHING,), resource=resource, rcps=above))


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
        if (
            condition.operator in _NAMED
            and len(condition.values) == 1
            and not _WILD.search(condition.values[0])
        ):
            known[condition.key] = condition.values[0]
    absent = ["aws:PrincipalServiceName"]
    if zone.organization and cell.account in (zone.members or ()):
        known.setdefault("aws:PrincipalOrgID", zone.organization)
    for caller in _callers(cell, resource):
        is_named = caller == cell.principal.value != _ANYBODY
        said = {key: value for key, value in known.items() if not is_named or key.lower() not in _OF_ONE}
        asked = derived(Request(caller, action, resource, owner, Context(said, unknown=None, absent=absent)))
        if is_named:
            yield asked
            continue
        # Somebody in particular stands for many: what holds of that one alone is left open.
        values = {key: value for key, value in asked.context.values.items() if key not in _OF_ONE}
        yield replace(asked, context=Context({**values, **known}, unknown=None, absent=absent))


def _callers(cell: Cell, resource: str) -> Iterator[str]:
    """The principal of the cell where it is one; else a user and the root user of its account, or anybody."""
    principal = cell.principal
    account = cell.account if cell.is_anyone else principal.account
    if principal.kind == "Federated" or (account is None and not cell.is_anyone):
        yield principal.value
    elif account is None:
        yield _ANYBODY
    elif cell.is_anyone or principal.value == account or principal.value.endswith(":root"):
        # No access reaches into another partition, so it is that of the resource where nothing else is said.
        partition = (principal.value if principal.value.startswith("arn:") else resource).split(":")[1]
        yield f"arn:{partition}:iam::{account}:user/clew-witness"
        yield f"arn:{partition}:iam::{account}:root"
    else:
        yield principal.value
