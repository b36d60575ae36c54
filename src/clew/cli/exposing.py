"""How `clew exposure` reads its state, keeps what it finds, and prints it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from clew.cli import context, state_files
from clew.cli.detection import width
from clew.cli.investigation import reaches
from clew.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from clew.analyzer.exposure_accounts import State
    from clew.analyzer.exposure_model import Report, WayIn
    from clew.findings import Finding, Severity
    from clew.report.exposure_json import Pair
    from clew.store.database import Database


def show(policies: str | None, zone: str, output: str, fail_on: Severity | None, *, keep: bool) -> int:
    """Judge every account of the state, keep and print the findings; the exit code."""
    now = datetime.now(UTC)
    state, as_of = read(policies, now)
    reports = [_report(state, account, zone) for account in state.accounts]
    pairs: list[Pair] = []
    resolved: list[Finding] = []
    for report in reports:
        found, gone = _kept(report, as_of, now) if keep else (_unkept(report, as_of), ())
        pairs += found
        resolved += gone
    pairs.sort(key=lambda pair: (-pair[1].severity.rank, pair[0].resource, pair[0].subject))
    sys.stdout.write(_rendered(reports, pairs, resolved, output))
    return _exit_code(reports, [kept for _, kept in pairs], fail_on)


def read(policies: str | None, now: datetime) -> tuple[State, datetime]:
    """The state in a snapshot, a folder or a file, and when it was true. Errors: `InputError`, `UsageError`."""
    from clew.analyzer.exposure_accounts import State
    from clew.snapshot import file, load
    from clew.snapshot.answers import Answers

    path = Path(policies) if policies is not None else state_files.newest_snapshot()
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


def _report(state: State, account: str, zone: str) -> Report:
    from clew.analyzer.exposure import run
    from clew.analyzer.exposure_accounts import everything, zone_of
    from clew.analyzer.exposure_model import ZoneOfTrust

    trusted, unknown = zone_of(state, account, ZoneOfTrust(zone))
    found = run(account, trusted, everything(state, account))
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


def _rendered(
    reports: list[Report], pairs: list[Pair], resolved: list[Finding], output: str, *, preview: bool = False
) -> str:
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


def _exit_code(reports: list[Report], findings: list[Finding], fail_on: Severity | None) -> int:
    from clew.cli.investigation import severity

    if reaches(findings, fail_on or severity(context.config().fail_on)):
        return context.EXIT_FINDINGS
    is_partial = any(report.unknown for report in reports)
    return context.EXIT_PARTIAL if is_partial else context.EXIT_CLEAN


def show_preview(
    policies: str | None, zone: str, document: str, resource: str, output: str, fail_on: Severity | None
) -> int:
    """Print what a resource would newly expose with another policy, and what no longer; the exit code."""
    from clew.analyzer.exposure import exposure, newly_exposed, with_policy
    from clew.analyzer.exposure_accounts import everything, zone_of
    from clew.analyzer.exposure_findings import finding
    from clew.analyzer.exposure_model import Report, Target, ZoneOfTrust

    now = datetime.now(UTC)
    state, as_of = read(policies, now)
    targets = {
        each.arn: each
        for account in state.accounts
        for each in everything(state, account)
        if isinstance(each, Target)
    }
    before = targets.get(resource)
    if before is None:
        raise UsageError(f"no resource `{resource}` in what was read")
    trusted, _ = zone_of(state, before.account, ZoneOfTrust(zone))
    after = with_policy(before, _way(document))
    new, gone = newly_exposed(before, after, trusted)
    _, unknown = exposure(after, trusted)
    report = Report(before.account, trusted, {resource: before.type}, new, unknown)
    pairs = [(each, finding(each, trusted, as_of)) for each in new]
    closed = [finding(each, trusted, as_of) for each in gone]
    sys.stdout.write(_rendered([report], pairs, closed, output, preview=True))
    return _exit_code([report], [kept for _, kept in pairs], fail_on)


def _way(document: str) -> WayIn:
    from clew.analyzer.exposure_model import Through, WayIn
    from clew.snapshot.load import read as read_file
    from clew.snapshot.model import Document

    source = read_file(document)
    return WayIn(
        Through.POLICY, "--preview", document, document=Document("preview", source.text, source=source)
    )
