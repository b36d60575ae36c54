"""`clew collect`: the configuration of accounts, read and kept as one snapshot file."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.cli.collecting import Chosen
from clew.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.collect.collector import Progress, Scale
    from clew.collect.reads import Read
    from clew.snapshot.answers import Answers

_ACCOUNT_DIGITS = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(collect)


Output = Annotated[
    Path | None,
    typer.Option(
        "--out", "--output", "-o", help="Snapshot file; in the workspace, named by the time, by default."
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--regions", help="Regions, repeated or with commas; all enabled ones by default."),
]
Role = Annotated[str | None, typer.Option(help="Role to assume in the other accounts, by its name.")]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--accounts", "--account", help="Account ids, repeated or with commas."),
]
Organization = Annotated[bool, typer.Option(help="Every active account of the organisation.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Services, such as iam,s3; all by default.")]
Checks = Annotated[
    list[str] | None,
    typer.Option("--check", "-c", help="Only what this check reads (repeatable, or with commas)."),
]
Frameworks = Annotated[
    list[str] | None,
    typer.Option(
        "--framework", "-f", help="Only what the checks of this benchmark read, such as cis-7.0 (repeatable)."
    ),
]
LastAccessed = Annotated[
    bool,
    typer.Option(
        "--last-accessed",
        help="Also which services each user and role last used, for `clew unused`: one job of IAM for each.",
    ),
]
FromFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--from-files",
        help="Ask no AWS: read exports, templates and plans in this folder or file (repeatable).",
    ),
]
PrintPolicy = Annotated[
    bool,
    typer.Option("--print-policy", help="Print the least that this needs, as an IAM policy, and end."),
]


def collect(
    output: Output = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile (else the SDK's own).")] = None,
    regions: Regions = None,
    role: Role = None,
    accounts: Accounts = None,
    organization: Organization = False,
    only: Only = None,
    check: Checks = None,
    framework: Frameworks = None,
    last_accessed: LastAccessed = False,
    from_files: FromFiles = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Calls at the same time.")] = 16,
    print_policy: PrintPolicy = False,
) -> None:
    """Read the configuration of AWS accounts, with read-only calls, into one snapshot file.

    A call that is refused or fails is recorded as such: what depends on it is unknown, never a pass and never a fail.
    With --check and --framework only the calls are made that these checks read, and --print-policy prints just those.
    With --from-files the same is made of what AWS's command line, AWS Config, CloudFormation and Terraform write;
    --account and --regions then say where templates and plans will be deployed.
    Exit codes: 0 everything was read, 2 wrong input or no credentials, 3 something could not be read.
    """
    chosen = Chosen(_split(only), _split(check), _split(framework), last_accessed=last_accessed)
    if from_files:
        from clew.cli import offline

        given = offline.Given(tuple(from_files), _split(accounts), _split(regions))
        offline.check(given, asked=bool(profile or role or organization or chosen.anything or print_policy))
        path = output or _default(_stamp())
        raise typer.Exit(offline.collect(given, path, _stamp()))
    from clew.collect.collector import Scale
    from clew.collect.session import Account

    named = _split(accounts)
    _check(named, role, organization=organization)
    reads = chosen.reads()
    if print_policy:
        from clew.cli.snapshots import pretty
        from clew.collect.permissions import policy

        typer.echo(pretty(policy(reads, role=role, organization=organization)))
        return
    scale = Scale(Account(profile), _split(regions), role, named, organization, workers)
    raise typer.Exit(_collect(reads, scale, output))


def _split(given: list[str] | None) -> tuple[str, ...]:
    parts = [part.strip() for text in given or () for part in text.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def _check(accounts: tuple[str, ...], role: str | None, *, organization: bool) -> None:
    for account in accounts:
        if len(account) != _ACCOUNT_DIGITS or not account.isdecimal():
            raise UsageError(f"`{account}` is no account id; an id has 12 digits")
    if (accounts or organization) and role is None:
        raise UsageError("which role? give `--role NAME`: it is assumed in each of the other accounts")


def _collect(reads: tuple[Read, ...], scale: Scale, output: Path | None) -> int:
    from clew import __version__
    from clew.cli import snapshots
    from clew.collect.asking import Clock
    from clew.collect.collector import collect
    from clew.errors import InputError
    from clew.snapshot import file

    clock = Clock(snapshots.now, time.sleep)
    began = clock.stamp()
    path = output or _default(began)
    if not path.parent.is_dir():
        raise InputError(f"`{path.parent}` is no folder; the snapshot cannot be written there")
    started = time.monotonic()
    with _progress() as advance:
        answers = collect(reads, scale, clock, advance)
    file.write(path, answers, tool_version=__version__, collected_at=began)
    for line in _lines(answers, path, time.monotonic() - started):
        typer.echo(line)
    return context.EXIT_PARTIAL if snapshots.unread(answers) else context.EXIT_CLEAN


def _stamp() -> str:
    from clew.cli import snapshots

    return snapshots.now().isoformat(timespec="seconds").replace("+00:00", "Z")


def _default(began: str) -> Path:
    folder = context.workspace().create().snapshots_path
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / f"{began.replace(':', '')}.json.gz"


def _lines(answers: Answers, path: Path, seconds: float) -> Iterator[str]:
    from clew.cli import snapshots

    unread = snapshots.unread(answers)
    yield f"accounts     {snapshots.shortened(answers.accounts)}"
    yield f"regions      {snapshots.shortened(answers.regions)}"
    yield from (f"             {context.printable(line)}" for line in snapshots.told_places(answers))
    answered = len(answers) - len(unread)
    yield f"calls        {len(answers):,} in {seconds:.1f} s; {answered:,} answered, {len(unread):,} not"
    yield f"snapshot     {context.printable(str(path))} ({path.stat().st_size:,} bytes)"
    if unread:
        yield ""
        yield "not read; what depends on it is unknown:"
        yield from (f"  {context.printable(line)}" for line in snapshots.told_unread(unread))


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """A callback that draws calls done and known on stderr; it does nothing unless stderr is a terminal."""
    if context.options().quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, no_color=not context.use_color(sys.stderr))
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("calls"), TimeElapsedColumn())
    with Bar(*columns, TextColumn("{task.fields[last]}"), console=console, transient=True) as bar:
        task = bar.add_task("collect", total=None, last="")

        def advance(done: Progress) -> None:
            last = f"{done.call.region} {done.call.service}"
            bar.update(task, total=done.known, completed=done.done, last=last)

        yield advance
