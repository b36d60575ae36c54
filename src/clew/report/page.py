"""What every HTML report shares: styles and scripts, their digests, how templates are read, and safe prose."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from clew.report.escape import terminal

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def asset(name: str) -> str:
    """A style or script of ours."""
    return files("clew.report").joinpath("templates", name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """The SHA-256 of the text in base64, as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def environment(*, trimmed: bool = True) -> Environment:
    """The environment of the templates: whatever they print is escaped, and what is missing is an error.

    `trimmed` leaves out the lines of statements. The filter `visible` shows control characters.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("clew.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=trimmed,
        lstrip_blocks=trimmed,
    )
    made.filters["visible"] = terminal
    return made


def prose(text: str) -> Markup:
    """The text made safe, with what stands in pairs of backticks set as code."""
    from markupsafe import Markup, escape

    pieces = str(escape(terminal(text))).split("`")
    if len(pieces) % 2 == 0:
        return Markup("`").join(map(Markup, pieces))
    return Markup("").join(Markup(f"<code>{p}</code>" if i % 2 else p) for i, p in enumerate(pieces))  # noqa: S704  # escaped above
