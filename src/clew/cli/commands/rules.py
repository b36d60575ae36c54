"""`clew rules`: the detection rules that run, and what each says."""

from __future__ import annotations

import json
import textwrap
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.cli.commands.detect import load_catalog

if TYPE_CHECKING:
    from clew.detect.rule import Rule

RulesOption = Annotated[
    list[Path] | None, typer.Option("--rules", help="Also the Sigma rules of this file or folder.")
]


class Output(StrEnum):
    """The forms in which rules are printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Show the detection rules.")
    group.command("list")(listing)
    group.command("show")(show)
    app.add_typer(group, name="rules")


def listing(
    rules: RulesOption = None,
    every: Annotated[bool, typer.Option("--all", help="Also rules that only serve a correlation.")] = False,
    problems: Annotated[
        bool, typer.Option("--problems", help="Every file and rule that is not used, and why.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """List the rules, worst first; with --problems, what is not used and why."""
    catalog = load_catalog(rules or ())
    if problems:
        for problem in catalog.problems:
            typer.echo(context.printable(f"{'other logs' if problem.skipped else 'unusable'}: {problem}"))
    else:
        chosen = catalog.rules if every else catalog.reporting
        ordered = sorted(chosen, key=lambda rule: (-rule.severity.rank, rule.id))
        if output is Output.JSON:
            typer.echo(json.dumps([_document(rule) for rule in ordered], indent=2))
        else:
            for rule in ordered:
                line = f"{rule.severity.value:<14} {rule.id:<40} {rule.title}"
                typer.echo(context.printable(line))
    raise typer.Exit(context.EXIT_PARTIAL if catalog.incomplete else context.EXIT_CLEAN)


def show(
    rule: Annotated[str, typer.Argument(help="The rule's id.")],
    rules: RulesOption = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.TABLE,
) -> None:
    """Show everything that one rule says."""
    found = load_catalog(rules or ()).rule(rule)
    if output is Output.JSON:
        typer.echo(json.dumps(_document(found), indent=2))
        return
    for name, value in _document(found).items():
        items = value if isinstance(value, list) else [value]
        shown = [context.printable(str(item)) for item in items if item not in {None, ""}]
        if len(shown) == 1:
            typer.echo(textwrap.fill(f"{name}: {shown[0]}", 100, subsequent_indent="    "))
        elif shown:
            typer.echo(f"{name}:")
            for item in shown:
                typer.echo(textwrap.fill(f"  - {item}", 100, subsequent_indent="    "))


def _document(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "kind": rule.kind,
        "reports": rule.reports,
        "description": " ".join(rule.sigma.description.split()),
        "why_it_matters": rule.why_it_matters,
        "false_positives": list(rule.sigma.falsepositives),
        "next_steps": list(rule.next_steps),
        "technique": list(rule.technique),
        "tactics": list(rule.tactics),
        "references": list(rule.sigma.references),
        "origin": rule.origin,
        "file": Path(rule.sigma.file).name if rule.origin == "built-in" else rule.sigma.file,
        "line": rule.sigma.line,
    }
