"""The report of a case as one HTML page that needs no network; nothing that an attacker wrote is markup there."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from clew import __version__
from clew.report import case_document as document
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template
    from markupsafe import Markup

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

    style = _asset("incident.css") + _asset("case.css")
    told = document.blocks(case, problems)
    return _template().render(
        case=case,
        blocks=[(_KINDS[type(block)], block) for block in told[1:]],
        sections=[block.text for block in told if isinstance(block, document.Heading) and block.level == 2],  # noqa: PLR2004  # a section
        style=Markup(style),  # noqa: S704  # our own file
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
    )


def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clew.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=terminal, prose=_prose, anchor=_anchor, pill=_pill)
    return environment.get_template("case.html.j2")


def _asset(file: str) -> str:
    return files("clew.report").joinpath("templates", file).read_text(encoding="utf-8")


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


def _prose(text: str) -> Markup:
    """The text made safe, with what stands in pairs of backticks set as code."""
    from markupsafe import Markup, escape

    pieces = str(escape(terminal(text))).split("`")
    if len(pieces) % 2 == 0:
        return Markup("`").join(map(Markup, pieces))
    return Markup("").join(Markup(f"<code>{p}</code>" if i % 2 else p) for i, p in enumerate(pieces))  # noqa: S704  # escaped above
