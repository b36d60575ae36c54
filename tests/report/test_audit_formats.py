"""Every format of an audit, held to a golden file and to what its readers demand; hostile text stays text."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from tests.report.audit_case import ACCOUNTS, AS_OF, HOSTILE, audit

from clew import __version__
from clew.audit.checks import CHECKS
from clew.audit.frameworks import of_checks
from clew.audit.model import State, Verdict
from clew.audit.run import run
from clew.report import audit_groups, audit_json, audit_ocsf, audit_text
from clew.report.audit_formats import FORMATS, SUFFIXES, Options, render
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from clew.audit.results import Audit

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
ISLAND = re.compile(r'(<script type="application/octet-stream" id="data">)([^<]*)(</script>)')
TEXTS = [name for name in FORMATS if name not in {"pdf", "evidence"}]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def found() -> Audit:
    """The audit in which everything occurs."""
    return audit()


def text(found: Audit, name: str) -> str:
    """The audit in a format that is text."""
    told = render(found, name)
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize("name", TEXTS)
def test_format_is_as_its_golden_file(found: Audit, name: str) -> None:
    """What is written is what was looked at; WRITE_GOLDEN=write writes the files anew."""
    told = text(found, name).replace(__version__, "VERSION")
    if name == "html":
        # The packed bytes depend on the version of zlib; another test unpacks them.
        told = ISLAND.sub(r"\1…\3", told)
        told = re.sub(r"<style>.*?</style>", "<style>…</style>", told, flags=re.DOTALL)
        told = re.sub(r"<script>.*?</script>", "<script>…</script>", told, flags=re.DOTALL)
        told = re.sub(r"sha256-[\w+/=]+", "sha256-…", told)
    path = GOLDEN / f"audit.{SUFFIXES[name]}"
    if os.environ.get("WRITE_GOLDEN") == "write":
        path.write_bytes(told.encode())
    assert path.read_bytes().decode() == told


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_inert(found: Audit, name: str) -> None:
    """Names of the account drive no terminal, no page and no spreadsheet."""
    told = text(found, name)
    assert "\x1b" not in told
    assert "\u202e" not in told
    if name in {"html", "junit"}:
        assert "<script>alert" not in told
    if name == "csv":
        cells = [cell for row in csv.reader(io.StringIO(told)) for cell in row]
        assert not any(cell.startswith(("=", "+", "@", "-")) for cell in cells)


def test_ocsf_events_are_compliance_findings(found: Audit) -> None:
    """Every event is one of class 2003 by the models of py-ocsf-models; verdict, standing and activity are told."""
    events = list(audit_ocsf.events(found))
    for event in events:
        ComplianceFinding.model_validate(event)
        assert event["type_uid"] == 200300 + int(str(event["activity_id"]))
    counted = {(e["activity_name"], e["status"], e["compliance"]["status"]) for e in _any(events)}
    assert counted == {
        ("Create", "New", "Fail"),
        ("Create", "Resolved", "Pass"),
        ("Create", "Unknown", "Unknown"),
        ("Update", "New", "Fail"),
        ("Update", "Suppressed", "Fail"),
        ("Close", "Resolved", "Pass"),
    }


def _any(events: list[dict[str, object]]) -> list[dict[str, Any]]:
    return list(events)


def test_security_hub_closes_what_is_fixed(found: Audit) -> None:
    """A finding that is gone is archived and resolved; an accepted one is suppressed; limits of ASFF hold."""
    objects = json.loads(text(found, "asff"))
    told = {(o["RecordState"], o["Workflow"]["Status"], o["Compliance"]["Status"]) for o in objects}
    assert told == {
        ("ACTIVE", "NEW", "FAILED"),
        ("ACTIVE", "SUPPRESSED", "FAILED"),
        ("ARCHIVED", "RESOLVED", "PASSED"),
    }
    assert {o["Resources"][0]["Type"] for o in objects} == {"AwsEc2SecurityGroup", "AwsS3Bucket"}
    assert {o["AwsAccountId"] for o in objects} == set(ACCOUNTS)
    assert all(len(o["Id"]) <= 512 and len(o["Title"]) <= 256 for o in objects)


def test_large_json_says_the_same(found: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many judgements each stands on a line of its own, and the document is the same."""
    small = render(found, "json")
    monkeypatch.setattr(audit_json, "MANY", 1)
    large = render(found, "json")
    assert isinstance(small, str)
    assert isinstance(large, str)
    assert json.loads(large) == json.loads(small)
    assert len(large.splitlines()) < len(small.splitlines())


