"""The policy for a task: what it says, where it belongs, the other side, and the proof; as text and as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clew.explain.fix_edit import laid_out
from clew.report import fix_text
from clew.report.escape import terminal
from clew.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.explain.fix import Fix
    from clew.explain.grant import Grant, Proof

_ANSWERS = {True: "allowed", False: "refused", None: "open"}
_MOST_PROOFS = 8


def lines(found: Grant, principal: str) -> Iterator[str]:
    """The answer for a reader, the policy first."""
    yield f"GRANT  {terminal(found.task.title)}{f', for {terminal(principal)}' if principal else ''}"
    yield ""
    yield from (f"  {terminal(line)}" for line in laid_out(found.document).splitlines())
    yield ""
    yield from _place(found)
    yield from wrapped(f"newly allows: {fix_text.newly(_with_gain(found))}", further="    ")
    yield from _other_side(found)
    yield ""
    yield "  proof:"
    for proof in found.proofs[:_MOST_PROOFS]:
        yield from wrapped(_proof(proof), indent="    ", further="        ")
    if len(found.proofs) > _MOST_PROOFS:
        yield f"    and {len(found.proofs) - _MOST_PROOFS} more"
    words = "; ".join(found.problems) if found.problems else "nothing is found"
    yield from wrapped(f"validation: {words}", further="    ")
    for title, texts in (("assumed", found.assumed), ("not known", found.unknown)):
        for text in texts:
            yield from wrapped(f"{title}: {text}", further="    ")


def _with_gain(found: Grant) -> Fix:
    return replace(found.fix, gain=found.gain)


def _place(found: Grant) -> Iterator[str]:
    if found.edit is None:
        yield from wrapped(
            "attach: to the user, group or role that has the task; `--to ARN` judges it there", further="    "
        )
        return
    yield from wrapped(f"attach: {found.edit.where.words}", further="    ")
    for command in found.fix.undo[-1:]:
        yield from wrapped(f"undo: {command}", further="    ")
    yield "  `--as cli`, cloudformation, terraform, json-patch print it; `--as plan | clew fix --from -` attaches it"


def _other_side(found: Grant) -> Iterator[str]:
    """What else must change: the trust, key or topic policy, a boundary, an SCP."""
    if found.others:
        yield ""
        yield "  the other side must allow it too:"
    for edit in found.others:
        yield from (f"    {terminal(line)}" for line in edit.difference if not line.startswith("@@"))
        if not edit.is_at_hand:
            yield "    what stands there is not at hand: add the statement to it"


def _proof(proof: Proof) -> str:
    asked = f"{proof.request.action} on {proof.request.resource}"
    before = {True: "allowed already", False: "refused before", None: ""}[proof.before]
    parts = [before, f"with the policy {_ANSWERS[proof.with_policy]}"]
    if proof.with_policy is not proof.with_all:
        parts.append(f"with the other side too {_ANSWERS[proof.with_all]}")
    why = f": {proof.why}" if proof.why else ""
    return f"{asked}: {', '.join(part for part in parts if part)}{why}"


def document(found: Grant, principal: str) -> dict[str, object]:
    """The answer as an object of JSON."""
    return {
        "task": found.task.id,
        "title": found.task.title,
        "page": found.task.page,
        "principal": principal,
        "policy": found.document,
        "allowed": found.allowed,
        "fix": fix_text.document(_with_gain(found)),
        "proof": [
            {
                "action": proof.request.action,
                "resource": proof.request.resource,
                "before": proof.before,
                "with_policy": proof.with_policy,
                "with_other_side": proof.with_all,
                "why": proof.why,
            }
            for proof in found.proofs
        ],
        "validation": list(found.problems),
        "assumed": list(found.assumed),
        "unknown": list(found.unknown),
    }
