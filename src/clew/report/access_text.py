"""Who can, and what can: answers about access for people, and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clew.aws import catalog
from clew.report.decision import readable
from clew.report.escape import terminal
from clew.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.reach.what_can import Allowed, WhatCan
    from clew.reach.who_can import Can, WhoCan

_WIDTH = 100
_NAMES = 8


def who_can(found: WhoCan) -> str:
    """Who can do the action on the resource, as text."""
    return "\n".join(_who(found)) + "\n"


def _who(found: WhoCan) -> Iterator[str]:
    yield f"{terminal(found.action)} on {terminal(found.resource)}"
    yield ""
    yield f"can, whatever the context: {len(found.always)}"
    for can in found.always:
        yield f"  {terminal(_name(can.principal))}"
        yield from (f"      {line}" for line in _by(can))
    if found.conditional:
        yield ""
        yield f"can under a condition, or open: {len(found.conditional)}"
    for condition, principals in _by_condition(found.conditional).items():
        yield from (f"  {terminal(_name(each))}" for each in principals)
        yield from _wrapped(readable(condition), "      ")
    if found.unknown:
        yield ""
        yield "not at hand, and so open for:"
        for what, count in found.unknown.items():
            yield from _wrapped(f"{count} of them: {what}", "  ")
    if found.assumed:
        yield ""
        yield "taken for granted:"
        yield from (line for text in found.assumed for line in _wrapped(text, "  - "))
    if found.outsiders:
        yield ""
        yield "let in by the resource, and of no account at hand:"
        yield from (f"  {terminal(each.principal)}: {terminal(each.reason)}" for each in found.outsiders)
    yield ""
    yield f"cannot: {found.cannot}"


def _by_condition(found: Sequence[Can]) -> dict[str, list[str]]:
    """The principals by what must hold for them: thousands often share a few conditions."""
    together: dict[str, list[str]] = {}
    for can in found:
        together.setdefault(can.condition, []).append(can.principal)
    return together


def _name(principal: str) -> str:
    return "anybody (anonymous)" if principal == "*" else principal


def _by(can: Can) -> Iterator[str]:
    """The statements that let the principal in, with file and line."""
    for statement in can.prediction.decision.determined_by[:3]:
        attachment = can.prediction.applied.attachments.get(statement.policy)
        name = attachment.name if attachment else statement.policy
        whose = f" of {attachment.holder}" if attachment and attachment.kind != "resource" else ""
        yield terminal(f"{statement.sid or f'statement {statement.statement + 1}'} · {name}{whose}")


def what_can(found: WhatCan, *, full: bool = False) -> str:
    """What a principal can do, as text; `full` lists every action instead of counting by service and level."""
    return "\n".join(_what(found, full=full)) + "\n"


def _what(found: WhatCan, *, full: bool) -> Iterator[str]:
    yield terminal(found.principal)
    if not found.allowed:
        yield ""
        yield "  nothing, as far as the policies at hand say"
    for row in found.allowed:
        yield ""
        yield f"on {terminal(row.resource)}" + (
            f", except {terminal(', '.join(row.except_on))}" if row.except_on else ""
        )
        yield from _actions(row.always, full=full)
        yield from _conditional(row, full=full)
    if found.unknown:
        yield ""
        yield "not known:"
        yield from (line for text in found.unknown for line in _wrapped(text, "  - "))


def _conditional(row: Allowed, *, full: bool) -> Iterator[str]:
    for condition, actions in row.conditional.items():
        yield from _wrapped(f"{readable(condition)}:", "  ")
        yield from (f"  {line}" for line in _actions(actions, full=full))


def _actions(actions: Sequence[str], *, full: bool) -> Iterator[str]:
    if full or len(actions) <= _NAMES:
        yield from (f"  {name}" for name in actions)
        return
    known = catalog.current()
    counts: dict[str, Counter[str]] = {}
    for name in actions:
        found = known.action(name)
        counts.setdefault(name.partition(":")[0], Counter())[found.access_level if found else "unknown"] += 1
    for service, levels in sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))[:_SERVICES]:
        of_all = len(known.actions(service))
        share = "all" if levels.total() == of_all else f"{levels.total()} of {of_all}"
        yield f"  {service:<24}{share:>12}   " + ", ".join(
            f"{count} {level}" for level, count in sorted(levels.items())
        )
    if len(counts) > _SERVICES:
        yield f"  and {len(counts) - _SERVICES} more services; `--full` lists every action"


_SERVICES = 20


def _wrapped(text: str, indent: str) -> list[str]:
    return wrapped(text, indent=indent, width=_WIDTH)


def who_document(found: WhoCan) -> dict[str, object]:
    """Who can, as an object of JSON."""
    return {
        "action": found.action,
        "resource": found.resource,
        "always": [_can(each) for each in found.always],
        "conditional": [_can(each) for each in found.conditional],
        "outsiders": [{"principal": each.principal, "reason": each.reason} for each in found.outsiders],
        "cannot": found.cannot,
        "unknown": dict(found.unknown),
        "assumed": list(found.assumed),
    }


def _can(can: Can) -> dict[str, object]:
    decision = can.prediction.decision
    return {
        "principal": can.principal,
        "condition": readable(can.condition),
        "determined_by": [statement.document() for statement in decision.determined_by],
        "missing_context": list(decision.missing_context),
    }


def what_document(found: WhatCan) -> dict[str, object]:
    """What a principal can do, as an object of JSON."""
    return {
        "principal": found.principal,
        "allowed": [
            {
                "resource": row.resource,
                "actions": list(row.always),
                "conditional": [
                    {"condition": readable(text), "actions": list(names)}
                    for text, names in row.conditional.items()
                ],
                "except_on": list(row.except_on),
            }
            for row in found.allowed
        ],
        "unknown": list(found.unknown),
        "assumed": list(found.assumed),
    }
