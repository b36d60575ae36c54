"""The guide to the engine: its Python runs as shown."""

from __future__ import annotations

import doctest
from pathlib import Path

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "guide" / "engine.md"


def test_the_python_of_the_guide_runs_as_shown() -> None:
    """A reader who copies the example gets what the page shows."""
    results = doctest.testfile(str(GUIDE), module_relative=False)
    assert (results.failed, results.attempted > 5) == (0, True)
