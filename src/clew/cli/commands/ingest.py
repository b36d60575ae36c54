"""`clew ingest`: log files into the lake of the workspace, each record once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.lake.ingest import IngestReport

_SHOWN_IGNORED = 5


class Output(StrEnum):
    """The forms in which the outcome is printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, s3://BUCKET/PREFIX, or - for standard input.")
    ],
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Decoding processes; as many as processors by default.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile for s3:// (else the SDK's own).")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region for s3://.")] = None,
    since: Annotated[
        str | None, typer.Option(help="From s3://, only days from this: 2023-07-10, or 7d ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="From s3://, only days up to this.")] = None,
) -> None:
    """Take log files into the lake, each record exactly once; what cannot be read is quarantined (exit code 3)."""
    from clew.cli.intake import take_in
    from clew.cli.times import moment
    from clew.collect.s3_layout import period
    from clew.collect.session import Account

    workspace = context.workspace().create()
    now = datetime.now(UTC)
    report = take_in(
        workspace,
        paths,
        now=now,
        workers=workers or context.config().workers,
        account=Account(profile, region),
        period=period(moment(since, now) if since else None, moment(until, now) if until else None),
    )
    typer.echo(as_json(report) if output is Output.JSON else "\n".join(lines(report)))
    if report.quarantined:
        raise typer.Exit(context.EXIT_PARTIAL)


def as_json(report: IngestReport) -> str:
    """The report as one JSON object."""
    names = (
        *("files", "events", "stored", "duplicates", "conflicts", "quarantined_files", "quarantined_records"),
        *("known_files", "digest_files", "empty_files", "ignored", "reasons"),
    )
    stages = {name: round(seconds, 3) for name, seconds in report.stages.items()}
    told = {name: getattr(report, name) for name in names}
    return json.dumps(told | {"quarantined": report.quarantined, "stages": stages})


def lines(report: IngestReport) -> Iterator[str]:
    """The report as lines for people."""
    yield _row("files", report.files, _files_note(report))
    yield _row("events", report.events, "distinct, readable")
    yield _row("stored", report.stored, "new in the lake")
    yield _row("duplicates", report.duplicates, "seen again in this run, stored once")
    if report.conflicts:
        yield _row(
            "conflicts",
            report.conflicts,
            "event ids with different contents, all kept; WHERE conflict shows them",
        )
    yield _row("quarantined", report.quarantined, _reasons(report))
    if report.ignored:
        shown = ", ".join(context.printable(name) for name in report.ignored[:_SHOWN_IGNORED])
        more = (
            f" and {len(report.ignored) - _SHOWN_IGNORED} more"
            if len(report.ignored) > _SHOWN_IGNORED
            else ""
        )
        yield _row("ignored", len(report.ignored), f"no log files by their names: {shown}{more}")


def _row(name: str, count: int, note: str) -> str:
    return f"{name:<12} {count:>12,}  {note}".rstrip()


def _files_note(report: IngestReport) -> str:
    parts = (
        (report.known_files, "known already"),
        (report.digest_files, "digest files"),
        (report.empty_files, "empty"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in parts if count)


def _reasons(report: IngestReport) -> str:
    found = ", ".join(f"{count:,} {reason}" for reason, count in (report.reasons or {}).items())
    return f"{found}; `clew lake quarantine` lists them" if found else ""
