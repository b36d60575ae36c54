"""Every command that the documentation shows runs, and prints what the page says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import console
import pytest
from warm import WarmClew

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent

_PAGES = [page for page in console.pages() if console.commands(page)]


@pytest.fixture(scope="session")
def clew() -> Iterator[WarmClew]:
    """The command, imported once."""
    with WarmClew() as started:
        yield started


@pytest.mark.parametrize("page", _PAGES, ids=[str(page.relative_to(ROOT)) for page in _PAGES])
def test_commands_of_a_page_run_as_shown(page: Path, clew: WarmClew) -> None:
    """A reader who copies a command gets what the page shows."""
    assert console.check(page, clew) == []


def test_ellipsis_line_stands_for_any_lines() -> None:
    """A line of three dots matches any number of lines, and nothing else does."""
    assert console.matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not console.matches("a\n...\nz\n", "a\nb\nc\ny\n")
    assert not console.matches("a\n", "a\nb\n")
