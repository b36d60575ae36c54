"""Every report format has a golden file: the report of one hostile investigation as we write it.

`WRITE_GOLDEN=write pytest tests/report/test_formats.py` writes them again; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clew import __version__
from clew.report.formats import FORMATS, render

if TYPE_CHECKING:
    from clew.detect.investigation import Investigation

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_as_written(name: str, hostile: Investigation) -> None:
    """A report is, byte for byte, what the golden file says."""
    path = GOLDEN / f"incident.{name}"
    shown = render(hostile, name).replace(f"clew {__version__}", "clew VERSION")
    if os.environ.get("WRITE_GOLDEN") == "write":
        path.write_bytes(shown.encode())
    assert path.read_bytes().decode() == shown


def test_every_golden_file_has_a_format() -> None:
    """No golden file is left behind by a format that is gone."""
    assert {path.suffix[1:] for path in GOLDEN.glob("incident.*")} == set(FORMATS)
