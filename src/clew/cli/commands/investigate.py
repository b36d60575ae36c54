"""`clew investigate`: one command from raw log files to an explained incident report."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.errors import ClewError

if TYPE_CHECKING:
    from clew.detect.investigation import Investigation
    from clew.store.workspace import Workspace


class Output(StrEnum):
    """The forms in which the investigation is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(investigate)


def investigate(
    path: Annotated[
        str, typer.Argument(help="A folder, file, glob or s3://BUCKET/PREFIX, or - for standard input.")
    ],
    output: Annotated[Output, typer.Option("--output", "-o", help="text, json, jsonl or csv.")] = Output.TEXT,
    report: Annotated[
        Path | None, typer.Option(help="Where to write the HTML report; in the workspace by default.")
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="A folder or file of your own Sigma rules; repeatable.")
    ] = None,
    fail_on: Annotated[str | None, typer.Option(help=context.FAIL_ON_HELP)] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Decoding processes; as many as processors by default.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile for s3:// (else the SDK's own).")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region for s3://.")] = None,
) -> None:
    """Ingest a path, run every detection, explain what happened, and write one self-contained HTML report."""
    from clew.cli.investigation import carry_out, exit_code, severity
    from clew.collect.session import Account
    from clew.store.workspace import EXPLICIT, make_current

    severity(fail_on)  # a word that is none must not be found out after all the work
    workspace = _workspace(path).create()
    found = carry_out(
        workspace,
        path,
        rules=rules or [],
        workers=workers,
        now=datetime.now(UTC),
        account=Account(profile, region),
    )
    if workspace.origin not in EXPLICIT:
        make_current(workspace)
    written = _write_report(found, report or workspace.reports_path / "incident.html")
    typer.echo(_shown(found, output, written), nl=False)
    raise typer.Exit(exit_code(found, fail_on))


def _workspace(path: str) -> Workspace:
    """The workspace that was asked for, else the private one of this path."""
    from clew.store import workspace as store_workspace

    chosen = context.workspace()
    if chosen.origin in store_workspace.EXPLICIT:
        return chosen
    return store_workspace.for_source(path)


def _write_report(found: Investigation, path: Path) -> Path:
    from clew.report import html

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_text(html.render(found), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise ClewError(f"cannot write the report `{path}`: {error.strerror}") from error
    return path


def _shown(found: Investigation, output: Output, written: Path) -> str:
    from clew.report import finding_json, formats, text

    if output is Output.JSON:
        return json.dumps(finding_json.investigation(found) | {"report": str(written)}, indent=2) + "\n"
    if output is not Output.TEXT:
        return formats.render(found, output.value)
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    shown = text.render(found, width=width, color=context.use_color())
    return f"{shown}\n  Report: {context.printable(_short(written))}\n"


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
