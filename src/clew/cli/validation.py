"""What `clew validate` does: files in, problems and corrected documents out."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clew.aws.catalog import current
from clew.cli import context
from clew.cli.validation_options import FailOn, Format, Kind
from clew.errors import InputError, UsageError
from clew.policy.files import Wanted, validate_file
from clew.policy.format import layout
from clew.policy.lint.curated import RESOURCE_TYPES
from clew.policy.model import FindingType, PolicyKind
from clew.policy.parse import LONGEST
from clew.report import validation_aws, validation_formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.policy.files import ValidatedFile
    from clew.policy.model import Problem

STDIN: Final = "-"
_BYTES: Final = 4 * LONGEST
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_WEIGHTS: Final = tuple(FindingType)
_TRUST: Final = "AWS::IAM::AssumeRolePolicyDocument"


def run(
    files: Sequence[str], kind: Kind | None, resource_type: str, output: Format, fail_on: FailOn, *, fix: bool
) -> int:
    """Validate the files, print what was found, and return the exit code."""
    if fix and len(files) != 1:
        raise UsageError(f"--fix prints one document; {len(files)} files were given")
    wanted = _wanted(kind, resource_type)
    found: list[ValidatedFile] = []
    unreadable = 0
    for file in files:
        try:
            found.append(validate_file(read_text(file), "stdin" if file == STDIN else file, wanted))
        except InputError as error:
            context.complain(str(error))
            unreadable += 1
    if fix:
        for each in found:
            _print_fix(each)
    else:
        _print(found, output)
    if unreadable:
        return context.EXIT_USAGE
    judged = [problem for each in found for problem in (_left(each) if fix else each.problems)]
    if _reaches(judged, fail_on):
        return context.EXIT_FINDINGS
    return context.EXIT_PARTIAL if any(each.unknown for each in found) else context.EXIT_CLEAN


def _wanted(kind: Kind | None, resource_type: str) -> Wanted:
    wanted = PolicyKind(kind.value.replace("-", "_")) if kind is not None else None
    if resource_type == _TRUST:
        return Wanted(PolicyKind.TRUST, "", current(), datetime.now(UTC).date())
    if resource_type and resource_type not in RESOURCE_TYPES:
        known = ", ".join((*RESOURCE_TYPES, _TRUST))
        raise UsageError(f"unknown resource type `{resource_type}`; known are {known}")
    if resource_type and wanted is None:
        wanted = PolicyKind.KMS_KEY if resource_type == "AWS::KMS::Key" else PolicyKind.RESOURCE
    return Wanted(wanted, resource_type, current(), datetime.now(UTC).date())


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


def _left(file: ValidatedFile) -> list[Problem]:
    return [problem for each in file.documents for problem in each.validation.left]


def _print(files: list[ValidatedFile], output: Format) -> None:
    sys.stdout.write(validation_formats.render(files, output.value))
    if output is Format.AWS and (left_out := validation_aws.without_code(files)):
        context.note(
            f"{left_out} problems for which AWS has no issue code are left out; --output json has them"
        )
    for file in files if output is Format.TEXT else ():
        if any(each.validation.corrected is not None for each in file.documents):
            name = STDIN if file.source == "stdin" else file.source
            context.note(f"clew validate --fix {name} prints a corrected document")


def _print_fix(file: ValidatedFile) -> None:
    """The corrected document on stdout; what differs, and what is still wrong, on stderr."""
    if file.is_template:
        raise UsageError(f"{file.source}: --fix corrects a policy by itself; this file holds policies")
    found = file.documents[0].validation
    for change in found.changes:
        context.note(f"{file.source}: {change}")
    if found.corrected is not None:
        sys.stdout.write(found.corrected)
    elif found.plain is not None:
        sys.stdout.write(layout(found.plain))
    for problem in found.left:
        if problem.is_error:
            context.complain(f"{file.source}: still wrong: {problem}")
