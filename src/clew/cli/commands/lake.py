"""`clew lake`: what the lake holds, whether it is whole, and its care."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context
from clew.cli.times import duration

if TYPE_CHECKING:
    from clew.lake.maintenance.expire import Expiry
    from clew.lake.maintenance.info import LakeInfo
    from clew.lake.maintenance.quarantine import Entry
    from clew.lake.maintenance.verify import Verification


class Output(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


class ListOutput(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to write the answer.")]


def register(app: typer.Typer) -> None:
    """Add `clew lake …`."""
    lake = typer.Typer(no_args_is_help=True, help="Look into the lake and take care of it.")
    for command in (info, verify, compact, expire, relocate, quarantine):
        lake.command()(command)
    app.add_typer(lake, name="lake")


def info(output: OutputOption = Output.TABLE) -> None:
    """Show rows, files, days and bytes of each table, and what lies there unneeded."""
    from clew.lake.maintenance import info as maintenance

    found = maintenance.info(context.workspace().lake_path)
    if output is Output.JSON:
        _json(asdict(found) | {"disk_ratio": found.disk_ratio})
    else:
        _print(_info_lines(found))


def _info_lines(found: LakeInfo) -> Iterator[str]:
    yield f"lake {found.path}"
    if found.moved_from is not None:
        yield f"moved here from {found.moved_from}; run `clew lake relocate` before the next ingest"
    header = ("table", "rows", "files", "small", "days", "from", "to", "size", "snapshots")
    rows = [
        (t.name, f"{t.rows:,}", f"{t.files:,}", f"{t.small_files:,}", str(t.days or ""), t.first_day or "",
         t.last_day or "", _size(t.size_bytes), str(t.snapshots))
        for t in found.tables
    ]  # fmt: skip
    yield from _columns([header, *rows], numbers={1, 2, 3, 4, 7, 8})
    ratio = "" if found.disk_ratio is None else f", {found.disk_ratio:.2f} times what is referenced"
    yield f"{_size(found.disk_bytes)} on disk{ratio}"
    if found.unreferenced_files:
        size = _size(found.unreferenced_bytes)
        count = f"{found.unreferenced_files:,} data files ({size})"
        yield f"{count} are not part of the present state; see `clew lake expire`"


def verify(output: OutputOption = Output.TABLE) -> None:
    """Read every file and row, and name everything that is not as recorded.

    Exit codes: 0 the lake is whole, 3 it is not.
    """
    from clew.lake.maintenance import verify as maintenance

    found = maintenance.verify(context.workspace().lake_path)
    if output is Output.JSON:
        _json(asdict(found))
    else:
        _print(_verify_lines(found))
    if found.discrepancies:
        raise typer.Exit(context.EXIT_PARTIAL)


def _verify_lines(found: Verification) -> Iterator[str]:
    yield f"{found.files:,} files, {found.rows:,} rows read"
    header = ("table", "rows", "distinct ids", "checksum of ids")
    rows = [(name, f"{i.rows:,}", f"{i.distinct:,}", i.checksum) for name, i in found.identities.items()]
    yield from _columns([header, *rows], numbers={1, 2})
    for item in found.discrepancies:
        yield f"{item.code}: {item.where}: {item.detail}"
    count = len(found.discrepancies)
    yield f"{count:,} discrepanc{'y' if count == 1 else 'ies'}" if count else "the lake is whole"


def compact(output: OutputOption = Output.TABLE) -> None:
    """Merge the small files of each day; rows are compared before the exchange is committed."""
    from clew.lake.maintenance import compact as maintenance

    done = maintenance.compact(
        context.workspace().lake_path,
        progress=lambda group: context.note(
            f"{group.table} {group.day or ''}: {len(group.files):,} files merged"
        ),
    )
    if output is Output.JSON:
        _json(asdict(done))
    elif done.commits:
        sizes = f"{_size(done.bytes_before)} became {_size(done.bytes_after)}"
        _print([
            f"{done.files_before:,} files became {done.files_after:,}; {done.rows:,} rows compared; {sizes}",
            "the old files stay until `clew lake expire`",
        ])  # fmt: skip
    else:
        _print(["nothing to compact"])


def expire(
    older_than: Annotated[
        str, typer.Option(help="Forget states that were replaced longer ago: 30m, 12h, 7d, 2w.")
    ] = "7d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed; change nothing.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Forget old states of the lake, and remove the files that nothing needs any more."""
    from clew.lake.maintenance import expire as maintenance

    path = context.workspace().lake_path
    now = datetime.now(UTC)
    done = maintenance.expire(path, now=now, older_than=duration(older_than), dry_run=dry_run)
    if output is Output.JSON:
        files = [{"path": str(file.path), "size_bytes": file.size_bytes} for file in done.files]
        _json(
            {"dry_run": dry_run, "snapshots": done.snapshots, "kept_young": done.kept_young, "files": files}
        )
    else:
        _print(_expire_lines(done, dry_run))


