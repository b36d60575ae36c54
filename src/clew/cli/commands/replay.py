"""`clew replay`: every recorded call predicted from the account's policies, and compared with what happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import state_files


class Output(StrEnum):
    """The forms in which a replay is printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    policies: Annotated[
        list[str] | None,
        typer.Option(help=state_files.HELP),
    ] = None,
    events: Annotated[
        str | None, typer.Option(help="CloudTrail records as JSON lines, `-` for stdin, instead of the lake.")
    ] = None,
    user: Annotated[list[str] | None, typer.Option(help="Only calls of this principal (repeatable).")] = None,
    event_name: Annotated[
        list[str] | None, typer.Option(help="Only calls of this name (repeatable).")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this time on: 2026-03-10, or 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """Predict every recorded call from the policies, and show where prediction and record differ.

    What records or the snapshot do not hold is open or unknown, never an agreement.

    Exit codes: 0, 1 some call was not as predicted, 2, 3 no call could be compared.
    """
    from clew.cli.replaying import Asked, answer

    asked = Asked(
        policies=tuple(policies or ()),
        events=events,
        users=tuple(user or ()),
        event_names=tuple(event_name or ()),
        since=since,
        until=until,
        as_json=output is Output.JSON,
    )
    raise typer.Exit(answer(asked))
