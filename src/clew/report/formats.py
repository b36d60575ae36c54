"""Every format in which an investigation is written: name → a function that gives the whole text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.report import finding_csv, finding_json, html, text
from clew.report.order import worst_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.detect.investigation import Investigation


def _json(investigation: Investigation) -> str:
    return json.dumps(finding_json.investigation(investigation), indent=2) + "\n"


def _jsonl(investigation: Investigation) -> str:
    findings = worst_first(investigation.findings)
    return "".join(json.dumps(finding_json.to_dict(finding)) + "\n" for finding in findings)


def _csv(investigation: Investigation) -> str:
    return finding_csv.render(worst_first(investigation.findings))


FORMATS: dict[str, Callable[[Investigation], str]] = {
    "text": text.render,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "html": html.render,
}


def render(investigation: Investigation, name: str) -> str:
    """The investigation in that format; KeyError for a name that is not in FORMATS."""
    return FORMATS[name](investigation)
