"""Every format in which an audit is written: name → a function that gives the whole text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.report import audit_asff, audit_csv, audit_html, audit_json, audit_junit, audit_sarif, audit_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.audit.run import Audit


def _json(audit: Audit) -> str:
    return json.dumps(audit_json.document(audit), indent=2) + "\n"


FORMATS: dict[str, Callable[[Audit], str]] = {
    "text": audit_text.render,
    "json": _json,
    "csv": audit_csv.render,
    "html": audit_html.render,
    "asff": audit_asff.render,
    "sarif": audit_sarif.render,
    "junit": audit_junit.render,
}


def render(audit: Audit, name: str) -> str:
    """The audit in that format; KeyError for a name that is not in FORMATS."""
    return FORMATS[name](audit)
