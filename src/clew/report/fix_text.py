"""What would help: the smallest fix as a difference, what it newly allows, its risk and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.report.escape import terminal
from clew.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.engine import Request
    from clew.explain.explanation import Explanation
    from clew.explain.fix import Fix
    from clew.explain.fix_edit import Edit
    from clew.explain.fix_gain import Gain

_MOST_LINES = 16
_LONGEST_COMMAND = 150
_SHOWN = 3


def lines(each: Explanation) -> Iterator[str]:
    """The fix that newly allows the least in full, and the others by their titles."""
    if not each.fixes:
        return
    yield ""
    edits = each.edits
    for fix in each.fixes:
        if fix not in edits:
            yield from wrapped(f"Without any change of a policy: {fix_title(fix)}")
            yield from in_full(fix) if fix.commands else ()
    if not edits:
        return
    yield from wrapped(f"If it should be allowed: {fix_title(edits[0])}")
    yield from in_full(edits[0])
    for number, fix in enumerate(edits[1:], 2):
        text = f"or {number}. {fix_title(fix)} (newly allows: {newly(fix)})"
        yield from wrapped(text, indent="    ", further="      ")


def fix_title(fix: Fix) -> str:
    """The title as a part of a sentence."""
    return f"{fix.title[:1].lower()}{fix.title[1:]}"


def in_full(fix: Fix) -> Iterator[str]:
    """The difference of each document, what the fix newly allows, whether it was tried, its risk, and the way back."""
    for edit in fix.edits:
        yield from _difference(edit)
    if not fix.edits:
        yield from (f"    {terminal(command)}" for command in fix.commands)
    yield from wrapped(f"newly allows: {newly(fix)}", indent="    ", further="      ")
    tried = {True: "tried with the engine: then it is allowed", None: "whether that is enough is open"}
    yield from wrapped(f"risk: {fix.risk}{f'; {tried[fix.proven]}' if fix.edits and fix.proven in tried else ''}",
                       indent="    ", further="      ")  # fmt: skip
    yield from (f"    undo: {terminal(text)}" for text in _undo(fix))


_WRAPPER = frozenset({"+{", '+  "Version": "2012-10-17",', '+  "Statement": [', "+  ]", "+}"})


def _difference(edit: Edit) -> Iterator[str]:
    """The lines without their numbers; of a document that is new, or not at hand, only the statements."""
    found = edit.difference
    is_new = edit.before is None
    shown = [line for line in found if not line.startswith("@@") and not (is_new and line in _WRAPPER)]
    yield from (f"    {terminal(line)}" for line in shown[:_MOST_LINES])
    if len(shown) > _MOST_LINES:
        yield f"    … {len(shown) - _MOST_LINES} more lines: `--fix-as diff`"


def _undo(fix: Fix) -> Iterator[str]:
    """The commands, where they can be read; else what prints them."""
    if all(len(command) <= _LONGEST_COMMAND for command in fix.undo):
        yield from fix.undo
    else:
        yield "the lines that begin with - again; `--fix-as undo` prints the commands"


def newly(fix: Fix) -> str:
    """What the fix newly allows, and how far that is shown."""
    return fix.newly if fix.gain is None else f"{fix.newly}; {'; '.join(_shown(fix.gain))}"


def _shown(gain: Gain) -> Iterator[str]:
    if gain.actions:
        yield f"of these {_counted(len(gain.actions), 'action')} of the resource: {_some(gain.actions)}"
    if gain.nothing_else:
        yield "nothing else, shown for every request of the caller"
    elif gain.counterexample is not None:
        asked = gain.counterexample
        yield f"and more, such as `{asked.action}` on `{asked.resource}`"
    else:
        yield f"whether anything else is not known: {gain.why_unknown}"
    if gain.lost is not None:
        yield f"no longer allowed: `{gain.lost.action}` on `{gain.lost.resource}`"
    if gain.concerned:
        yield _of_others(gain)


def _of_others(gain: Gain) -> str:
    looked = "" if gain.asked == gain.concerned else f" (looked at {gain.asked} of them)"
    words = f"it is also about {_counted(gain.concerned, 'other principal')}{looked}"
    if gain.others:
        return f"{words}, of whom {_some(gain.others)} may do more too"
    return (
        f"{words}, who gain nothing" if not gain.why_unknown else f"{words}; {gain.why_unknown} is not known"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _some(texts: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:_SHOWN])
    return f"{shown} and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else shown


def document(fix: Fix) -> dict[str, object]:
    """One fix as an object of JSON."""
    return {
        "title": fix.title,
        "gate": fix.gate,
        "target": fix.target,
        "statement": fix.statement,
        "edits": [
            {
                "kind": edit.where.kind,
                "where": edit.where.words,
                "is_at_hand": edit.is_at_hand,
                "diff": list(edit.difference),
                "patch": list(edit.patch),
            }
            for edit in fix.edits
        ],
        "newly_allows": fix.newly,
        "gain": None if fix.gain is None else _gain(fix.gain),
        "risk": fix.risk,
        "commands": list(fix.commands),
        "undo": list(fix.undo),
        "proven": fix.proven,
    }


def _gain(gain: Gain) -> dict[str, object]:
    return {
        "nothing_else": gain.nothing_else,
        "actions": list(gain.actions),
        "others_concerned": gain.concerned,
        "others_looked_at": gain.asked,
        "others_who_gain": list(gain.others),
        "counterexample": _asked(gain.counterexample),
        "lost": _asked(gain.lost),
        "unknown": gain.why_unknown,
    }


def _asked(request: Request | None) -> dict[str, str] | None:
    return None if request is None else {"action": request.action, "resource": request.resource}
