"""The report of a case in each form: the same parts, and what an attacker wrote into a log is text in all of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.case.test_folder import NOW, whole

from clew import __version__
from clew.cases.model import Case, Evidence, Fact, Kept, Severity
from clew.report import case_html, case_json, case_markdown, case_pdf, case_text

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "![p](https://evil.example/p.png) [link](javascript:alert(3))",
    "@ana see #12 https://evil.example www.evil.example",
    "\x1b]0;title\x07 \u202egnp.exe | pipe ` tick $math$ ~~gone~~",
    "# heading",
    "1. list",
    "</code></pre></style>{{ 7 * 7 }}",
)


def hostile() -> Case:
    """A case in which an attacker wrote wherever an attacker can."""
    case = whole()
    assert case.hypotheses is not None
    facts = tuple(Fact("line", text) for text in HOSTILE)
    first = replace(case.hypotheses.of[0], facts=facts, because=HOSTILE[0], settle=HOSTILE[2])
    pieces = tuple(
        Evidence(f"e{n}", Kept.LOG, text, f"evidence/e{n}-log", "0" * 64, 10, NOW, text)
        for n, text in enumerate(HOSTILE, start=1)
    )
    return replace(
        case,
        title=f"Down {HOSTILE[0]} {HOSTILE[3]}",
        severity=Severity.HIGH,
        changes=HOSTILE,
        evidence=pieces,
        hypotheses=replace(case.hypotheses, of=(first,), notes=HOSTILE),
    )


PROBLEMS = {"e1": "e1: `evidence/e1-log` is not what was attached; expected sha256 0…, found 1…"}


def told(form: str) -> str:
    """The hostile case in that form."""
    case = hostile()
    if form == "html":
        return case_html.render(case, PROBLEMS)
    if form == "ticket":
        return case_json.ticket(case, PROBLEMS)
    if form == "text":
        return case_text.overview(case, PROBLEMS) + case_text.hypotheses(case) + case_text.plan(case)
    return case_markdown.render(case, PROBLEMS)


@pytest.mark.parametrize(
    ("form", "suffix"), [("html", "html"), ("markdown", "md"), ("ticket", "json"), ("text", "txt")]
)
def test_a_form_is_as_its_golden_file(form: str, suffix: str) -> None:
    """What is written is what was looked at; WRITE_GOLDEN=write writes the files anew."""
    text = told(form).replace(__version__, "VERSION")
    text = re.sub(r"<style>.*?</style>", "<style>…</style>", text, flags=re.DOTALL)
    text = re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
    path = GOLDEN / f"case.{suffix}"
    if os.environ.get("WRITE_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("form", ["html", "markdown", "ticket", "text"])
def test_what_an_attacker_wrote_is_inert(form: str) -> None:
    """No terminal is driven, no tag, picture, link or mention is made."""
    text = told(form)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form == "html":
        assert not re.search(r"<(script|img|iframe|a href=\"(?!#))", text)
        assert "49" not in re.sub(
            r"sha256-[\w+/=]+|#[0-9a-f]{6}|<style>.*?</style>", "", text, flags=re.DOTALL
        )
    if form == "markdown":
        assert not re.search(r"(?<!\\)<(script|img)", text)
        assert not re.search(r"(?<!\\)\]\(", text)
        assert not re.search(r"@\w", text)
        assert "://" not in text.replace("://\u200b", "")
        heads = [line for line in text.splitlines() if line.startswith("#")]
        assert not any(line.startswith("# heading") for line in heads)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no network, no frame: the policy of the page allows its own style alone."""
    page = told("html")
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "<script" not in page


def test_pages_of_the_same_case_are_the_same_bytes() -> None:
    """The PDF is one, needs no clock, and has a page for what is long."""
    first, second = case_pdf.render(hostile(), PROBLEMS), case_pdf.render(hostile(), PROBLEMS)
    assert first == second
    assert first.startswith(b"%PDF-")
    case, texts = hostile(), ("x" * 4_000, "word " * 900)
    pieces = tuple(
        replace(each, name=texts[n % 2], says=texts[1 - n % 2]) for n, each in enumerate(case.evidence)
    )
    found = tuple(replace(case.verified[0], because=each, evidence=(each,)) for each in texts)
    long = replace(case, title=texts[0], affected=texts[1], evidence=pieces, verified=found)
    assert case_pdf.render(long, {}).startswith(b"%PDF-")


def test_a_ticket_is_what_trackers_take() -> None:
    """Title, body, labels, priority, state and attachments; a body that is too long is cut, and says so."""
    found = json.loads(told("ticket"))
    assert set(found) == {"title", "body", "labels", "priority", "state", "attachments"}
    assert (found["priority"], found["state"]) == ("P2", "closed")
    assert found["labels"] == ["clew", "severity:high", "timed-out"]
    long = replace(hostile(), affected="word " * 30_000)
    body = json.loads(case_json.ticket(long, {}))["body"]
    assert len(body) <= 65_536
    assert body.endswith("`clew case export` writes it whole.\n")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """A browser shows the parts of the page, and runs nothing that an attacker wrote."""
    page = tmp_path / "case.html"
    page.write_text(told("html"), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert shown.count("<script") == 0
    assert 'id="5--plan-and-implementation"' in shown
