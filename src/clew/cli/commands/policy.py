"""`clew policy`: versions of a policy, separation of duties, and a review of how policies are held."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import context, state_files

_POLICIES = state_files.HELP


class Output(StrEnum):
    """The forms in which answers are printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look at policies over time and over principals.", no_args_is_help=True)
    group.command()(versions)
    group.command()(duties)
    group.command()(review)
    app.add_typer(group, name="policy")


_Output = Annotated[Output, typer.Option("--output", "-o", help="text or json.")]


def versions(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="A policy's ARN, after a snapshot or of the newest one; or files: versions from old to new."
        ),
    ],
    back_to: Annotated[
        str | None, typer.Option(help="Plan the way back to this version, such as v2.")
    ] = None,
    output: _Output = Output.TEXT,
) -> None:
    """Tell what each version of a managed policy made possible and impossible, and what going back would do.

    Exit codes: 0 told, 2 wrong input, 3 some step was not decided.
    """
    from clew.analyzer.versions import history
    from clew.cli import policies
    from clew.report import policy_text

    arn, found = policies.versions(sources)
    told = history(arn, found, back_to)
    sys.stdout.write((policy_text.history_json if output is Output.JSON else policy_text.history)(told))
    steps = (*told.steps, *((told.rollback,) if told.rollback else ()))
    is_open = any(step.changes is None or step.changes.undecided for step in steps)
    raise typer.Exit(context.EXIT_PARTIAL if is_open else context.EXIT_CLEAN)


def duties(
    rules: Annotated[str, typer.Argument(help="YAML file with the rules.")],
    policies: Annotated[list[str] | None, typer.Option(help=_POLICIES)] = None,
    output: _Output = Output.TEXT,
) -> None:
    """Judge every user and role by separation-of-duty rules: nobody holds both X and Y, or ever Z.

    Exit codes: 0 nobody breaks a rule, 1 somebody does, 2 wrong input, 3 something was not known.
    """
    from clew.analyzer import duties as judging
    from clew.cli import policies as reading
    from clew.report import policy_text

    found = list(judging.judge(state_files.snapshot(state_files.chosen(policies)), reading.rules(rules)))
    sys.stdout.write((policy_text.duties_json if output is Output.JSON else policy_text.duties)(found))
    held = {each.held for each in found}
    if judging.Held.FAIL in held:
        raise typer.Exit(context.EXIT_FINDINGS)
    raise typer.Exit(context.EXIT_PARTIAL if judging.Held.UNKNOWN in held else context.EXIT_CLEAN)


def review(
    policies: Annotated[list[str] | None, typer.Option(help=_POLICIES)] = None,
    output: _Output = Output.TEXT,
) -> None:
    """List policies on users, inline policies, and names of users where a policy variable would do."""
    from clew.analyzer.duties_review import review as reviewed
    from clew.report import policy_text

    found = reviewed(state_files.snapshot(state_files.chosen(policies)))
    sys.stdout.write((policy_text.review_json if output is Output.JSON else policy_text.review)(found))
