"""`clew unused`: roles, access keys, passwords and permissions that nobody used."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from clew.errors import UsageError
from clew.findings import Severity


class Output(StrEnum):
    """The forms in which unused access is printed."""

    TEXT = "text"
    JSON = "json"
    AWS = "aws"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unused)


def unused(
    policies: Annotated[
        str | None,
        typer.Option(
            "--policies", help="A snapshot; the newest of the workspace by default.", metavar="SNAPSHOT"
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="The window, back from the snapshot.")] = 90,
    lake: Annotated[
        bool, typer.Option("--lake", help="Also judge by the calls that the workspace's lake recorded.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="text, json, or aws: as Access Analyzer's findings.")
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
    """Find access that was not used within a window, each with a recommendation.

    What is younger than the window is not judged, service-linked roles are skipped. Silence of the lake counts only
    where it covers the window. Exit codes: 0 told, 1 by --fail-on, 2 wrong input, 3 something could not be told.
    """
    from clew.cli import notifying, unusing

    if notify and not keep:
        raise UsageError("`--notify` tells what changed of kept findings; `--no-keep` keeps none")
    places, began = notifying.destinations(notify or ()), datetime.now(UTC)
    asked = unusing.Asked(policies, days, lake, output.value, keep)
    raise typer.Exit(notifying.after(unusing.show(asked, fail_on), places, began))
