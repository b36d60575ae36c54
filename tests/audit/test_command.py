"""`clew audit credential-report`: what is printed, and with which exit code."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.audit.cases import row, written
from typer.testing import CliRunner, Result

from clew.cli.main import app
from clew.errors import InputError, UsageError
from clew.report.audit_formats import FORMATS, SUFFIXES
from clew.snapshot.credential_report import ROOT

SAMPLE = str(Path(__file__).resolve().parent.parent.parent / "samples" / "credential-report.csv")
NOW = ("--now", "2026-03-11T06:00Z")


def _run(*arguments: str, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, ["audit", "credential-report", *arguments], input=stdin)
    if isinstance(result.exception, InputError | UsageError):
        raise result.exception
    return result


def test_text_answers_the_assignment() -> None:
    """Root's last use, console users without MFA, and root keys stand in the plain text."""
    text = _run(SAMPLE, *NOW).stdout
    assert re.search(r"1\.1 +FAIL .*\n +password +2026-03-10 17:42 UTC, 12 hours before", text)
    assert "access key 1  2025-12-24 03:11 UTC, 77 days before, s3 in us-east-1 (active)" in text
    assert "access key 2  never (not active)" in text
    second = text[text.index("1.2 ") : text.index("1.3 ")]
    assert re.findall(r"^ +(\w+): ", second, re.MULTILINE) == ["User2", "User3"]
    assert re.search(r"1\.12 +FAIL .*\n +root of 111122223333: active: access key 1\n", text)


def test_text_says_how_old_the_report_is() -> None:
    """The age of a CSV is what its newest time allows; that of AWS's answer is exact."""
    assert "a CSV does not say it; the newest time in it is 2026-03-11 01:00 UTC" in _run(SAMPLE, *NOW).stdout


def test_ages_count_up_to_the_time_of_the_report(tmp_path: Path) -> None:
    """AWS's JSON answer says when the report was made: that is when its ages end, and its own age is exact."""
    content = base64.b64encode(Path(SAMPLE).read_bytes()).decode()
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"Content": content, "GeneratedTime": "2026-03-11T02:00:00+00:00"}))
    text = _run(str(file)).stdout
    assert "as of 2026-03-11 02:00 UTC" in text
    assert "Age of the report: made 2026-03-11 02:00 UTC, " in text
    assert "a newer one can be had" in text
    assert "password      2026-03-10 17:42 UTC, 8 hours before" in text


def test_old_csv_does_not_say_that_root_was_not_used_since() -> None:
    """Without a time, a CSV whose newest time is long ago leaves open what the root user did after it."""
    text = _run(SAMPLE).stdout
    assert re.search(r"1\.1 +UNKNOWN +Root not used", text)
    assert "give `--now`" in " ".join(text.split())
    assert re.search(r"1\.1 +PASS +Root not used", _run(SAMPLE, "--now", "2026-06-01T00:00Z").stdout)


def test_report_comes_from_standard_input() -> None:
    """A report can be piped in."""
    assert _run("-", *NOW, stdin=Path(SAMPLE).read_bytes()).stdout.startswith("Audit of account 111122223333")


@pytest.mark.parametrize(("severity", "code"), [("critical", 1), ("high", 1)])
def test_fail_on_sets_the_exit_code(severity: str, code: int) -> None:
    """A finding at or above the severity ends with 1, without the option with 0."""
    assert _run(SAMPLE, *NOW, "--fail-on", severity).exit_code == code
    assert _run(SAMPLE, *NOW).exit_code == 0


def test_fail_on_counts_only_what_is_severe_enough() -> None:
    """A report whose worst finding is high passes a gate at critical."""
    report = written([row(ROOT, {"mfa_active": "true"}), row("u", {"password_enabled": "true"})])
    assert _run("-", *NOW, "--fail-on", "critical", stdin=report).exit_code == 0
    assert _run("-", *NOW, "--fail-on", "high", stdin=report).exit_code == 1


def test_unreadable_cells_end_with_3() -> None:
    """Where something could not be read, the exit code says so, and the text names the place."""
    report = written([row(ROOT, {}), row("u", {"mfa_active": "perhaps"})])
    result = _run("-", *NOW, stdin=report)
    assert result.exit_code == 3
    assert "Problem: standard input:3: `mfa_active` is `perhaps`" in result.stdout


