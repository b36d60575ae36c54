"""Validated policies in the shape of IAM Access Analyzer's ValidatePolicy, so that what reads its answers reads ours.

Source: IAM Access Analyzer API reference, "ValidatePolicyFinding", "Location", "PathElement", "Span", "Position": lines
count from 1, columns and offsets from 0, the end is exclusive. The sentences are ours. Problems for which AWS has no
issue code are left out; `without_code` counts them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.policy.lint.catalogue import ENTRIES
from clew.policy.model import DUPLICATE_KEYS, JSON_SYNTAX_ERROR, FindingType, Location
from clew.policy.parse import NO_WRAPPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.files import Document, ValidatedFile
    from clew.policy.model import Position, Problem

Value = dict[str, object]

AS_AWS: Final = {DUPLICATE_KEYS: JSON_SYNTAX_ERROR, NO_WRAPPER: "MISSING_STATEMENT"}
"""Codes of our own, and what AWS says of the same document."""


def render(files: Sequence[ValidatedFile]) -> str:
    """The answer about one policy; about several, an object for each with its file and the path to it."""
    documents = [(file, each) for file in files for each in file.documents]
    if len(documents) == 1 and len(files) == 1 and not files[0].is_template:
        return json.dumps({"findings": findings(documents[0][1])}, indent=4) + "\n"
    answers = [
        {"file": file.source, "path": _path(each.path), "findings": findings(each)}
        for file, each in documents
    ]
    return json.dumps({"policies": answers}, indent=4) + "\n"


def findings(document: Document) -> list[Value]:
    """The findings of one policy."""
    found = document.validation
    is_one = found.has_one_statement
    return [_finding(problem, document, is_one) for problem in found.problems if _is_of_aws(problem)]


def without_code(files: Sequence[ValidatedFile]) -> int:
    """How many problems are left out, since AWS tells nothing of the sort."""
    return sum(not _is_of_aws(problem) for file in files for problem in file.problems)


def _is_of_aws(problem: Problem) -> bool:
    """Whether AWS tells the problem too: it has a code for it, and the problem is no mere doubt of ours."""
    entry = ENTRIES.get(_code(problem))
    doubted = problem.finding_type is FindingType.SUGGESTION
    return entry is not None and (entry.finding_type is FindingType.SUGGESTION or not doubted)


def _code(problem: Problem) -> str:
    return AS_AWS.get(problem.code, problem.code)


def _finding(problem: Problem, document: Document, is_one: bool) -> Value:  # as the validation says
    entry = ENTRIES[_code(problem)]
    first = Location(problem.path, problem.position, problem.end)
    places = [(first, problem.written)]
    places += [(each, str(each.path[-1]) if each.is_key else None) for each in problem.further]
    weight = entry.finding_type if problem.code in AS_AWS else problem.finding_type
    return {
        "findingDetails": problem.message,
        "findingType": weight.value,
        "issueCode": entry.id,
        "learnMoreLink": entry.link,
        "locations": [_location(place, document, is_one, written) for place, written in places],
    }


def _location(place: Location, document: Document, is_one: bool, written: str | None) -> Value:  # as above
    path = place.path
    depth = len(document.path)
    if is_one and path[depth : depth + 2] == ("Statement", 0):
        # A statement without a list around it has no place in one.
        path = (*path[: depth + 1], *path[depth + 2 :])
    elements = _path(path)
    if written is not None:
        elements = [*(elements[:-1] if path[-1:] == (written,) else elements), {"key": written}]
    return {"path": elements, "span": {"start": _position(place.position), "end": _position(place.end)}}


def _path(path: tuple[str | int, ...]) -> list[Value]:
    return [{"index": each} if isinstance(each, int) else {"value": each} for each in path]


def _position(position: Position | None) -> Value:
    if position is None:
        # What is about the document as a whole begins where it begins.
        return {"line": 1, "column": 0, "offset": 0}
    return {"line": position.line, "column": position.column - 1, "offset": position.offset}
