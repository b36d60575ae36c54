"""`clew audit`: is the account as it should be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from clew.cli import context
from clew.errors import UsageError
from clew.findings import Severity

SnapshotFile = Annotated[
    Path | None,
    typer.Option(
        help="File of `clew collect`; the newest of the workspace by default. `--snapshot` may be left out."
    ),
]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account of the snapshot (repeatable).")
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option("--framework", "-f", help="Benchmark, repeatable; cis-7.0 by default. `all`: every check."),
]
Checks = Annotated[list[str] | None, typer.Option("--check", "-c", help="Only this check (repeatable).")]
Services = Annotated[
    list[str] | None, typer.Option(help="Only checks of this service, such as s3 (repeatable).")
]
Severities = Annotated[list[Severity] | None, typer.Option(help="Only checks of this severity (repeatable).")]
Statuses = Annotated[
    list[str] | None,
    typer.Option(help="Show only these verdicts: fail, unknown, pass, … (repeatable)."),
]
AllowUnknown = Annotated[
    bool, typer.Option("--allow-unknown", help="End with 0 although checks could not know something.")
]
Trend = Annotated[
    bool, typer.Option("--trend/--no-trend", help="Keep the findings and compare them with the run before.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(help="A threshold of a check: iam-credentials-unused.days=45 (repeatable)."),
]
RuleFolders = Annotated[
    list[str] | None,
    typer.Option(
        help="Folder with checks of your own, .yaml and .py; instead of cis-7.0, or beside --framework (repeatable)."
    ),
]
Outputs = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        help="text, json, csv, html, ocsf, asff, sarif, junit, pdf or evidence; several with commas.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="File for the one format, instead of stdout.")]
OutputDir = Annotated[Path | None, typer.Option("--output-dir", help="Folder for one file of each format.")]
FailOn = Annotated[Severity | None, typer.Option(help=context.FAIL_ON_HELP)]
Notify = Annotated[
    list[str] | None,
    typer.Option(help="Tell what changed: an ARN, mailto:ADDRESS, https://… (repeatable)."),
]
Show = Annotated[int, typer.Option(min=0, help="Resources listed for each check; 0 lists all.")]


class SnapshotGroup(TyperGroup):
    """A group whose first argument may also be a snapshot file, where it is no command's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read `SNAPSHOT` as `--snapshot SNAPSHOT`."""
        rest = self.make_parser(ctx).parse_args(list(args))[1]
        if rest and rest[0] not in self.commands:
            args = [*args[: len(args) - len(rest)], "--snapshot", *rest]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=SnapshotGroup, subcommand_metavar="[SNAPSHOT] | COMMAND [ARGS]...")
    group.callback(invoke_without_command=True)(audit)
    group.command("checks")(checks)
    group.command("credential-report")(credential_report)
    app.add_typer(group, name="audit")


def audit(
    ctx: typer.Context,
    snapshot: SnapshotFile = None,
    account: Accounts = None,
    framework: Frameworks = None,
    check: Checks = None,
    service: Services = None,
    severity: Severities = None,
    status: Statuses = None,
    parameter: Parameters = None,
    rules: RuleFolders = None,
    fail_on: FailOn = None,
    allow_unknown: AllowUnknown = False,
    trend: Trend = True,
    output: Outputs = "text",
    out: Out = None,
    output_dir: OutputDir = None,
    show: Show = 5,
    notify: Notify = None,
    list_checks: Annotated[
        bool, typer.Option("--list-checks", help="List the chosen checks, and end.")
    ] = False,
    list_frameworks: Annotated[
        bool, typer.Option("--list-frameworks", help="List the benchmarks, and end.")
    ] = False,
) -> None:
    """Judge a snapshot of `clew collect` by benchmarks; what could not be read is unknown, never a pass.

    Findings are kept in the workspace: the next audit says what is new, fixed and still there, and `clew suppress`
    hides what you accept. `--rules` asks checks of your own: a .py file there is run, so give only folders you trust.

    Exit codes: 0, 1 active findings at or above --fail-on, 2 wrong input, 3 a check could not know something.
    """
    if ctx.invoked_subcommand is not None:
        _no_options(ctx)
        return
    from clew.cli import audit_options, auditing, notifying

    chosen = audit_options.Chosen(
        tuple(framework or ()),
        frozenset(check or ()),
        frozenset(service or ()),
        frozenset(severity or ()),
        audit_options.own_checks(rules or ()),
    )
    if list_frameworks or list_checks:
        typer.echo(audit_options.frameworks_text() if list_frameworks else audit_options.checks_text(chosen))
        return
    if notify and not trend:
        raise UsageError(
            "`--notify` tells what changed since the run before; it does not go with `--no-trend`"
        )
    places, began = notifying.destinations(notify or ()), datetime.now(UTC)
    written = audit_options.Writing(output, out, output_dir, show, tuple(status or ()))
    code = auditing.audit_snapshot(
        snapshot,
        tuple(account or ()),
        chosen,
        written,
        parameters=parameter or (),
        fail_on=fail_on,
        trend=trend,
        allow_unknown=allow_unknown,
    )
    raise typer.Exit(notifying.after(code, places, began))


def _no_options(ctx: typer.Context) -> None:
    given = [name for name in ctx.params if str(ctx.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        name = given[0].replace("_", "-")
        raise UsageError(f"`--{name}` stands before `{ctx.invoked_subcommand}`; its options stand after it")


def checks(framework: Frameworks = None, service: Services = None, severity: Severities = None) -> None:
    """List the checks: id, severity, what should be, and the controls that ask for it."""
    from clew.cli import audit_options

    chosen = audit_options.Chosen(
        tuple(framework or ("all",)), frozenset(), frozenset(service or ()), frozenset(severity or ())
    )
    typer.echo(audit_options.checks_text(chosen))


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
    parameter: Parameters = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the findings in the workspace and apply its suppressions.")
    ] = False,
    fail_on: FailOn = None,
    output: Outputs = "text",
    out: Out = None,
    output_dir: OutputDir = None,
) -> None:
    """Judge an IAM credential report; the file alone is enough.

    What the report cannot say is unknown, with the call that would tell; give that call's output with the options.

    Exit codes: 0, 1 findings at or above --fail-on, 3 something in the report could not be read.
    """
    from clew.cli import audit_options, auditing
    from clew.cli.audit_files import Given

    code = auditing.audit_credential_report(
        file,
        Given(account_summary, password_policy, mfa_devices, account_details),
        audit_options.Chosen((framework,)),
        audit_options.Writing(output, out, output_dir),
        now=now,
        parameters=parameter or (),
        keep=keep,
        fail_on=fail_on,
    )
    raise typer.Exit(code)
