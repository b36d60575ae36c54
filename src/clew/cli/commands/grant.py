"""`clew grant`: the smallest policy for a named task, where it belongs, and what else must allow it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import state_files


class Output(StrEnum):
    """The forms in which the answer is printed."""

    TEXT = "text"
    JSON = "json"


class As(StrEnum):
    """The forms in which the change is printed alone."""

    DIFF = "diff"
    JSON_PATCH = "json-patch"
    CLI = "cli"
    UNDO = "undo"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    PLAN = "plan"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(grant)


def grant(
    task: Annotated[str, typer.Argument(help="The task by its id; `list` shows all of them.")],
    principal: Annotated[
        str, typer.Option("--to", help="Who has the task: the ARN of a user or a role.")
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the task: NAME=VALUE (repeatable).")
    ] = None,
    account: Annotated[
        str, typer.Option(help="The account of what is named; that of `--to` by default.")
    ] = "",
    region: Annotated[str, typer.Option(help="The region of what is named.")] = "",
    policies: Annotated[list[str] | None, typer.Option(help=state_files.HELP)] = None,
    form: Annotated[
        As | None,
        typer.Option(
            "--as",
            help="Print the change alone: diff, json-patch, cli, undo, cloudformation, terraform; plan for clew fix.",
        ),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """State the smallest policy for a named task, where to attach it, and what else must allow it, with the proof.

    Exit codes: 0 proven, 1 something stops it all the same, 2 the question is malformed, 3 it is open.
    """
    from clew.cli.fix_forms import Form
    from clew.cli.granting import Asked, answer

    asked = Asked(
        task,
        principal,
        tuple(settings or ()),
        account,
        region,
        tuple(policies or ()),
        as_json=output is Output.JSON,
        form=None if form is None else Form(form.value),
    )
    raise typer.Exit(answer(asked))
