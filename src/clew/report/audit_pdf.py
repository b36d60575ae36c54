"""An audit as PDF pages: the figures, each check that fails with its first resources, the unknown, and every control.

Needs the extra `reports` (ReportLab). The same audit gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from clew.audit.credentials import day
from clew.audit.model import Verdict
from clew.audit.views import told
from clew.errors import MissingExtraError
from clew.findings import Severity, Status
from clew.report.audit_groups import groups
from clew.report.audit_pictures import SERVICE_NAMES, by_service
from clew.report.audit_text import changed, tally
from clew.report.credential_text import name
from clew.report.pdf import INK, LINE, SOFT, WASH, WIDTH, made, plain

try:
    from reportlab.graphics.shapes import Drawing, Rect, String
    from reportlab.lib.colors import HexColor, white
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import (
        Flowable,
        KeepTogether,
        Paragraph,
        Spacer,
        Table,
        TableStyle,
    )
except ImportError as error:
    raise MissingExtraError("reports", "reportlab") from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.audit.results import Audit
    from clew.report.audit_groups import Group, Item

_COLOURS = {
    Severity.CRITICAL: HexColor("#8e1b3a"),
    Severity.HIGH: HexColor("#c9452b"),
    Severity.MEDIUM: HexColor("#d18a12"),
    Severity.LOW: HexColor("#3c7ea6"),
    Severity.INFORMATIONAL: HexColor("#7d8896"),
}
_VERDICTS = {
    Verdict.FAIL: HexColor("#c9452b"),
    Verdict.UNKNOWN: HexColor("#8a6fb0"),
    Verdict.PASS: HexColor("#3d8a5a"),
    Verdict.NOT_APPLICABLE: HexColor("#b9c2cc"),
    Verdict.MANUAL: HexColor("#8a94a3"),
}
_KINDS = dict(zip(("fail", "unknown", "pass", "none"), list(_VERDICTS.values())[:4], strict=True))
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8.5, leading=11.5, textColor=INK)
_SMALL = ParagraphStyle("small", _BODY, fontSize=7.5, leading=10, textColor=SOFT)
_TITLE = ParagraphStyle("title", _BODY, fontName="Helvetica-Bold", fontSize=20, leading=25)
_HEADING = ParagraphStyle(
    "heading", _BODY, fontName="Helvetica-Bold", fontSize=13, leading=17, spaceBefore=14, spaceAfter=6
)
_PILL = ParagraphStyle(
    "pill", _BODY, fontName="Helvetica-Bold", fontSize=7.5, leading=10, textColor=white, alignment=1
)
_NUMBER = ParagraphStyle("number", _BODY, fontName="Helvetica-Bold", fontSize=16, leading=19)


def render(audit: Audit, *, show: int = 5) -> bytes:
    """The audit as a PDF document; of each check `show` resources are listed, 0 lists all."""
    grouped = groups(audit)
    story: list[Flowable] = [*_head(audit), *_figures(audit), _services(grouped)]
    failed = [group for group in grouped if group.failing]
    unknown = [group for group in grouped if group.of(Verdict.UNKNOWN)]
    several = len(audit.accounts) > 1
    story += [_heading("Failed, worst first"), *(_failed(group, show, accounts=several) for group in failed)]
    if not failed:
        story.append(_text("No check failed."))
    if unknown:
        story += [_heading("Unknown"), *(_unknown(group, show, accounts=several) for group in unknown)]
    story += [_heading("Controls"), _controls(audit)]
    if audit.unread:
        story += [_heading("Calls that were not answered"), _unread(audit)]
    return made(story, f"Audit of {audit.account}", f"{audit.title} · {day(audit.as_of)}")


def _text(text: str, style: ParagraphStyle = _BODY) -> Paragraph:
    """A paragraph; nothing in the text is markup."""
    return Paragraph(escape(plain(text)), style)


def _heading(text: str) -> Paragraph:
    return Paragraph(escape(text), _HEADING)


def _head(audit: Audit) -> Iterator[Flowable]:
    several = len(audit.accounts) > 1
    yield _text(
        f"Audit of {len(audit.accounts)} accounts" if several else f"Audit of account {audit.account}", _TITLE
    )
    yield _text(f"{audit.title}, as of {day(audit.as_of)}")
    if several:
        yield _text(audit.account, _SMALL)
    if audit.origin:
        refused = sum(each.calls for each in audit.unread)
        unread = f"{refused:,} of them not answered" if refused else "all answered"
        places = f"{audit.origin.calls:,} calls in {len(audit.origin.regions)} regions, {unread}"
        yield _text(f"Snapshot {audit.origin.file}: {places}", _SMALL)
    if audit.trend is not None and audit.trend.since is not None:
        yield _text(f"Since {day(audit.trend.since)}: {changed(audit.trend, audit)}")
    yield _text(tally(audit))
    yield Spacer(1, 4 * mm)


def _figures(audit: Audit) -> Iterator[Flowable]:
    verdicts = [(audit.counts[v], f"controls {v.value.replace('_', ' ')}", _VERDICTS[v]) for v in Verdict]
    active = Counter(f.severity for f in audit.findings if f.status is Status.ACTIVE)
    severities = [(active[s], s.value, _COLOURS[s]) for s in reversed(Severity)]
    for row in (verdicts, severities):
        yield _tiles(row)
        yield Spacer(1, 3 * mm)


def _tiles(row: Sequence[tuple[int, str, HexColor]]) -> Table:
    cells = [[_text(f"{count:,}", _NUMBER), _text(label, _SMALL)] for count, label, _ in row]
    style = TableStyle([("BACKGROUND", (0, 0), (-1, -1), WASH), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    for place, (_, _, colour) in enumerate(row):
        style.add("LINEABOVE", (place, 0), (place, 0), 2.5, colour)
    return Table([cells], colWidths=[WIDTH / len(row)] * len(row), style=style)


def _services(grouped: Sequence[Group]) -> Drawing:
    counted = by_service(grouped)
    height = len(counted) * 15 + 6
    most = max((sum(counts.values()) for _, counts in counted), default=1)
    drawing = Drawing(WIDTH, height)
    for row, (service, counts) in enumerate(counted):
        y, left = height - (row + 1) * 15, 92.0
        label = SERVICE_NAMES.get(service, service.upper())
        drawing.add(String(0, y + 2, label, fontName="Helvetica", fontSize=8, fillColor=SOFT))
        for kind, colour in _KINDS.items():
            width = counts.get(kind, 0) / most * (WIDTH - 150)
            if width:
                drawing.add(Rect(left, y, width, 9, fillColor=colour, strokeColor=None))
            left += width
        drawing.add(
            String(left + 5, y + 2, _verdicts(counts), fontName="Helvetica", fontSize=7, fillColor=SOFT)
        )
    return drawing


def _verdicts(counts: Mapping[str, int]) -> str:
    """How many checks of a service fail; where none does, what they say."""
    if counts.get("fail"):
        return f"{counts['fail']} of {sum(counts.values())} fail"
    words = {"unknown": "unknown", "pass": "pass", "none": "not applicable"}
    return ", ".join(f"{counts[kind]} {word}" for kind, word in words.items() if counts.get(kind))


def _failed(group: Group, show: int, *, accounts: bool) -> KeepTogether:
    counted = [f"{len(group.failing):,} of {group.judged:,}"]
    counted += [f"{count:,} {word}" for count, word in ((group.new, "new"), (group.fixed, "fixed")) if count]
    lines = [Paragraph(f"<b>{escape(plain(group.title))}</b>", _BODY)]
    lines.append(_text(f"{', '.join(counted)} · {group.ids}", _SMALL))
    lines += [_text(f"{count:,} × {text}", _SMALL) for text, count in group.causes]
    lines += _listed(group.failing, show, accounts=accounts)
    lines.append(_text(f"Fix: {group.check.text['Fix']}", _SMALL))
    return _block(group.severity.value, _COLOURS[group.severity], lines)


def _unknown(group: Group, show: int, *, accounts: bool) -> KeepTogether:
    items = group.of(Verdict.UNKNOWN)
    lines = [
        _text(group.check.title),
        _text(group.ids, _SMALL),
        *_listed(items, show, accounts=accounts),
    ]
    return _block("unknown", _VERDICTS[Verdict.UNKNOWN], lines)


def _listed(items: Sequence[Item], show: int, *, accounts: bool) -> list[Paragraph]:
    limit = show or len(items)
    lines = []
    for item in items[:limit]:
        called = name(item.judgement.resource)
        places = " ".join(item.places(called, accounts=accounts))
        where = f" ({places})" if places else ""
        new = "new: " if item.is_new else ""
        lines.append(_text(f"{new}{called}{where}: {item.judgement.message}"))
    if len(items) > limit:
        lines.append(_text(f"and {len(items) - limit:,} more"))
    return lines


def _block(word: str, colour: HexColor, lines: list[Paragraph]) -> KeepTogether:
    """A pill beside lines; a line that is longer than a page is no line of ours."""
    rows = [[_text(word, _PILL) if not place else "", line] for place, line in enumerate(lines)]
    style = [
        ("BACKGROUND", (0, 0), (0, 0), colour),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, LINE),
    ]
    return KeepTogether([Table(rows, colWidths=[66, WIDTH - 66], style=TableStyle(style)), Spacer(1, 5)])


def _controls(audit: Audit) -> Table:
    rows = [[_text(text, _SMALL) for text in ("Control", "Verdict", "What it asks")]]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)]
    several = len(audit.frameworks) > 1
    for place, result in enumerate(audit.results, start=1):
        label = f"{result.framework.id} {result.control.id}" if several else result.control.id
        asks = result.control.title
        asks += f" (a person: {result.control.manual})" if result.control.manual else ""
        rows.append([_text(label), _text(told(result.verdict, result.framework), _PILL), _text(asks)])
        style.append(("BACKGROUND", (1, place), (1, place), _VERDICTS[result.verdict]))
    return Table(rows, colWidths=[96, 78, WIDTH - 174], repeatRows=1, style=TableStyle(style))


def _unread(audit: Audit) -> Table:
    rows = [[_text(text, _SMALL) for text in ("Call", "What came of it", "Leaves unknown")]]
    for each in audit.unread:
        came = f"{each.status}: {each.code}, {each.calls:,} calls, such as {each.example}"
        rows.append(
            [_text(each.operation), _text(came), _text(", ".join(each.checks) or "no check of this audit")]
        )
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE)]
    return Table(rows, colWidths=[130, 190, WIDTH - 320], repeatRows=1, style=TableStyle(style))
