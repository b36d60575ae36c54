"""What `clew validate` does: files in, problems and corrected documents out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clew.aws.catalog import current
from clew.cli import context
from clew.cli.validation_options import FailOn, Kind, Output
from clew.errors import InputError, UsageError
from clew.policy import kinds
from clew.policy.format import layout
from clew.policy.model import FindingType, PolicyKind
from clew.policy.parse import LONGEST
from clew.policy.validate import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.model import Position, Problem
    from clew.policy.validate import Validation

Document = dict[str, object]

STDIN: Final = "-"
_BYTES: Final = 4 * LONGEST
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_WEIGHTS: Final = tuple(FindingType)
_WORDS: Final = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "security warning",
    FindingType.WARNING: "warning",
    FindingType.SUGGESTION: "suggestion",
}


def run(files: Sequence[str], kind: Kind | None, output: Output, fail_on: FailOn, *, fix: bool) -> int:
    """Validate the files, print what was found, and return the exit code."""
    if fix and len(files) != 1:
        raise UsageError(f"--fix prints one document; {len(files)} files were given")
    found: list[tuple[str, Validation]] = []
    unreadable = 0
    for file in files:
        try:
            found.append((file, _validated(file, kind)))
        except InputError as error:
            context.complain(str(error))
            unreadable += 1
    if output is Output.JSON:
        print(json.dumps({"files": [_document(file, each) for file, each in found]}, indent=2))
    for file, each in found if output is Output.TEXT else ():
        _print_fix(file, each) if fix else _print(file, each)
    if unreadable:
        return context.EXIT_USAGE
    judged = [problem for _, each in found for problem in (each.left if fix else each.problems)]
    return context.EXIT_FINDINGS if _reaches(judged, fail_on) else context.EXIT_CLEAN


def _validated(file: str, kind: Kind | None) -> Validation:
    source = "stdin" if file == STDIN else file
    wanted = PolicyKind(kind.value.replace("-", "_")) if kind is not None else None
    return validate(read_text(file), source=source, kind=wanted, catalog=current())


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`; UTF-8, or UTF-16 with its mark.

    Errors: `InputError` when it cannot be read or is no text.
    """
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(_BYTES + 1)
        else:
            with Path(file).expanduser().open("rb") as stream:
                data = stream.read(_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > _BYTES:
        raise InputError(f"{file}: larger than {_BYTES:,} bytes; no policy is")
    try:
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: byte {error.start} is no UTF-8") from error


def _reaches(problems: Sequence[Problem], fail_on: FailOn) -> bool:
    if fail_on is FailOn.NEVER:
        return False
    threshold = _WEIGHTS.index(FindingType(fail_on.value.replace("-", "_").upper()))
    return any(_WEIGHTS.index(problem.finding_type) <= threshold for problem in problems)


# Text


def _print(file: str, found: Validation) -> None:
    for problem in found.problems:
        _say(f"{problem} ({problem.finding_type} {problem.code})")
    name = "stdin" if file == STDIN else file
    how = ", by its looks; --kind names another" if found.is_kind_guessed else ""
    _say(f"{name}: {_counted(found.problems)} ({kinds.WORDS[found.kind]}{how})")
    if found.corrected is not None:
        context.note(f"clew validate --fix {file} prints a corrected document")


def _print_fix(file: str, found: Validation) -> None:
    """The corrected document on stdout; what differs, and what is still wrong, on stderr."""
    for change in found.changes:
        context.note(f"{file}: {change}")
    if found.corrected is not None:
        sys.stdout.write(found.corrected)
    elif found.plain is not None:
        sys.stdout.write(layout(found.plain))
    for problem in found.left:
        if problem.is_error:
            context.complain(f"{file}: still wrong: {problem}")


def _counted(problems: Sequence[Problem]) -> str:
    counts = {kind: sum(problem.finding_type is kind for problem in problems) for kind in FindingType}
    parts = [f"{n} {_WORDS[kind]}{'s' * (n > 1)}" for kind, n in counts.items() if n]
    return ", ".join(parts) or "no problems"


def _say(line: str) -> None:
    print(context.printable(line))


# JSON


def _document(file: str, found: Validation) -> Document:
    return {
        "file": file,
        "kind": found.kind.value,
        "kind_guessed": found.is_kind_guessed,
        "readable": found.policy is not None,
        "problems": [_problem(problem) for problem in found.problems],
        "corrected": found.corrected,
        "changes": [
            {"path": list(change.path), "message": change.message, "guess": change.is_guess}
            for change in found.changes
        ],
        "left": [_problem(problem) for problem in found.left],
    }


def _problem(problem: Problem) -> Document:
    return {
        "finding_type": problem.finding_type.value,
        "issue_code": problem.code,
        "message": problem.message,
        "place": problem.place,
        "path": list(problem.path),
        "start": _position(problem.position),
        "end": _position(problem.end),
        "corrected": problem.corrected,
    }


def _position(position: Position | None) -> Document | None:
    if position is None:
        return None
    return {"line": position.line, "column": position.column, "offset": position.offset}
