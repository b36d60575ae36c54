"""The report of a case as PDF pages.

Needs the extra `reports` (ReportLab). The same case gives the same bytes.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from clew.errors import MissingExtraError
from clew.report import case_document as document
from clew.report.pdf import INK, LINE, SOFT, WASH, WIDTH, made, plain

try:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import Flowable, LongTable, Paragraph, Spacer, TableStyle
except ImportError as error:
    raise MissingExtraError("reports", "reportlab") from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.cases.model import Case
    from clew.report.case_document import Block

_BODY = ParagraphStyle(
    "body", fontName="Helvetica", fontSize=8.5, leading=11.5, textColor=INK, splitLongWords=1
)
_SMALL = ParagraphStyle("small", _BODY, fontSize=7.5, leading=10, textColor=SOFT, splitLongWords=1)
_CODE = ParagraphStyle(
    "code", _BODY, fontName="Courier", fontSize=7.5, leading=10, backColor=WASH, borderPadding=4
)
_HEADINGS = {
    1: ParagraphStyle("h1", _BODY, fontName="Helvetica-Bold", fontSize=18, leading=23, spaceAfter=6),
    2: ParagraphStyle(
        "h2",
        _BODY,
        fontName="Helvetica-Bold",
        fontSize=13,
        leading=17,
        spaceBefore=14,
        spaceAfter=6,
        keepWithNext=1,
    ),
    3: ParagraphStyle(
        "h3", _BODY, fontName="Helvetica-Bold", fontSize=9.5, leading=13, spaceBefore=8, keepWithNext=1
    ),
}
# Beyond this a cell could be longer than a page, which ReportLab cannot break.
_LONGEST = 1_500


def render(case: Case, problems: Mapping[str, str]) -> bytes:
    """The report as a PDF document."""
    story: list[Flowable] = []
    for block in document.blocks(case, problems):
        story += _flowables(block)
    return made(story, plain(case.title), f"case {case.id}")


def _text(text: str, style: ParagraphStyle = _BODY) -> Paragraph:
    """A paragraph; nothing in the text is markup."""
    shown = plain(text)
    return Paragraph(escape(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"), style)


def _flowables(block: Block) -> Iterator[Flowable]:
    match block:
        case document.Heading():
            yield _text(block.text, _HEADINGS[block.level])
        case document.Text():
            yield _text(block.text)
        case document.Facts():
            yield from _table([[_text(n, _SMALL), _text(v)] for n, v in block.rows], [92.0, WIDTH - 92])
        case document.Items():
            yield from (_text(f"• {text}") for text in block.texts)
        case document.Code():
            yield from (_text(line, _CODE) for line in block.text.splitlines())
            yield Spacer(1, 2 * mm)
        case document.Table():
            head = [_text(text, _SMALL) for text in block.head]
            rows = [[_text(text, _SMALL if _is_hash(text) else _BODY) for text in row] for row in block.rows]
            yield from _table([head, *rows], _widths(block), repeat=1)


_HASH = 64


def _is_hash(text: str) -> bool:
    return len(text) == _HASH and text.isalnum()


def _widths(block: document.Table) -> list[float]:
    """The width of each column by the longest text in it, within bounds."""
    longest = [max(len(text) for text in column) for column in zip(block.head, *block.rows, strict=True)]
    weights = [min(max(length, 8), 60) for length in longest]
    return [WIDTH * weight / sum(weights) for weight in weights]


def _table(rows: list[list[Paragraph]], widths: list[float], repeat: int = 0) -> Iterator[Flowable]:
    if rows:
        style = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)])
        yield LongTable(rows, colWidths=widths, repeatRows=repeat, splitInRow=1, style=style)
        yield Spacer(1, 2 * mm)
