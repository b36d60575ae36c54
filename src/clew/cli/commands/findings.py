"""`clew findings`: the findings that were kept, and the history of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from clew.cli import context
from clew.findings import Severity, Status


class Output(StrEnum):
    """The forms in which findings are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Show the findings that were kept.")
    group.command("list")(listing)
    group.command("show")(show)
    group.command("note")(note)
    group.command("assign")(assign)
    group.command("trend")(trend)
    app.add_typer(group, name="findings")


def listing(
    status: Annotated[Status | None, typer.Option(help="Only findings of this standing.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only findings of this rule.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only findings of this actor (a glob).")] = None,
    min_severity: Annotated[Severity, typer.Option(help="From this severity on.")] = Severity.INFORMATIONAL,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="table, json, jsonl or csv.")
    ] = Output.TABLE,
) -> None:
    """List findings, worst first: those that `clew detect`, `clew investigate` and `clew audit` kept."""
    from clew.cli.detection import rendered
    from clew.store.database import Database
    from clew.store.findings import kept_findings
    from clew.store.suppression import glob

    with Database(context.workspace().state_path, create=False) as database:
        kept = kept_findings(database, datetime.now(UTC), status=status)
    chosen = [
        k.finding
        for k in kept
        if (rule is None or k.finding.rule == rule)
        and (actor is None or glob(actor, k.finding.actor))
        and k.finding.severity.rank >= min_severity.rank
    ]
    typer.echo(rendered(chosen, output.value), nl=False)


def show(
    finding: Annotated[str, typer.Argument(help="The finding's id, or its beginning.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """Show one finding in full, with its evidence and its history."""
    from clew.cli.detection import rendered, width
    from clew.report import finding_json, finding_table
    from clew.store.database import Database
    from clew.store.documents import moment
    from clew.store.findings import kept_finding

    with Database(context.workspace().state_path, create=False) as database:
        kept, history = kept_finding(database, finding, datetime.now(UTC))
    if output is Output.JSON:
        lived = [{"at": moment(c.at), "change": c.change, "detail": c.detail} for c in history]
        typer.echo(json.dumps(finding_json.to_dict(kept.finding) | {"history": lived}, indent=2))
        return
    if output is not Output.TABLE:
        typer.echo(rendered([kept.finding], output.value), nl=False)
        return
    typer.echo(finding_table.details(kept.finding, width=width(), color=context.use_color()), nl=False)
    typer.echo("    History:")
    for change in history:
        detail = f" {context.printable(change.detail)}" if change.detail else ""
        typer.echo(f"    - {moment(change.at)} {change.change}{detail}")


def note(
    finding: Annotated[str, typer.Argument(help="The finding's id, or its beginning.")],
    text: Annotated[str, typer.Argument(help="What to remember.")],
) -> None:
    """Put a note into the history of a finding."""
    _remark(finding, "noted", text)


def assign(
    finding: Annotated[str, typer.Argument(help="The finding's id, or its beginning.")],
    owner: Annotated[str, typer.Argument(help="Who looks after it.")],
) -> None:
    """Say who looks after a finding; its history keeps that."""
    _remark(finding, "assigned", owner)


def _remark(finding: str, change: str, detail: str) -> None:
    from clew.errors import UsageError
    from clew.store.database import Database
    from clew.store.findings import remark

    if not detail.strip():
        raise UsageError("nothing is said; give a text")
    with Database(context.workspace().state_path, create=False) as database:
        kept = remark(database, finding, datetime.now(UTC), change, detail)
    typer.echo(f"{kept.finding.id} {change}: {context.printable(detail)}")


def trend(
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """Show how the active findings changed from run to run."""
    from clew.store.database import Database
    from clew.store.documents import moment
    from clew.store.findings import trend as runs

    with Database(context.workspace().state_path, create=False) as database:
        found = runs(database)
    rows = [
        {"at": moment(r.at), "producer": r.producer, "found": r.found, "new": r.new, "reopened": r.reopened}
        | {"resolved": r.resolved, "active": dict(r.active)}
        for r in found
    ]
    if output is Output.TABLE:
        for run in found:
            active = ", ".join(f"{count} {name}" for name, count in run.active.items() if count) or "none"
            typer.echo(f"{moment(run.at)}  {run.new} new, {run.resolved} resolved; active: {active}")
    else:
        typer.echo(json.dumps(rows, indent=2) if output is Output.JSON else "\n".join(map(json.dumps, rows)))
