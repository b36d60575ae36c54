"""Findings on a terminal, grouped by rule, worst first, in a given width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.findings import Status
from clew.report.escape import terminal
from clew.report.html import actor_name
from clew.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.findings import Finding

_STYLE = {"critical": "1;35", "high": "1;31", "medium": "1;33", "low": "36", "informational": "2"}
_ACTOR = 34
_SHOWN = 10
_INDENT = "    "


def render(findings: Sequence[Finding], *, width: int = 100, color: bool = False) -> str:
    """The findings, each rule once with its findings below; one line says so when there are none."""
    if not findings:
        return "no findings\n"
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule, []).append(finding)
    blocks = [_group(members, width, color=color) for members in groups.values()]
    return "\n\n".join([*blocks, _tally(findings)]) + "\n"


def details(finding: Finding, *, width: int = 100, color: bool = False) -> str:
    """Everything that one finding says."""
    lists: Mapping[str, Sequence[str]] = {
        "False positives": finding.false_positives,
        "Next steps": finding.next_steps,
        "References": finding.references,
    }
    lines = [
        f"{_label(finding, color=color)}{terminal(finding.title)}",
        *wrapped(finding.explanation, indent=_INDENT, width=width),
        *_fact("Finding", f"{finding.id}, {finding.status}, rule {finding.rule}", width),
        *_fact("Suppressed by", finding.suppression, width),
        *_fact("Actor", finding.actor, width),
        *_fact("Techniques", ", ".join(finding.technique), width),
        *_fact("Addresses", ", ".join(finding.source_ips), width),
        *_fact("Access keys", ", ".join(finding.access_keys), width),
        *_fact("Resources", ", ".join(finding.resources), width),
        *_fact("Why it matters", finding.why_it_matters, width),
    ]
    for name, items in lists.items():
        lines += [f"{_INDENT}{name}:"] * bool(items)
        lines += [line for item in items for line in wrapped(f"- {item}", indent=_INDENT, width=width)]
    lines += [f"{_INDENT}Evidence ({finding.event_count:,} events):"]
    for proof in finding.evidence:
        when = f"{proof.time:%Y-%m-%d %H:%M:%S}" if proof.time else "unknown time"
        facts = (
            f"{when} {proof.summary}",
            actor_name(proof.actor),
            proof.source_ip,
            proof.channel,
            proof.event_id,
        )
        lines += wrapped(f"- {' · '.join(fact for fact in facts if fact)}", indent=_INDENT, width=width)
        lines += wrapped(f"  {proof.source} record {proof.record_number}", indent=_INDENT, width=width)
    return "\n".join(lines) + "\n"


def _group(findings: Sequence[Finding], width: int, *, color: bool) -> str:
    first = findings[0]
    technique = f"  {', '.join(first.technique)}" if first.technique else ""
    lines = [f"{_label(first, color=color)}{terminal(first.title)}  [{first.rule}]{technique}"]
    lines += [_line(finding, width) for finding in findings[:_SHOWN]]
    if len(findings) > _SHOWN:
        lines.append(f"{_INDENT}… and {len(findings) - _SHOWN} more: clew findings list --rule {first.rule}")
    if len(findings) == 1 or first.severity.rank >= 2:  # noqa: PLR2004  # medium
        lines += wrapped(first.explanation, indent=_INDENT, width=width)
    return "\n".join(lines)


def _line(finding: Finding, width: int) -> str:
    when = f"{finding.first_seen:%Y-%m-%d %H:%M:%S}"
    count = (
        f"{finding.event_count:,} event{'s' if finding.event_count > 1 else ''}"
        if finding.event_count
        else ""
    )
    note = "" if finding.status is Status.ACTIVE else f"  {finding.status}"
    actor = _cut(terminal(actor_name(finding.actor)), _ACTOR)
    text = f"{_INDENT}{finding.id[:8]}  {when}  {actor:<{_ACTOR}}  {count}{note}"
    return _cut(text, width)


def _tally(findings: Sequence[Finding]) -> str:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
    total = f"{len(findings):,} finding{'s' if len(findings) > 1 else ''}"
    return f"{total}: {', '.join(f'{count} {name}' for name, count in counts.items())}"


def _label(finding: Finding, *, color: bool) -> str:
    text = f"{finding.severity.value.upper():<15}"
    return f"\x1b[{_STYLE[finding.severity.value]}m{text}\x1b[0m" if color else text


def _fact(name: str, text: str, width: int) -> list[str]:
    return wrapped(f"{name}: {text}", indent=_INDENT, width=width) if text else []


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
