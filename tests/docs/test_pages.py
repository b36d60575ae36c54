"""The pages of the documentation are all to be found, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_every_guide_is_listed() -> None:
    """No page of the guide is left out of the documentation's first page."""
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in (ROOT / "docs" / "guide").glob("*.md") if f"guide/{page.name}" not in listed
    ]
    assert missing == []


def test_links_lead_somewhere() -> None:
    """Each link between pages, and each picture, names a file that is there."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_decisions_have_numbers_of_their_own() -> None:
    """No two decision pages share a number."""
    numbers = [page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md")]
    assert sorted(numbers) == sorted(set(numbers))
