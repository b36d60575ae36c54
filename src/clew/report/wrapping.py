"""Text wrapped at the width of an explanation; words are never broken, for they are names."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH = 96
"""Columns of an explanation."""


def wrapped(text: str, *, indent: str = "  ", further: str = "", width: int = WIDTH) -> list[str]:
    """The text in lines; those after the first begin with `further`, else as far in as the first.

    >>> wrapped("a bucket", indent="- ")
    ['- a bucket']
    """
    return textwrap.wrap(
        terminal(text),
        width,
        initial_indent=indent,
        subsequent_indent=further or " " * len(indent),
        break_on_hyphens=False,
        break_long_words=False,
    )


def facts(rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """What is known of a finding, a name in front of each; what is empty is left out."""
    for name, text in rows:
        if text:
            yield from wrapped(text, indent=f"  {name:<9}", further=" " * 11, width=width)
