"""The bytes of a credential report as a table of text: encodings, separators and line ends of whoever saved it."""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 256 * 1024 * 1024
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 text"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 text"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table and the line of the file on which it ends, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it; `notes` say how the file differs from one as AWS writes it."""

    source: str
    header_line: int
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def table(content: bytes, source: str) -> Table:
    """The table that the bytes hold. Errors: `InputError`, located."""
    text, notes = _text(content, source)
    header = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(_SEPARATORS, key=header.count)
    if separator != ",":
        notes.append(f"fields are separated by {_SEPARATORS[separator]}: saved by a spreadsheet?")
    rows = _rows(text, separator, source)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{source}: empty; expected a credential report")
    columns = tuple(cell.strip().lower() for cell in first.cells)
    lines = tuple(rows)
    for line in lines:
        if tuple(cell.strip().lower() for cell in line.cells) == columns:
            raise InputError(f"{source}:{line.number}: a second header; give one report at a time")
    return Table(source, first.number, columns, lines, tuple(notes))


def printed_by_cli(content: bytes, source: str) -> tuple[bytes, datetime | None]:
    """The CSV and its time out of what `aws iam get-credential-report` prints; anything else as it is.

    Errors: `InputError` for JSON that holds no report.
    """
    if not content.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"{"):
        return content, None
    try:
        answer = json.loads(content.decode("utf-8-sig"))
        packed = answer["Content"]
        inner = base64.b64decode(packed, validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise InputError(
            f"{source}: JSON without a credential report; expected `Content` in base64, "
            "as `aws iam get-credential-report` prints it"
        ) from error
    return inner, _generated(answer.get("GeneratedTime"), source)


def _generated(value: object, source: str) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{source}: `GeneratedTime` is `{str(value)[:80]}`; expected a time") from error


def _text(content: bytes, source: str) -> tuple[str, list[str]]:
    """The bytes as text, and what was unusual about them."""
    if len(content) > _MOST_BYTES:
        raise InputError(
            f"{source}: more than {_MOST_BYTES // 1024**2} MiB; no credential report is that long"
        )
    notes: list[str] = []
    encoding = "utf-8"
    for mark, name, called in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            encoding = "utf-8-sig" if name == "utf-8" else name
            notes.append(f"begins with {called}: saved by a spreadsheet?")
            break
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{source}:{line}: not UTF-8; expected a credential report as CSV") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{source}:{line}: a zero byte; expected a credential report as CSV")
    if "\r\n" in text:
        notes.append("lines end as on Windows: saved by a spreadsheet?")
    return text, notes


def _rows(text: str, separator: str, source: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Line(reader.line_num, tuple(cells))
    except csv.Error as error:
        raise InputError(f"{source}:{max(reader.line_num, 1)}: not CSV: {error}") from error
