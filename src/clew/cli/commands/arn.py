"""`clew arn`: what is wrong with an ARN, and which one was meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.cli.validation_options import Output

if TYPE_CHECKING:
    from clew.aws.arn_doctor import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(arn)


def arn(
    text: Annotated[str, typer.Argument(metavar="ARN", help="The ARN, also with wildcards as in a policy.")],
    action: Annotated[
        str | None, typer.Option("--action", "-a", help="Also ask whether this action works on it.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text or json.")] = Output.TEXT,
) -> None:
    """Examine an ARN: its fields, their order, its service's formats, and the action that should work on it.

    Exit codes: 0 nothing is wrong, 1 something is.
    """
    from clew.aws.arn_doctor import examine
    from clew.aws.catalog import current
    from clew.errors import InputError

    catalog = current()
    if action is not None and catalog.action(action) is None:
        meant = catalog.nearest_action(action)
        hint = f"; did you mean `{meant}`?" if meant is not None else ""
        raise InputError(f"unknown action `{action}`{hint}")
    found = examine(text, action=action, catalog=catalog)
    if output is Output.JSON:
        rows = [
            {
                "issue_code": each.code,
                "message": each.message,
                "corrected": each.corrected,
                "certain": each.is_certain,
            }
            for each in found
        ]
        typer.echo(json.dumps({"arn": text, "action": action, "diagnoses": rows}, indent=2))
    else:
        _print(text, found)
    raise typer.Exit(context.EXIT_FINDINGS if any(each.is_error for each in found) else context.EXIT_CLEAN)


def _print(text: str, found: tuple[Diagnosis, ...]) -> None:
    for each in found:
        typer.echo(context.printable(f"{each.message} ({each.code})"))
    corrected = next((each.corrected for each in found if each.corrected is not None), None)
    if corrected is not None:
        typer.echo(context.printable(f"did you mean `{corrected}`?"))
    elif not found:
        typer.echo(context.printable(f"`{text}` is well-formed"))
