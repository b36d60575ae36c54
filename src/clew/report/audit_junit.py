"""An audit as JUnit XML: a control is a test case, so that build servers show which one failed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from clew.audit.credentials import written
from clew.audit.model import Verdict
from clew.report.escape import terminal

if TYPE_CHECKING:
    from clew.audit.results import Audit, Result

_TOLD = {Verdict.FAIL: "failure", Verdict.UNKNOWN: "error"}


def render(audit: Audit) -> str:
    """The audit as one test suite; what is unknown is an error, what is manual or not applicable is skipped."""
    counts = audit.counts
    suite = Element(
        "testsuite",
        name=terminal(f"{audit.title}, account {audit.account}"),
        tests=str(len(audit.results)),
        failures=str(counts[Verdict.FAIL]),
        errors=str(counts[Verdict.UNKNOWN]),
        skipped=str(counts[Verdict.MANUAL] + counts[Verdict.NOT_APPLICABLE]),
        timestamp=written(audit.as_of).removesuffix("Z"),
    )
    for result in audit.results:
        _case(suite, result)
    indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suite, encoding="unicode")}\n'


def _case(suite: Element, result: Result) -> None:
    case = SubElement(
        suite, "testcase", classname=result.framework.id, name=f"{result.control.id} {result.control.title}"
    )
    if result.verdict in _TOLD:
        told = result.of(result.verdict)
        message = f"{len(told)} of {len(result.judgements)}"
        body = SubElement(case, _TOLD[result.verdict], message=message)
        body.text = "\n".join(terminal(f"{one.resource}: {one.message}") for one in told)
    elif result.verdict is not Verdict.PASS:
        SubElement(case, "skipped", message=result.control.manual or "not applicable")