def test_answers_settle_what_the_report_leaves_open(tmp_path: Path) -> None:
    """The outputs of three more commands turn unknown into pass or fail."""
    policy, devices, summary = (tmp_path / name for name in ("policy", "devices", "summary"))
    policy.write_text(json.dumps({"PasswordPolicy": {"MinimumPasswordLength": 16}}))
    devices.write_text(json.dumps({"VirtualMFADevices": []}))
    summary.write_text(json.dumps({"SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0}}))
    given = ("--password-policy", policy, "--mfa-devices", devices, "--account-summary", summary)
    found = _verdicts(SAMPLE, *NOW, *map(str, given))
    assert (found["1.9"], found["1.10"], found["1.12"], found["1.14"]) == ("pass", "fail", "pass", "pass")
    assert _verdicts(SAMPLE, *NOW, "--password-policy", "none")["1.9"] == "fail"
    assert _verdicts(SAMPLE, *NOW)["1.9"] == "unknown"


def _verdicts(*arguments: str) -> dict[str, str]:
    document = json.loads(_run(*arguments, "-o", "json").stdout)
    return {control["id"]: control["verdict"] for control in document["controls"]}


def test_newer_framework_has_its_own_ids_and_thresholds() -> None:
    """CIS 7.0 asks the same checks under other ids, with 45 days for unused credentials."""
    found = _verdicts(SAMPLE, *NOW, "--framework", "cis-7.0")
    assert (len(found), found["2.4"], found["2.10"], found["2.11"]) == (70, "fail", "fail", "fail")


def test_thresholds_can_be_given() -> None:
    """A parameter goes before the framework's, and a wrong one is refused."""
    assert _verdicts(SAMPLE, *NOW)["1.4"] == "fail"
    assert _verdicts(SAMPLE, *NOW, "--parameter", "iam-access-key-age.days=400")["1.4"] == "pass"
    for wrong in ("iam-access-key-age.weeks=4", "nothing.days=4", "days", "iam-access-key-age.days=x"):
        with pytest.raises(UsageError, match=re.escape(wrong.split(".")[0])):
            _run(SAMPLE, *NOW, "--parameter", wrong)


def test_every_format_holds_the_findings() -> None:
    """CSV, SARIF, JUnit and HTML carry what the text says."""
    rows = list(csv.DictReader(io.StringIO(_run(SAMPLE, *NOW, "-o", "csv").stdout)))
    failed = [
        r["resource"].rpartition("/")[2] for r in rows if (r["control"], r["verdict"]) == ("1.2", "fail")
    ]
    assert failed == ["User2", "User3"]
    sarif = json.loads(_run(SAMPLE, *NOW, "-o", "sarif").stdout)
    lines = [
        r["locations"][0]["physicalLocation"]["region"]["startLine"]
        for r in sarif["runs"][0]["results"]
        if r["ruleId"] == "iam-console-user-mfa"
    ]
    assert sorted(lines) == [4, 5]
    suite = ET.fromstring(_run(SAMPLE, *NOW, "-o", "junit").stdout)  # noqa: S314  # our own output
    assert (suite.get("tests"), suite.get("failures")) == ("49", "5")
    page = _run(SAMPLE, *NOW, "-o", "html").stdout
    assert "Console users have MFA" in page
    assert "Console user without MFA" in page
    assert ">User2</b>" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_security_hub_takes_the_findings() -> None:
    """Each finding has what ASFF demands, within its limits, and names its resource and control."""
    found = json.loads(_run(SAMPLE, *NOW, "-o", "asff").stdout)
    [key] = [finding for finding in found if finding["GeneratorId"] == "clew/iam-root-access-key"]
    assert key["Resources"][0] == {
        "Type": "AwsAccount",
        "Id": "arn:aws:iam::111122223333:root",
        "Partition": "aws",
    }
    assert (key["Severity"]["Label"], key["CreatedAt"]) == ("CRITICAL", "2026-03-11T06:00:00Z")
    assert key["Compliance"]["RelatedRequirements"] == ["CIS AWS Foundations Benchmark 1.2.0, control 1.12"]
    assert {f["Resources"][0]["Type"] for f in found} == {"AwsAccount", "AwsIamUser"}
    assert len({f["Id"] for f in found}) == len(found)
    assert all(f["Title"] and f["Description"] and len(f["Description"]) <= 1024 for f in found)


def test_every_format_can_be_asked_for() -> None:
    """The command offers what the reports can write, and each has a name for its file."""
    shown = CliRunner().invoke(app, ["audit", "--help"]).stdout
    assert all(name in shown for name in FORMATS)
    assert set(SUFFIXES) == set(FORMATS)


def test_hostile_names_stay_text_in_every_format() -> None:
    """A user whose name is markup, a formula or an escape sequence does no harm."""
    name = "=cmd|'<script>alert(1)</script>\x1b[31m"
    report = written([row(ROOT, {}), row(name, {"password_enabled": "true"})])
    for output in set(FORMATS) - {"evidence"}:
        shown = _run("-", *NOW, "-o", output, stdin=report).stdout
        assert "\x1b" not in shown
        assert "<script>alert" not in shown or output not in {"html", "junit"}
    cells = [
        cell
        for line in csv.reader(io.StringIO(_run("-", *NOW, "-o", "csv", stdin=report).stdout))
        for cell in line
    ]
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_kept_findings_keep_their_identity_and_are_suppressed(tmp_path: Path) -> None:
    """With --keep a suppression hides a finding from --fail-on, and what is fixed becomes resolved."""
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_bytes(written([row(ROOT, {}), row("u", {"password_enabled": "true"})]))
    good.write_bytes(written([row(ROOT, {}), row("u", {"password_enabled": "true", "mfa_active": "true"})]))
    keep = (*NOW, "--keep", "--fail-on", "high")
    assert _run(str(bad), *keep).exit_code == 1
    runner = CliRunner()
    add = ["suppress", "add", "--rule", "iam-console-user-mfa", "--reason", "test", "--expires", "30d"]
    assert runner.invoke(app, add).exit_code == 0
    assert _run(str(bad), *keep).exit_code == 0
    _run(str(good), *keep)
    listed = json.loads(runner.invoke(app, ["findings", "list", "-o", "json"]).stdout)
    assert {f["rule"]: f["status"] for f in listed}["iam-console-user-mfa"] == "resolved"


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}"])
def test_answer_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    """A file that is not what the command prints is one located line."""
    file = tmp_path / "policy.json"
    file.write_bytes(text)
    with pytest.raises(InputError, match=re.escape(str(file))):
        _run(SAMPLE, "--password-policy", str(file))


def test_missing_file_is_one_line() -> None:
    """A report that is not there is said with its name."""
    with pytest.raises(InputError, match=r"`nowhere\.csv` cannot be read"):
        _run("nowhere.csv")
