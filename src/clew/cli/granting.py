"""How `clew grant` finds the task, judges its policy on the account's own, and prints it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.cli import context, fix_forms, state_files
from clew.errors import UsageError
from clew.explain import grant_tasks
from clew.explain.grant import grant
from clew.reach.predict import Predictor
from clew.report import grant_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.explain.grant import Grant

_LIST = "list"
_CODES = {True: context.EXIT_CLEAN, False: context.EXIT_FINDINGS, None: context.EXIT_PARTIAL}


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one invocation."""

    task: str
    principal: str
    settings: tuple[str, ...]
    account: str
    region: str
    policies: tuple[str, ...]
    as_json: bool
    form: fix_forms.Form | None = None


def answer(asked: Asked) -> int:
    """Print the policy for the task, or all tasks; the exit code."""
    if asked.task == _LIST:
        return _say(grant_tasks.listed())
    task = grant_tasks.named(asked.task)
    needs = grant_tasks.filled(task, _values(asked.settings), _setting(asked))
    files = state_files.chosen_if_any(asked.policies) if asked.principal else ()
    found = grant(task, needs, asked.principal, Predictor(state_files.snapshot(files)) if files else None)
    if asked.form is not None:
        return _say(fix_forms.written(found.fix, asked.form, found.proofs[0].request))
    if asked.as_json:
        sys.stdout.write(json.dumps(grant_text.document(found, asked.principal), indent=2) + "\n")
    else:
        _say(grant_text.lines(found, asked.principal))
    return _code(found)


def _code(found: Grant) -> int:
    return _CODES[found.allowed]


def _values(settings: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in settings:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UsageError(f"`{text[:80]}` is no setting; expected NAME=VALUE")
        found[name] = value
    return found


def _setting(asked: Asked) -> grant_tasks.Setting:
    fields = asked.principal.split(":", 5)
    if asked.principal and (len(fields) < 6 or fields[0] != "arn"):  # noqa: PLR2004  # an ARN has six parts
        raise UsageError(f"`--to {asked.principal[:200]}` is no ARN of a user or a role")
    partition = fields[1] if asked.principal else "aws"
    account = asked.account or (fields[4] if asked.principal else "")
    return grant_tasks.Setting(account, asked.principal, asked.region, partition)


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{context.printable(line)}\n")
    return context.EXIT_CLEAN
