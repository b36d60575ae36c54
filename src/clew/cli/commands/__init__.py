"""One module for each command; each has `register(app)`. Where the help shows it: `clew.cli.sections`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.cli.commands import (
    arn,
    audit,
    block_public_access,
    case,
    catalog,
    check,
    collect,
    config,
    coverage,
    deploy,
    detect,
    diff,
    doctor,
    events,
    explain,
    exposure,
    findings,
    fix,
    generate_policy,
    ingest,
    investigate,
    lake,
    notify,
    paths,
    policy,
    replay,
    rules,
    simulate,
    snapshot,
    sql,
    suppress,
    unused,
    validate,
    who_can,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

COMMANDS: tuple[Callable[[typer.Typer], None], ...] = (
    investigate.register,
    ingest.register,
    events.register,
    coverage.register,
    detect.register,
    findings.register,
    suppress.register,
    rules.register,
    collect.register,
    snapshot.register,
    config.register,
    simulate.register,
    validate.register,
    check.register,
    diff.register,
    arn.register,
    who_can.register,
    explain.register,
    paths.register,
    policy.register,
    replay.register,
    case.register,
    generate_policy.register,
    audit.register,
    exposure.register,
    unused.register,
    fix.register,
    block_public_access.register,
    notify.register,
    deploy.register,
    sql.register,
    lake.register,
    catalog.register,
    doctor.register,
)
