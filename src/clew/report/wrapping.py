"""Text wrapped at the width of an explanation; words are never broken, for they are names."""

from __future__ import annotations

import textwrap

from clew.report.escape import terminal

WIDTH = 96
"""Columns of an explanation."""


def wrapped(text: str, *, indent: str = "  ", further: str = "") -> list[str]:
    """The text in lines; those after the first begin with `further`, else as far in as the first.

    >>> wrapped("a bucket", indent="- ")
    ['- a bucket']
    """
    return textwrap.wrap(
        terminal(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=further or " " * len(indent),
        break_on_hyphens=False,
        break_long_words=False,
    )
