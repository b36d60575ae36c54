"""How `clew exposure` reads its state, keeps what it finds, and prints it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context, state_files
from clew.cli.detection import width
from clew.cli.investigation import reaches
from clew.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.analyzer.exposure_accounts import State
    from clew.analyzer.exposure_model import Report, Unknown, Zone
    from clew.findings import Finding, Severity
    from clew.report.exposure_json import Pair
    from clew.store.database import Database


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read, and the accounts with the state in which each is looked at, and when it was true."""

    accounts: Mapping[str, tuple[State, datetime]]

    @property
    def states(self) -> tuple[State, ...]:
        """Every state that an account is looked at in."""
        return tuple({id(state): state for state, _ in self.accounts.values()}.values())


def show(policies: Sequence[str], zone: str, output: str, fail_on: Severity | None, *, keep: bool) -> int:
    """Judge every account of the states, keep and print the findings; the exit code."""
    now = datetime.now(UTC)
    reading = read_all(policies, now)
    reports: list[Report] = []
    pairs: list[Pair] = []
    resolved: list[Finding] = []
    for account, (_, as_of) in reading.accounts.items():
        report = _report(reading, account, zone)
        found, gone = _kept(report, as_of, now) if keep else (_unkept(report, as_of), ())
        reports.append(report)
        pairs += found
        resolved += gone
    pairs.sort(key=lambda pair: (-pair[1].severity.rank, pair[0].resource, pair[0].subject))
    sys.stdout.write(rendered(reports, pairs, resolved, output))
    return exit_code(reports, [kept for _, kept in pairs], fail_on)


def read_all(policies: Sequence[str], now: datetime) -> Reading:
    """Every snapshot, folder and file; of an account that several hold, the latest. Errors: as `read`."""
    found: dict[str, tuple[State, datetime]] = {}
    paths = [Path(each) for each in policies] or [state_files.newest_snapshot()]
    for state, as_of in sorted((read(path, now) for path in paths), key=lambda each: each[1]):
        for account in state.accounts:
            if account in found:
                context.note(
                    f"several files hold {account}; the latest, of {as_of:%Y-%m-%d %H:%M} UTC, is used"
                )
            found[account] = (state, as_of)
    return Reading(dict(sorted(found.items())))


def read(path: Path, now: datetime) -> tuple[State, datetime]:
    """The state in a snapshot, a folder or a file, and when it was true. Errors: `InputError`, `UsageError`."""
    from clew.analyzer.exposure_accounts import State
    from clew.snapshot import file, load
    from clew.snapshot.answers import Answers

    snapshot = load.load(load.Inputs(accounts=(str(path),)))
    if path.is_dir() or not _is_snapshot(path):
        return State(snapshot, Answers([])), now
    recorded = file.read(path)
    return State(snapshot, recorded.answers, path.name), datetime.fromisoformat(recorded.header.collected_at)


def _is_snapshot(path: Path) -> bool:
    from clew.snapshot import file

    try:
        return file.is_snapshot(path.read_bytes())
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}") from error


def zone_around(reading: Reading, account: str, zone: str) -> tuple[Zone, tuple[Unknown, ...]]:
    """The zone of trust around an account, and what is not known of it."""
    from clew.analyzer.exposure_model import ZoneOfTrust
    from clew.analyzer.exposure_zones import zone_of

    state, _ = reading.accounts[account]
    beside = tuple(each for each in reading.states if each is not state)
    return zone_of(state, account, ZoneOfTrust(zone), beside)


def _report(reading: Reading, account: str, zone: str) -> Report:
    from clew.analyzer.exposure import run
    from clew.analyzer.exposure_accounts import everything, overlooked

    state, _ = reading.accounts[account]
    trusted, unknown = zone_around(reading, account, zone)
    found = run(account, trusted, everything(state, account), overlooked(state, account))
    return replace(found, unknown=(*unknown, *found.unknown))


def _unkept(report: Report, as_of: datetime) -> list[Pair]:
    from clew.analyzer.exposure_findings import finding

    return [(each, finding(each, report.zone, as_of)) for each in report.exposures]


def _kept(report: Report, as_of: datetime, now: datetime) -> tuple[list[Pair], tuple[Finding, ...]]:
    """The findings with the standing that they have in the workspace, and those that are resolved now."""
    from clew.analyzer.exposure_findings import cleared, producer

    found = _unkept(report, as_of)
    try:
        from clew.store.database import Database
        from clew.store.findings import kept_findings, upsert
    except MissingExtraError as error:
        context.note(f"findings are not kept: {error}")
        return found, ()
    mine = producer(report.zone)
    with Database(context.workspace().create().state_path) as database:
        if _is_older(database, mine, as_of):
            context.note(f"a later state of {report.account} was judged before; this older one is not kept")
            return found, ()
        before = [k.finding for k in kept_findings(database, now) if k.finding.producer == mine]
        outcome = upsert(
            database,
            [kept for _, kept in found],
            now,
            producer=mine,
            cleared=cleared(report, before),
            gap=None,
            detail={"as_of": as_of.isoformat(), "resources": len(report.targets)},
        )
    standing = {kept.subject: kept for kept in outcome.findings}
    return [(each, standing[each.subject]) for each, _ in found], outcome.fixed


def _is_older(database: Database, producer: str, as_of: datetime) -> bool:
    """Whether a state of a later time was kept before: an old one must not undo what it told."""
    from clew.store.findings import trend

    times = [str(run.detail["as_of"]) for run in trend(database, producer) if "as_of" in run.detail]
    return any(datetime.fromisoformat(time) > as_of for time in times)


def rendered(
    reports: list[Report], pairs: list[Pair], resolved: list[Finding], output: str, *, preview: bool = False
) -> str:
    """The reports in the form that was asked for."""
    from clew.report import exposure_csv, exposure_json, exposure_text

    match output:
        case "json":
            return exposure_json.render(reports, pairs, resolved)
        case "aws":
            return exposure_json.render_aws(pairs, resolved)
        case "csv":
            return exposure_csv.render(reports, pairs)
        case _:
            return exposure_text.render(reports, pairs, resolved, width=width(), preview=preview)


def exit_code(reports: list[Report], findings: list[Finding], fail_on: Severity | None) -> int:
    """1 where an active finding is severe enough, 3 where something is not known, else 0."""
    from clew.cli.investigation import severity

    if reaches(findings, fail_on or severity(context.config().fail_on)):
        return context.EXIT_FINDINGS
    is_partial = any(report.unknown for report in reports)
    return context.EXIT_PARTIAL if is_partial else context.EXIT_CLEAN
