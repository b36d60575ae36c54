"""`clew coverage`: what the evidence in the lake covers, and which evidence would have recorded a call."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import context
from clew.errors import UsageError


class Output(StrEnum):
    """The forms in which coverage is printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(coverage)


def coverage(
    action: Annotated[
        str | None, typer.Option(help="Which evidence would have recorded this call, such as s3:GetObject?")
    ] = None,
    bucket: Annotated[str, typer.Option(help="With --action: on this bucket.")] = "",
    account: Annotated[str, typer.Option(help="With --action: in this account.")] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """Show accounts, regions, hours, gaps, categories, buckets and interfaces that the lake has evidence of.

    An hour without a record is just that: nobody called, logging was off and a missing file look the same.
    """
    if action is None and (bucket or account):
        raise UsageError(
            "`--bucket` and `--account` narrow `--action`; give an action such as `s3:GetObject`"
        )
    if action is not None and ":" not in action:
        raise UsageError(f"`{action}` is not an action; expected service:Call, such as s3:GetObject")
    from clew.cli import coverage_report
    from clew.lake.coverage import measure, recorders
    from clew.lake.reader import open_lake

    held = measure(open_lake(context.workspace().lake_path))
    as_json = output is Output.JSON
    if action is None:
        lines = coverage_report.json_lines(held) if as_json else coverage_report.lines(held)
    else:
        service, _, call = action.partition(":")
        _check_call(action, service.lower(), call)
        found = recorders(held, service.lower(), call, bucket=bucket, account=account)
        lines = (
            coverage_report.recorder_json(action, found) if as_json else coverage_report.recorder_lines(found)
        )
    for line in lines:
        typer.echo(line)


def _check_call(action: str, service: str, call: str) -> None:
    """UsageError for several calls at once, and for a name that looks like a data event's and is none."""
    from clew.lake.coverage.kinds import like_a_data_event

    if "*" in call or "?" in call:
        raise UsageError(f"`{action}` names several calls, which differ in what records them; ask for one")
    if meant := like_a_data_event(service, call):
        raise UsageError(f"`{action}` is no call of {service}; did you mean `{service}:{meant}`?")
