"""What `clew check` does: files in, the outcome out; batches line by line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from clew.cli import context
from clew.cli.checking_options import Kind, Output
from clew.cli.simulation_batch import MAX_LINE_BYTES, lines
from clew.cli.streams import opened
from clew.cli.validation import STDIN, read_text
from clew.errors import PolicyError, UsageError
from clew.policy.model import PolicyKind
from clew.policy.parse import parse, read
from clew.report import check_json, check_text
from clew.symbolic import batch
from clew.symbolic.checks import MOST, Outcome, Result
from clew.symbolic.questions import Access

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clew.policy.model import Policy

EXIT: Final = {
    Result.PASS: context.EXIT_CLEAN,
    Result.FAIL: context.EXIT_FINDINGS,
    Result.UNKNOWN: context.EXIT_PARTIAL,
}
"""The exit code of each result."""


def policies(files: Sequence[str], kind: Kind | None) -> tuple[list[Policy], PolicyKind]:
    """The policies of the files, and their kind: as given, else by whether one of them names principals.

    Errors: `InputError` where a file cannot be read, `PolicyError` where AWS would refuse the policy.
    """
    texts = [(("stdin" if file == STDIN else file), read_text(file)) for file in files]
    found = PolicyKind(kind.value) if kind is not None else _looks([text for _, text in texts])
    return [parse(text, source, found) for source, text in texts], found


def exact(policy: Policy) -> Policy:
    """The policy, where no principal of it holds a wildcard; `PolicyError` otherwise, as AWS refuses it."""
    odd = batch.wild_principal(policy)
    if odd is not None:
        raise PolicyError(f"{policy.source}: {odd}")
    return policy


def _looks(texts: Sequence[str]) -> PolicyKind:
    statements = [each for text in texts for each in read(text).policy.statements]
    named = any(each.principals is not None or each.not_principals is not None for each in statements)
    return PolicyKind.RESOURCE if named else PolicyKind.IDENTITY


def access(actions: Sequence[str] | None, resources: Sequence[str] | None) -> list[Access]:
    """The access that the options name; `UsageError` when they name none, or more than AWS takes."""
    if not actions and not resources:
        raise UsageError("say what must not be granted; give --action, --resource or both")
    for name, listed in (("--action", actions), ("--resource", resources)):
        if listed is not None and len(listed) > MOST:
            raise UsageError(f"{len(listed)} times `{name}`; AWS takes at most {MOST}")
    return [Access(tuple(actions or ()), tuple(resources or ()))]


def show(outcome: Outcome, output: Output) -> int:
    """Print the outcome and return the exit code."""
    if output is Output.TEXT:
        sys.stdout.write(check_text.text(outcome, color=context.use_color()))
    elif output is Output.AWS:
        sys.stdout.write(check_json.aws(outcome))
    else:
        sys.stdout.write(check_json.text(outcome))
    return EXIT[outcome.result]


def print_batch(check: str, source: str, others: Mapping[str, object]) -> int:
    """Print the answer to each line, blank ones too, in order; 3 when one is unknown or an error, 1 when one fails."""
    given = next((name for name, value in others.items() if value), None)
    if given is not None:
        raise UsageError(f"`{given}` does not go with `--batch`: each line says it for itself")
    results = set()
    with opened(source) as stream:
        for line in lines(stream):
            found = _answer(check, line)
            sys.stdout.write(f"{json.dumps(found)}\n")
            if source == STDIN:
                # A program that feeds line after line waits for each answer.
                sys.stdout.flush()
            results.add(found["result"])
    if results - {Result.PASS.value, Result.FAIL.value}:
        return context.EXIT_PARTIAL
    return context.EXIT_FINDINGS if Result.FAIL.value in results else context.EXIT_CLEAN


def _answer(check: str, line: bytes) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        return batch.failed(None, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if not line.strip():
        return batch.failed(None, "the line is blank")
    try:
        return batch.answer(check, line)
    except Exception as error:
        # One odd line must not cost the answers to all the others.
        return batch.failed(None, f"internal error: {type(error).__name__}: {error}")
