"""How `clew generate-policy` reads calls and current policies, and prints what was made of them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from clew.analyzer.generate import compared, generate, not_compared
from clew.analyzer.generate_calls import calls_of
from clew.cli import context, state_files, times
from clew.engine.principal import Kind, PrincipalError, parse_principal
from clew.errors import InputError, UsageError
from clew.lake.coverage import Question, blind_spots
from clew.lake.coverage.kinds import DATA_EVENTS
from clew.lake.history.filters import Filters
from clew.lake.history.search import originals
from clew.lake.reader import open_lake
from clew.report import generate_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.generate import Comparison, Generated
    from clew.engine.principal import Caller
    from clew.lake.reader import Lake

_DEFAULT_DAYS: Final = 90
_WITH_POLICIES: Final = frozenset({Kind.USER, Kind.ROLE})


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of one invocation."""

    principal: str
    days: int | None
    since: str | None
    until: str | None
    policies: tuple[str, ...]
    output: str


def answer(asked: Asked) -> int:
    """Generate, compare, print; the exit code."""
    caller = _caller(asked.principal)
    now = datetime.now(UTC)
    wanted = Filters(
        users=(asked.principal,),
        since=_since(asked, now),
        until=times.end(asked.until, now) if asked.until else None,
    )
    lake = open_lake(context.workspace().lake_path)
    events = (json.loads(text) for text in originals(lake, wanted, limit=0, newest_first=False))
    made = generate(asked.principal, calls_of(events, asked.principal), tuple(_blind(lake, wanted, caller)))
    files = state_files.chosen_if_any(asked.policies)
    if files:
        made = replace(made, comparison=_comparison(made, caller, files))
    sys.stdout.write(_shown(made, asked.output))
    is_whole = made.policies and made.proof.holds and not made.calls.unmapped
    return context.EXIT_CLEAN if is_whole else context.EXIT_PARTIAL


def _caller(principal: str) -> Caller:
    try:
        caller = parse_principal(principal)
    except PrincipalError as error:
        raise UsageError(f"{error}; give the ARN of a user or role") from error
    if caller.kind not in _WITH_POLICIES:
        raise UsageError(f"`{principal[:200]}` is no user and no role; only these have policies of their own")
    return caller


def _since(asked: Asked, now: datetime) -> datetime:
    if asked.since and asked.days:
        raise UsageError("`--since` and `--days` exclude each other")
    if asked.since:
        return times.moment(asked.since, now)
    return now - timedelta(days=asked.days or _DEFAULT_DAYS)


def _blind(lake: Lake, wanted: Filters, caller: Caller) -> Iterator[str]:
    """What the lake cannot have seen of the principal's calls, as clauses; data events of every service together."""
    question = Question(
        since=wanted.since,
        until=wanted.until,
        accounts=(caller.account,),
        event_sources=tuple(f"{service}.amazonaws.com" for service in sorted(DATA_EVENTS)),
    )
    spots = blind_spots(lake, question)
    yield from (spot.what for spot in spots if spot.code != "data_events")
    off = [spot.what for spot in spots if spot.code == "data_events"]
    if off:
        names = ", ".join(
            what.removeprefix("no data events of ").removesuffix(" in the lake") for what in off
        )
        yield f"no data events of {names}: calls that only these record are not in the policy"


def _comparison(made: Generated, caller: Caller, files: Sequence[str]) -> Comparison:
    from clew.reach.attached import held
    from clew.reach.identity import identity

    snapshot = state_files.snapshot(files)
    try:
        current = held(identity(snapshot, caller).attachments)
    except InputError as error:
        return not_compared(str(error))
    if current.missing:
        return not_compared("; ".join(missing.why for missing in current.missing))
    return compared(made.policies, current.policies)


def _shown(made: Generated, output: str) -> str:
    if output == "json":
        return json.dumps(generate_text.document(made), indent=2) + "\n"
    if output == "policy":
        return generate_text.policies(made)
    return generate_text.render(made)
