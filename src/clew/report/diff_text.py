"""What a change of a policy means, as sentences for a terminal and as a document for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.report.check_text import request_lines
from clew.report.decision import paint
from clew.report.escape import terminal
from clew.symbolic.requests import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.policy.model import Policy, Principal, Statement
    from clew.symbolic.difference import Change, Difference

_SHOWN: Final = 8


def text(found: Difference, *, color: bool = False) -> str:
    """The difference as text: both directions, each change with its statement and a request that shows it."""
    lines = [
        *_direction("became possible", "1;31", found.possible, color=color),
        *_direction("became impossible", "1;33", found.impossible, color=color),
        *(f"not decided: {terminal(reason)}" for reason in found.undecided),
    ]
    if not found.possible and not found.impossible and not found.undecided:
        lines.append("the two policies allow the same")
    return "\n".join(lines) + "\n"


def as_json(found: Difference) -> str:
    """The difference for programs."""
    return (
        json.dumps(
            {
                "equivalent": not found.possible and not found.impossible and not found.undecided,
                "became_possible": [_document(change) for change in found.possible],
                "became_impossible": [_document(change) for change in found.impossible],
                "undecided": list(found.undecided),
            },
            indent=2,
        )
        + "\n"
    )


def _direction(words: str, style: str, changes: Sequence[Change], *, color: bool) -> Iterator[str]:
    if not changes:
        return
    yield paint(f"{words}:", style, color=color)
    for change in changes:
        yield f"  {terminal(sentence(change))}"
        yield f"    {terminal(place(change.policy, change.statement))}"
        for denial in change.denied_by:
            yield f"    the other policy denies it: statement {denial.index}{_line(denial)}"
        yield "    such as"
        yield from (f"      {line}" for line in request_lines(change.witness))


def sentence(change: Change) -> str:
    """The change as one general sentence."""
    statement = change.statement
    parts = [_who(statement), _listed(change.actions, statement.not_actions, "every action")]
    parts.append(f"on {_listed(change.resources, statement.not_resources, 'every resource')}")
    if change.conditions:
        parts.append(f"if {' and '.join(change.conditions)}")
    return " ".join(part for part in parts if part)


def place(policy: Policy, statement: Statement) -> str:
    """File and line of the statement, with its Sid."""
    sid = f" ({statement.sid})" if statement.sid else ""
    if statement.position is None:
        return f"{policy.source or 'policy'} statement {statement.index}{sid}"
    return f"{policy.source or 'policy'}:{statement.position.line}{sid}"


def _line(statement: Statement) -> str:
    return "" if statement.position is None else f", line {statement.position.line}"


def _who(statement: Statement) -> str:
    if statement.not_principals is not None:
        return f"everybody but {_principals(statement.not_principals)}:"
    return "" if statement.principals is None else f"{_principals(statement.principals)}:"


def _principals(listed: Sequence[Principal]) -> str:
    return ", ".join("everybody" if each.is_anyone else each.value for each in listed) or "nobody"


def _listed(kept: Sequence[str] | None, excluded: Sequence[str] | None, everything: str) -> str:
    if kept is None:
        return f"{everything} but {_cut(excluded or ())}" if excluded else everything
    return everything if "*" in kept else _cut(kept)


def _cut(listed: Sequence[str]) -> str:
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _document(change: Change) -> dict[str, object]:
    statement = change.statement
    return {
        "sentence": sentence(change),
        "actions": None if change.actions is None else list(change.actions),
        "resources": None if change.resources is None else list(change.resources),
        "conditions": list(change.conditions),
        "statementIndex": statement.index,
        "statementId": statement.sid,
        "place": place(change.policy, statement),
        "denied_by": [denial.index for denial in change.denied_by],
        "witness": document(change.witness),
    }
