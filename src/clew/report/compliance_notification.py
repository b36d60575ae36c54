"""Changes of compliance as a message: what a rule newly says of a resource, worst first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clew.report.escape import terminal
from clew.report.notification import Notification
from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from clew.store.compliance import Transition

_NOT = "NON_COMPLIANT"
_ORDER = (_NOT, "INSUFFICIENT_DATA", "COMPLIANT", "NOT_APPLICABLE")
# Changes that are told in full; the rest are counted.
_TOLD = 20


def of_transitions(transitions: Sequence[Transition], now: datetime) -> Notification | None:
    """The message; None where no state changed. What is seen for the first time is told where it is NON_COMPLIANT."""
    found = sorted(
        (each for each in transitions if each.old is not None or each.new.compliance == _NOT),
        key=lambda each: (_ORDER.index(each.new.compliance), each.new.rule, each.new.resource),
    )
    if not found:
        return None
    counts = Counter(each.new.compliance for each in found)
    counted = ", ".join(f"{counts[state]} {state}" for state in _ORDER if counts[state])
    lines = [f"Changed since the last evaluation: now {counted}.", ""]
    lines += [line for each in found[:_TOLD] for line in _told(each)]
    if len(found) > _TOLD:
        lines.append(f"and {len(found) - _TOLD} more: clew config compliance")
    document = {
        "schema": "clew.compliance.v1",
        "at": moment(now),
        "changes": [_document(each) for each in found],
    }
    first = f"{terminal(found[0].new.rule)}: " if counts[_NOT] else ""
    return Notification(f"[clew] {first}now {counted}", "\n".join(lines) + "\n", document)


def _told(each: Transition) -> Iterator[str]:
    before = each.old.compliance if each.old else "new"
    yield f"{before} -> {each.new.compliance}: {terminal(each.new.rule)}"
    yield f"  {terminal(each.new.resource)} (account {terminal(each.new.account)})"
    yield f"  {terminal(each.new.annotation)}"


def _document(each: Transition) -> dict[str, object]:
    new = each.new
    return {
        "account": new.account,
        "rule": new.rule,
        "resource": new.resource,
        "resource_type": new.resource_type,
        "old": each.old and each.old.compliance,
        "new": new.compliance,
        "annotation": new.annotation,
        "at": moment(new.at),
    }
