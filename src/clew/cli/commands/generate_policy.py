"""`clew generate-policy`: the least policy for what a principal did, proven and compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import state_files


class Output(StrEnum):
    """The forms in which a generated policy is printed; `policy` is the documents alone."""

    TEXT = "text"
    JSON = "json"
    POLICY = "policy"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate-policy")(generate_policy)


def generate_policy(
    principal: Annotated[str, typer.Argument(help="ARN of a user or role; of a role all sessions count.")],
    days: Annotated[int | None, typer.Option(min=1, help="Calls of this many days up to now.")] = None,
    since: Annotated[str | None, typer.Option(help="From this time on: 2026-03-10, or 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(help=state_files.HELP),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text, json or policy.")] = Output.TEXT,
) -> None:
    """Write the smallest policy that allows what a principal did, from the records in the lake.

    Only calls that succeeded count. What records cannot show – iam:PassRole, data events that are off – is said.

    Exit codes: 0 generated, 2, 3 nothing was generated, or some call is not covered by the policy.
    """
    from clew.cli.generating import Asked, answer

    asked = Asked(principal, days, since, until, tuple(policies or ()), output.value)
    raise typer.Exit(answer(asked))
