"""A case as JSON, and as a ticket: what a tracker takes, with the report as its body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.cases import fields, steps, testing
from clew.report import case_markdown
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from clew.cases.model import Case

_BODY = 60_000
_PRIORITIES = {"low": "P4", "medium": "P3", "high": "P2", "critical": "P1"}


def document(case: Case, problems: Mapping[str, str], name: str, now: datetime) -> dict[str, object]:
    """The case as an object of JSON: all that its files hold, the steps, the answer, and what comes next."""
    following = steps.next_step(case, name, now)
    return {
        **fields.plain(case),
        "conclusion": steps.conclusion(case),
        "unexplained": list(testing.unexplained(case)),
        "components": [
            {"name": each, "verdict": verdict.value, "hypotheses": list(held)}
            for each, verdict, held in testing.components(case)
        ],
        "steps": [{"name": s.name.value, "done": s.is_done, "says": s.says} for s in steps.steps(case)],
        "problems": dict(problems),
        "next": {"says": following.says, "command": following.command},
    }


def ticket(case: Case, problems: Mapping[str, str]) -> str:
    """A ticket as JSON: `title`, `body` in Markdown, `labels`, `priority`, `state`, `attachments`.

    Title, body and labels are those of GitHub's "Create an issue"; Jira calls them summary and description.
    """
    body = case_markdown.render(case, problems)
    cut = "\n\nThe report is longer; `clew case export` writes it whole.\n"
    found = {
        "title": f"[{case.id}] {terminal(case.title)}",
        "body": body if len(body) <= _BODY else body[: _BODY - len(cut)] + cut,
        "labels": [
            "clew",
            f"severity:{case.severity.value}",
            *dict.fromkeys(seen.kind.value for seen in case.symptoms),
        ],
        "priority": _PRIORITIES[case.severity.value],
        "state": "closed" if case.closing else "open",
        "attachments": [{"id": each.id, "file": each.file, "sha256": each.sha256} for each in case.evidence],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
