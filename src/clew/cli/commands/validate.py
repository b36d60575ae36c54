"""`clew validate`: is this policy document right, and what should it say instead."""

from __future__ import annotations

from typing import Annotated

import typer

from clew.cli import context
from clew.cli.validation_options import FailOn, Kind, Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    files: Annotated[list[str], typer.Argument(help="Policy documents; `-` reads standard input.")],
    kind: Annotated[Kind | None, typer.Option(help="What the policy is; guessed from it by default.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Print the corrected document; what was changed goes to stderr.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
    fail_on: Annotated[FailOn, typer.Option(help="Exit 1 from this weight on.")] = FailOn.ERROR,
) -> None:
    """Tell every mistake of policy documents, each with its line, and offer a corrected document.

    JSON faults, unknown elements, operators, actions and condition keys, wrong ARNs, and what the kind of policy
    forbids. Nothing is read from AWS. Exit codes: 0 clean, 1 problems from --fail-on on, 2 a file cannot be read.
    """
    from clew.cli import validation

    raise typer.Exit(validation.run(files, kind, output, fail_on, fix=fix) or context.EXIT_CLEAN)
