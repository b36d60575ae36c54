"""`clew config`: what resources were like at any time, what changed, and the event that changed it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """The forms in which the answers are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class EvaluationOutput(StrEnum):
    """The forms in which evaluations are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    CONFIG = "config"


class TriggerName(StrEnum):
    """When rules are asked."""

    CHANGE = "change"
    PERIODIC = "periodic"


_OUTPUT = typer.Option("--output", "-o", help="table, json or csv.")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="What resources were like at any time, what changed, and the event that changed it.",
    )
    group.command()(ingest)
    group.command()(items)
    group.command()(history)
    group.command()(diff)
    group.command()(evaluate)
    group.command()(compliance)
    app.add_typer(group, name="config")


def ingest(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Files or folders of AWS Config, or snapshots of `clew collect`; gzip too."),
    ] = None,
    from_snapshot: Annotated[
        bool, typer.Option("--from-snapshot", help="Also the snapshots that the workspace holds.")
    ] = False,
) -> None:
    """Take configuration items into the lake, each once.

    AWS Config's snapshots, history files, change notifications and advanced-query exports are read as they are.
    Of a snapshot of `clew collect` only what differs from the state before becomes an item.

    Exit codes: 0 all was taken in, 3 a file in a folder holds no configuration items.
    """
    from clew.cli.configuration import ingest as carry_out

    raise typer.Exit(carry_out(files or [], workspace_snapshots=from_snapshot))


def items(
    named: Annotated[
        str | None, typer.Argument(metavar="ARN|ID", help="One resource, by ARN, id or name.")
    ] = None,
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="Resource type, such as AWS::S3::Bucket.")
    ] = None,
    account: Annotated[list[str] | None, typer.Option(help="Account.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region; `global` for IAM.")] = None,
    at: Annotated[str | None, typer.Option(help="The state at this time instead of now.")] = None,
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """The resources that are known, as they were last recorded."""
    from clew.cli.configuration import Chosen, show_items

    chosen = Chosen(named or "", tuple(type_ or ()), tuple(account or ()), tuple(region or ()))
    show_items(chosen, at, output.value)


def history(
    named: Annotated[str, typer.Argument(metavar="ARN|ID", help="The resource, by ARN, id or name.")],
    since: Annotated[str | None, typer.Option(help="Changes from this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Changes before this time.")] = None,
    events: Annotated[
        bool, typer.Option("--events/--no-events", help="Look for the CloudTrail event of each change.")
    ] = True,
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """What changed of a resource, when, and who changed it: from where, with which key.

    An event that AWS Config names is certain; the only call in the lake that sets what changed is likely; of several,
    each is named. Where there is none, it says what the lake cannot have seen.
    """
    from clew.cli.configuration import show_history

    show_history(named, since, until, events=events, output=output.value)


def diff(
    since: Annotated[str, typer.Option("--from", help="The earlier moment.")],
    until: Annotated[str, typer.Option("--to", help="The later moment.")] = "now",
    named: Annotated[
        str | None, typer.Argument(metavar="ARN|ID", help="One resource; all by default.")
    ] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Resource type.")] = None,
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """What differs between two moments: resources that came, went, or changed, and how."""
    from clew.cli.configuration import Chosen, show_differences

    show_differences(Chosen(named or "", tuple(type_ or ())), since, until, output.value)


def evaluate(
    snapshot: Annotated[
        Path | None, typer.Argument(help="File of `clew collect`; the newest of the workspace by default.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", help="Folder with rules of your own: .yaml and .py (repeatable)."),
    ] = None,
    framework: Annotated[
        list[str] | None,
        typer.Option(
            "--framework", "-f", help="Benchmark; config-rules unless --rules is given (repeatable)."
        ),
    ] = None,
    changed_since: Annotated[
        str | None,
        typer.Option(help="Only rules on changes, and only resources with an item since this time."),
    ] = None,
    trigger: Annotated[
        TriggerName | None, typer.Option(help="Only rules that are asked so: change or periodic.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="A threshold: access-keys-rotated.maxAccessKeyAge=60 (repeatable)."),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(help="Tell changes of state: sns:ARN, mailto:ADDRESS, https://… (repeatable)."),
    ] = None,
    output: Annotated[
        EvaluationOutput,
        typer.Option("--output", "-o", help="table, json, csv, or config as AWS Config writes it."),
    ] = EvaluationOutput.TABLE,
) -> None:
    """Ask rules about a snapshot, keep what each says of each resource, and tell what changed.

    A rule is COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, or INSUFFICIENT_DATA where something could not be read.
    A .py file in a rules folder is run: give only folders that you trust. `--notify` tells changes of state only.

    Exit codes: 0, 1 something is not compliant, 2 wrong input, 3 some data is insufficient.
    """
    from clew.cli.configuration_rules import Asked, carry_out

    asked = Asked(
        snapshot,
        tuple(rules or ()),
        tuple(framework or ()),
        changed_since,
        trigger and trigger.value,
        tuple(parameter or ()),
        tuple(notify or ()),
    )
    raise typer.Exit(carry_out(asked, output.value))


def compliance(
    named: Annotated[str | None, typer.Argument(metavar="ARN", help="One resource; all by default.")] = None,
    rule: Annotated[str | None, typer.Option(help="One rule.")] = None,
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """How compliance changed over time: each change of what a rule says of a resource."""
    from clew.cli.configuration_rules import show_history

    show_history(named or "", rule or "", output.value)
