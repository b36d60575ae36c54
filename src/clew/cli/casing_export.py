"""The report of a case in each of its forms, to a file or to standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from clew.cases import folder
from clew.cli import casing
from clew.errors import UsageError
from clew.report import case_html, case_json, case_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clew.cli.casing import Opened


def exported(opened: Opened, problems: Mapping[str, str], form: str) -> bytes:
    """The report in that form."""
    case = opened.case
    match form:
        case "pdf":
            from clew.report import case_pdf

            return case_pdf.render(case, problems)
        case "html":
            return case_html.render(case, problems).encode()
        case "json":
            found = case_json.document(case, problems, opened.name, casing.now())
            return (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode()
        case "ticket":
            return case_json.ticket(case, problems).encode()
    return case_markdown.render(case, problems).encode()


def written(data: bytes, output: Path | None, *, is_binary: bool) -> None:
    """Write it in one step. Errors: `UsageError` for pages of PDF on a terminal."""
    if output is not None:
        folder.put(output, data)
        return
    if is_binary and sys.stdout.isatty():
        raise UsageError("a PDF is no text: give `--output FILE`")
    if is_binary:
        sys.stdout.buffer.write(data)
    else:
        sys.stdout.write(data.decode())
