"""`clew fix`: preview, make, verify and take back changes to AWS."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """The forms in which a plan is printed."""

    TEXT = "text"
    JSON = "json"
    CLI = "cli"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


SnapshotFile = Annotated[
    Path | None,
    typer.Option(
        help="Plan with this file of `clew collect` and ask AWS nothing; without credentials the newest is taken."
    ),
]


PlanFile = Annotated[
    str | None,
    typer.Option(
        "--from", help="A policy fix that `clew explain --fix-as plan` wrote; `-` is standard input."
    ),
]


Settings = Annotated[
    list[str] | None, typer.Option("--set", help="An option of the action: NAME=VALUE (repeatable).")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(fix)


def fix(
    finding: Annotated[
        str | None,
        typer.Argument(help="A kept finding's id; or `list`: what was changed; `actions`: what there is."),
    ] = None,
    check: Annotated[str | None, typer.Option(help="Instead of a finding: the check or detection.")] = None,
    action: Annotated[
        str | None, typer.Option(help="The action, by its id, instead of the check's own.")
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="What to change, by its ARN; a finding's own by default.")
    ] = None,
    settings: Settings = None,
    account: Annotated[
        str | None, typer.Option(help="The account, where the ARN has none; the caller's own by default.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="The region, where the ARN has none.")] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile (else the SDK's own).")] = None,
    role: Annotated[
        str | None, typer.Option(help="Role to assume where the resource is in another account, by its name.")
    ] = None,
    plan_file: PlanFile = None,
    snapshot: SnapshotFile = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be done, and do nothing (default).")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Make the change.")] = False,
    approved: Annotated[
        str | None, typer.Option(help="With --apply: only if the plan still has this fingerprint.")
    ] = None,
    irreversible: Annotated[
        bool, typer.Option("--irreversible", help="With --apply: also what nothing can take back.")
    ] = False,
    undo: Annotated[
        str | None, typer.Option(help="Take a change back, by its id from `clew fix list`.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --undo: also where something was changed since.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="text, json, cli, cloudformation or terraform.")
    ] = Output.TEXT,
) -> None:
    """Remedy a finding: show the plan, and with --apply make the change, verify it and keep how to take it back.

    Without --apply and --undo nothing is written to AWS. Each call is on record before it is made.
    Exit codes: 0 done as planned, 2 wrong input or nothing was done, 3 something was refused or is not as wanted.
    """
    from clew.cli import fixing

    asked = fixing.Asked(
        finding or "",
        check or "",
        action or "",
        resource or "",
        tuple(settings or ()),
        account or "",
        region or "",
    )
    manner = fixing.Manner(apply, approved or "", irreversible, undo or "", force, output.value, snapshot)
    if plan_file is not None:
        from clew.cli import fixing_policy

        raise typer.Exit(fixing_policy.carry_out(plan_file, asked, manner, profile=profile, role=role))
    raise typer.Exit(fixing.carry_out(asked, manner, profile=profile, role=role, only_plan=plan))
