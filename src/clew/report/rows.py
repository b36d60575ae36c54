"""Rows of an answer as a table, CSV, JSON or JSON lines, inert wherever they are shown."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from clew.report.escape import spreadsheet, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WIDEST = 100
_MILLISECONDS_PER_DAY = 86_400_000


def text(value: object) -> str:
    """A value as text: NULL is empty, times are ISO 8601 in UTC, bytes hexadecimal.

    >>> text(datetime(2023, 7, 10, 9, 30)), text(True), text(None)
    ('2023-07-10T09:30:00Z', 'true', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _interval(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _interval(value: timedelta) -> str:
    """An interval as Trino writes it: days, then the time of day."""
    total = value // timedelta(milliseconds=1)
    days, rest = divmod(abs(total), _MILLISECONDS_PER_DAY)
    seconds, milliseconds = divmod(rest, 1000)
    sign = "-" if total < 0 else ""
    return f"{sign}{days} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def plain(value: object, *, nested: bool = False) -> object:
    """A value as JSON holds it; nested values arrive as JSON text.

    >>> plain('{"a": [1]}', nested=True), plain(Decimal("1.50"))
    ({'a': [1]}, 1.5)
    """
    if nested and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else text(value)


def json_lines(
    names: Sequence[str], rows: Iterable[Sequence[object]], nested: Sequence[bool]
) -> Iterator[str]:
    """One JSON object for each row."""
    for row in rows:
        yield f"{_object(names, row, nested)}\n"


def _object(names: Sequence[str], row: Sequence[object], nested: Sequence[bool]) -> str:
    made = {n: plain(v, nested=deep) for n, v, deep in zip(names, row, nested, strict=True)}
    return json.dumps(made, ensure_ascii=True)


def json_array(
    names: Sequence[str], rows: Iterable[Sequence[object]], nested: Sequence[bool]
) -> Iterator[str]:
    """The rows as one JSON array of objects, a row on each line."""
    separator = "["
    for row in rows:
        yield f"{separator}\n  {_object(names, row, nested)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def csv_lines(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as CSV (RFC 4180) with a header; no cell is a spreadsheet's formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in _with_header(names, rows):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _with_header(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    yield [_inert(name) for name in names]
    for row in rows:
        yield [_inert(text(v)) if isinstance(v, (str, bytes)) else text(v) for v in row]


def _inert(cell: str) -> str:
    """The cell without formula and without control characters but line breaks and tabs, which CSV may hold."""
    return spreadsheet(cell if cell.isprintable() else "".join(map(_visible, cell)))


def _visible(character: str) -> str:
    return character if character in "\n\t" else terminal(character)


def unique(names: Sequence[str]) -> list[str]:
    """The names, each once: a JSON object keeps one value for a name, and none may be lost.

    >>> unique(["arn", "arn", "arn_2"])
    ['arn', 'arn_3', 'arn_2']
    """
    taken = set(names)
    made: list[str] = []
    for name in names:
        new, number = name, 1
        while new in made or (new != name and new in taken):
            number += 1
            new = f"{name}_{number}"
        made.append(new)
    return made


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows in columns, with long values cut and control characters made visible."""
    cells = [[_cell(v) for v in row] for row in rows]
    head = [_cell(name) for name in names]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    yield _line(head, widths)
    yield _line(["-" * width for width in widths], widths)
    for line in cells:
        yield _line(line, widths)


def _cell(value: object) -> str:
    shown = terminal(text(value))
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{'  '.join(padded).rstrip()}\n"
