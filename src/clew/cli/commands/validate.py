"""`clew validate`: is this policy document right, and what should it say instead."""

from __future__ import annotations

from typing import Annotated

import typer

from clew.cli import context
from clew.cli.validation_options import FailOn, Format, Kind


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Policy documents, CloudFormation templates, Terraform plans in JSON; `-` reads standard input."
        ),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option("--kind", "--type", help="What the policy is; guessed from it by default."),
    ] = None,
    resource_type: Annotated[
        str,
        typer.Option(help="What a resource-based policy is attached to, such as AWS::S3::Bucket."),
    ] = "",
    fix: Annotated[
        bool, typer.Option("--fix", help="Print the corrected document; what was changed goes to stderr.")
    ] = False,
    output: Annotated[
        Format,
        typer.Option("--output", "-o", help="text, json, aws (as ValidatePolicy answers) or sarif."),
    ] = Format.TEXT,
    fail_on: Annotated[FailOn, typer.Option(help="Exit 1 from this weight on.")] = FailOn.ERROR,
) -> None:
    """Tell every mistake of policy documents, each with its line, and offer a corrected document.

    JSON faults, unknown elements, operators, actions and condition keys, wrong ARNs, what the kind of policy forbids,
    and all checks of IAM Access Analyzer's catalogue; also of every policy in a CloudFormation template or Terraform
    plan. Nothing is read from AWS. Exit codes: 0 clean, 1 problems from --fail-on on, 2 a file cannot be read,
    3 a plan or a template leaves policies open.
    """
    from clew.cli import validation

    code = validation.run(files, kind, resource_type, output, fail_on, fix=fix)
    raise typer.Exit(code or context.EXIT_CLEAN)
