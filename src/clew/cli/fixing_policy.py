"""How `clew fix --from` carries out what `clew explain --fix-as plan` wrote, and asks the engine again afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from clew.cli import context, fix_text, fixing
from clew.errors import UsageError

if TYPE_CHECKING:
    from clew.engine import Request
    from clew.explain.fix_plan import Plan
    from clew.respond.model import Change
    from clew.respond.session import Door, Session


def carry_out(
    plan_file: str, asked: fixing.Asked, manner: fixing.Manner, *, profile: str | None, role: str | None
) -> int:
    """Plan, show, and where it is asked for apply the fix of the file; the exit code."""
    from clew.explain import fix_plan
    from clew.snapshot.load import read

    if asked.finding or asked.check or asked.action or asked.resource or manner.undo or manner.snapshot:
        raise UsageError(
            "`--from` says all that is to be changed; only `--account`, `--apply` and how go with it"
        )
    found = fix_plan.read(read(plan_file).text, plan_file)
    entrance = fixing.door_of(asked, profile, role)
    change, session = _planned(found, asked.account, entrance)
    if not manner.apply:
        return fixing.preview(change, fix_text.Basis(session.caller), manner)
    return fixing.apply(change, session, manner, lambda _, used: _is_allowed(found.request, used))


def _planned(found: Plan, account: str, entrance: Door) -> tuple[Change, Session]:
    """The change in one account. Errors: `UsageError` where the fix is about several and none was named."""
    from clew.respond.actions import edit_policy
    from clew.respond.model import Place, Target, plan
    from clew.snapshot.answers import GLOBAL

    concerned = tuple(each or entrance.own.account for each in edit_policy.accounts(found.edits))
    there = tuple(dict.fromkeys(concerned))
    chosen = account or there[0]
    if len(there) > 1 and not account:
        raise UsageError(
            f"the fix is about accounts {' and '.join(there)}; make it in one after the other, with `--account`"
        )
    edits = tuple(edit for edit in found.edits if (edit.where.account or entrance.own.account) == chosen)
    action = edit_policy.action(edits, found.title, f"{found.risk}; newly allows: {found.newly_allows}")
    target = Target(found.request.resource, Place(chosen, GLOBAL, chosen))
    session = entrance.into(chosen)
    return plan(action, target, {}, session.state(action.needs(target, {}))), session


def _is_allowed(request: Request, session: Session) -> bool:
    """Say what the engine says of the request now; False where it is known to be refused."""
    from clew.reach.predict import NoPrediction
    from clew.respond.reevaluate import reevaluated

    found = reevaluated(request, session)
    asked = f"{request.action} on {request.resource} by {request.principal}"
    if isinstance(found, NoPrediction):
        sys.stdout.write(context.printable(f"evaluated again: {asked}: not known: {found.reason}") + "\n")
        return True
    allowed = found.decision.allowed
    words = {True: "allowed", False: "refused", None: "it depends on what is not known"}[allowed]
    more = f": {'; '.join(found.unknown)}" if allowed is None and found.unknown else ""
    sys.stdout.write(context.printable(f"evaluated again: {asked}: {words}{more}") + "\n")
    return allowed is not False
