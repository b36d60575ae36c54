"""How the doctors of `clew explain` read their question, and print the answer."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.audit.model import State
from clew.audit.state import of_snapshot
from clew.cli import context, state_files, times
from clew.cli.simulation_context import carried
from clew.engine.principal import PrincipalError
from clew.errors import UsageError
from clew.explain import assume_role
from clew.explain.assume_role_question import Asked, fitting_call
from clew.explain.integrations import named
from clew.explain.links import Verdict
from clew.report import links_text
from clew.snapshot import file
from clew.snapshot.load import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.explain.links import Chain

_CODES = {
    Verdict.HOLDS: context.EXIT_CLEAN,
    Verdict.BROKEN: context.EXIT_FINDINGS,
    Verdict.UNKNOWN: context.EXIT_PARTIAL,
}


def answer_assume_role(
    caller: str,
    role: str,
    *,
    policies: Sequence[str],
    keys: Sequence[str],
    action: str,
    duration: str,
    at: str,
    as_json: bool,
) -> int:
    """Test every hypothesis and print them; the exit code."""
    if role.count(":") < 5 or ":role/" not in role:  # noqa: PLR2004  # an ARN has six parts
        raise UsageError(f"`--to {role[:200]}` is no role's ARN; expected `arn:aws:iam::ACCOUNT:role/NAME`")
    now = datetime.now(UTC)
    asked = Asked(
        caller,
        role,
        times.moment(at, now) if at else now,
        action or fitting_call(caller),
        carried(tuple(keys), (), None, ()).values,
        int(times.duration(duration).total_seconds()) if duration else None,
    )
    try:
        found = assume_role.diagnose(asked, state_files.snapshot(state_files.chosen(policies)))
    except PrincipalError as error:
        raise UsageError(str(error)) from error
    return shown(found.chain, links_text.HYPOTHESES, as_json=as_json)


def answer_integration(name: str, given: Mapping[str, str], *, policies: Sequence[str], as_json: bool) -> int:
    """Examine the integration in each account that the files hold and print its links; the exit code."""
    doctor = named(name)
    states = _states(policies)
    if len(states) > 1:
        account = given.get("account", "")
        states = tuple(state for state in states if state.account == account)
    if not states:
        raise UsageError("the files hold several accounts, or none; say which with `--account`")
    wanted = {key: value for key, value in given.items() if value and key != "account"}
    return shown(doctor.examine(states[0], wanted), links_text.LINKS, as_json=as_json)


def _states(policies: Sequence[str]) -> tuple[State, ...]:
    """The state of each account of a snapshot, or of account files, of which no answer was recorded."""
    files = state_files.chosen(policies)
    source = read(files[0])
    if len(files) == 1 and file.is_snapshot(source.text.encode()):
        states, notes = of_snapshot(file.parse(source.text.encode(), files[0]), files[0])
        for note in notes:
            context.note(note)
        return states
    found = state_files.snapshot(files)
    return tuple(State(each, datetime.now(UTC), snapshot=found) for each in found.accounts if each.isdigit())


def shown(chain: Chain, words: Mapping[Verdict, str], *, as_json: bool) -> int:
    """Print the chain; the exit code is that of its verdict."""
    text = json.dumps(links_text.document(chain, words), indent=2) + "\n" if as_json else ""
    sys.stdout.write(text or links_text.render(chain, words))
    return _CODES[chain.verdict]
