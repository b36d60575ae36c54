"""`clew sql`: a question in the SQL of Athena or CloudTrail Lake."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from clew.cli import context
from clew.errors import InputError, UsageError

if TYPE_CHECKING:
    from clew.lake.sql.run import Answer, Limits

TABLE_ROWS = 1_000


class Output(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add `clew sql`."""
    app.command("sql")(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="The SELECT; `-` reads it from standard input.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the query from a file.")] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to write the answer.")] = Output.TABLE,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    max_rows: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many rows (table: 1000 unless given).")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the SQL that DuckDB would run.")] = False,
    functions: Annotated[bool, typer.Option("--functions", help="List the reviewed functions.")] = False,
    deadline: Annotated[float, typer.Option(min=0.1, help="Give up after so many seconds.")] = 60.0,
    memory_mb: Annotated[int, typer.Option(min=64, help="Memory for the query in megabytes.")] = 1024,
) -> None:
    """Ask the lake in the SQL of Athena and CloudTrail Lake.

    Tables: cloudtrail_logs, cloudtrail_lake (or an event data store id), s3_access_logs, vpc_flow_logs, config_items.
    Exit codes: 0 answered, 2 the query is refused, wrong, or took too long.
    """
    if functions:
        _list_functions()
        return
    text, now = _query(query, file), datetime.now(tz=UTC)
    if explain:
        from clew.lake.sql.run import explain as explained

        sys.stdout.write(f"{explained(text, now)}\n")
        return
    from clew.lake.sql.run import Limits

    _answer(text, now, Limits(deadline, memory_mb), output, _target(out, output, force=force), max_rows)


def _query(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise UsageError("give the query, or `--file` with a file that holds it")
    if file is not None:
        try:
            return file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"cannot read `{file}`: {reason}") from None
    return sys.stdin.read() if query == "-" else query or ""


def _list_functions() -> None:
    from clew.lake.sql.functions import FUNCTIONS

    width = max(map(len, FUNCTIONS))
    for name in sorted(FUNCTIONS):
        sys.stdout.write(f"{name.ljust(width)}  {FUNCTIONS[name].note}\n")


def _target(out: Path | None, output: Output, *, force: bool) -> Path | None:
    if out is None and output is Output.PARQUET:
        raise UsageError("Parquet needs a file; add `--out FILE`")
    if out is not None and out.exists() and not force:
        raise UsageError(f"`{out}` exists; add `--force` to replace it")
    return out


def _answer(
    text: str, now: datetime, limits: Limits, output: Output, target: Path | None, max_rows: int | None
) -> None:
    from clew.lake.reader import open_lake
    from clew.lake.sql.run import open_query

    lake = open_lake(context.workspace().lake_path)
    if target is not None and target.resolve().is_relative_to(context.workspace().lake_path.resolve()):
        raise UsageError(f"`{target}` lies inside the lake; write the answer elsewhere")
    if output is Output.PARQUET and target is not None:
        from clew.lake.sql.output import write_parquet
        from clew.lake.sql.run import open_arrow

        with open_arrow(lake, text, now=now, limits=limits) as reader, _replacing(target) as scratch:
            rows = write_parquet(reader, scratch, max_rows)
        context.note(f"{rows} rows in `{target}`")
        return
    limit = max_rows or (TABLE_ROWS if output is Output.TABLE else None)
    with open_query(lake, text, now=now, limits=limits) as answer:
        if target is None:
            _write(answer, output, sys.stdout, limit)
            return
        with _replacing(target) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
            _write(answer, output, stream, limit)


def _write(answer: Answer, output: Output, stream: TextIO, limit: int | None) -> None:
    from clew.report import rows as writers

    names = [name for name, _ in answer.columns]
    shown = islice(answer.rows, limit)
    lines: Iterator[str] = {
        Output.TABLE: lambda: writers.table(names, shown),
        Output.CSV: lambda: writers.csv_lines(names, shown),
        Output.JSON: lambda: writers.json_array(writers.unique(names), shown, answer.nested),
        Output.JSONL: lambda: writers.json_lines(writers.unique(names), shown, answer.nested),
    }[output]()
    stream.writelines(lines)
    if limit is not None and next(answer.rows, None) is not None:
        context.note(f"only the first {limit} rows are shown; raise `--max-rows` for more")


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A scratch file beside the target that takes its place when everything went well."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(f"cannot write `{target}`: {error.strerror}") from None
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
