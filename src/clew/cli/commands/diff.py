"""`clew diff`: what a change of a policy made possible, and what it made impossible."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from clew.cli import context
from clew.cli.checking_options import FailOn, Kind
from clew.cli.validation_options import Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(diff)


def diff(
    old: Annotated[str, typer.Argument(help="The policy as it was; `-` reads standard input.")],
    new: Annotated[str, typer.Argument(help="The policy as it is to be.")],
    kind: Annotated[
        Kind | None,
        typer.Option("--type", help="What the policies are; looked at for principals by default."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit 1 when something became possible (new-access).")
    ] = None,
) -> None:
    """Tell what became possible and impossible between two policies, in few sentences, each with a request.

    Exit codes: 0 told, 1 by --fail-on, 2 wrong input, 3 something was not decided.
    """
    from clew.cli import checking
    from clew.report import diff_text
    from clew.symbolic.difference import difference

    (before, after), found = checking.policies([old, new], kind)
    changes = difference(checking.exact(before), checking.exact(after), found)
    if output is Output.JSON:
        sys.stdout.write(diff_text.as_json(changes))
    else:
        sys.stdout.write(diff_text.text(changes, color=context.use_color()))
    if changes.undecided:
        raise typer.Exit(context.EXIT_PARTIAL)
    if fail_on is FailOn.NEW_ACCESS and changes.possible:
        raise typer.Exit(context.EXIT_FINDINGS)
