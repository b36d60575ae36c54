"""Validated policies as lines: one for each problem, statement by statement, and one for each file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.policy import kinds
from clew.policy.model import FindingType
from clew.report.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clew.policy.files import ValidatedFile
    from clew.policy.model import Problem

WORDS: Final = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "security warning",
    FindingType.WARNING: "warning",
    FindingType.SUGGESTION: "suggestion",
}


def render(files: Sequence[ValidatedFile]) -> str:
    """The problems and the counts, ready for a terminal."""
    lines = [line for file in files for line in _file(file)]
    if len(files) > 1:
        documents = sum(len(file.documents) for file in files)
        problems = [problem for file in files for problem in file.problems]
        lines.append(f"{len(files)} files, {_many(documents, 'policy', 'policies')}: {counted(problems)}")
    return "".join(f"{terminal(line)}\n" for line in lines)


def counted(problems: Iterable[Problem]) -> str:
    """How many problems there are of each weight, in words."""
    found = list(problems)
    counts = {kind: sum(problem.finding_type is kind for problem in found) for kind in FindingType}
    parts = [f"{n} {WORDS[kind]}{'s' * (n > 1)}" for kind, n in counts.items() if n]
    return ", ".join(parts) or "no problems"


def _file(file: ValidatedFile) -> Iterator[str]:
    for problem in file.problems:
        yield f"{problem} ({problem.finding_type} {problem.code})"
    for path in file.unknown:
        place = "/".join(map(str, path))
        yield f"{file.source} /{place}: not known before it is {_made(path)}; not validated"
    if file.is_template:
        yield f"{file.source}: {_many(len(file.documents), 'policy', 'policies')}: {counted(file.problems)}"
    for document in () if file.is_template else file.documents:
        found = document.validation
        how = ", by its looks; --kind names another" if found.is_kind_guessed else ""
        yield f"{file.source}: {counted(found.problems)} ({kinds.WORDS[found.kind]}{how})"


def _made(path: tuple[str | int, ...]) -> str:
    return "deployed" if path[0] == "Resources" else "applied"


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
