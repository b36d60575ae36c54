"""Verdicts in the words of AWS Config and of Trusted Advisor.

AWS: "AWS Config API reference", ComplianceType; "AWS Support API reference", TrustedAdvisorCheckResult and
TrustedAdvisorResourcesSummary.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from clew.audit.model import Verdict
from clew.findings import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.frameworks import Control, Framework
    from clew.audit.model import Check, Judgement
    from clew.audit.results import Audit, Result

COMPLIANCE: Final[Mapping[Verdict, str]] = MappingProxyType(
    {
        Verdict.PASS: "COMPLIANT",
        Verdict.FAIL: "NON_COMPLIANT",
        Verdict.NOT_APPLICABLE: "NOT_APPLICABLE",
        Verdict.UNKNOWN: "INSUFFICIENT_DATA",
        Verdict.MANUAL: "INSUFFICIENT_DATA",
    }
)
"""What AWS Config calls each verdict."""


def told(verdict: Verdict, framework: Framework) -> str:
    """The verdict of a control in the words of its framework."""
    in_config = framework.vocabulary == "config"
    return COMPLIANCE[verdict] if in_config else verdict.value.replace("_", " ")


NEVER_RED: Final = "never"
"""The `red` of a control whose failures are all yellow."""


class Color(StrEnum):
    """Trusted Advisor's colours; `NOT_AVAILABLE` where nobody could tell, which is never green."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NOT_AVAILABLE = "not_available"


_WORST: Final = (Color.RED, Color.YELLOW, Color.NOT_AVAILABLE)


def color(control: Control, check: Check, judgement: Judgement) -> Color:
    """The colour of one judgement: a failure is red from the control's `red` on, and yellow below."""
    match judgement.verdict:
        case Verdict.PASS | Verdict.NOT_APPLICABLE:
            return Color.GREEN
        case Verdict.UNKNOWN | Verdict.MANUAL:
            return Color.NOT_AVAILABLE
    if control.red == NEVER_RED:
        return Color.YELLOW
    severity = judgement.severity or check.severity
    is_red = not control.red or severity.rank >= Severity(control.red).rank
    return Color.RED if is_red else Color.YELLOW


@dataclass(frozen=True, slots=True)
class Summary:
    """What Trusted Advisor says above the resources of a check: its colour, and how many resources are which.

    `ignored` are those to which the question does not apply, `suppressed` those whose finding somebody has excused.
    """

    color: Color
    processed: int
    flagged: int
    ignored: int
    suppressed: int


def summary(audit: Audit, result: Result) -> Summary:
    """The summary block of one control; a control that only a person can answer is not available."""
    told = tuple(_judged(result))
    excused = {
        (finding.rule, resource)
        for finding in audit.findings
        if finding.status is Status.SUPPRESSED
        for resource in finding.resources
    }
    suppressed = {
        (check.id, each.resource)
        for check, each in told
        if each.verdict is Verdict.FAIL and (check.id, each.resource) in excused
    }
    shown = [
        color(result.control, check, each)
        for check, each in told
        if (check.id, each.resource) not in suppressed
    ]
    failed = {each.resource for check, each in told if each.verdict is Verdict.FAIL}
    hidden = {resource for _, resource in suppressed}
    return Summary(
        color=next((c for c in _WORST if c in shown), Color.GREEN if told else Color.NOT_AVAILABLE),
        processed=len({each.resource for _, each in told}),
        flagged=len(failed - hidden),
        ignored=len({each.resource for _, each in told if each.verdict is Verdict.NOT_APPLICABLE}),
        suppressed=len(hidden),
    )


def _judged(result: Result) -> Iterator[tuple[Check, Judgement]]:
    for each in result.judged:
        for judgement in each.judgements:
            yield each.check, judgement
