"""`clew detect`: the rules over the lake of the workspace, or over events in flight."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.errors import UsageError
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.detect.catalog import Catalog

_SHOWN_PROBLEMS = 20


class Output(StrEnum):
    """The forms in which findings are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(detect)


def detect(
    events: Annotated[
        str | None, typer.Option(help="Answer for each line of FILE, `-` for standard input; needs no lake.")
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="Also the Sigma rules of this file or folder (repeatable).")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only the rule of this id (repeatable).")] = None,
    silent: Annotated[
        bool, typer.Option("--all", help="With --events: also built-in rules that only serve a correlation.")
    ] = False,
    fail_on: Annotated[Severity | None, typer.Option(help=context.FAIL_ON_HELP)] = None,
    min_severity: Annotated[
        Severity, typer.Option(help="Show findings from this severity on.")
    ] = Severity.INFORMATIONAL,
    since: Annotated[
        str | None, typer.Option(help="Only events from this time on: 2023-07-10, 7d, 24h.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only events before this time.")] = None,
    output: Annotated[
        Output | None, typer.Option("--output", "-o", help="table, json, jsonl or csv.")
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(help="Tell what changed: an ARN, mailto:ADDRESS, https://… (repeatable)."),
    ] = None,
) -> None:
    """Run every detection rule and show the findings, worst first.

    Without --events the rules run over the lake of the workspace, and findings keep their identity from run to run.
    With --events each input line, blank ones too, gives one line: {"index", "event_id", "rules"} or {"index", "error"};
    `rules` holds the rules about one event that match, without built-in ones that only serve a correlation.

    Exit codes: 0, 1 findings at or above --fail-on, 3 a rule could not be loaded or a line could not be read.
    """
    from clew.cli import notifying
    from clew.cli.investigation import severity

    threshold = fail_on or severity(context.config().fail_on)
    catalog = load_catalog(rules or ()).only(rule or ())
    if events is not None:
        if notify:
            raise UsageError("`--notify` is for findings that are kept; `--events` keeps none")
        if output not in {None, Output.JSONL} or since or until:
            raise UsageError(
                "`--events` answers line by line: use `--output jsonl`, without `--since` and `--until`"
            )
        from clew.cli.inflight import print_answers

        code = print_answers(events, catalog, silent=silent, min_severity=min_severity, threshold=threshold)
    else:
        from clew.cli.detection import print_findings

        shown = output or Output(context.config().output)
        places, began = notifying.destinations(notify or ()), datetime.now(UTC)
        code = print_findings(catalog, shown.value, (since, until), min_severity, threshold)
        code = notifying.after(code, places, began)
    raise typer.Exit(context.EXIT_PARTIAL if catalog.incomplete and code == context.EXIT_CLEAN else code)


def load_catalog(paths: Sequence[Path]) -> Catalog:
    """The built-in rules with those of the given and the configured paths; what cannot be used is said on stderr."""
    from clew.detect import catalog as catalogs

    configured = [Path(path) for path in context.config().rules]
    catalog = catalogs.load((*configured, *paths))
    unusable = [problem for problem in catalog.problems if not problem.skipped]
    skipped = len(catalog.problems) - len(unusable)
    for problem in unusable[:_SHOWN_PROBLEMS]:
        context.complain(str(problem))
    if len(unusable) > _SHOWN_PROBLEMS:
        hidden = len(unusable) - _SHOWN_PROBLEMS
        context.complain(f"{hidden} more rules could not be loaded; `clew rules list --problems` shows all")
    if skipped:
        context.note(
            f"{skipped} rule{' is' if skipped == 1 else 's are'} about other logs than CloudTrail; "
            "`clew rules list --problems` names them"
        )
    return catalog
