"""`clew snapshot`: what a file of `clew collect` holds, whether it is whole, and what changed since another."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.snapshot.file import Recorded

_FILE = typer.Argument(help="File of `clew collect`.")


class Output(StrEnum):
    """The forms in which it is printed."""

    TABLE = "table"
    JSON = "json"


_OUTPUT = typer.Option("--output", "-o", help="table or json.")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Show, verify and compare files of `clew collect`.")
    group.command()(show)
    group.command()(verify)
    group.command()(diff)
    app.add_typer(group, name="snapshot")


def show(
    file: Annotated[Path, _FILE],
    call: Annotated[
        str | None, typer.Option(help="Print the answers to this operation, such as s3:GetBucketPolicy.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="Count the answers to each operation of this service, such as s3.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="With --call, of this account alone.")] = None,
    region: Annotated[str | None, typer.Option(help="With --call, of this region alone, or global.")] = None,
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """Tell what was collected: when, where, how many answers by service, and what was refused."""
    from clew.snapshot import file as snapshot_file

    found = snapshot_file.read(file)
    if call is not None:
        _show_answers(found, call, account, region)
    elif service is not None:
        _show_service(found, service)
    elif output is Output.JSON:
        typer.echo(_summary(found))
    else:
        for line in _overview(found):
            typer.echo(context.printable(line))


def _show_answers(found: Recorded, call: str, account: str | None, region: str | None) -> None:
    from clew.cli import snapshots

    service, _, operation = call.partition(":")
    answers = tuple(found.answers.each(service, operation, account, region))
    if not answers:
        made = sorted({f"{each.call.service}:{each.call.operation}" for each in found.answers})
        near = [name for name in made if name.lower() == call.lower() or name.partition(":")[2] == operation]
        hint = f"; did you mean `{near[0]}`?" if near else "; `clew snapshot show FILE` tells what was"
        raise UsageError(f"`{call[:200]}` was not asked here{hint}")
    for answer in answers:
        typer.echo(snapshots.pretty(snapshots.as_json(answer)))


def _show_service(found: Recorded, service: str) -> None:
    from clew.cli import snapshots

    known = sorted({answer.call.service for answer in found.answers})
    if service not in known:
        raise UsageError(f"no call of `{service[:80]}` is here; there are calls of {', '.join(known)}")
    for line in snapshots.table(found.answers, service):
        typer.echo(line)


def _summary(found: Recorded) -> str:
    from clew.cli import snapshots

    counted = {service: dict(counts) for service, counts in snapshots.counts(found.answers)}
    unread = [snapshots.as_json(each, with_body=False) for each in snapshots.unread(found.answers)]
    return json.dumps({**asdict(found.header), "services": counted, "not_read": unread})


def _overview(found: Recorded) -> Iterator[str]:
    from clew.cli import snapshots

    header = found.header
    age = snapshots.age(header.collected_at, snapshots.now())
    yield f"collected    {header.collected_at} by Clew {header.tool_version}, {age}"
    yield f"accounts     {snapshots.shortened(header.accounts)}"
    yield f"regions      {snapshots.shortened(header.regions)}"
    yield from (f"             {line}" for line in snapshots.told_places(found.answers))
    yield f"answers      {header.answers:,}"
    yield ""
    yield from snapshots.table(found.answers)
    if unread := snapshots.unread(found.answers):
        yield ""
        yield "not read; what depends on it is unknown:"
        yield from (f"  {line}" for line in snapshots.told_unread(unread))


def verify(file: Annotated[Path, _FILE]) -> None:
    """Read every answer and hold content and first line to their hashes; exit code 2 when it is damaged."""
    from clew.snapshot import file as snapshot_file

    header = snapshot_file.read(file).header
    count = "1 answer" if header.answers == 1 else f"{header.answers:,} answers"
    typer.echo(f"whole: {count}, SHA-256 {header.sha256}")
    of = ", ".join(header.accounts) or "no account"
    sealed = "" if header.seal else "; this line has no hash of its own: an older Clew wrote the file"
    typer.echo(f"collected {header.collected_at} of {of} by Clew {header.tool_version}{sealed}")


def diff(
    old: Annotated[Path, typer.Argument(help="The earlier file.")],
    new: Annotated[Path, typer.Argument(help="The later file.")],
    output: Annotated[Output, _OUTPUT] = Output.TABLE,
) -> None:
    """Tell which answers changed between two files, call by call and value by value."""
    from clew.cli import snapshots
    from clew.snapshot import compare
    from clew.snapshot import file as snapshot_file

    found = tuple(compare.differences(snapshot_file.read(old).answers, snapshot_file.read(new).answers))
    if output is Output.JSON:
        typer.echo(json.dumps([asdict(each) | {"call": each.call._asdict()} for each in found]))
        return
    for each in found:
        for line in snapshots.difference(each):
            typer.echo(context.printable(line))
    counted = {0: "no answer differs", 1: "1 answer differs"}
    typer.echo(counted.get(len(found), f"{len(found):,} answers differ"))
