"""The fix of an explanation in the forms of other tools: a difference, a JSON Patch, commands."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from clew.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.engine import Request
    from clew.explain.explanation import Explanation
    from clew.explain.fix import Fix


class Form(StrEnum):
    """The forms in which a fix is printed."""

    DIFF = "diff"
    JSON_PATCH = "json-patch"
    CLI = "cli"
    UNDO = "undo"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    PLAN = "plan"


def chosen(found: Sequence[Explanation], number: int) -> Fix:
    """The fix of that number of the one refusal. Errors: `InputError` where there is none, or several refusals."""
    if len(found) != 1:
        raise InputError(f"{len(found)} refusals are found; a fix is printed of one")
    edits = found[0].edits
    if not 1 <= number <= len(edits):
        raise InputError(f"there is no fix {number}: {_there_are(len(edits))}")
    return edits[number - 1]


def _there_are(number: int) -> str:
    return "no change of a policy is known that would let it through" if not number else f"there are {number}"


def written(fix: Fix, form: Form, request: Request) -> Iterator[str]:
    """The lines of the fix in that form; `request` is what it lets through."""
    match form:
        case Form.DIFF:
            for edit in fix.edits:
                yield from edit.difference
        case Form.JSON_PATCH:
            yield from json.dumps(_patches(fix), indent=2).splitlines()
        case Form.CLI:
            yield from _commands(fix, fix.commands)
        case Form.UNDO:
            yield from _commands(fix, fix.undo)
        case Form.PLAN:
            from clew.explain import fix_plan

            yield from fix_plan.written(fix, request).splitlines()
        case Form.CLOUDFORMATION | Form.TERRAFORM:
            yield from _as_code(fix, form)


def _patches(fix: Fix) -> object:
    """The operations for the one document, or for each of several with the place where it is kept."""
    if len(fix.edits) == 1:
        return list(fix.edits[0].patch)
    return [{"where": edit.where.words, "patch": list(edit.patch)} for edit in fix.edits]


def _as_code(fix: Fix, form: Form) -> Iterator[str]:
    """The documents as they should be, for those who keep them in code."""
    from clew.cli import fix_text
    from clew.respond import templates
    from clew.respond.actions.edit_policy import steps_of

    steps = tuple(step for edit in fix.edits for step in steps_of(edit))
    if form is Form.CLOUDFORMATION:
        yield from fix_text.template(templates.cloudformation(steps))
    else:
        yield from templates.terraform(steps).splitlines()


def _commands(fix: Fix, commands: tuple[str, ...]) -> Iterator[str]:
    missing = [edit.where.words for edit in fix.edits if not edit.is_at_hand]
    if missing or not commands:
        raise InputError(
            f"no command is known that writes the {', '.join(missing or [fix.target])}: "
            "what stands there is not at hand, or AWS has no call for it; see `--fix-as diff`"
        )
    yield from commands
