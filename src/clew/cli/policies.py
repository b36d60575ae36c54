"""What `clew policy` reads: snapshots, versions of a policy, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.cli import state_files
from clew.cli.validation import read_text
from clew.errors import InputError
from clew.snapshot.model import Document, PolicyVersion, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.analyzer.duties import Duty


def versions(sources: Sequence[str]) -> tuple[str, tuple[PolicyVersion, ...]]:
    """The policy and its versions: of a snapshot by ARN, else each file is one version and the last is the default."""
    *files, last = sources
    if not last.startswith("arn:"):
        return last, tuple(
            PolicyVersion(f"v{number}", _document(file), is_default=number == len(sources))
            for number, file in enumerate(sources, 1)
        )
    chosen = state_files.chosen(files)
    for account in state_files.snapshot(chosen).accounts.values():
        if last in account.versions:
            return last, account.versions[last]
    raise InputError(f"`{last[:200]}` is not among the managed policies of {', '.join(chosen)}")


def _document(file: str) -> Document:
    text = read_text(file)
    return Document(file, text, source=Source(file, text))


def rules(file: str) -> tuple[Duty, ...]:
    """The duty rules of a YAML file; errors: `InputError`, located."""
    import yaml

    from clew.analyzer.duties import read_rules

    try:
        decoded = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise InputError(f"{file}{line}: not YAML") from error
    return read_rules(decoded, file)
