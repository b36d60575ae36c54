"""Unused access as findings, whose life is kept like that of any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.analyzer.unused_model import Kind
from clew.findings import Evidence, Finding, Severity, finding_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.analyzer.unused_model import Judged, Unused

RULES: Final = {
    Kind.ROLE: "unused-role",
    Kind.ACCESS_KEY: "unused-access-key",
    Kind.PASSWORD: "unused-password",
    Kind.PERMISSION: "unused-permission",
}
"""The rule of each kind of unused access."""

_SEVERITIES: Final = {
    Kind.ROLE: Severity.LOW,
    Kind.ACCESS_KEY: Severity.MEDIUM,
    Kind.PASSWORD: Severity.MEDIUM,
    Kind.PERMISSION: Severity.LOW,
}
_SHOWN: Final = 6


def producer(account: str) -> str:
    """The name under which the findings of an account are kept."""
    return f"unused:{account}"


def finding(found: Unused, judged: Judged) -> Finding:
    """The unused access as a finding that is equal across runs."""
    until = judged.window.until
    name = RULES[found.kind]
    return Finding(
        id=finding_id(producer(found.account), name, found.subject),
        rule=name,
        title=title(found, judged.window.days),
        severity=_SEVERITIES[found.kind],
        actor=found.resource,
        first_seen=until,
        last_seen=until,
        explanation=explanation(found),
        next_steps=(found.recommendation,),
        false_positives=("something that is used once a year; look further back before it is deleted",),
        references=("IAM User Guide: Create an IAM Access Analyzer unused access analyzer",),
        accounts=(found.account,),
        resources=(found.resource,),
        evidence=(Evidence("", until, f"{found.subject}: {explanation(found)}", account=found.account),),
        producer=producer(found.account),
        subject=found.subject,
        tags=found.tags,
    )


def title(found: Unused, days: int) -> str:
    """What was not used, in one line."""
    if found.kind is Kind.PERMISSION:
        parts = [*_counted(len(found.services), "service"), *_counted(len(found.actions), "action")]
        return f"{found.resource} did not use {' and '.join(parts)} in {days} days"
    what = {Kind.ROLE: "role", Kind.ACCESS_KEY: found.item, Kind.PASSWORD: "console password"}[found.kind]
    return f"{what} of {found.resource} not used in {days} days".replace("role of ", "role ")


def _counted(number: int, word: str) -> list[str]:
    return [f"{number} {word}{'' if number == 1 else 's'}"] if number else []


def explanation(found: Unused) -> str:
    """Since when, what of it, and who told it."""
    last = f"last used {found.last_used:%Y-%m-%d}" if found.last_used else "never used"
    made = f", made {found.created:%Y-%m-%d}" if found.created else ""
    if found.kind is not Kind.PERMISSION:
        return f"{last}{made}; told by {found.told}"
    unused = [f"services {shown(found.services)}"] * bool(found.services)
    unused += [f"actions {shown(found.actions)}"] * bool(found.actions)
    return f"{'; '.join(unused)}; told by {found.told}"


def shown(names: tuple[str, ...]) -> str:
    """The first names, and how many more."""
    more = len(names) - _SHOWN
    return f"{', '.join(names[:_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def cleared(judged: Judged, kept: Iterable[Finding]) -> frozenset[tuple[str, str]]:
    """The kept findings that are known to be gone: what they are about was judged, and nothing of it is open.

    What is younger than the window was not judged.
    """
    now = {(RULES[each.kind], each.subject) for each in judged.unused}
    open_items = {(RULES[each.kind], each.subject) for each in judged.open}
    open_rules = {rule for rule, subject in open_items if not subject}
    return frozenset(
        (each.rule, each.subject)
        for each in kept
        if (each.rule, each.subject) not in now | open_items
        and each.rule not in open_rules
        and each.subject not in judged.young
    )
