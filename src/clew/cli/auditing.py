"""How `clew audit` judges, keeps what it finds, and ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.cli import audit_files, audit_keeping, context, state_files, times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clew.audit.results import Audit
    from clew.cli.audit_options import Chosen, Writing
    from clew.findings import Severity


def audit_snapshot(
    file: Path | None,
    accounts: Sequence[str],
    chosen: Chosen,
    writing: Writing,
    *,
    parameters: Sequence[str],
    fail_on: Severity | None,
    trend: bool,
    allow_unknown: bool,
) -> int:
    """Audit a snapshot and write the reports; the exit code."""
    from clew.audit import thresholds
    from clew.audit.results import Origin
    from clew.audit.run import run
    from clew.audit.state import of_snapshot
    from clew.snapshot import file as snapshot_file

    clock = datetime.now(UTC)
    frameworks, _ = chosen.load(), writing.formats()
    given = thresholds.read(parameters, frameworks, chosen.known)
    path = file or state_files.newest_snapshot()
    recorded = snapshot_file.read(path)
    states, problems = of_snapshot(recorded, str(path), accounts)
    header = recorded.header
    origin = Origin(str(path), header.regions, header.answers, header.tool_version)
    audit = run(
        states,
        frameworks,
        now=clock,
        parameters=given,
        origin=origin,
        problems=problems,
        keep_answers="evidence" in writing.formats(),
        checks=chosen.known,
    )
    audit = audit_keeping.kept(audit, clock) if trend else audit
    writing.write(audit)
    code = _exit_code(audit, fail_on)
    partial = audit.is_partial and not allow_unknown
    return code or (context.EXIT_PARTIAL if partial else context.EXIT_CLEAN)


def audit_credential_report(
    file: str,
    given: audit_files.Given,
    chosen: Chosen,
    writing: Writing,
    *,
    now: str | None,
    parameters: Sequence[str],
    keep: bool,
    fail_on: Severity | None,
) -> int:
    """Audit a credential report and write the reports; the exit code."""
    from clew.audit import thresholds
    from clew.audit.run import run

    clock = datetime.now(UTC)
    frameworks, _ = chosen.load(), writing.formats()
    found = audit_files.credential_report(file)
    moment = times.moment(now, clock) if now else clock
    as_of = (times.moment(now, clock) if now else found.generated_at) or clock
    found = replace(found, is_undated=not now and found.generated_at is None)
    state = audit_files.report_state(found, given, as_of)
    audit = run([state], frameworks, now=moment, parameters=thresholds.read(parameters, frameworks))
    audit = audit_keeping.kept(audit, clock) if keep else audit
    writing.write(audit)
    partial = context.EXIT_PARTIAL if found.problems else context.EXIT_CLEAN
    return _exit_code(audit, fail_on) or partial


def _exit_code(audit: Audit, fail_on: Severity | None) -> int:
    from clew.cli.investigation import reaches, severity

    threshold = fail_on or severity(context.config().fail_on)
    return context.EXIT_FINDINGS if reaches(audit.findings, threshold) else context.EXIT_CLEAN
