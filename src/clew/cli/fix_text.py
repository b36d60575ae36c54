"""Plans and what came of them, as lines for people."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.store.documents import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.respond.carry_out import Done
    from clew.respond.model import Change, Step, Value
    from clew.store.journal import Fix

_NOTHING = "nothing"


def actions() -> Iterator[str]:
    """Every action with its options and the rules that it remedies."""
    from clew.respond.actions import ACTIONS
    from clew.respond.rules import RULES

    for action in ACTIONS.values():
        yield f"{action.id} ({action.kind}): {action.title}"
        yield f"    risk: {action.risk}"
        for name, text in action.options.items():
            yield f"    --set {name}=…: {text}"
        rules = [rule for rule, remedy in RULES.items() if remedy.action == action.id]
        if rules:
            yield f"    remedies: {', '.join(rules)}"


def listing(fixes: tuple[Fix, ...]) -> Iterator[str]:
    """Every fix in one line, and the calls of those whose outcome nobody knows."""
    for fix in fixes:
        finding = f" for finding {fix.finding}" if fix.finding else ""
        yield f"{fix.id}  {moment(fix.at)}  {fix.standing.value}  {fix.action} {fix.target}{finding}, by {fix.caller}"
        for call in fix.calls:
            outcome = call.outcome or "no outcome: it may or may not have been carried out"
            yield f"    {moment(call.intended_at)} {call.phase} {call.call}: {outcome}"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan rests on: AWS as `caller` reads it now, or a snapshot `file` of `as_of` (UTC, as text)."""

    caller: str = ""
    file: str = ""
    as_of: str = ""

    @property
    def told(self) -> str:
        """Who asked AWS, or what was read instead."""
        return (
            f"as {self.caller}" if self.caller else f"as of {self.as_of}, by {self.file}; AWS was not asked"
        )


def preview(change: Change, basis: Basis, *, applying: bool = False) -> Iterator[str]:
    """The plan in full: every call, what stands before and after, and how it is taken back."""
    yield f"{change.action.title}: {change.target.arn}"
    yield f"account {change.target.place.account}, {basis.told}"
    if not change.steps:
        yield "It is so already; there is nothing to do." if basis.caller else "It was so already then."
        return
    yield f"risk: {change.action.risk}"
    for number, step in enumerate(change.steps, 1):
        yield from _step(number, step)
    yield ""
    yield f"permissions: {', '.join(change.permissions)}"
    check = f", and `{change.rule}` judges again" if change.rule else ""
    yield f"verification: each setting is read again{check}"
    yield f"plan {change.fingerprint}"
    if applying:
        return
    again = "" if basis.caller else " Everything is read from AWS again before that, and must still be so."
    yield f"Nothing was changed. `--apply --approved {change.fingerprint}` makes exactly this change.{again}"


def _step(number: int, step: Step) -> Iterator[str]:
    from clew.respond.commands import command

    yield ""
    yield f"step {number}: {step.aspect.name} of {step.place}"
    yield from (f"    {line}" for line in _difference(step.before, step.after))
    for write in step.writes:
        yield f"    call: {command(write, step.place)}"
    if step.why_irreversible:
        yield f"    undo: none: {step.why_irreversible}"
        return
    for write in step.undo:
        yield f"    undo: {command(write, step.place)}"
    if not step.aspect.same(step.left_by_undo, step.before):
        yield f"    undo leaves {json.dumps(step.left_by_undo)}, since AWS has no way back to {json.dumps(step.before)}"


def _difference(before: Value, after: Value) -> Iterator[str]:
    """Both values as a difference of lines, in full."""
    old, new = _lines(before), _lines(after)
    found = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    yield from (line for line in found if not line.startswith("@@"))


def _lines(value: Value) -> list[str]:
    if value is None:
        return [_NOTHING]
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return json.dumps(value, indent=2).splitlines()


def as_json(change: Change, basis: Basis) -> Iterator[str]:
    """The plan as one JSON object."""
    from clew.respond.commands import command

    steps = [
        {
            "aspect": step.aspect.name,
            "place": str(step.place),
            "before": step.before,
            "after": step.after,
            "calls": [
                {"service": w.service, "operation": w.operation, "parameters": dict(w.parameters)}
                for w in step.writes
            ],
            "commands": [command(write, step.place) for write in step.writes],
            "undo": [] if step.why_irreversible else [command(write, step.place) for write in step.undo],
            "irreversible": step.why_irreversible,
        }
        for step in change.steps
    ]
    told = {
        "plan": change.fingerprint,
        "action": change.action.id,
        "target": change.target.arn,
        "account": change.target.place.account,
        **({"caller": basis.caller} if basis.caller else {"snapshot": basis.file, "as_of": basis.as_of}),
        "risk": change.action.risk,
        "permissions": list(change.permissions),
        "steps": steps,
    }
    yield from json.dumps(told, indent=2).splitlines()


def commands(change: Change) -> Iterator[str]:
    """The calls as a script of AWS's own command line."""
    from clew.respond.commands import command

    for step in change.steps:
        yield from (command(write, step.place) for write in step.writes)


def template(resources: dict[str, Value]) -> Iterator[str]:
    """The resources of a CloudFormation template."""
    yield from json.dumps({"Resources": resources}, indent=2).splitlines()


def done(outcome: Done) -> Iterator[str]:
    """Each call that was made and what AWS said."""
    yield ""
    for write, answer in outcome.calls:
        code = f": {answer.error_code}" if answer.error_code else ""
        yield f"{outcome.fix}: {write}: {answer.status.value}{code}"
    if not outcome.problems:
        yield f"{outcome.fix}: everything was read again and is as wanted"
