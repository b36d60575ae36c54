"""The report of a case as Markdown that GitHub renders; words of attackers make no link, picture or mention there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.report import case_document as document
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.cases.model import Case
    from clew.report.case_document import Block

# GitHub Flavored Markdown: a backslash before punctuation keeps it from meaning anything.
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]|~$^])|^([-+#=>]|\d+(?=[.)]))")
# What makes links of its own, without any mark: addresses, people, issues.
_AUTOMATIC = re.compile(r"(?i)(@|#(?=\d)|://|\bwww\.)")


def render(case: Case, problems: Mapping[str, str]) -> str:
    """The report as one Markdown document."""
    parts = ("\n".join(_lines(block)) for block in document.blocks(case, problems))
    return "\n\n".join(part for part in parts if part) + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case document.Heading():
            yield f"{'#' * block.level} {prose(block.text)}"
        case document.Text():
            yield prose(block.text)
        case document.Facts():
            yield from (f"- **{prose(name)}**: {prose(value)}" for name, value in block.rows)
        case document.Items():
            yield from (f"- {prose(text)}" for text in block.texts)
        case document.Table():
            yield from _table(block)
        case document.Code():
            yield from _fenced(block.text)


def _table(block: document.Table) -> Iterator[str]:
    if not block.rows:
        yield "Nothing."
        return
    yield f"| {' | '.join(map(prose, block.head))} |"
    yield f"|{'---|' * len(block.head)}"
    yield from (f"| {' | '.join(prose(text, in_table=True) for text in row)} |" for row in block.rows)


def _fenced(text: str) -> Iterator[str]:
    lines = [terminal(line) for line in text.splitlines()]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    yield f"{fence}sh"
    yield from lines
    yield fence


def prose(text: str, *, in_table: bool = False) -> str:
    r"""The text as it reads: nothing in it is markup, save that pairs of backticks set code.

    >>> prose("`a|b` is <b>not</b> [a link](x)", in_table=True)
    '`a\\|b` is &lt;b&gt;not&lt;/b&gt; \\[a link\\](x)'
    """
    pieces = terminal(text).split("`")
    if len(pieces) % 2 == 0:
        return _plain("`".join(pieces))
    return "".join(
        _code(piece, in_table) if place % 2 else _plain(piece) for place, piece in enumerate(pieces)
    )


def _code(text: str, in_table: bool) -> str:
    # In a table a bar ends the cell even in code, unless it is escaped.
    shown = text.replace("|", "\\|") if in_table else text
    return f"`{shown}`" if text.strip() else ""


def _plain(text: str) -> str:
    # A zero-width space behind what would make a link by itself.
    marked = _AUTOMATIC.sub(lambda found: f"{found[0]}\u200b", text)
    escaped = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "\0")
    return _PUNCTUATION.sub(_inert, escaped).replace("\0", "&gt;")


def _inert(found: re.Match[str]) -> str:
    # A number at the beginning, with its point, would make a list.
    return f"\\{found[0]}" if not found[0].isdigit() else f"{found[0]}\\"
