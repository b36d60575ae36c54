"""`clew paths`: how far a principal can get by assuming roles and by the known ways to gain permissions."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import context, state_files
from clew.errors import UsageError


class Output(StrEnum):
    """The forms in which paths are printed."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class FailOn(StrEnum):
    """What makes the exit code 1."""

    PATH = "path"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(paths)


def paths(
    policies: Annotated[list[str] | None, typer.Option(help=state_files.HELP)] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="ARN of the user or role that starts; everybody by default.")
    ] = None,
    goal: Annotated[
        str | None, typer.Option("--to", help="ARN of a user or role, or `admin`: every permission.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="text, json or html.")] = Output.TEXT,
    fail_on: Annotated[FailOn | None, typer.Option(help="Exit 1 when there is a path (path).")] = None,
) -> None:
    """List the shortest way to everything that a principal can reach, each step with the statement that makes it.

    Steps are assumed roles and the known ways to gain permissions. What is not at hand is named, never followed.

    Exit codes: 0 told, 1 by --fail-on, 2 wrong input, 3 something was not known.
    """
    from clew.reach import paths as search
    from clew.report import paths_html, paths_text

    snapshot = state_files.snapshot(state_files.chosen(policies))
    if start is None and (goal is None or output is Output.HTML):
        raise UsageError("without `--from` everybody is asked: give `--to`, and text or json")
    found = (
        search.paths_of_all(snapshot, goal or "") if start is None else (search.paths(snapshot, start, goal),)
    )
    if output is Output.JSON:
        told = [paths_text.document(each) for each in found]
        sys.stdout.write(json.dumps(told if start is None else told[0], indent=2) + "\n")
    elif output is Output.HTML:
        sys.stdout.write(paths_html.render(found[0]))
    else:
        sys.stdout.write(paths_text.render_all(found) if start is None else paths_text.render(found[0]))
    if fail_on is FailOn.PATH and any(each.paths for each in found):
        raise typer.Exit(context.EXIT_FINDINGS)
    raise typer.Exit(context.EXIT_PARTIAL if any(each.unknown for each in found) else context.EXIT_CLEAN)
