"""What every PDF report shares: its pages, their foot, the colours of the text, and text that the fonts can write.

Needs the extra `reports` (ReportLab). The same content gives the same bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from clew import __version__
from clew.errors import MissingExtraError
from clew.report.escape import terminal

try:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Flowable, SimpleDocTemplate
except ImportError as error:
    raise MissingExtraError("reports", "reportlab") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportlab.pdfgen.canvas import Canvas

INK, SOFT, LINE, WASH = (HexColor(text) for text in ("#1c2430", "#566273", "#dfe4ea", "#f5f7f9"))
_MARGIN = 18 * mm
WIDTH = A4[0] - 2 * _MARGIN
"""How wide the text is; units: points."""


def made(story: list[Flowable], title: str, foot: str) -> bytes:
    """The story as a PDF document of A4 pages; `foot` stands on every page, after Clew's name and version."""
    out = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN)
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Clew", invariant=1, **margins)
    footer = _footer(plain(f"Clew {__version__} · {foot}"))
    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _footer(text: str) -> Callable[[Canvas, SimpleDocTemplate], None]:
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(_MARGIN, 10 * mm, text[:150])
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, str(document.page))

    return draw


def plain(text: str) -> str:
    """The text with what the standard fonts do not have written as escapes."""
    return terminal(text).encode("cp1252", "backslashreplace").decode("cp1252")
