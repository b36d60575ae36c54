"""`clew deploy`: the daily audit in AWS Lambda, as a template and a package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_MEGABYTE = 1_000_000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Let AWS Lambda audit every day: a template and a package."
    )
    group.command("template")(template)
    group.command("package")(package)
    app.add_typer(group, name="deploy")


def template(
    audit: Annotated[
        bool, typer.Option("--audit", help="The whole audit; by default the credential report alone.")
    ] = False,
) -> None:
    """Print the CloudFormation template: roles with the least that they need, function, schedule, topic."""
    from clew.cli import deployment

    typer.echo(deployment.template(account=audit), nl=False)


def package(
    output: Annotated[Path, typer.Option("--out", "--output", "-o", help="Where to write the zip.")] = Path(
        "clew-audit.zip"
    ),
) -> None:
    """Write the zip for Lambda: Clew and its base install, the same bytes for the same inputs."""
    from clew.cli import packaging

    made = packaging.build(output)
    typer.echo(f"{made.path}: {made.packed / _MEGABYTE:.1f} MB, {made.unpacked / _MEGABYTE:.1f} MB unpacked")
    typer.echo(f"sha256 {made.sha256}")
    typer.echo(f"with {', '.join(made.distributions)}")
