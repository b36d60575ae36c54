"""The report of a case as one HTML page that needs no network; nothing that an attacker wrote is markup there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew import __version__
from clew.report import case_document as document
from clew.report.page import asset, digest, environment, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

    from clew.cases.model import Case

_KINDS = {
    document.Heading: "heading",
    document.Text: "text",
    document.Facts: "facts",
    document.Items: "items",
    document.Table: "table",
    document.Code: "code",
}


def render(case: Case, problems: Mapping[str, str]) -> str:
    """The report as one self-contained HTML document."""
    from markupsafe import Markup

    style = asset("incident.css") + asset("case.css")
    told = document.blocks(case, problems)
    return _template().render(
        case=case,
        blocks=[(_KINDS[type(block)], block) for block in told[1:]],
        sections=[block.text for block in told if isinstance(block, document.Heading) and block.level == 2],  # noqa: PLR2004  # a section
        style=Markup(style),  # noqa: S704  # our own file
        style_hash=digest(style),
        version=__version__,
    )


def _template() -> Template:
    made = environment()
    made.filters.update(prose=prose, anchor=_anchor, pill=_pill)
    return made.get_template("case.html.j2")


def _anchor(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())


def _pill(text: str) -> str:
    """The class of a verdict."""
    return {
        "true": "bad",
        "still true": "bad",
        "at fault": "bad",
        "refuted": "good",
        "in order": "good",
        "done": "good",
    }.get(text, "open")
