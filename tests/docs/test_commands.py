"""Every command that the documentation shows runs, and prints what the page says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

_spec = importlib.util.spec_from_file_location("console", ROOT / "tools" / "console.py")
assert _spec is not None
assert _spec.loader is not None
console = importlib.util.module_from_spec(_spec)
sys.modules["console"] = console
_spec.loader.exec_module(console)

_PAGES = [page for page in console.pages() if console.commands(page)]


@pytest.mark.parametrize("page", _PAGES, ids=[str(page.relative_to(ROOT)) for page in _PAGES])
def test_commands_of_a_page_run_as_shown(page: Path) -> None:
    """A reader who copies a command gets what the page shows."""
    assert console.check(page) == []


def test_ellipsis_line_stands_for_any_lines() -> None:
    """A line of three dots matches any number of lines, and nothing else does."""
    assert console.matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert not console.matches("a\n...\nz\n", "a\nb\nc\ny\n")
    assert not console.matches("a\n", "a\nb\n")
