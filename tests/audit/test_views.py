"""Verdicts in the words of AWS Config and Trusted Advisor."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.audit.cases import cases

from clew.audit import frameworks
from clew.audit.checks import CHECKS, named
from clew.audit.frameworks import Control, Framework
from clew.audit.model import Judgement, Verdict
from clew.audit.run import run
from clew.audit.views import COMPLIANCE, NEVER_RED, Color, color, summary
from clew.findings import Severity

NOW = datetime(2026, 3, 11, tzinfo=UTC)


def _judged(verdict: Verdict, severity: Severity | None = None) -> Judgement:
    return Judgement(verdict, "arn:aws:s3:::b", "said", severity=severity)


@pytest.mark.parametrize("verdict", Verdict)
def test_what_nobody_knows_is_never_compliant_and_never_green(verdict: Verdict) -> None:
    """Every verdict has a word in both vocabularies, and only a pass is compliant."""
    shown = color(Control("c", "t"), named("iam-root-mfa"), _judged(verdict))
    assert (COMPLIANCE[verdict] == "COMPLIANT") is (verdict is Verdict.PASS)
    assert (shown is Color.GREEN) is (verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE})


@pytest.mark.parametrize(
    ("red", "severity", "expected"),
    [
        ("", None, Color.RED),
        (NEVER_RED, Severity.CRITICAL, Color.YELLOW),
        ("high", None, Color.YELLOW),
        ("high", Severity.HIGH, Color.RED),
    ],
)
def test_red_begins_where_the_control_says(red: str, severity: Severity | None, expected: Color) -> None:
    """A failure is red from the severity on that its control names, and yellow below."""
    check = named("iam-access-key-age")
    assert color(Control("c", "t", red=red), check, _judged(Verdict.FAIL, severity)) is expected


def test_summary_counts_each_resource_once() -> None:
    """The block above the resources says the worst colour and how many are flagged and left out."""
    case = next(c for c in cases() if c.check == "iam-access-key-age" and c.name == "old")
    control = Control("DqdJqYeRm5", "keys", ("iam-access-key-age",), red="high")
    audit = run([case.state], [Framework("t", "t", "1", (control,), "trusted-advisor")], now=NOW)
    told = summary(audit, audit.results[0])
    assert (told.color, told.processed, told.flagged, told.suppressed) == (Color.YELLOW, 1, 1, 0)


def test_parameters_of_other_vocabularies_lead_to_parameters_of_checks() -> None:
    """Every name that a framework translates ends at a parameter of one of the control's checks."""
    for name in frameworks.NAMES:
        for control in frameworks.load(name).controls:
            assert control.red in {"", NEVER_RED, *Severity}
            for place in control.names.values():
                check, parameter, *entry = place.split(".")
                assert check in control.checks
                assert parameter in CHECKS[check].defaults
                assert int("".join(entry) or 1) <= len(str(CHECKS[check].defaults[parameter]).split(","))