def _expire_lines(done: Expiry, dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield from (f"would remove {file.path} ({_size(file.size_bytes)})" for file in done.files)
    verb = "would be " if dry_run else ""
    yield (
        f"{done.snapshots:,} snapshots {verb}forgotten, {len(done.files):,} files {verb}removed "
        f"({_size(done.size_bytes)})"
    )
    if done.kept_young:
        yield f"{done.kept_young:,} unneeded files are kept because they are young"


def relocate(output: OutputOption = Output.TABLE) -> None:
    """Make a moved or copied lake at home where it lies now."""
    from clew.lake.maintenance import relocate as maintenance

    path = context.workspace().lake_path
    done = maintenance.relocate(path)
    if output is Output.JSON:
        _json(asdict(done))
    elif done.origin is None:
        _print([f"{path} lies where it was written; nothing to do"])
    else:
        _print(
            [f"{done.files:,} files of {done.tables} tables, written in {done.origin}, now belong to {path}"]
        )


def quarantine(
    reason: Annotated[str | None, typer.Option(help="Only entries of this reason.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count the entries of each reason.")] = False,
    output: Annotated[
        ListOutput, typer.Option("--output", "-o", help="How to write the list.")
    ] = ListOutput.TABLE,
) -> None:
    """List what could not be read: file, record (from 0), reason, detail, and how it begins."""
    from clew.lake.maintenance import quarantine as maintenance

    path = context.workspace().lake_path
    if summary:
        _summary(maintenance.counts(path), output)
        return
    found = maintenance.entries(path, reason)
    if output is ListOutput.JSON:
        _json([asdict(entry) for entry in found])
    elif output is ListOutput.CSV:
        _csv(
            ("path", "record_number", "reason", "detail", "excerpt", "size_bytes", "found_at", "source"),
            found,
        )
    else:
        _print(_quarantine_lines(found, maintenance.counts(path)))


def _summary(counts: dict[str, int], output: ListOutput) -> None:
    if output is ListOutput.JSON:
        _json(counts)
    elif output is ListOutput.CSV:
        _print(["reason,entries", *(f"{reason},{count}" for reason, count in counts.items())])
    else:
        _print(_columns([("reason", "entries"), *((r, f"{n:,}") for r, n in counts.items())], numbers={1}))


def _quarantine_lines(found: Iterable[Entry], counts: dict[str, int]) -> Iterator[str]:
    for entry in found:
        place = entry.path if entry.record_number is None else f"{entry.path} record {entry.record_number}"
        begin = f": `{entry.excerpt}`" if entry.excerpt else ""
        yield f"{place}: {entry.reason}: {entry.detail}{begin}"
    listed = ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
    yield f"{sum(counts.values()):,} entries: {listed}" if counts else "nothing is in quarantine"


def _size(size_bytes: int) -> str:
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - one step of the decimal units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _columns(rows: Sequence[Sequence[str]], numbers: set[int]) -> Iterator[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if index in numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _csv(names: Sequence[str], entries: Iterable[Entry]) -> None:
    import csv

    from clew.report.escape import spreadsheet

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for entry in entries:
        values = (getattr(entry, name) for name in names)
        writer.writerow([spreadsheet(context.printable(v)) if isinstance(v, str) else v for v in values])


def _json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, indent=2, default=str))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(context.printable(line))
