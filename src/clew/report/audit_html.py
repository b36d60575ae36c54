"""An audit as one HTML page that needs no network: style and picture are inside, and no script."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from clew import __version__
from clew.audit.credentials import day
from clew.audit.model import Verdict
from clew.report.credential_text import age, name
from clew.report.escape import terminal
from clew.report.order import worst_first

if TYPE_CHECKING:
    from markupsafe import Markup

    from clew.audit.results import Audit

_COLOURS = {
    Verdict.FAIL: "var(--high)",
    Verdict.UNKNOWN: "var(--medium)",
    Verdict.PASS: "#3d8a5a",
    Verdict.NOT_APPLICABLE: "var(--line)",
    Verdict.MANUAL: "var(--faint)",
}
_WIDTH, _HEIGHT = 1000, 34


def render(audit: Audit) -> str:
    """The audit as one self-contained HTML document."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("clew.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=terminal, resource=name, day=day)
    style = files("clew.report").joinpath("templates", "incident.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("audit.html.j2").render(
        a=audit,
        age=age(audit.report, audit.now) if audit.report else "",
        findings=worst_first(audit.findings),
        picture=_picture(audit),
        style=_safe(style),
        style_hash=digest,
        version=__version__,
    )


def _picture(audit: Audit) -> Markup:
    """A bar that shows how many controls have which verdict."""
    total = len(audit.results) or 1
    parts, left = [], 0.0
    for verdict, colour in _COLOURS.items():
        count = audit.counts[verdict]
        width = count / total * _WIDTH
        if count:
            label = f"{count} {verdict.value.replace('_', ' ')}"
            parts.append(
                f'<rect x="{left:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}" fill="{colour}">'
                f"<title>{label}</title></rect>"
            )
        left += width
    return _safe(
        f'<svg role="img" aria-label="controls by verdict" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="100%" height="{_HEIGHT}" preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def _safe(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # our own style and figures, nothing of the report
