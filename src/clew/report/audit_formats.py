"""Every format in which an audit is written: name → a function that gives the whole text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.report import (
    audit_asff,
    audit_csv,
    audit_evidence,
    audit_html,
    audit_json,
    audit_junit,
    audit_ocsf,
    audit_sarif,
    audit_text,
    credential_text,
)
from clew.report.json_text import written

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.audit.results import Audit


@dataclass(frozen=True, slots=True)
class Options:
    """How a report is written: with colours, how many resources of a check it lists, which verdicts it shows.

    0 lists all; no verdicts named shows all.
    """

    color: bool = False
    show: int = 5
    verdicts: frozenset[str] = frozenset()


def _text(audit: Audit, options: Options) -> str:
    # An audit without a snapshot is one of a credential report, whose text tells each control and each user.
    if audit.origin is None:
        return credential_text.render(audit, color=options.color)
    return audit_text.render(audit, color=options.color, show=options.show, verdicts=options.verdicts)


def _json(audit: Audit, _: Options) -> str:
    return written(audit_json.document(audit)) + "\n"


def _pdf(audit: Audit, options: Options) -> bytes:
    # ReportLab is an extra, and takes 0.2 s to load.
    from clew.report import audit_pdf

    return audit_pdf.render(audit, show=options.show)


FORMATS: dict[str, Callable[[Audit, Options], str | bytes]] = {
    "text": _text,
    "json": _json,
    "csv": lambda audit, _: audit_csv.render(audit),
    "html": lambda audit, _: audit_html.render(audit),
    "ocsf": lambda audit, _: audit_ocsf.render(audit),
    "asff": lambda audit, _: audit_asff.render(audit),
    "sarif": lambda audit, _: audit_sarif.render(audit),
    "junit": lambda audit, _: audit_junit.render(audit),
    "pdf": _pdf,
    "evidence": lambda audit, _: audit_evidence.render(audit),
}
SUFFIXES = {
    "text": "txt",
    "json": "json",
    "csv": "csv",
    "html": "html",
    "ocsf": "ocsf.json",
    "asff": "asff.json",
    "sarif": "sarif",
    "junit": "junit.xml",
    "pdf": "pdf",
    "evidence": "evidence.zip",
}
"""How the name of a file of each format ends."""


def render(audit: Audit, name: str, options: Options | None = None) -> str | bytes:
    """The audit in that format; KeyError for a name that is not in FORMATS."""
    return FORMATS[name](audit, options or Options())
