"""How `clew unused` reads its state, keeps what it finds, and prints it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clew.cli import context, state_files
from clew.cli.detection import width
from clew.cli.investigation import reaches, severity
from clew.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.analyzer.unused import Given
    from clew.analyzer.unused_model import Activity, Judged, Window
    from clew.audit.model import State
    from clew.findings import Finding, Severity
    from clew.report.unused_text import Pair

_DAY: Final = timedelta(days=1)
# What makes silence mean nothing; a quiet hour or a region without records does not.
_BLINDING: Final = frozenset({"empty", "time", "account", "reads", "trail_change", "unread"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of one invocation."""

    policies: str | None
    days: int
    lake: bool
    output: str
    keep: bool


def show(asked: Asked, fail_on: Severity | None) -> int:
    """Judge every account of the snapshot, keep and print the findings; the exit code."""
    from clew.analyzer.unused import run
    from clew.analyzer.unused_model import Window
    from clew.audit.state import of_snapshot
    from clew.report import unused_aws, unused_text
    from clew.snapshot import file

    path = Path(asked.policies) if asked.policies else state_files.newest_snapshot()
    if path.is_dir():
        made = f"`clew collect --from-files {path}` makes one of what is in it"
        raise InputError(f"`{path}` is a folder; `clew unused` takes a snapshot: {made}")
    states, problems = of_snapshot(file.read(path), path.name)
    for problem in problems:
        # What else of the account was refused says nothing of who used what.
        if " iam:" in problem:
            context.note(problem)
    judged = []
    for state in states:
        window = Window(state.as_of, asked.days)
        judged.append(run(_given(state, window, with_lake=asked.lake), window))
    pairs, resolved = _pairs(judged, keep=asked.keep)
    match asked.output:
        case "json":
            sys.stdout.write(unused_text.as_json(judged, pairs, resolved))
        case "aws":
            sys.stdout.write(unused_aws.render(pairs, resolved))
        case _:
            sys.stdout.write(unused_text.render(judged, pairs, resolved, width=width()))
    if reaches([kept for _, kept in pairs], fail_on or severity(context.config().fail_on)):
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if any(each.open for each in judged) else context.EXIT_CLEAN


def _given(state: State, window: Window, *, with_lake: bool) -> Given:
    from clew.analyzer.unused import Given
    from clew.snapshot.answers import GLOBAL

    told = state.answers.get(state.account, GLOBAL, "iam", "GetAccountAuthorizationDetails")
    roles: Mapping[str, Mapping[str, object]] | None = None
    if told.status.is_known:
        roles = {str(role.get("Arn")): role for role in told.list("RoleDetailList")}
    activity = _activity(state.account, window) if with_lake else None
    return Given(state.account, state.snapshot, state.answers, roles, state.report, activity)


def _activity(account: str, window: Window) -> Activity:
    """What the lake recorded of the account within the window, and why silence may mean nothing."""
    from clew.analyzer.unused_activity import activity
    from clew.lake.coverage import Question, blind_spots
    from clew.lake.coverage.kinds import DATA_EVENTS
    from clew.lake.history.filters import Filters
    from clew.lake.history.search import originals
    from clew.lake.reader import open_lake

    lake = open_lake(context.workspace().lake_path)
    sources = tuple(f"{service}.amazonaws.com" for service in sorted(DATA_EVENTS))
    # Records come when something happens: a day of silence at either end is no hole.
    question = Question(window.since + _DAY, window.until - _DAY, (account,), event_sources=sources)
    spots = blind_spots(lake, question)
    missing = tuple(spot.what for spot in spots if spot.code in _BLINDING)
    is_seen = not any(spot.code == "data_events" for spot in spots)
    wanted = Filters(accounts=(account,), since=window.since, until=window.until)
    events = (json.loads(text) for text in originals(lake, wanted, limit=0, newest_first=False))
    return activity(events, frozenset() if is_seen else frozenset(DATA_EVENTS), missing)


def _pairs(judged: list[Judged], *, keep: bool) -> tuple[list[Pair], list[Finding]]:
    from clew.analyzer.unused_findings import finding

    pairs: list[Pair] = []
    resolved: list[Finding] = []
    for each in judged:
        found = [(one, finding(one, each)) for one in each.unused]
        kept, gone = _kept(each, found) if keep else (found, ())
        pairs += kept
        resolved += gone
    return sorted(pairs, key=lambda pair: (-pair[1].severity.rank, pair[1].rule, pair[0].subject)), resolved


def _kept(judged: Judged, found: list[Pair]) -> tuple[list[Pair], tuple[Finding, ...]]:
    """The findings with the standing that they have in the workspace, and those that are resolved now."""
    from clew.analyzer.unused_findings import cleared, producer

    try:
        from clew.store.database import Database
        from clew.store.findings import kept_findings, upsert
    except MissingExtraError as error:
        context.note(f"findings are not kept: {error}")
        return found, ()
    now, mine = datetime.now(UTC), producer(judged.account)
    with Database(context.workspace().create().state_path) as database:
        before = [k.finding for k in kept_findings(database, now) if k.finding.producer == mine]
        outcome = upsert(
            database,
            [kept for _, kept in found],
            now,
            producer=mine,
            cleared=cleared(judged, before),
            gap=None,
            detail={"as_of": judged.window.until.isoformat(), "days": judged.window.days},
        )
    standing = {(kept.rule, kept.subject): kept for kept in outcome.findings}
    return [(each, standing[kept.rule, kept.subject]) for each, kept in found], outcome.fixed
