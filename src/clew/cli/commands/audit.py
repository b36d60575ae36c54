"""`clew audit`: is the account as it should be."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.findings import Severity


class Output(StrEnum):
    """The forms in which an audit is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    ASFF = "asff"
    SARIF = "sarif"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Is the account as it should be: judge it by a benchmark.")
    group.command("credential-report")(credential_report)
    app.add_typer(group, name="audit")


def credential_report(
    file: Annotated[
        str,
        typer.Argument(
            help="The report: CSV, or what `aws iam get-credential-report` prints; `-` for stdin."
        ),
    ],
    now: Annotated[
        str | None, typer.Option(help="Count ages up to this time instead of the report's own, or now.")
    ] = None,
    framework: Annotated[str, typer.Option(help="The benchmark, such as cis-1.2 or cis-7.0.")] = "cis-1.2",
    account_summary: Annotated[
        str | None, typer.Option(help="What `aws iam get-account-summary` prints, for root keys and MFA.")
    ] = None,
    password_policy: Annotated[
        str | None,
        typer.Option(help="What `aws iam get-account-password-policy` prints; `none` if there is none."),
    ] = None,
    mfa_devices: Annotated[
        str | None, typer.Option(help="What `aws iam list-virtual-mfa-devices` prints, for hardware MFA.")
    ] = None,
    account_details: Annotated[
        str | None,
        typer.Option(help="What `aws iam get-account-authorization-details` prints, for policies."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="A threshold of a check: iam-credentials-unused.days=45 (repeatable)."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the findings in the workspace and apply its suppressions.")
    ] = False,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit 1 when an active finding is this severe or worse.")
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="text, json, csv, html, asff, sarif or junit.")
    ] = Output.TEXT,
) -> None:
    """Judge an IAM credential report; the file alone is enough.

    What the report cannot say is unknown, with the call that would tell; give that call's output with the options.

    Exit codes: 0, 1 findings at or above --fail-on, 3 something in the report could not be read.
    """
    from clew.cli.auditing import Given, carry_out

    given = Given(account_summary, password_policy, mfa_devices, account_details)
    code = carry_out(
        file,
        given,
        framework=framework,
        now=now,
        parameters=parameter or (),
        keep=keep,
        fail_on=fail_on,
        output=output.value,
    )
    raise typer.Exit(code)
