"""The HTML report: complete, self-contained, inert."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from clew.report import html

if TYPE_CHECKING:
    from pathlib import Path

    from clew.detect.investigation import Investigation

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class _Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_page_loads_nothing_from_anywhere(hostile: Investigation) -> None:
    """Every link stays within the page, and nothing is fetched."""
    for tag, attributes in _Elements(html.render(hostile)).found:
        assert tag not in {"img", "link", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]


def test_only_our_script_and_style_may_run(hostile: Investigation) -> None:
    """The page's policy names the hashes of its own style and script, and there is one of each."""
    page = html.render(hostile)
    tags = [tag for tag, _ in _Elements(page).found]
    assert tags.count("script") == tags.count("style") == 1
    assert "default-src 'none'; style-src 'sha256-" in page


def test_every_finding_stands_under_its_actor_and_technique(hostile: Investigation) -> None:
    """Findings are grouped by actor and by technique, the worst actor first."""
    groups = html.by_actor(hostile)
    assert [len(group.findings) for group in groups] == [1, 2]
    assert [row.technique for row in html.by_technique(list(hostile.findings))] == ["T1562.008"]
    page = html.render(hostile)
    assert all(f'id="f-{finding.id}"' in page for finding in hostile.findings)


def test_control_characters_are_made_visible(hostile: Investigation) -> None:
    """No control or bidirectional character of a log reaches the page."""
    page = html.render(hostile)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert r"\x1b]0;owned\x07" in page


def test_investigation_without_findings_says_so(hostile: Investigation) -> None:
    """No finding is not a clean bill: the report points at the blind spots."""
    from dataclasses import replace

    page = html.render(replace(hostile, findings=(), actors=(), activity=()))
    assert "That is not proof that nothing happened" in page
    assert "There is nothing to draw" in page


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_page_works_in_a_browser(hostile: Investigation, tmp_path: Path) -> None:
    """In Chromium, opened from a file: no hostile script runs, the filter counts the findings, the picture is drawn."""
    page = tmp_path / "report.html"
    page.write_text(html.render(hostile), encoding="utf-8")
    dom = _dump(page, tmp_path)
    assert "<title>Incident report" in dom
    assert "3 of 3 shown" in dom
    assert dom.count('class="mark ') == len(hostile.findings)


def _dump(page: Path, home: Path) -> str:
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={home / 'profile'}", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_a_story_stops_where_the_figures_begin() -> None:
    """What the finding itself says of times and counts is not told twice, whatever its form."""
    for figures in (
        "2 events at 2023-07-10 12:08:04 UTC, all",
        "1,098 events between x and y",
        "One event at z",
    ):
        assert html._lead(f"A was done. {figures} succeeded.") == "A was done."
