"""Findings as messages: what changed since, and the summary of a week, as people want to read them in a mailbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.findings import Severity
from clew.report.escape import terminal
from clew.report.finding_json import to_dict
from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from clew.findings import Finding
    from clew.store.changes import Changes
    from clew.store.findings import Kept

# Findings that are told in full; the rest are counted.
_TOLD = 20
_TOPMOST = 5


@dataclass(frozen=True, slots=True)
class Notification:
    """A message: one line of subject, lines of text, and the same as a document for programs."""

    subject: str
    text: str
    document: Mapping[str, object]


def of_changes(changes: Changes, *, since: datetime, now: datetime) -> Notification | None:
    """What is new, returned, grew or was resolved; None where nothing changed, so that nobody is told nothing."""
    groups = (
        ("new", changes.new),
        ("back again", changes.reopened),
        ("with more events", changes.grown),
        ("resolved", changes.resolved),
    )
    if not any(found for _, found in groups):
        return None
    counted = ", ".join(f"{len(found)} {name}" for name, found in groups if found)
    blocks = [f"From {_minute(since)} to {_minute(now)}: {counted}; {len(changes.active)} active in all."]
    blocks += [_group(name, [k.finding for k in found]) for name, found in groups if found]
    document = _document("changes", since, now) | {
        name.replace(" ", "_"): [to_dict(kept.finding) for kept in found] for name, found in groups
    }
    return Notification(_subject(changes, counted), "\n\n".join(blocks) + "\n", document)


def _subject(changes: Changes, counted: str) -> str:
    """The worst first: what a reader sees in the list of mails decides whether they open it."""
    open_ = [*changes.new, *changes.reopened, *changes.grown]
    if not open_:
        return f"[clew] {counted}"
    worst = min(open_, key=lambda kept: -kept.finding.severity.rank).finding
    return f"[clew] {worst.severity.upper()} {terminal(worst.title)}: {counted}"


def _group(name: str, findings: Sequence[Finding]) -> str:
    lines = [name.capitalize(), "-" * len(name)]
    if name == "resolved":
        lines += [f"- {terminal(f.title)}: {_where(f)}" for f in findings[:_TOLD]]
    else:
        lines += [line for finding in findings[:_TOLD] for line in _told(finding)]
    if len(findings) > _TOLD:
        lines.append(f"and {len(findings) - _TOLD} more: clew findings list")
    return "\n".join(lines)


def _told(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.upper()}: {terminal(finding.title)}"
    yield f"  {_where(finding)}"
    yield f"  {terminal(finding.explanation)}"
    if finding.next_steps and finding.next_steps[0]:
        yield f"  What to do: {terminal(finding.next_steps[0])}"
    yield f"  More: clew findings show {finding.id}"


def _where(finding: Finding) -> str:
    places = list(dict.fromkeys(filter(None, (finding.actor, *finding.resources))))[:3]
    account = f" (account {', '.join(finding.accounts)})" if finding.accounts else ""
    return terminal(f"{', '.join(places)}{account}")


def summary(changes: Changes, *, since: datetime, now: datetime) -> Notification:
    """The span in figures, and what to begin with; also where nothing happened, which is worth knowing each week.

    What came and went within the span counts as new and as resolved.
    """
    days = max(1, round((now - since).total_seconds() / 86_400))
    span = f"{days} day{'' if days == 1 else 's'}"
    passed = len(changes.passed)
    new, resolved = len(changes.new) + passed, len(changes.resolved) + passed
    counted = f"{new} new, {len(changes.reopened)} back again, {resolved} resolved"
    within = f" {passed} of them came and went within the span." if passed else ""
    active = [kept.finding for kept in changes.active]
    blocks = [
        f"{span} to {_minute(now)}: {counted}.{within}",
        _severities(active),
        _oldest(changes.active, now),
        "\n".join(
            ["Begin with", "----------", *(line for finding in active[:_TOPMOST] for line in _told(finding))]
        )
        if active
        else "",
    ]
    document = _document("summary", since, now) | {
        "new": new,
        "reopened": len(changes.reopened),
        "resolved": resolved,
        "passed": passed,
        "active": _by_severity(active),
        "worst": [to_dict(finding) for finding in active[:_TOPMOST]],
    }
    subject = f"[clew] {span}: {counted}, {len(active)} active"
    return Notification(subject, "\n\n".join(block for block in blocks if block) + "\n", document)


def _severities(active: Sequence[Finding]) -> str:
    if not active:
        return "No finding is active."
    told = ", ".join(f"{count} {name}" for name, count in _by_severity(active).items() if count)
    rules = Counter(finding.rule for finding in active).most_common(3)
    most = ", ".join(f"{rule} ({count})" for rule, count in rules)
    return f"Active: {told}.\nMost often: {terminal(most)}."


def _by_severity(findings: Sequence[Finding]) -> dict[str, int]:
    found = Counter(finding.severity for finding in findings)
    return {severity.value: found[severity] for severity in reversed(Severity)}


def _oldest(active: Sequence[Kept], now: datetime) -> str:
    if not active:
        return ""
    oldest = min(active, key=lambda kept: kept.first_detected)
    days = (now - oldest.first_detected).days
    return f"Open the longest: {terminal(oldest.finding.title)}, {days} day{'' if days == 1 else 's'}."


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _document(kind: str, since: datetime, now: datetime) -> dict[str, object]:
    return {"schema": f"clew.{kind}.v1", "since": moment(since), "until": moment(now)}


def of_test(now: datetime) -> Notification:
    """A message that says only that it arrived."""
    text = f"This is a test of Clew's notifications, sent {_minute(now)}. Nothing has happened.\n"
    return Notification("[clew] Test", text, {"schema": "clew.test.v1", "at": moment(now)})
