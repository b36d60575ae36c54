"""The history of a policy, duties and the review for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from clew.analyzer.duties import Held
from clew.analyzer.versions import MOST
from clew.report import diff_text
from clew.report.check_text import request_lines
from clew.report.escape import terminal
from clew.symbolic.requests import document as request_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.analyzer.duties import Judged
    from clew.analyzer.duties_review import Remark
    from clew.analyzer.versions import History, Step
    from clew.snapshot.model import PolicyVersion


def history(found: History) -> str:
    """Each version with what it changed, then the way back."""
    return "\n".join(_history(found)) + "\n"


def _history(found: History) -> Iterator[str]:
    yield terminal(found.arn)
    steps = {step.newer.id: step for step in found.steps}
    for version in found.versions:
        yield ""
        yield _version(version)
        if version.id in steps:
            yield from _step(steps[version.id])
    yield ""
    if found.is_full:
        yield f"{len(found.versions)} of {MOST} versions: AWS refuses another until one is deleted"
    if found.rollback is None:
        yield "nothing to go back to"
        return
    yield f"going back from {terminal(found.rollback.older.id)} to {terminal(found.rollback.newer.id)}:"
    yield f"  {terminal(found.command)}"
    yield from _step(found.rollback)


def _version(version: PolicyVersion) -> str:
    made = f", {terminal(version.created)}" if version.created else ""
    return f"{terminal(version.id)}{made}{' (default)' * version.is_default}"


def _step(step: Step) -> Iterator[str]:
    if step.changes is None:
        yield f"  not compared: {terminal(step.reason)}"
        return
    yield from (f"  {line}" for line in diff_text.text(step.changes).splitlines())


def history_json(found: History) -> str:
    """The history for programs."""
    told = {
        "arn": found.arn,
        "versions": [
            {"id": each.id, "created": each.created, "is_default": each.is_default} for each in found.versions
        ],
        "is_full": found.is_full,
        "steps": [_step_document(step) for step in found.steps],
        "rollback": None
        if found.rollback is None
        else {**_step_document(found.rollback), "command": found.command},
    }
    return json.dumps(told, indent=2) + "\n"


def _step_document(step: Step) -> dict[str, object]:
    changes = None if step.changes is None else json.loads(diff_text.as_json(step.changes))
    return {"from": step.older.id, "to": step.newer.id, "changes": changes, "reason": step.reason}


def duties(found: Sequence[Judged]) -> str:
    """Who breaks a rule, with a request and the statements for each duty; then what is not known."""
    return "\n".join(_duties(found)) + "\n"


def _duties(found: Sequence[Judged]) -> Iterator[str]:
    counts = Counter(each.held for each in found)
    yield ", ".join(f"{counts[held]} {held}" for held in Held)
    for one in found:
        if one.held is Held.PASS:
            continue
        yield ""
        yield f"{one.held}  {terminal(one.rule)}: {terminal(one.principal)}"
        for evidence in one.evidence:
            request = list(request_lines(evidence.request))[1:]
            yield from (f"  {line}" for line in request)
            yield from (f"    {terminal(place)}" for place in evidence.statements)
        if one.reason:
            yield f"  not known: {terminal(one.reason)}"


def duties_json(found: Sequence[Judged]) -> str:
    """The judgements for programs."""
    told = [
        {
            "rule": one.rule,
            "principal": one.principal,
            "result": one.held.value.upper(),
            "evidence": [
                {"request": request_document(each.request), "statements": list(each.statements)}
                for each in one.evidence
            ],
            "reason": one.reason,
        }
        for one in found
    ]
    return json.dumps(told, indent=2) + "\n"


def review(found: Sequence[Remark]) -> str:
    """The remarks, kind by kind."""
    lines: list[str] = [f"{len(found)} remark{'s' * (len(found) != 1)}"]
    for kind in dict.fromkeys(each.kind for each in found):
        lines += ["", f"{kind}:"]
        for each in found:
            if each.kind == kind:
                lines.append(f"  {terminal(each.policy)} of {terminal(each.holder)}")
                where = f" ({terminal(each.place)})" if each.place else ""
                lines.append(f"    {terminal(each.text)}{where}")
    return "\n".join(lines) + "\n"


def review_json(found: Sequence[Remark]) -> str:
    """The remarks for programs."""
    told = [
        {"kind": one.kind, "holder": one.holder, "policy": one.policy, "text": one.text, "place": one.place}
        for one in found
    ]
    return json.dumps(told, indent=2) + "\n"
