"""The investigation on a terminal: what happened, worst first, in as few lines as will do."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clew.findings import Severity
from clew.report.escape import terminal
from clew.report.html import actor_name, brief, counted, counts
from clew.report.order import by_rule, worst_first

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clew.detect.investigation import Investigation
    from clew.findings import Finding

_INDENT = "  "
_HANGING = " " * 12
_STYLE = {"critical": "1;35", "high": "1;31", "medium": "1;33", "low": "36", "informational": "2"}
# Rules whose findings are told; the rest are counted by title.
_TOLD = 14
# Further findings of a rule that are named beside its first.
_OTHERS = 4


def render(investigation: Investigation, *, width: int = 100, color: bool = False) -> str:
    """The investigation as text of at most `width` columns, ending with a line break."""
    findings = worst_first(investigation.findings)
    groups = [group for group in by_rule(findings) if group[0].severity.rank >= Severity.MEDIUM.rank]
    blocks = [_head(investigation, width, color=color)]
    blocks += [_finding(group[0], group[1:], width, color=color) for group in groups[:_TOLD]]
    told = {finding.id for group in groups[:_TOLD] for finding in group}
    blocks += [_rest([f for f in findings if f.id not in told], color=color)]
    blocks += [_limits(investigation, width)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(investigation: Investigation, width: int, *, color: bool) -> str:
    numbers = [f"{counted(investigation.events, 'event')} in {counted(investigation.files, 'file')}"]
    if investigation.first_event and investigation.last_event:
        numbers.append(
            f"{investigation.first_event:%Y-%m-%d %H:%M} to {investigation.last_event:%Y-%m-%d %H:%M} UTC"
        )
    numbers.append(counted(len(investigation.accounts), "account"))
    numbers.append(counted(len(investigation.regions), "region"))
    tally = "  ".join(
        f"{_paint(name, name, color=color)} {count}" for name, count in counts(investigation.findings)
    )
    notes = [counted(investigation.duplicates, "duplicate")] * bool(investigation.duplicates)
    notes += [f"{counted(investigation.conflicts, 'record')} with conflicting content"] * bool(
        investigation.conflicts
    )
    notes += [f"{investigation.quarantined} unreadable: clew lake quarantine"] * bool(
        investigation.quarantined
    )
    facts = textwrap.wrap(", ".join(numbers + notes), width - 2)
    lines = [*facts, tally, "", *textwrap.wrap(brief(investigation), width - 2)]
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in lines)


def _finding(finding: Finding, more: Sequence[Finding], width: int, *, color: bool) -> str:
    label = _paint(f"{finding.severity.value.upper():<10}", finding.severity.value, color=color)
    span = f"{finding.first_seen:%Y-%m-%d %H:%M:%S}"
    if finding.last_seen != finding.first_seen:
        span += f" to {_after(finding.last_seen, finding)}"
    facts = [actor_name(finding.actor), f"{span} UTC", counted(finding.event_count, "event")]
    if finding.technique:
        facts.append(", ".join(finding.technique))
    lines = [f"{_INDENT}{label}{terminal(finding.title)}"]
    lines += _wrapped(" · ".join(terminal(fact) for fact in facts), width)
    lines += _wrapped(terminal(finding.explanation), width)
    if finding.next_steps:
        lines += _wrapped(f"Next: {terminal(finding.next_steps[0])}", width)
    if more:
        others = [f"{actor_name(f.actor)} ({_after(f.first_seen, finding)})" for f in more[:_OTHERS]]
        left = [f"{len(more) - _OTHERS} more"] if len(more) > _OTHERS else []
        lines += _wrapped(f"Also: {terminal(', '.join(others + left))}", width)
    return "\n".join(lines)


def _after(moment: datetime, finding: Finding) -> str:
    """The moment beside the beginning of the finding: the day is told where it is another one."""
    same_day = moment.date() == finding.first_seen.date()
    return f"{moment:%H:%M:%S}" if same_day else f"{moment:%Y-%m-%d %H:%M:%S}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=_HANGING,
        subsequent_indent=_HANGING,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _rest(findings: Sequence[Finding], *, color: bool) -> str:
    titles: dict[tuple[Severity, str], int] = {}
    for finding in findings:
        titles[finding.severity, finding.title] = titles.get((finding.severity, finding.title), 0) + 1
    lines = []
    for (severity, title), count in titles.items():
        label = _paint(f"{severity.value.upper():<14}", severity.value, color=color)
        lines.append(f"{_INDENT}{label}{terminal(title)}{f' ({count} times)' if count > 1 else ''}")
    return "\n".join(lines)


def _limits(investigation: Investigation, width: int) -> str:
    spots = investigation.blind_spots[:4]
    lines = [f"{_INDENT}Blind spots:"] if spots else []
    for spot in spots:
        lines += textwrap.wrap(terminal(spot), width, initial_indent="    - ", subsequent_indent="      ")
    return "\n".join(lines)


def _paint(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{_STYLE[style]}m{text}\x1b[0m" if color else text
