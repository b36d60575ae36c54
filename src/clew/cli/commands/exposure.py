"""`clew exposure`: who outside the account or the organisation reaches its resources."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from clew.errors import UsageError
from clew.findings import Severity


class Output(StrEnum):
    """The forms in which exposure is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    AWS = "aws"


class Zone(StrEnum):
    """Whose principals are trusted."""

    ACCOUNT = "account"
    ORGANIZATION = "organization"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(exposure)


def exposure(
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policies",
            help="A snapshot, or a folder with account and side files; the newest snapshot by default (repeatable).",
            metavar="SNAPSHOT|FOLDER",
        ),
    ] = None,
    zone: Annotated[Zone, typer.Option(help="The zone of trust: account or organization.")] = Zone.ACCOUNT,
    preview: Annotated[
        str | None,
        typer.Option(help="A policy that --resource is to get: show what it would newly expose."),
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="The ARN of the resource whose policy is previewed.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="The previewed resource is yet to be made.")] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="text, json, csv, or aws: as Access Analyzer's findings.")
    ] = Output.TEXT,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit 1 when an active finding is at least that severe.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the findings in the workspace.")
    ] = True,
    notify: Annotated[
        list[str] | None,
        typer.Option(help="Tell what changed: an ARN, mailto:ADDRESS, https://… (repeatable)."),
    ] = None,
) -> None:
    """Find what principals outside the zone of trust can reach: public, and shared with other accounts.

    Findings are kept: `clew suppress add` archives one with a reason, what is gone becomes resolved. A preview keeps
    nothing. Exit codes: 0 told, 1 by --fail-on, 2 wrong input, 3 something could not be read.
    """
    from clew.cli import exposing, notifying

    files = tuple(policies or ())
    if notify and (preview is not None or not keep):
        raise UsageError(
            "`--notify` tells what changed of kept findings; a preview and `--no-keep` keep none"
        )
    if (preview is None) != (resource is None):
        raise UsageError("give --preview and --resource together")
    if preview is not None and resource is not None:
        from clew.cli import exposing_preview

        asked = exposing_preview.Asked(preview, resource, new)
        raise typer.Exit(exposing_preview.show(files, zone.value, asked, output.value, fail_on))
    places, began = notifying.destinations(notify or ()), datetime.now(UTC)
    code = exposing.show(files, zone.value, output.value, fail_on, keep=keep)
    raise typer.Exit(notifying.after(code, places, began))