def test_sarif_tells_new_from_unchanged(found: Audit) -> None:
    """Each result names its rule and a file, and says whether the run before had it."""
    [run] = json.loads(text(found, "sarif"))["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    assert {result["baselineState"] for result in run["results"]} == {"new", "unchanged"}
    assert all("artifactLocation" in r["locations"][0]["physicalLocation"] for r in run["results"])
    assert sum("suppressions" in result for result in run["results"]) == 2


def test_junit_counts_controls(found: Audit) -> None:
    """A control is a test case: failed, in error where unknown, skipped where a person has to look."""
    suite = ET.fromstring(text(found, "junit"))  # noqa: S314  # our own output
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "4", "1")


def test_groups_stand_worst_first_with_their_causes(found: Audit) -> None:
    """The worst failure leads, what is accepted does not count, and one reason is told once."""
    grouped = audit_groups.groups(found)
    assert [(g.check.id, g.thresholds) for g in grouped] == [
        ("s3-public", ""),
        ("ec2-open", ""),
        ("ec2-open", "days=30"),
        ("iam-good", ""),
    ]
    public, opened = grouped[0], grouped[1]
    assert (public.severity.value, len(public.failing), public.suppressed) == ("critical", 2, 2)
    assert opened.causes == (("open to the world: tcp 22", 5), ("open to the world: tcp 3389", 2))
    assert (opened.new, opened.fixed, opened.judged) == (1, 1, 9)
    assert opened.items[0].is_new
    assert opened.label == "first 1.1"
    assert public.label == "first 1.2, second buckets-private"


def test_text_lists_no_more_than_it_was_asked_to(found: Audit) -> None:
    """The rest is counted; 0 lists all; only the verdicts asked for are shown."""
    assert "and 2 more" in text(found, "text")
    everything = render(found, "text", Options(show=0))
    assert "more\n" not in str(everything)
    passes = str(render(found, "text", Options(verdicts=frozenset({Verdict.PASS.value}))))
    assert "Passed" in passes
    assert "Failed" not in passes


def test_regions_that_were_not_asked_are_told_once() -> None:
    """A snapshot of few regions says so in one place, with all the controls that it leaves unknown."""
    account = ACCOUNTS[0]
    names = ("eu-west-1", "sa-east-1", "us-east-1")
    said = {
        Call(account, GLOBAL, "ec2", "DescribeRegions"): {"Regions": [{"RegionName": n} for n in names]},
        Call(account, names[0], "ec2", "DescribeVpcs"): {"Vpcs": []},
        Call(account, names[0], "rds", "DescribeDBInstances"): {"DBInstances": []},
    }
    answers = Answers(Answer(call, "", Status.OK, body) for call, body in said.items())
    checks = [CHECKS["ec2-vpc-flow-logs"], CHECKS["rds-public-access"]]
    state = State(account, AS_OF, answers=answers)
    text = audit_text.render(run([state], [of_checks(checks)], now=AS_OF))
    assert text.count("sa-east-1") == 1
    assert "2 enabled regions were not asked in 111122223333" in text
    assert "leaves unknown: rds-public-access, ec2-vpc-flow-logs" in text


def test_page_holds_every_resource_and_loads_nothing(found: Audit) -> None:
    """All that fails or is unknown is packed into the page, which names no place in the network."""
    page = text(found, "html")
    island = ISLAND.search(page)
    assert island is not None
    data = json.loads(gzip.decompress(base64.b64decode(island[2])))
    assert len(data["rows"]) == 7 + 1 + 7 + 1 + 4
    assert {row[3] for row in data["rows"]} == {0, 1, 2}
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|url\(|@import|https?://(?!schema)""", page)


def test_pages_for_print_are_the_same_each_time(found: Audit) -> None:
    """A PDF of the same audit has the same bytes, whatever its names contain."""
    first = render(found, "pdf")
    assert isinstance(first, bytes)
    assert first.startswith(b"%PDF-1.")
    assert first == render(found, "pdf")
    assert HOSTILE.encode() not in first


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_browser_unpacks_the_list(found: Audit, tmp_path: Path) -> None:
    """In a real browser the rows appear as text, and the script of a hostile name does not run."""
    page = tmp_path / "audit.html"
    page.write_text(text(found, "html"), encoding="utf-8")
    switches = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom")
    command = [str(CHROMIUM), *switches, f"--user-data-dir={tmp_path / 'home'}", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert 'data-ready="yes"' in shown
    assert "20 of 20 shown" in shown
    assert shown.count('role="row"') == 20
    assert "<script>alert(1)" not in shown
