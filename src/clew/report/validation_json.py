"""Validated policies as JSON of our own shape: every problem with its places, the corrected document, what is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clew.policy.lint.catalogue import link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.files import Document, ValidatedFile
    from clew.policy.model import Position, Problem

Value = dict[str, object]


def render(files: Sequence[ValidatedFile]) -> str:
    """One object for each policy of each file."""
    found = [_document(file, each) for file in files for each in file.documents]
    unknown = [{"file": file.source, "path": list(path)} for file in files for path in file.unknown]
    return json.dumps({"files": found, "unknown": unknown}, indent=2) + "\n"


def _document(file: ValidatedFile, document: Document) -> Value:
    found = document.validation
    return {
        "file": file.source,
        "path": list(document.path),
        "kind": found.kind.value,
        "kind_guessed": found.is_kind_guessed,
        "resource_type": document.resource_type or None,
        "readable": found.policy is not None,
        "problems": [_problem(problem) for problem in found.problems],
        "corrected": found.corrected,
        "changes": [
            {"path": list(change.path), "message": change.message, "guess": change.is_guess}
            for change in found.changes
        ],
        "left": [_problem(problem) for problem in found.left],
    }


def _problem(problem: Problem) -> Value:
    return {
        "finding_type": problem.finding_type.value,
        "issue_code": problem.code,
        "message": problem.message,
        "link": link(problem.code),
        "place": problem.place,
        "path": list(problem.path),
        "start": _position(problem.position),
        "end": _position(problem.end),
        "further": [
            {"path": list(each.path), "start": _position(each.position), "end": _position(each.end)}
            for each in problem.further
        ],
        "corrected": problem.corrected,
    }


def _position(position: Position | None) -> Value | None:
    if position is None:
        return None
    return {"line": position.line, "column": position.column, "offset": position.offset}
