"""Decisions as JSON objects and CSV rows, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.engine.decision import Verdict
from clew.reach.attached import UNKNOWN_DOCUMENT
from clew.report.decision import Answer, open_condition, told
from clew.report.escape import spreadsheet, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.report.decision import Told

_COLUMNS = (
    "principal",
    "action",
    "resource",
    "decision",
    "blocked_by",
    "determined_by",
    "missing_context",
    "residual",
)


def to_dict(answer: Answer) -> dict[str, object]:
    """One answer: the request, the decision in the words of the batch, and where each statement stands."""
    decision, applied = answer.decision, answer.applied
    residual = decision.residual
    settling = {(each.policy, each.statement) for each in decision.determined_by}
    found = told(answer)
    return {
        "principal": None if applied.is_stand_in else answer.request.principal,
        "action": answer.request.action,
        "resource": answer.request.resource,
        "resource_account": decision.resource_account or None,
        "decision": decision.effect.value,
        "allowed": decision.allowed,
        "blocked_by": [gate.value for gate in decision.blocked_by],
        "determined_by": [
            _statement(each)
            for each in found
            if (each.statement.policy, each.statement.statement) in settling
        ],
        "gates": {
            gate.value: verdict.value
            for gate, verdict in decision.gates.items()
            if verdict is not Verdict.ABSENT
        },
        "matched": [{**_statement(each), "matches": _matches(each)} for each in found],
        "missing_context": _keys(answer),
        "missing_policies": [missing.why for missing in applied.missing],
        "residual": None if residual is None else {"text": open_condition(answer), **residual.tree},
        "rule": decision.rule,
        "notes": [*decision.notes, *answer.hints],
        "assumed": [*decision.assumed, *applied.assumed],
        "order": list(decision.order),
    }


def _keys(answer: Answer) -> list[str]:
    return [key for key in answer.decision.missing_context if not key.startswith(UNKNOWN_DOCUMENT)]


def _matches(each: Told) -> str:
    return "yes" if each.verdict is True else "unknown"


def _statement(each: Told) -> dict[str, object]:
    attachment, statement = each.attachment, each.statement
    document = attachment.document if attachment else None
    span = document.statement(statement.statement) if document else None
    place = span.in_file if span else None
    return {
        "gate": statement.gate,
        "policy": statement.policy,
        "policy_name": attachment.name if attachment else None,
        "policy_arn": attachment.arn if attachment else None,
        "attached_to": attachment.holder if attachment else None,
        "statement": statement.statement,
        "sid": statement.sid,
        "effect": statement.effect,
        "file": document.file if document else None,
        "line": place[0] if place else None,
        "column": place[1] if place else None,
    }


def csv_rows(answers: Iterable[Answer]) -> Iterator[list[str]]:
    """A heading and one row for each answer; no cell is a formula."""
    yield list(_COLUMNS)
    for answer in answers:
        settling = {(each.policy, each.statement) for each in answer.decision.determined_by}
        statements = [
            f"{each.title}{f' ({each.place})' if each.place else ''}"
            for each in told(answer)
            if (each.statement.policy, each.statement.statement) in settling
        ]
        row = [
            "" if answer.applied.is_stand_in else answer.request.principal,
            answer.request.action,
            answer.request.resource,
            answer.decision.effect.value,
            " ".join(gate.value for gate in answer.decision.blocked_by),
            "; ".join(statements),
            " ".join(_keys(answer)),
            open_condition(answer),
        ]
        yield [spreadsheet(terminal(cell)) for cell in row]
