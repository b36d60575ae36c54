"""How the doctors of `clew explain` read their question, and print the answer."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.audit.model import State
from clew.audit.resources import items, text
from clew.audit.state import of_snapshot
from clew.cli import context, state_files, times
from clew.cli.simulation_context import carried
from clew.engine.principal import PrincipalError
from clew.errors import UsageError
from clew.explain import assume_role
from clew.explain.assume_role_question import Asked, account_of, fitting_call
from clew.explain.integrations import DOCTORS, named
from clew.explain.links import Verdict
from clew.report import links_text
from clew.snapshot import file
from clew.snapshot.load import read
from clew.snapshot.model import Snapshot

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
    states = _states(policies)
    account = next((each for each in states if each.account == account_of(role)), None)
    asked = replace(asked, providers=_providers(account) if account is not None else None)
    try:
        found = assume_role.diagnose(asked, states[0].snapshot if states else Snapshot())
    except PrincipalError as error:
        raise UsageError(str(error)) from error
    return shown(found.chain, links_text.HYPOTHESES, as_json=as_json)


def _providers(state: State) -> frozenset[str] | None:
    """The ARNs of the account's identity providers; None where the lists were not collected."""
    lists = (
        ("ListSAMLProviders", "SAMLProviderList"),
        ("ListOpenIDConnectProviders", "OpenIDConnectProviderList"),
    )
    told = [(state.answer(call), path) for call, path in lists]
    if any(not answer.status.is_known for answer, _ in told):
        return None
    return frozenset(text(each, "Arn") for answer, path in told for each in items(answer.body, path))


def answer_integration(
    name: str, words: Sequence[str], *, account: str, policies: Sequence[str], as_json: bool
) -> int:
    """Examine the integration in the account that the files hold and print its links; the exit code."""
    doctor = named(name)
    given = told(words)
    states = _states(policies)
    if len(states) > 1:
        states = tuple(state for state in states if state.account == account)
    if not states:
        raise UsageError("the files hold several accounts, or none; say which with `--account`")
    events = _events(doctor.events) if doctor.events else None
    return shown(doctor.examine(states[0], given, events), links_text.LINKS, as_json=as_json)


def told(words: Sequence[str]) -> dict[str, str]:
    """The options of an integration: `--name value` or `--name=value`. Errors: `UsageError`.

    >>> told(["--function", "resize", "--url=https://x/?a=b"])
    {'function': 'resize', 'url': 'https://x/?a=b'}
    """
    found, rest = {}, list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise UsageError(f"`{word[:80]}` is no option; expected such as `--function NAME`")
        key, given, value = word[2:].partition("=")
        if not given:
            if not rest:
                raise UsageError(f"`--{key}` needs a value")
            value = rest.pop(0)
        found[key] = value
    return found


def list_integrations(*, as_json: bool) -> int:
    """Print every integration with what it looks at and its options; the exit code."""
    if as_json:
        rows = [
            {
                "name": each.name,
                "title": each.title,
                "looks_at": each.looks,
                "needs": each.needs,
                "may": each.may,
            }
            for each in DOCTORS.values()
        ]
        sys.stdout.write(json.dumps({"integrations": rows}, indent=2) + "\n")
        return context.EXIT_CLEAN
    for each in DOCTORS.values():
        words = textwrap.fill(
            f"{each.title}: {each.looks}", 96, initial_indent="    ", subsequent_indent="    "
        )
        sys.stdout.write(f"{each.name} {each.options}\n{words}\n")
    return context.EXIT_CLEAN


def _events(names: Sequence[str]) -> list[Mapping[str, object]] | None:
    """The recorded calls of these names, oldest first; None where there is no lake."""
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals
    from clew.lake.reader import open_lake

    place = context.workspace().lake_path
    if not place.exists():
        return None
    texts = originals(open_lake(place), Filters(event_names=tuple(names)), limit=0)
    return sorted((json.loads(text) for text in texts), key=lambda event: str(event.get("eventTime")))


def _states(policies: Sequence[str]) -> tuple[State, ...]:
    """The state of each account of a snapshot, or of account files, of which no answer was recorded."""
    files = state_files.chosen(policies)
    if len(files) == 1 and not Path(files[0]).is_dir():
        data = read(files[0]).text.encode()
        if file.is_snapshot(data):
            states, notes = of_snapshot(file.parse(data, files[0]), files[0])
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
