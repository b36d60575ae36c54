"""Validated policies as SARIF 2.1.0, for code review: each problem with its range and its further places."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from clew import __version__
from clew.policy.lint.catalogue import ENTRIES, OWN, link
from clew.policy.model import FindingType
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.files import ValidatedFile
    from clew.policy.model import Position, Problem

Value = dict[str, object]

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "warning",
    FindingType.WARNING: "warning",
    FindingType.SUGGESTION: "note",
}


def render(files: Sequence[ValidatedFile]) -> str:
    """All problems as one run."""
    found = [(file.source, problem) for file in files for problem in file.problems]
    codes = list(dict.fromkeys(problem.code for _, problem in found))
    seen: Counter[str] = Counter()
    rules = [_rule(code, next(problem for _, problem in found if problem.code == code)) for code in codes]
    run = {
        "tool": {"driver": {"name": "clew", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(source, problem, codes.index(problem.code), seen) for source, problem in found],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _open(files)}],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _open(files: Sequence[ValidatedFile]) -> list[Value]:
    """One note for each policy that a plan or a template leaves open."""
    return [
        {
            "level": "warning",
            "message": {"text": terminal(f"/{'/'.join(map(str, path))} is left open; not validated")},
            "locations": [_location(file.source, f"/{'/'.join(map(str, path))}", None, None)],
        }
        for file in files
        for path in file.unknown
    ]


def _rule(code: str, problem: Problem) -> Value:
    entry = ENTRIES.get(code) or OWN.get(code)
    weight = entry.finding_type if entry is not None else problem.finding_type
    return {
        "id": code,
        "shortDescription": {
            "text": entry.title if entry is not None else code.replace("_", " ").capitalize()
        },
        "fullDescription": {"text": entry.text if entry is not None else "A check of Clew's own."},
        "helpUri": link(code),
        "defaultConfiguration": {"level": _LEVELS[weight]},
        "properties": {"findingType": weight.value},
    }


def _result(source: str, problem: Problem, place: int, seen: Counter[str]) -> Value:
    """One problem; `seen` counts those of one code and place, which readers would else take for one."""
    told = f"{source}\x1f{problem.code}\x1f{problem.pointer}"
    seen[told] += 1
    told += f"\x1f{seen[told]}" if seen[told] > 1 else ""
    found: Value = {
        "ruleId": problem.code,
        "ruleIndex": place,
        "level": _LEVELS[problem.finding_type],
        "message": {"text": terminal(problem.message)},
        "locations": [_location(source, problem.pointer, problem.position, problem.end)],
        "partialFingerprints": {"clewProblem/v1": hashlib.sha256(told.encode()).hexdigest()[:16]},
    }
    if problem.further:
        found["relatedLocations"] = [
            _location(source, "/" + "/".join(map(str, each.path)), each.position, each.end)
            for each in problem.further
        ]
    return found


def _location(source: str, pointer: str, start: Position | None, end: Position | None) -> Value:
    physical: Value = {"artifactLocation": {"uri": quote(source.replace("\\", "/"))}}
    if start is not None and end is not None:
        physical["region"] = {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "charOffset": start.offset,
            "charLength": end.offset - start.offset,
        }
    return {
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": terminal(pointer)}],
    }
